import CMachineForms
import EVM
import Synchronization

/// The accounts and slots of a state in flat memory: rows in order of arrival, and tables that find
/// them.
///
/// Reading changes nothing, so that any number of threads may read while nobody writes. An account's
/// number is its place for good; a slot's number changes when the table is filled anew.
struct StateTables: ~Copyable {
  /// The hash, and its secrets.
  let hash: StateHash
  /// Where accounts and slots without a row come from; `nil` where there are no others.
  let pages: StatePages?
  /// The accounts, deleted ones among them.
  private(set) var accounts: UnsafeMutablePointer<AccountRow>
  /// What the trie needs of them.
  private(set) var tries: UnsafeMutablePointer<AccountTrieRow>
  /// How many rows there are.
  private(set) var accountCount = 0
  /// The slots, with those of wiped storages and those that are zero.
  private(set) var slots: UnsafeMutablePointer<SlotRow>
  /// How many rows there are.
  private(set) var slotCount = 0

  private var accountTable: IndexTable
  private var slotTable: IndexTable
  private var accountCapacity: Int
  private var slotCapacity: Int

  /// Empty tables with room for so many rows.
  init(
    accounts: Int = 0, slots: Int = 0, hash: StateHash = StateHash(), pages: StatePages? = nil
  ) {
    self.hash = hash
    self.pages = pages
    accountTable = IndexTable(rows: accounts)
    slotTable = IndexTable(rows: slots)
    accountCapacity = accountTable.capacity
    slotCapacity = slotTable.capacity
    self.accounts = .allocate(capacity: accountCapacity)
    tries = .allocate(capacity: accountCapacity)
    self.slots = .allocate(capacity: slotCapacity)
  }

  private init(copying other: borrowing StateTables) {
    hash = other.hash
    pages = other.pages?.copy()
    accountTable = other.accountTable.copy()
    slotTable = other.slotTable.copy()
    accountCapacity = other.accountCapacity
    slotCapacity = other.slotCapacity
    accountCount = other.accountCount
    slotCount = other.slotCount
    accounts = .allocate(capacity: accountCapacity)
    accounts.initialize(from: other.accounts, count: accountCount)
    tries = .allocate(capacity: accountCapacity)
    tries.initialize(from: other.tries, count: accountCount)
    slots = .allocate(capacity: slotCapacity)
    slots.initialize(from: other.slots, count: slotCount)
  }

  deinit {
    accounts.deallocate()
    tries.deallocate()
    slots.deallocate()
  }

  /// A copy; takes time in proportion to the rows.
  func copy() -> StateTables { StateTables(copying: self) }

  // MARK: Accounts

  /// The number of an account's row, deleted or not; `IndexTable.none` when it has none.
  @inline(__always)
  func find(_ address: Address) -> UInt32 { find(address, hash(address)) }

  /// The same with the address's hash.
  @inline(__always)
  func find(_ address: Address, _ hash: UInt64) -> UInt32 {
    let rows = accounts
    return accountTable.find(hash) { rows[Int($0)].address == address }
  }

  /// Begins to load the row of the account with this hash.
  @inline(__always)
  func prefetchAccount(_ hash: UInt64) {
    let number = accountTable.prefetch(hash)
    if Int(number) < accountCount { machine_prefetch(accounts + Int(number)) }
  }

  /// The number of an account's row, which was `hint` when it was last seen.
  @inline(__always)
  func find(_ address: Address, hint: UInt32) -> UInt32 {
    if Int(hint) < accountCount && accounts[Int(hint)].address == address { return hint }
    return find(address)
  }

  /// The row of an account that exists.
  func account(_ address: Address) -> UnsafeMutablePointer<AccountRow>? {
    let number = find(address)
    if number == IndexTable.none || !accounts[Int(number)].exists { return nil }
    return accounts + Int(number)
  }

  /// The number of an account, which comes to exist.
  mutating func insert(_ address: Address) -> UInt32 {
    let known = find(address)
    if known != IndexTable.none {
      accounts[Int(known)].exists = true
      return known
    }
    if pages != nil {
      let paged = page(address)
      accounts[Int(paged)].exists = true
      return paged
    }
    return append(AccountRow(address))
  }

  /// Adds the row of an account that has none.
  mutating func append(_ row: AccountRow) -> UInt32 {
    if accountCount == accountCapacity { growAccounts() }
    let number = UInt32(accountCount)
    (accounts + accountCount).initialize(to: row)
    (tries + accountCount).initialize(to: AccountTrieRow())
    accountCount += 1
    accountTable.insert(hash(row.address), number)
    return number
  }

  /// Makes room for further rows, so that the tables stay where they are while these are added.
  mutating func reserve(accounts: Int, slots: Int) {
    while accountCapacity - accountCount < accounts { growAccounts() }
    while slotCapacity - slotCount < slots { growSlots() }
  }

  var hasRoomForAccount: Bool { accountCount < accountCapacity }
  var hasRoomForSlot: Bool { slotCount < slotCapacity }

  @inline(never)
  private mutating func growAccounts() {
    accountCapacity *= 2
    precondition(accountCapacity <= Int(IndexTable.none), "accounts are numbered with 32 bits")
    accounts = Self.move(accounts, accountCount, capacity: accountCapacity)
    tries = Self.move(tries, accountCount, capacity: accountCapacity)
    accountTable = IndexTable(rows: accountCapacity)
    for number in 0..<accountCount {
      accountTable.insert(hash(accounts[number].address), UInt32(number))
    }
  }

  // MARK: Slots

  /// The number of a slot's row; `IndexTable.none` when it has none.
  @inline(__always)
  func find(_ key: UInt256, of account: UInt32) -> UInt32 {
    find(key, of: account, hash(account, accounts[Int(account)].epoch, key))
  }

  /// The same with the hash of the account's number, its epoch and the key.
  @inline(__always)
  func find(_ key: UInt256, of account: UInt32, _ hash: UInt64) -> UInt32 {
    let rows = slots
    let epoch = accounts[Int(account)].epoch
    return slotTable.find(hash) {
      let row = rows + Int($0)
      return row.pointee.key == key && row.pointee.account == account
        && row.pointee.epoch == epoch
    }
  }

  /// Begins to load what a search for the slot with this hash reads first.
  @inline(__always)
  func prefetchSlot(_ hash: UInt64) { _ = slotTable.prefetch(hash) }

  /// The same, and the row that it may find.
  @inline(__always)
  func prefetchSlotRow(_ hash: UInt64) {
    let number = slotTable.prefetch(hash)
    if Int(number) < slotCount { machine_prefetch(slots + Int(number)) }
  }

  /// The value of a slot.
  func value(_ key: UInt256, of account: UInt32) -> UInt256 {
    let number = find(key, of: account)
    return number == IndexTable.none ? .zero : slots[Int(number)].value
  }

  /// Sets a slot of an account that exists; `hint` is the number of its row when it was last seen.
  mutating func set(
    _ key: UInt256, of account: UInt32, to value: UInt256, hint: UInt32 = IndexTable.none
  ) {
    let number = isSlot(hint, key, of: account) ? hint : find(key, of: account)
    let owner = accounts + Int(account)
    owner.pointee.knowsStorageRoot = false
    if number != IndexTable.none {
      let row = slots + Int(number)
      owner.pointee.slotCount &+= (value.isZero ? 0 : 1)
      owner.pointee.slotCount &-= (row.pointee.value.isZero ? 0 : 1)
      row.pointee.value = value
      return
    }
    if pages != nil && owner.pointee.epoch == 0 {
      let paged = page(key, of: account)
      return set(key, of: account, to: value, hint: paged)
    }
    if value.isZero { return }
    append(key, value, of: account)
    owner.pointee.slotCount &+= 1
  }

  /// Adds the row of a slot that has none; `before` is what a source has.
  mutating func append(
    _ key: UInt256, _ value: UInt256, of account: UInt32, before: UInt256 = .zero
  ) {
    pages?.slots.append(before)
    let owner = accounts + Int(account)
    if slotCount == slotCapacity { growSlots() }
    (slots + slotCount).initialize(
      to: SlotRow(
        key: key, value: value, account: account, epoch: owner.pointee.epoch,
        next: owner.pointee.firstSlot))
    owner.pointee.firstSlot = UInt32(slotCount)
    slotTable.insert(hash(account, owner.pointee.epoch, key), UInt32(slotCount))
    slotCount += 1
  }

  /// Sets the value of a slot's row. Several threads may do so for different rows.
  @inline(__always)
  func replace(_ value: UInt256, at number: UInt32, of account: UInt32) {
    let row = slots + Int(number)
    let owner = accounts + Int(account)
    if value.isZero != row.pointee.value.isZero {
      withUnsafeMutablePointer(to: &owner.pointee.slotCount) {
        _ = UnsafeRawPointer($0).assumingMemoryBound(to: Atomic<UInt32>.self).pointee
          .wrappingAdd(value.isZero ? .max : 1, ordering: .relaxed)
      }
    }
    row.pointee.value = value
    if owner.pointee.knowsStorageRoot { owner.pointee.knowsStorageRoot = false }
  }

  @inline(__always)
  private func isSlot(_ number: UInt32, _ key: UInt256, of account: UInt32) -> Bool {
    if Int(number) >= slotCount { return false }
    let row = slots + Int(number)
    return row.pointee.key == key && row.pointee.account == account
      && row.pointee.epoch == accounts[Int(account)].epoch
  }

  /// Makes room: by leaving out what no longer counts when that is half of the rows, else by taking
  /// more memory.
  @inline(never)
  private mutating func growSlots() {
    var live = 0
    for number in 0..<slotCount where isLive(number) { live += 1 }
    // What was paged in is remembered by the number of its row.
    if live > slotCount / 2 || pages != nil {
      slotCapacity *= 2
      precondition(slotCapacity <= Int(IndexTable.none), "slots are numbered with 32 bits")
    } else {
      dropDead()
    }
    slots = Self.move(slots, slotCount, capacity: slotCapacity)
    slotTable = IndexTable(rows: slotCapacity)
    for number in 0..<slotCount {
      let row = slots[number]
      slotTable.insert(hash(row.account, row.epoch, row.key), UInt32(number))
    }
  }

  private func isLive(_ number: Int) -> Bool {
    let row = slots + number
    return !row.pointee.value.isZero
      && accounts[Int(row.pointee.account)].epoch == row.pointee.epoch
  }

  /// Moves the rows that count together, and chains each account's slots anew.
  private mutating func dropDead() {
    for number in 0..<accountCount { accounts[number].firstSlot = IndexTable.none }
    var kept = 0
    for number in 0..<slotCount where isLive(number) {
      slots[kept] = slots[number]
      let owner = accounts + Int(slots[kept].account)
      slots[kept].next = owner.pointee.firstSlot
      owner.pointee.firstSlot = UInt32(kept)
      kept += 1
    }
    slotCount = kept
  }

  private static func move<Row: BitwiseCopyable>(
    _ rows: UnsafeMutablePointer<Row>, _ count: Int, capacity: Int
  ) -> UnsafeMutablePointer<Row> {
    let new = UnsafeMutablePointer<Row>.allocate(capacity: capacity)
    new.initialize(from: rows, count: count)
    rows.deallocate()
    return new
  }

  /// Calls `body` with every slot of an account that is not zero.
  func forEachSlot(of account: UInt32, _ body: (UInt256, UInt256) -> Void) {
    var number = accounts[Int(account)].firstSlot
    while number != IndexTable.none {
      let row = slots + Int(number)
      if !row.pointee.value.isZero { body(row.pointee.key, row.pointee.value) }
      number = row.pointee.next
    }
  }

  // MARK: The machine's questions

  /// The account as the machine asks for it.
  @inline(__always)
  func read(_ address: Address, into record: inout AccountRecord) {
    let number = find(address)
    if number == IndexTable.none {
      record = .absent
      return
    }
    let row = accounts + Int(number)
    record.nonce = row.pointee.nonce
    record.balance = row.pointee.balance
    record.codeHash = row.pointee.codeHash
    record.exists = row.pointee.exists
    record.hasStorage = row.pointee.slotCount != 0
    record.place = number
  }

  /// The slot as the machine asks for it.
  @inline(__always)
  func read(_ key: UInt256, of account: UInt32, into record: inout StorageRecord) {
    record.place = account == IndexTable.none ? account : find(key, of: account)
    record.value = record.place == IndexTable.none ? .zero : slots[Int(record.place)].value
  }
}

/// The one owner of tables that several states may share.
final class StateMemory {
  /// The tables; whoever holds the only reference may change them.
  let tables: UnsafeMutablePointer<StateTables>

  init(_ tables: consuming StateTables) {
    self.tables = .allocate(capacity: 1)
    self.tables.initialize(to: tables)
  }

  deinit {
    tables.deinitialize(count: 1)
    tables.deallocate()
  }
}

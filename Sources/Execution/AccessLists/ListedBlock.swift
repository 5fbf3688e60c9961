import EVM
import Ethereum
import Synchronization

/// A block whose transactions run independently: each on the state before the block and the values
/// that the block's access list has before it.
///
/// What a transaction reads and changes is compared with the list; when everything in the list has
/// been read or changed, and nothing else, every transaction has seen what it sees in order. Nothing
/// is decided here but that: where anything differs, the block is executed in another way, which tells
/// what is wrong.
///
/// One struct at one place, which workers read through a pointer: nobody counts references to it.
struct ListedBlock: ~Copyable {
  let fork: Fork
  let environment: BlockEnvironment
  let maxBlobs: Int
  let transactionCount: Int
  let columns: ListedColumns
  /// The state's tables.
  let tables: UnsafeMutablePointer<StateTables>
  /// The list's own tables: the numbers of its accounts, and of their slots.
  let accountTable: SharedIndexTable
  let slotTable: SharedIndexTable
  /// The accounts.
  let accounts: UnsafeMutablePointer<ListedAccount>
  /// The slots that change, then those that are only read.
  let slots: UnsafeMutablePointer<ListedSlot>
  /// Which accounts, and which of the slots that are only read, the block has read.
  let accountMarks: UnsafeMutablePointer<Atomic<Bool>>
  let readMarks: UnsafeMutablePointer<Atomic<Bool>>
  /// The state's, which outlives the block. Counting references would be done by all workers at once.
  unowned(unsafe) let codes: CodeStore
  /// Answers BLOCKHASH; called by one worker at a time.
  let blockHash: (UInt64) -> Hash256?
  let blockHashLock = SpinLock()
  /// The hashes of the list's codes.
  let codeHashes: UnsafeMutablePointer<Hash256>

  /// Whether something differs, or can not be done in this way.
  let differs = Atomic<Bool>(false)
  /// Changes of the list that came before the transactions, that come after them, and that the
  /// transactions have made.
  let changesBefore = Atomic<Int>(0)
  let changesAfter = Atomic<Int>(0)
  let changesMade = Atomic<Int>(0)
  // What is handed out to workers next.
  let nextAccount = Atomic<Int>(0)
  let nextSlot = Atomic<Int>(0)
  let nextRead = Atomic<Int>(0)
  let nextTransaction = Atomic<Int>(0)

  init(
    _ block: PreparedBlock, _ columns: ListedColumns, _ memory: ListedMemory,
    runner: TransactionRunner
  ) {
    fork = block.fork
    environment = block.environment
    maxBlobs = block.maxBlobs
    transactionCount = block.transactions.count
    self.columns = columns
    tables = runner.sharedTables
    codes = runner.state.codes
    blockHash = { runner.blockHashes[$0] ?? runner.fallbackBlockHash?($0) }
    memory.begin(columns)
    accountTable = memory.accountTable
    slotTable = memory.slotTable
    accounts = memory.accounts
    slots = memory.slots
    accountMarks = memory.accountMarks
    readMarks = memory.readMarks
    codeHashes = .allocate(capacity: columns.codes.count)
    for (place, change) in columns.codes.enumerated() {
      change.code.withUnsafeBufferPointer { code in
        let hash = Keccak256.hash(code)
        runner.state.codes.insert(code, hash: hash)
        (codeHashes + place).initialize(to: hash)
      }
    }
  }

  deinit { codeHashes.deallocate() }

  /// The index of what comes after the transactions.
  var lastIndex: UInt32 { UInt32(transactionCount + 1) }

  // MARK: Lookups

  /// The number of an account in the list; `IndexTable.none` when it is not there.
  @inline(__always)
  func account(_ address: Address) -> UInt32 {
    accountTable.find(tables.pointee.hash(address)) {
      accounts[Int($0)].address == address
    }
  }

  /// The number of an account's slot in the list, those that are only read after those that change;
  /// `IndexTable.none` when it is not there.
  @inline(__always)
  func slot(_ key: UInt256, of account: UInt32) -> UInt32 {
    slotTable.find(tables.pointee.hash(account, 0, key)) {
      let slot = slots + Int($0)
      return slot.pointee.key == key && slot.pointee.account == account
    }
  }

  // MARK: Preparing

  /// Looks a part of the list up in the state's tables, and enters it into the list's own.
  func prepare() {
    var before = 0
    var after = 0
    while let range = Self.take(nextAccount, columns.accounts.count) {
      for account in range {
        if account + Self.lead < range.upperBound {
          prefetch(columns.accounts[account + Self.lead].address)
        }
        prepare(account: account, &before, &after)
      }
    }
    while let range = Self.take(nextSlot, columns.slots.count) {
      var account = columns.account(ofSlot: range.lowerBound)
      var row = tables.pointee.find(columns.accounts[account].address)
      for slot in range {
        while slot >= Int(columns.accounts[account].slotEnd) {
          account += 1
          row = tables.pointee.find(columns.accounts[account].address)
        }
        if slot + Self.lead < range.upperBound {
          prefetch(columns.slots[slot + Self.lead].key, account, row)
        }
        let changes = columns.changeRange(slot)
        enter(
          columns.slots[slot].key, slot, account, row,
          ListedChanges(changes, columns.slotChanges))
        count(columns.slotChanges, changes, &before, &after)
      }
    }
    while let range = Self.take(nextRead, columns.reads.count) {
      var account = columns.account(ofRead: range.lowerBound)
      var row = tables.pointee.find(columns.accounts[account].address)
      for read in range {
        while read >= Int(columns.accounts[account].readEnd) {
          account += 1
          row = tables.pointee.find(columns.accounts[account].address)
        }
        if read + Self.lead < range.upperBound {
          prefetch(columns.reads[read + Self.lead], account, row)
        }
        enter(columns.reads[read], columns.slots.count + read, account, row, ListedChanges())
        (readMarks + read).initialize(to: Atomic(false))
      }
    }
    changesBefore.add(before, ordering: .relaxed)
    changesAfter.add(after, ordering: .relaxed)
  }

  /// How far ahead what will be looked up is loaded: each lookup waits for memory several times.
  private static var lead: Int { 12 }

  @inline(__always)
  private func prefetch(_ address: Address) {
    let hash = tables.pointee.hash(address)
    tables.pointee.prefetchAccount(hash)
    accountTable.prefetch(hash)
  }

  /// The same for a slot, if it is of this account and this row.
  @inline(__always)
  private func prefetch(_ key: UInt256, _ account: Int, _ row: UInt32) {
    if row != IndexTable.none {
      tables.pointee.prefetchSlotRow(
        tables.pointee.hash(row, tables.pointee.accounts[Int(row)].epoch, key))
    }
    slotTable.prefetch(tables.pointee.hash(UInt32(account), 0, key))
  }

  private func prepare(account: Int, _ before: inout Int, _ after: inout Int) {
    let address = columns.accounts[account].address
    var record = AccountRecord.absent
    tables.pointee.read(address, into: &record)
    (accounts + account).initialize(
      to: ListedAccount(
        address: address, nonce: record.nonce, balance: record.balance, codeHash: record.codeHash,
        hasStorage: record.hasStorage, row: record.place,
        balances: ListedChanges(columns.balanceRange(account), columns.balances),
        nonces: ListedChanges(columns.nonceRange(account), columns.nonces),
        codes: ListedChanges(columns.codeRange(account), columns.codes)))
    (accountMarks + account).initialize(to: Atomic(false))
    accountTable.insert(tables.pointee.hash(address), UInt32(account))
    count(columns.balances, columns.balanceRange(account), &before, &after)
    count(columns.nonces, columns.nonceRange(account), &before, &after)
    count(columns.codes, columns.codeRange(account), &before, &after)
    // From before EIP-161 and EIP-7610: whether such an account was touched is not in the list.
    if record.exists && record.nonce == 0 && record.codeHash == .emptyCode
      && (record.balance.isZero || record.hasStorage)
    {
      differs.store(true, ordering: .relaxed)
    }
  }

  @inline(__always)
  private func enter(
    _ key: UInt256, _ slot: Int, _ account: Int, _ row: UInt32, _ changes: ListedChanges
  ) {
    var record = StorageRecord(value: .zero)
    tables.pointee.read(key, of: row, into: &record)
    (slots + slot).initialize(
      to: ListedSlot(
        key: key, value: record.value, account: UInt32(account), row: record.place,
        changes: changes))
    slotTable.insert(tables.pointee.hash(UInt32(account), 0, key), UInt32(slot))
  }

  /// Counts the changes that come before and after the transactions.
  @inline(__always)
  private func count<Change: AccessListChange>(
    _ changes: UnsafeBufferPointer<Change>, _ range: Range<Int>, _ before: inout Int,
    _ after: inout Int
  ) {
    if range.isEmpty { return }
    if changes[range.lowerBound].index == 0 { before += 1 }
    let last = changes[range.upperBound - 1].index
    if last == lastIndex { after += 1 }
    if last > lastIndex { differs.store(true, ordering: .relaxed) }
  }

  /// The next part of so many things; `nil` when all are handed out.
  static func take(
    _ next: borrowing Atomic<Int>, _ count: Int, atOnce: Int = 256
  ) -> Range<Int>? {
    if next.load(ordering: .relaxed) >= count { return nil }
    let first = next.add(atOnce, ordering: .relaxed).oldValue
    return first >= count ? nil : first..<min(first + atOnce, count)
  }
}

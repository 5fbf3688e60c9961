import CMachineForms
import EVM
import Synchronization

/// The cells that a block asks for, over the state from before the block, which nobody changes
/// meanwhile. Any number of workers find and add cells without locks.
struct CellStore: ~Copyable {
  /// Numbered, as the machine hands the number back with its questions.
  let lifecycles: Region<Lifecycle>
  /// Numbered for the same reason.
  let slots: Region<SlotCell>
  private let lifecycleCount = Atomic<Int>(0)
  private let slotCount = Atomic<Int>(0)
  private var accountDirectory: UnsafeMutablePointer<Atomic<UInt>>
  private var slotDirectory: UnsafeMutablePointer<Atomic<UInt>>
  private var mask: Int
  private(set) var tables: UnsafeMutablePointer<StateTables>
  private(set) var coinbase = Address.zero
  /// Whether the directories are empty, as each worker has forgotten its cells.
  var isClean = false

  /// How many numbers a worker takes at once.
  private static var share: Int { 64 }
  private static var lifecycleCapacity: Int { 1 << 23 }
  private static var slotCapacity: Int { 1 << 24 }

  /// `nil` when the system has no address space for the cells.
  init?(tables: UnsafeMutablePointer<StateTables>) {
    guard let lifecycles = Region<Lifecycle>(capacity: Self.lifecycleCapacity),
      let slots = Region<SlotCell>(capacity: Self.slotCapacity)
    else { return nil }
    self.lifecycles = lifecycles
    self.slots = slots
    self.tables = tables
    mask = -1
    accountDirectory = .allocate(capacity: 0)
    slotDirectory = .allocate(capacity: 0)
  }

  deinit {
    accountDirectory.deallocate()
    slotDirectory.deallocate()
  }

  /// Forgets all cells, for a block of so many transactions.
  mutating func begin(
    transactions: Int, tables: UnsafeMutablePointer<StateTables>, coinbase: Address
  ) {
    self.tables = tables
    self.coinbase = coinbase
    lifecycleCount.store(0, ordering: .relaxed)
    slotCount.store(0, ordering: .relaxed)
    var places = 1024
    while places < transactions * 8 { places *= 2 }
    if places != mask + 1 {
      accountDirectory.deallocate()
      slotDirectory.deallocate()
      accountDirectory = .allocate(capacity: places)
      slotDirectory = .allocate(capacity: places)
      mask = places - 1
    } else if isClean {
      isClean = false
      return
    }
    isClean = false
    UnsafeMutableRawPointer(accountDirectory).initializeMemory(
      as: UInt8.self, repeating: 0, count: places * MemoryLayout<UInt>.stride)
    UnsafeMutableRawPointer(slotDirectory).initializeMemory(
      as: UInt8.self, repeating: 0, count: places * MemoryLayout<UInt>.stride)
  }

  /// Empties the place of an account's cell in the directory.
  @inline(__always)
  borrowing func forget(_ cell: UnsafeMutablePointer<AccountCell>) {
    let place = Int(truncatingIfNeeded: tables.pointee.hash(cell.pointee.address)) & mask
    accountDirectory[place].store(0, ordering: .relaxed)
  }

  /// Empties the place of a slot's cell in the directory.
  @inline(__always)
  borrowing func forget(_ cell: UnsafeMutablePointer<SlotCell>) {
    let hash = hash(cell.pointee.key, cell.pointee.account, cell.pointee.epoch)
    slotDirectory[Int(truncatingIfNeeded: hash) & mask].store(0, ordering: .relaxed)
  }

  /// Begins to load what taking an account's values into the tables, and forgetting it, touches.
  @inline(__always)
  borrowing func prefetch(_ cell: UnsafeMutablePointer<AccountCell>) {
    let place = Int(truncatingIfNeeded: tables.pointee.hash(cell.pointee.address)) & mask
    machine_prefetch(accountDirectory + place)
    machine_prefetch(cell.pointee.timelines)
    if cell.pointee.number != IndexTable.none {
      machine_prefetch(tables.pointee.accounts + Int(cell.pointee.number))
    }
  }

  /// The same for a slot.
  @inline(__always)
  borrowing func prefetch(_ cell: UnsafeMutablePointer<SlotCell>) {
    let hash = hash(cell.pointee.key, cell.pointee.account, cell.pointee.epoch)
    machine_prefetch(slotDirectory + Int(truncatingIfNeeded: hash) & mask)
    if !cell.pointee.timeline.isUnchanged && cell.pointee.number != IndexTable.none {
      machine_prefetch(tables.pointee.slots + Int(cell.pointee.number))
    }
  }

  /// The hash of a slot; that of the tables, where they may have it.
  @inline(__always)
  private borrowing func hash(
    _ key: UInt256, _ account: UnsafeMutablePointer<AccountCell>, _ epoch: UInt32
  ) -> UInt64 {
    let number = account.pointee.number
    return epoch == 0 && number != IndexTable.none
      ? tables.pointee.hash(number, account.pointee.tableEpoch, key)
      : tables.pointee.hash(account.pointee.id, epoch, key)
  }

  /// Begins to load what finding an account's cell, or making it, will read.
  @inline(__always)
  borrowing func prefetch(_ address: Address) {
    let hash = tables.pointee.hash(address)
    machine_prefetch(accountDirectory + Int(truncatingIfNeeded: hash) & mask)
    tables.pointee.prefetchAccount(hash)
  }

  /// Numbers of lifecycles and slots that a worker has taken and not used, and what it made.
  struct Share {
    fileprivate var lifecycles = 0..<0
    fileprivate var slots = 0..<0
    /// The account that it added last; the others follow by `sibling`.
    fileprivate(set) var lastAccount: UnsafeMutablePointer<AccountCell>?
    /// The slot that it added last.
    fileprivate(set) var lastSlot: UnsafeMutablePointer<SlotCell>?
  }

  /// A number for a lifecycle; `nil` when they have run out.
  @inline(__always)
  borrowing func takeLifecycle(_ share: inout Share) -> UInt32? {
    if share.lifecycles.isEmpty {
      let first = lifecycleCount.add(Self.share, ordering: .relaxed).oldValue
      if first + Self.share > lifecycles.capacity { return nil }
      share.lifecycles = first..<first + Self.share
    }
    return UInt32(truncatingIfNeeded: share.lifecycles.removeFirst())
  }

  private borrowing func takeSlot(_ share: inout Share) -> UnsafeMutablePointer<SlotCell>? {
    if share.slots.isEmpty {
      let first = slotCount.add(Self.share, ordering: .relaxed).oldValue
      if first + Self.share > slots.capacity { return nil }
      share.slots = first..<first + Self.share
    }
    return slots.base + share.slots.removeFirst()
  }

  /// The cell of an account, made when it is new; `nil` when cells have run out.
  @inline(__always)
  borrowing func account(
    _ address: Address, _ share: inout Share, _ slab: inout Slab
  ) -> UnsafeMutablePointer<AccountCell>? {
    let hash = tables.pointee.hash(address)
    let place = accountDirectory + Int(truncatingIfNeeded: hash) & mask
    let head = place.pointee.load(ordering: .acquiring)
    var next = UnsafeMutablePointer<AccountCell>(bitPattern: head)
    while let cell = next {
      if cell.pointee.address == address { return cell }
      next = cell.pointee.next
    }
    return addAccount(address, hash, place, head, &share, &slab)
  }

  @inline(never)
  private borrowing func addAccount(
    _ address: Address, _ hash: UInt64, _ place: UnsafeMutablePointer<Atomic<UInt>>, _ head: UInt,
    _ share: inout Share, _ slab: inout Slab
  ) -> UnsafeMutablePointer<AccountCell>? {
    var number = tables.pointee.find(address, hash)
    if number == IndexTable.none && tables.pointee.pages != nil {
      number = tables.pointee.pageShared(address)
      if number == IndexTable.none { return nil }
    }
    guard let id = takeLifecycle(&share) else { return nil }
    let cell = slab.allocate(AccountCell.self)
    let timelines = slab.allocate(Timeline.self, count: 2)
    let first = lifecycles.base + Int(id)
    let row = number == IndexTable.none ? AccountRow(address) : tables.pointee.accounts[Int(number)]
    let exists = number != IndexTable.none && row.exists
    first.initialize(
      to: Lifecycle(
        account: cell, transaction: -1, incarnation: 0, epoch: 0,
        existsEmpty: exists && row.isEmpty, hasStorage: row.slotCount != 0,
        codeHash: row.codeHash, code: row.code, next: Atomic(nil)))
    timelines.initialize(to: Timeline(base: UInt256(row.nonce)))
    (timelines + 1).initialize(to: Timeline(base: row.balance))
    var seen = head
    cell.initialize(
      to: AccountCell(
        address: address, number: number, id: id, tableEpoch: row.epoch,
        isCoinbase: address == coinbase,
        next: UnsafeMutablePointer(bitPattern: seen), sibling: share.lastAccount,
        lifecycles: Atomic(first), timelines: timelines))
    while true {
      let (exchanged, original) = place.pointee.compareExchange(
        expected: seen, desired: UInt(bitPattern: cell), ordering: .acquiringAndReleasing)
      if exchanged {
        share.lastAccount = cell
        return cell
      }
      // Another worker was faster; with the same account perhaps.
      var next = UnsafeMutablePointer<AccountCell>(bitPattern: original)
      while let other = next, UInt(bitPattern: other) != seen {
        if other.pointee.address == address { return other }
        next = other.pointee.next
      }
      seen = original
      cell.pointee.next = UnsafeMutablePointer(bitPattern: seen)
    }
  }

  /// The cell of a slot, made when it is new; `nil` when cells have run out.
  @inline(__always)
  borrowing func slot(
    _ key: UInt256, of account: UnsafeMutablePointer<AccountCell>, epoch: UInt32,
    _ share: inout Share
  ) -> UnsafeMutablePointer<SlotCell>? {
    let hash = hash(key, account, epoch)
    // Most are new: the two tables are looked up at once.
    tables.pointee.prefetchSlot(hash)
    let place = slotDirectory + Int(truncatingIfNeeded: hash) & mask
    let head = place.pointee.load(ordering: .acquiring)
    var next = UnsafeMutablePointer<SlotCell>(bitPattern: head)
    while let cell = next {
      if cell.pointee.key == key && cell.pointee.account == account
        && cell.pointee.epoch == epoch
      {
        return cell
      }
      next = cell.pointee.next
    }
    return addSlot(key, account, epoch, hash, place, head, &share)
  }

  @inline(never)
  private borrowing func addSlot(
    _ key: UInt256, _ account: UnsafeMutablePointer<AccountCell>, _ epoch: UInt32, _ hash: UInt64,
    _ place: UnsafeMutablePointer<Atomic<UInt>>, _ head: UInt, _ share: inout Share
  ) -> UnsafeMutablePointer<SlotCell>? {
    var number = IndexTable.none
    var value = UInt256.zero
    if epoch == 0 && account.pointee.number != IndexTable.none {
      number = tables.pointee.find(key, of: account.pointee.number, hash)
      // A storage that was wiped has nothing in the source any more.
      if number == IndexTable.none && account.pointee.tableEpoch == 0 && tables.pointee.pages != nil
      {
        number = tables.pointee.pageShared(key, of: account.pointee.number)
        if number == IndexTable.none { return nil }
      }
      if number != IndexTable.none { value = tables.pointee.slots[Int(number)].value }
    }
    guard let cell = takeSlot(&share) else { return nil }
    var seen = head
    cell.initialize(
      to: SlotCell(
        timeline: Timeline(base: value), key: key, account: account, epoch: epoch,
        number: number, next: UnsafeMutablePointer(bitPattern: seen),
        sibling: share.lastSlot))
    while true {
      let (exchanged, original) = place.pointee.compareExchange(
        expected: seen, desired: UInt(bitPattern: cell), ordering: .acquiringAndReleasing)
      if exchanged {
        share.lastSlot = cell
        return cell
      }
      var next = UnsafeMutablePointer<SlotCell>(bitPattern: original)
      while let other = next, UInt(bitPattern: other) != seen {
        if other.pointee.key == key && other.pointee.account == account
          && other.pointee.epoch == epoch
        {
          return other
        }
        next = other.pointee.next
      }
      seen = original
      cell.pointee.next = UnsafeMutablePointer(bitPattern: seen)
    }
  }

  /// The number of a slot's cell.
  @inline(__always)
  borrowing func number(of cell: UnsafeMutablePointer<SlotCell>) -> UInt32 {
    UInt32(truncatingIfNeeded: cell - slots.base)
  }

  /// Bytes that the cells take, without those of the workers' slabs.
  var byteCount: Int {
    lifecycleCount.load(ordering: .relaxed) * MemoryLayout<Lifecycle>.stride
      + slotCount.load(ordering: .relaxed) * MemoryLayout<SlotCell>.stride
      + (mask + 1) * 2 * MemoryLayout<UInt>.stride
  }
}

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
  // In a directory's place lie a cell's address and the number of the block that it is of: what blocks
  // before left there counts as nothing.
  private var accountDirectory: UnsafeMutablePointer<Atomic<UInt>>
  private var slotDirectory: UnsafeMutablePointer<Atomic<UInt>>
  private var directoryCapacity = 0
  private var mask: Int
  /// The number of the block, in the bits that addresses do not have.
  private var blockTag: UInt = 0
  private(set) var tables: UnsafeMutablePointer<StateTables>
  private(set) var coinbase = Address.zero

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
    mask = places - 1
    if places > directoryCapacity {
      accountDirectory.deallocate()
      slotDirectory.deallocate()
      accountDirectory = .allocate(capacity: places)
      slotDirectory = .allocate(capacity: places)
      directoryCapacity = places
      blockTag = 0
    }
    blockTag &+= Self.firstTag
    if blockTag != Self.firstTag && blockTag != 0 { return }
    // The first block there, or all numbers are used up.
    blockTag = Self.firstTag
    for directory in [accountDirectory, slotDirectory] {
      UnsafeMutableRawPointer(directory).initializeMemory(
        as: UInt8.self, repeating: 0,
        count: directoryCapacity * MemoryLayout<UInt>.stride)
    }
  }

  /// User space has 48 bits of address at most.
  private static var firstTag: UInt { 1 << 48 }

  /// The cell that an entry of a directory leads to; `nil` where the block has put none there.
  @inline(__always)
  private borrowing func cell<Cell: ~Copyable>(_ entry: UInt, _ type: Cell.Type)
    -> UnsafeMutablePointer<Cell>?
  {
    let address = entry &- blockTag
    return address < Self.firstTag ? UnsafeMutablePointer(bitPattern: address) : nil
  }

  @inline(__always)
  private borrowing func entry<Cell: ~Copyable>(_ cell: UnsafeMutablePointer<Cell>) -> UInt {
    UInt(bitPattern: cell) | blockTag
  }

  /// Begins to load what taking an account's values into the tables touches.
  @inline(__always)
  borrowing func prefetch(_ cell: UnsafeMutablePointer<AccountCell>) {
    machine_prefetch(cell.pointee.nonce)
    machine_prefetch(cell.pointee.balance)
    if let lifecycle = cell.pointee.lifecycles.load(ordering: .relaxed) {
      machine_prefetch(lifecycle)
    }
    if cell.pointee.number != IndexTable.none {
      machine_prefetch(tables.pointee.accounts + Int(cell.pointee.number))
    }
  }

  /// The same for a slot.
  @inline(__always)
  borrowing func prefetch(_ cell: UnsafeMutablePointer<SlotCell>) {
    cell.pointee.timeline.prefetchLast()
    if cell.pointee.number != IndexTable.none {
      machine_prefetch(tables.pointee.slots + Int(cell.pointee.number))
    }
  }

  /// The hash of a slot; that of the tables, where they may have it.
  @inline(__always)
  borrowing func hash(
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

  /// Numbers of lifecycles and slots that a worker has taken and not used, and what it was the first to
  /// change.
  struct Share {
    fileprivate var lifecycles = 0..<0
    fileprivate var slots = 0..<0
    var changedAccounts = CellList<AccountCell>()
    var changedSlots = CellList<SlotCell>()
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
    var next = self.cell(head, AccountCell.self)
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
        next: self.cell(seen, AccountCell.self), lifecycles: Atomic(first), timelines: timelines))
    while true {
      let (exchanged, original) = place.pointee.compareExchange(
        expected: seen, desired: entry(cell), ordering: .acquiringAndReleasing)
      if exchanged {
        // The committer changes its balance.
        if cell.pointee.isCoinbase {
          share.changedAccounts.appendOnce(cell, cell.pointee.isListed, &slab)
        }
        return cell
      }
      // Another worker was faster; with the same account perhaps.
      var next = self.cell(original, AccountCell.self)
      while let other = next, other != cell.pointee.next {
        if other.pointee.address == address { return other }
        next = other.pointee.next
      }
      seen = original
      cell.pointee.next = self.cell(seen, AccountCell.self)
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
    var next = self.cell(head, SlotCell.self)
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
        number: number, next: self.cell(seen, SlotCell.self)))
    while true {
      let (exchanged, original) = place.pointee.compareExchange(
        expected: seen, desired: entry(cell), ordering: .acquiringAndReleasing)
      if exchanged {
        return cell
      }
      var next = self.cell(original, SlotCell.self)
      while let other = next, other != cell.pointee.next {
        if other.pointee.key == key && other.pointee.account == account
          && other.pointee.epoch == epoch
        {
          return other
        }
        next = other.pointee.next
      }
      seen = original
      cell.pointee.next = self.cell(seen, SlotCell.self)
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
      + directoryCapacity * 2 * MemoryLayout<UInt>.stride
  }
}

import EVM
import Ethereum
import Testing

@testable import Execution

/// The cells of one block after the other, in the same memory.
@Suite struct CellStoreTests {
  /// A store over tables with one account, whose slot 1 is not zero.
  private final class Cells {
    let tables = UnsafeMutablePointer<StateTables>.allocate(capacity: 1)
    let store = UnsafeMutablePointer<CellStore>.allocate(capacity: 1)
    let address = Address(UInt256(0xabc))
    let number: UInt32
    var slab = Slab()

    init() {
      tables.initialize(to: StateTables())
      number = tables.pointee.insert(address)
      tables.pointee.accounts[Int(number)].balance = 5
      tables.pointee.set(1, of: number, to: 7)
      store.initialize(to: CellStore(tables: tables)!)
    }

    deinit {
      store.deinitialize(count: 1)
      store.deallocate()
      tables.deinitialize(count: 1)
      tables.deallocate()
    }

    func begin(transactions: Int = 1) {
      slab.reset()
      store.pointee.begin(transactions: transactions, tables: tables, coinbase: .zero)
    }

    func account(_ share: inout CellStore.Share) -> UnsafeMutablePointer<AccountCell> {
      store.pointee.account(address, &share, &slab)!
    }

    /// Lets transaction 0 of a block put a value into a slot.
    func put(_ value: UInt256, _ cell: UnsafeMutablePointer<SlotCell>) {
      let memory = RecordMemory(workers: 1)
      memory.begin(1)
      memory.turns.initialize(to: TransactionTurn())
      let schedule = UnsafeMutablePointer<TurnSchedule>.allocate(capacity: 1)
      schedule.initialize(to: TurnSchedule(memory, from: 0, count: 1, early: [], workers: 1))
      defer {
        schedule.deinitialize(count: 1)
        schedule.deallocate()
      }
      var access = Timeline.Access()
      access.change = value
      _ = cell.pointee.timeline.publish(
        access, by: 0, 1, isCertain: true, notices: true, &slab, schedule)
    }

    func slot(_ share: inout CellStore.Share) -> UnsafeMutablePointer<SlotCell> {
      store.pointee.slot(1, of: account(&share), epoch: 0, &share)!
    }
  }

  /// The state's values before the block, as its cells have them.
  private func values(_ cells: Cells) -> [UInt256] {
    var share = CellStore.Share()
    let account = cells.account(&share)
    let slot = cells.slot(&share)
    let isSame = cells.account(&share) == account && cells.slot(&share) == slot
    #expect(isSame)
    return [account.pointee.balance.pointee.base, slot.pointee.timeline.base]
  }

  @Test func aBlockFindsNoCellsOfAnEarlierOne() {
    let cells = Cells()
    cells.begin()
    #expect(values(cells) == [5, 7])
    cells.tables.pointee.accounts[Int(cells.number)].balance = 6
    cells.tables.pointee.set(1, of: cells.number, to: 8)
    // As small, larger, and small again.
    for transactions in [1, 4000, 1] {
      cells.begin(transactions: transactions)
      #expect(values(cells) == [6, 8])
    }
  }

  /// There are 65,535 numbers, one or two of which some ways to begin anew would use twice.
  @Test(arguments: 65_533...65_537)
  func noNumberOfABlockComesAgainUnseen(after blocks: Int) {
    let cells = Cells()
    cells.begin()
    #expect(values(cells) == [5, 7])
    cells.tables.pointee.accounts[Int(cells.number)].balance = 6
    cells.tables.pointee.set(1, of: cells.number, to: 8)
    for _ in 0..<blocks { cells.begin() }
    #expect(values(cells) == [6, 8])
  }

  @Test func whoChangesACellFirstHasItInItsList() {
    let cells = Cells()
    cells.begin()
    var first = CellStore.Share()
    var second = CellStore.Share()
    let account = cells.account(&first)
    let slot = cells.slot(&first)
    #expect(first.changedAccounts.count == 0 && first.changedSlots.count == 0)
    for _ in 0..<2 {
      second.changedAccounts.appendOnce(account, account.pointee.isListed, &cells.slab)
      second.changedSlots.appendOnce(slot, slot.pointee.isListed, &cells.slab)
      first.changedAccounts.appendOnce(account, account.pointee.isListed, &cells.slab)
      first.changedSlots.appendOnce(slot, slot.pointee.isListed, &cells.slab)
    }
    #expect(second.changedAccounts.count == 1 && second.changedSlots.count == 1)
    #expect(first.changedAccounts.count == 0 && first.changedSlots.count == 0)
  }

  /// What one transaction puts into a slot, and how that gets into the tables: at once where there is a row.
  @Test(
    arguments: [
      (key: 1, before: 7, value: 9, slots: 2), (1, 7, 0, 1), (2, 0, 5, 3), (2, 0, 0, 2),
      (3, 3, 4, 2),
    ] as [(key: UInt256, before: UInt256, value: UInt256, slots: UInt32)])
  func slotsWithARowAreTakenInInPlace(
    _ change: (key: UInt256, before: UInt256, value: UInt256, slots: UInt32)
  ) {
    let cells = Cells()
    cells.tables.pointee.set(3, of: cells.number, to: 3)
    // Its row stays.
    cells.tables.pointee.set(2, of: cells.number, to: 6)
    cells.tables.pointee.set(2, of: cells.number, to: 0)
    cells.tables.pointee.accounts[Int(cells.number)].knowsStorageRoot = true
    cells.begin()
    var share = CellStore.Share()
    let cell = cells.store.pointee.slot(change.key, of: cells.account(&share), epoch: 0, &share)!
    #expect(cell.pointee.timeline.base == change.before)
    cells.put(change.value, cell)
    let late = cells.store.pointee.apply(cell)
    #expect(late == nil)
    let account = cells.tables.pointee.accounts[Int(cells.number)]
    #expect(cells.tables.pointee.value(change.key, of: cells.number) == change.value)
    #expect(account.slotCount == change.slots && !account.knowsStorageRoot)
  }

  @Test func slotsWithoutARowAreTakenInLate() {
    let cells = Cells()
    cells.begin()
    var share = CellStore.Share()
    let cell = cells.store.pointee.slot(8, of: cells.account(&share), epoch: 0, &share)!
    cells.put(4, cell)
    let late = cells.store.pointee.apply(cell)
    #expect(late?.key == 8 && late?.value == 4)
    #expect(cells.tables.pointee.value(8, of: cells.number) == 0)
    if let late { cells.store.pointee.apply(late) }
    #expect(cells.tables.pointee.value(8, of: cells.number) == 4)
    #expect(cells.tables.pointee.accounts[Int(cells.number)].slotCount == 2)
  }

  /// An account that the block wiped has other slots than before.
  @Test func slotsOfAWipedStorageAreGone() {
    let cells = Cells()
    cells.begin()
    var share = CellStore.Share()
    let account = cells.account(&share)
    let old = cells.slot(&share)
    let new = cells.store.pointee.slot(1, of: account, epoch: 77, &share)!
    cells.put(9, old)
    cells.put(6, new)
    let first = account.pointee.lifecycle(before: 0)
    let node = cells.store.pointee.lifecycles.base + 1000
    node.initialize(
      to: Lifecycle(
        account: account, transaction: 0, incarnation: 1, epoch: 77, existsEmpty: false,
        hasStorage: false, codeHash: first.pointee.codeHash, code: nil, next: .init(nil)))
    account.pointee.insert(node)
    let isGone = cells.store.pointee.apply(old) == nil
    let late = cells.store.pointee.apply(new)
    #expect(isGone && cells.tables.pointee.value(1, of: cells.number) == 7)
    cells.store.pointee.apply(account, 0)
    if let late { cells.store.pointee.apply(late) }
    #expect(cells.tables.pointee.value(1, of: cells.number) == 6)
    #expect(cells.tables.pointee.accounts[Int(cells.number)].slotCount == 1)
  }

  @Test(arguments: [0, 1, 15, 16, 17, 64, 65, 1000])
  func aListHasItsCellsInOrder(count: Int) {
    var slab = Slab()
    var list = CellList<SlotCell>()
    // Places that nobody looks into.
    let places = (0..<count).map { UnsafeMutablePointer<SlotCell>(bitPattern: 4096 + $0 * 256)! }
    for place in places { list.append(place, &slab) }
    var seen: [[UnsafeMutablePointer<SlotCell>]] = [[], [], []]
    list.forEachCell {
      seen[0].append($0)
    } second: {
      seen[1].append($0)
    } _: {
      seen[2].append($0)
    }
    #expect(list.count == count)
    let isInOrder = seen.allSatisfy { $0 == places }
    #expect(isInOrder)
  }
}

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

  @Test(arguments: [0, 1, 15, 16, 17, 64, 65, 1000])
  func aListHasItsCellsInOrder(count: Int) {
    var slab = Slab()
    var list = CellList<SlotCell>()
    // Places that nobody looks into.
    let places = (0..<count).map { UnsafeMutablePointer<SlotCell>(bitPattern: 4096 + $0 * 256)! }
    for place in places { list.append(place, &slab) }
    var seen: [[UnsafeMutablePointer<SlotCell>]] = [[], [], []]
    list.forEach {
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

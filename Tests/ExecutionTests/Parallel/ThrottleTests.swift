import Testing

@testable import Execution

/// How many transactions workers take at once, by how those before fared.
@Suite struct ThrottleTests {
  private static let workers = 8

  /// A block of so many transactions, each executed so often.
  private final class Block {
    let memory = RecordMemory(workers: ThrottleTests.workers)
    let schedule = UnsafeMutablePointer<TurnSchedule>.allocate(capacity: 1)
    var throttle = Throttle(workers: ThrottleTests.workers, mayEnd: true)
    private var index: Int32 = 0

    init(count: Int32) {
      memory.begin(Int(count))
      for index in 0..<Int(count) { (memory.turns + index).initialize(to: TransactionTurn()) }
      schedule.initialize(
        to: TurnSchedule(memory, from: 0, count: count, early: [], workers: ThrottleTests.workers))
    }

    deinit {
      schedule.deinitialize(count: 1)
      schedule.deallocate()
    }

    /// Makes the transactions of a period final.
    func count(needsNeighbour: Bool, executions: UInt32 = 1, waits: Bool = false) {
      for _ in 0..<Throttle.period {
        let turn = memory.turns + Int(index)
        if waits { memory.waitedFor[Int(index)] = max(0, index - 1) }
        let isDone = turn.pointee.move(
          turn.pointee.status, to: TransactionStatus(.executed, executions))
        #expect(isDone)
        throttle.count(
          index, turn, gas: 1, needsNeighbour: needsNeighbour, memory.finals, schedule)
        index += 1
      }
    }

    var batch: Int32 { schedule.pointee.batch.load(ordering: .relaxed) }
    var window: Int32 { schedule.pointee.window.load(ordering: .relaxed) }
  }

  @Test func batchesGrowWhereEachNeedsTheOneBeforeAndFindsItDone() {
    let block = Block(count: 20_000)
    #expect(block.batch == 8)
    for batch: Int32 in [16, 32, 64, 64] {
      block.count(needsNeighbour: true)
      #expect(block.batch == batch)
      #expect(block.window >= 2 * batch * Int32(Self.workers))
    }
    block.count(needsNeighbour: false)
    #expect(block.batch == 32)
    block.count(needsNeighbour: true)
    // Most had to run again.
    block.count(needsNeighbour: true, executions: 2)
    #expect(block.batch == 8)
  }

  @Test func batchesStayShortWhereTransactionsWait() {
    let block = Block(count: 20_000)
    block.count(needsNeighbour: true, waits: true)
    #expect(block.batch == 8)
  }

  /// Each worker is to get many batches.
  @Test func batchesOfSmallBlocksAreShort() {
    let block = Block(count: 1_500)
    for _ in 0..<5 { block.count(needsNeighbour: true) }
    #expect(block.batch == 11)
    let small = Block(count: 100)
    small.count(needsNeighbour: true)
    #expect(small.batch == 1)
  }
}

import Testing

@testable import Execution

/// Who takes what when the window lets in little.
@Suite struct TurnScheduleTests {
  private static let workers = 8

  private final class Schedule {
    let memory = RecordMemory(workers: TurnScheduleTests.workers)
    let schedule = UnsafeMutablePointer<TurnSchedule>.allocate(capacity: 1)
    private var waits = 0

    init(count: Int32, early: [Int32] = []) {
      memory.begin(Int(count))
      for index in 0..<Int(count) { (memory.turns + index).initialize(to: TransactionTurn()) }
      schedule.initialize(
        to: TurnSchedule(
          memory, from: 0, count: count, early: early, workers: TurnScheduleTests.workers))
      schedule.pointee.prepared.store(count, ordering: .releasing)
    }

    deinit {
      schedule.deinitialize(count: 1)
      schedule.deallocate()
    }

    /// The transaction that a worker gets.
    func take(_ worker: Int, isIdle: Bool = false) -> Int32? {
      schedule.pointee.take(
        worker, isIdle: isIdle, waits: &waits, weight: { _ in 1000 }, prepare: { _ in })?
        .transaction
    }

    var end: Int32 { schedule.pointee.end.load(ordering: .relaxed) }
    var window: Int32 { schedule.pointee.window.load(ordering: .relaxed) }
  }

  /// Batches of eight, eight workers, a window of 256.
  @Test func whatLittleIsLeftGoesToWorkersWithLowNumbers() {
    let schedule = Schedule(count: 20_000)
    #expect(schedule.window == 256)
    for index in Int32(0)..<240 { #expect(schedule.take(0) == index) }
    // 16 are left.
    #expect(schedule.take(7) == nil)
    #expect(schedule.take(3) == nil)
    #expect(schedule.take(2) == 240)
    #expect(schedule.take(0) == 248)
  }

  /// A long transaction at the frontier keeps nobody idle.
  @Test func whoIsIdleLetsAllGoFarther() {
    let schedule = Schedule(count: 20_000)
    for _ in 0..<240 { _ = schedule.take(0) }
    #expect(schedule.take(7, isIdle: true) == nil)
    #expect(schedule.window == 512)
    #expect(schedule.take(7, isIdle: true) == 240)
  }

  /// Where nothing is left to gain.
  @Test func noneIsTakenAfterTheEndIsSet() {
    let schedule = Schedule(count: 20_000)
    #expect(schedule.take(0) == 0)
    schedule.schedule.pointee.endSoon()
    // What worker 0 has taken is begun: the batch has eight.
    #expect(schedule.end == 8)
    #expect(schedule.take(1) == nil)
    for index in Int32(1)..<8 { #expect(schedule.take(0) == index) }
    #expect(schedule.take(0) == nil && schedule.take(1, isIdle: true) == nil)
    schedule.schedule.pointee.endSoon()
    #expect(schedule.end == 8)
  }

  /// Those that begin early have run perhaps: all before them are run in parallel, too.
  @Test func theEndIsBehindTheEarlyOnes() {
    let schedule = Schedule(count: 20_000, early: [5, 30])
    #expect(schedule.take(0) == 5)
    schedule.schedule.pointee.endSoon()
    #expect(schedule.end == 31)
    #expect(schedule.take(0) == 30)
    var taken: [Int32] = []
    while let index = schedule.take(0) { taken.append(index) }
    #expect(taken == (0..<30).filter { $0 != 5 })
  }

  /// The end of the block is no edge of the window.
  @Test func atTheEndOfTheBlockAnybodyTakes() {
    let schedule = Schedule(count: 250)
    for index in Int32(0)..<248 { #expect(schedule.take(0) == index) }
    #expect(schedule.take(7) == 248)
    #expect(schedule.take(6) == 249)
    #expect(schedule.take(5, isIdle: true) == nil)
  }
}

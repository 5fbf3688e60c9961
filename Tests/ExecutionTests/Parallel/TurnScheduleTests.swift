import Testing

@testable import Execution

/// Who takes what when the window lets in little.
@Suite struct TurnScheduleTests {
  private static let workers = 8

  private final class Schedule {
    let memory = RecordMemory()
    let schedule = UnsafeMutablePointer<TurnSchedule>.allocate(capacity: 1)
    private var waits = 0

    init(count: Int32) {
      memory.reserve(Int(count))
      for index in 0..<Int(count) { (memory.turns + index).initialize(to: TransactionTurn()) }
      schedule.initialize(
        to: TurnSchedule(
          memory, from: 0, count: count, early: [], workers: TurnScheduleTests.workers))
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

  /// The end of the block is no edge of the window.
  @Test func atTheEndOfTheBlockAnybodyTakes() {
    let schedule = Schedule(count: 250)
    for index in Int32(0)..<248 { #expect(schedule.take(0) == index) }
    #expect(schedule.take(7) == 248)
    #expect(schedule.take(6) == 249)
    #expect(schedule.take(5, isIdle: true) == nil)
  }
}

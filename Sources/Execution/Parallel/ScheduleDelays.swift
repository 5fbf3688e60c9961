import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Pauses at the places where threads meet, drawn from a seed: they make schedules happen that a quiet
/// machine does not show. Every other seed also ends parallel runs, as if nothing were gained by them.
package struct ScheduleDelays: Sendable {
  /// Seeds the pauses.
  package var seed: UInt64
  /// One of so many meetings pauses.
  package var oneIn: UInt64 = 4
  /// The longest pause, in turns of a loop that does nothing.
  package var longest: UInt64 = 20_000

  /// Pauses of a seed.
  package init(seed: UInt64) { self.seed = seed }

  /// Whether parallel runs are ended.
  var endsRuns: Bool { seed & 2 != 0 }

  /// Whether the parallel run ends soon where the frontier is there.
  func endsRun(at frontier: Int32) -> Bool {
    if !endsRuns { return false }
    var numbers = WorkloadNumbers(seed: seed &+ UInt64(UInt32(bitPattern: frontier)) &* 0x9e37_79b9)
    return numbers.next() % 16 == 0
  }
}

/// A worker's own stream of pauses.
struct DelayStream {
  private var numbers: WorkloadNumbers
  private let delays: ScheduleDelays

  init(_ delays: ScheduleDelays, worker: Int) {
    self.delays = delays
    numbers = WorkloadNumbers(seed: delays.seed &+ UInt64(worker) &* 0x9e37_79b9)
  }

  mutating func pause() {
    let number = numbers.next()
    if number % delays.oneIn != 0 { return }
    // Spinning alone: a yielded core comes back late on a busy machine.
    for _ in 0..<(number >> 32) % delays.longest { atomicMemoryFence(ordering: .acquiring) }
    if number >> 60 == 0 { sched_yield() }
  }
}

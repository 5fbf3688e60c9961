import CMachineForms
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A lock for a few instructions, in one word: what it guards is touched by two threads at once only
/// where two transactions conflict.
struct SpinLock: ~Copyable {
  private let word = Atomic<UInt32>(0)

  @inline(__always)
  func lock() {
    if word.exchange(1, ordering: .acquiring) != 0 { wait() }
  }

  @inline(__always)
  func tryLock() -> Bool {
    word.load(ordering: .relaxed) == 0 && word.exchange(1, ordering: .acquiring) == 0
  }

  @inline(__always)
  func unlock() { word.store(0, ordering: .releasing) }

  @inline(never)
  private func wait() {
    var pause = Backoff()
    repeat { pause.wait() } while !tryLock()
  }
}

/// Waiting for another thread, longer each time: first for some instructions, then for the next turn
/// on this core (its owner may be the one that waits for it), then asleep.
///
/// Who has slept in vain before is sooner asleep the next time: it is one too many.
struct Backoff {
  private var rounds = 0
  private var sleeps = 0
  /// When it began to yield, and how long it does so before it sleeps, in nanoseconds.
  private var yieldsSince: UInt64 = 0
  private var patience: UInt64
  private let longestPatience: UInt64
  private let shortestPatience: UInt64

  /// Yields for so long before it sleeps.
  init(patience: ClosedRange<UInt64> = 1_000...16_000) {
    self.patience = patience.upperBound
    longestPatience = patience.upperBound
    shortestPatience = patience.lowerBound
  }

  /// Waits once.
  @inline(__always)
  mutating func wait() {
    if !pause() { sched_yield() }
  }

  /// Waits once, or gives the microseconds for which to sleep, so that the core is given away for good.
  @inline(__always)
  mutating func waitOrSleep() -> UInt32? { pause() ? nil : yieldOrSleep() }

  @inline(__always)
  private mutating func pause() -> Bool {
    rounds &+= 1
    if rounds >= 32 { return false }
    machine_pause()
    if rounds > 8 { machine_pause() }
    return true
  }

  @inline(never)
  private mutating func yieldOrSleep() -> UInt32? {
    if rounds == 32 { yieldsSince = MonotonicClock.nanoseconds }
    if sleeps == 0 {
      if MonotonicClock.nanoseconds &- yieldsSince < patience {
        sched_yield()
        return nil
      }
      patience = max(patience / 2, shortestPatience)
    }
    sleeps &+= 1
    return sleeps <= 8 ? 50 : sleeps <= 32 ? 200 : 500
  }

  /// There was something to do.
  @inline(__always)
  mutating func reset() {
    if rounds >= 32 && sleeps == 0 { patience = min(patience &* 2, longestPatience) }
    rounds = 0
    sleeps = 0
  }

  /// Whether that has lasted for some microseconds.
  var isLong: Bool { rounds >= 40 || sleeps > 0 }
}

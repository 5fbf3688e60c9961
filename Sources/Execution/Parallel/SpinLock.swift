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
struct Backoff {
  private var rounds = 0

  /// Waits once; `sleeps` gives the core away for good when that has lasted.
  @inline(__always)
  mutating func wait(sleeps: Bool = false) {
    rounds += 1
    if rounds < 32 {
      for _ in 0..<16 { spinHint() }
    } else if rounds < 48 || !sleeps {
      sched_yield()
    } else {
      usleep(rounds < 56 ? 50 : 200)
    }
  }

  mutating func reset() { rounds = 0 }

  /// Whether that has lasted for some microseconds.
  var isLong: Bool { rounds >= 40 }

  @inline(__always)
  private func spinHint() {
    // An atomic that the optimizer must keep: a few cycles.
    atomicMemoryFence(ordering: .acquiring)
  }
}

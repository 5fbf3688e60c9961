import Dispatch
import Foundation
import Synchronization

/// Threads that wait for work together, and the calling one, which works with them.
final class WorkerPool: Sendable {
  /// How many work, the calling thread among them.
  let count: Int
  private let round = Atomic<UInt64>(0)
  private let running = Atomic<Int>(0)
  private let isOver = Atomic<Bool>(false)
  private let beds: [Bed]
  /// The work of the round; written before the round begins, by the one caller.
  private let work = Mutex<(@Sendable (Int) -> Void)?>(nil)

  /// Where a thread sleeps.
  private final class Bed: Sendable {
    let isAsleep = Atomic<Bool>(false)
    let semaphore = DispatchSemaphore(value: 0)

    func wake() {
      if isAsleep.exchange(false, ordering: .sequentiallyConsistent) { semaphore.signal() }
    }

    /// Sleeps until somebody wakes the thread, unless `isDone` is true already.
    func sleep(unless isDone: () -> Bool) {
      isAsleep.store(true, ordering: .sequentiallyConsistent)
      // Who changes what `isDone` looks at looks at `isAsleep` afterwards.
      if isDone(), isAsleep.exchange(false, ordering: .sequentiallyConsistent) { return }
      semaphore.wait()
    }
  }

  init(count: Int) {
    self.count = count
    beds = (0..<max(count, 1)).map { _ in Bed() }
    for number in 1..<max(count, 1) {
      let shared = Shared(self)
      let thread = Thread { Self.live(number, shared) }
      thread.name = "needletail-\(number)"
      thread.stackSize = 4 << 20
      thread.start()
    }
  }

  /// Ends the threads. Nobody may be working.
  func end() {
    isOver.store(true, ordering: .sequentiallyConsistent)
    for bed in beds { bed.wake() }
  }

  /// The pool, as its threads see it: they do not keep it alive between rounds.
  private struct Shared: @unchecked Sendable {
    // The owner calls `end` before it lets the pool go; the threads hold it until then.
    let pool: WorkerPool
    init(_ pool: WorkerPool) { self.pool = pool }
  }

  /// Runs `body` on every thread, with the thread's number; the caller is number 0. Returns when all
  /// are done.
  func run(_ body: @escaping @Sendable (Int) -> Void) {
    if count > 1 {
      work.withLock { $0 = body }
      running.store(count - 1, ordering: .releasing)
      round.add(1, ordering: .sequentiallyConsistent)
      wakeOthers(0)
    }
    body(0)
    var backoff = Backoff()
    while running.load(ordering: .acquiring) > 0 { backoff.wait() }
    if count > 1 { work.withLock { $0 = nil } }
  }

  /// Each thread wakes two more: to wake all of them takes one thread as long as a small block.
  private func wakeOthers(_ number: Int) {
    for other in (2 * number + 1)...(2 * number + 2) where other < count { beds[other].wake() }
  }

  private static func live(_ number: Int, _ shared: Shared) {
    let pool = shared.pool
    var seen: UInt64 = 0
    while true {
      // Blocks follow one another: the next is often there before a sleep would be over.
      var turns = 0
      var backoff = Backoff()
      while pool.round.load(ordering: .acquiring) == seen && turns < 200 {
        if pool.isOver.load(ordering: .acquiring) { return }
        backoff.wait()
        turns += 1
      }
      while pool.round.load(ordering: .sequentiallyConsistent) == seen {
        if pool.isOver.load(ordering: .acquiring) { return }
        pool.beds[number].sleep {
          pool.round.load(ordering: .sequentiallyConsistent) != seen
            || pool.isOver.load(ordering: .sequentiallyConsistent)
        }
      }
      pool.wakeOthers(number)
      if pool.isOver.load(ordering: .acquiring) { return }
      seen = pool.round.load(ordering: .acquiring)
      let body = pool.work.withLock { $0 }
      body?(number)
      pool.running.subtract(1, ordering: .acquiringAndReleasing)
    }
  }
}

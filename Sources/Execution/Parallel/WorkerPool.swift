import Foundation
import Synchronization

/// Threads that wait for work together, and the calling one, which works with them.
final class WorkerPool: Sendable {
  /// How many work, the calling thread among them.
  let count: Int
  private let round = Atomic<UInt64>(0)
  private let running = Atomic<Int>(0)
  private let isOver = Atomic<Bool>(false)
  private let condition = NSCondition()
  /// The work of the round; written before the round begins, by the one caller.
  private let work = Mutex<(@Sendable (Int) -> Void)?>(nil)

  init(count: Int) {
    self.count = count
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
    condition.lock()
    isOver.store(true, ordering: .releasing)
    condition.broadcast()
    condition.unlock()
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
      condition.lock()
      round.add(1, ordering: .acquiringAndReleasing)
      condition.broadcast()
      condition.unlock()
    }
    body(0)
    var backoff = Backoff()
    while running.load(ordering: .acquiring) > 0 { backoff.wait() }
    if count > 1 { work.withLock { $0 = nil } }
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
      if pool.round.load(ordering: .acquiring) == seen {
        pool.condition.lock()
        while pool.round.load(ordering: .acquiring) == seen
          && !pool.isOver.load(ordering: .acquiring)
        {
          pool.condition.wait()
        }
        pool.condition.unlock()
      }
      if pool.isOver.load(ordering: .acquiring) { return }
      seen = pool.round.load(ordering: .acquiring)
      let body = pool.work.withLock { $0 }
      body?(number)
      pool.running.subtract(1, ordering: .acquiringAndReleasing)
    }
  }
}

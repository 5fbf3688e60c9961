import Dispatch
import Foundation
import Synchronization

/// Threads that wait for work together, and the calling one, which works with them.
final class WorkerPool: Sendable {
  /// How many work, the calling thread among them.
  let count: Int
  /// The round's number, whether threads may still take part in it, and how many do.
  private let gate = Atomic<UInt64>(0)
  /// How many have begun with it: they may be gone again before anybody looks.
  private let arrivals = Atomic<Int>(0)
  private let isOver = Atomic<Bool>(false)
  /// How often a round was announced.
  private let calls = Atomic<UInt64>(0)
  private let beds: [Bed]
  /// The work of the round; written before the round begins, by the one caller.
  private let work = Mutex<(@Sendable (Int) -> Void)?>(nil)

  private static let isOpen: UInt64 = 1 << 16
  private static let oneRound: UInt64 = 1 << 17

  /// Where a thread sleeps.
  private final class Bed: Sendable {
    let isAsleep = Atomic<Bool>(false)
    let semaphore = DispatchSemaphore(value: 0)

    /// Whether the thread is in the round no more when it returns from the work. Its own.
    let hasLeft = Atomic<Bool>(false)

    func wake() {
      if isAsleep.load(ordering: .sequentiallyConsistent),
        isAsleep.exchange(false, ordering: .sequentiallyConsistent)
      {
        semaphore.signal()
      }
    }

    /// Sleeps until somebody wakes the thread, unless `isDone` is true already.
    func sleep(unless isDone: () -> Bool) {
      isAsleep.store(true, ordering: .sequentiallyConsistent)
      // Who changes what `isDone` looks at looks at `isAsleep` afterwards.
      if isDone(), isAsleep.exchange(false, ordering: .sequentiallyConsistent) { return }
      semaphore.wait()
    }

    /// The same, for so many microseconds at most.
    func sleep(_ microseconds: UInt32, unless isDone: () -> Bool) {
      isAsleep.store(true, ordering: .sequentiallyConsistent)
      if isDone(), isAsleep.exchange(false, ordering: .sequentiallyConsistent) { return }
      if semaphore.wait(timeout: .now() + .microseconds(Int(microseconds))) == .timedOut,
        !isAsleep.exchange(false, ordering: .sequentiallyConsistent)
      {
        // Somebody was about to wake it.
        semaphore.wait()
      }
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

  /// Tells that a round is near: to wake threads takes as long as some transactions.
  func prepare() {
    if count < 2 { return }
    calls.add(1, ordering: .sequentiallyConsistent)
    wakeOthers(0)
  }

  /// Runs `body` on the calling thread, which is number 0, and on all others that are awake before it has
  /// returned there; each passes its number. Who comes late has nothing to do: nobody waits for it, unless
  /// all are to begin together. Who sleeps is woken only where `wakes`: that takes as long as some transactions.
  func run(together: Bool = false, wakes: Bool = true, _ body: @escaping @Sendable (Int) -> Void) {
    if count > 1 {
      work.withLock { $0 = body }
      arrivals.store(0, ordering: .relaxed)
      let before = gate.load(ordering: .relaxed)
      gate.store((before &+ Self.oneRound) | Self.isOpen, ordering: .sequentiallyConsistent)
      if wakes { wakeOthers(0) }
      var backoff = Backoff()
      while together && arrivals.load(ordering: .acquiring) < count - 1 { backoff.wait() }
    }
    body(0)
    if count > 1 {
      gate.bitwiseAnd(~Self.isOpen, ordering: .acquiringAndReleasing)
      var backoff = Backoff()
      while inside > 0 { backoff.wait() }
      work.withLock { $0 = nil }
    }
  }

  /// Runs `body` once for each number below `parts`, on the threads that are awake.
  func forEach(_ parts: Int, wakes: Bool = true, _ body: @escaping @Sendable (Int) -> Void) {
    let next = NextPart()
    run(wakes: wakes) { _ in
      while true {
        let part = next.value.add(1, ordering: .relaxed).oldValue
        if part >= parts { return }
        body(part)
      }
    }
  }

  /// Lets a thread sleep in the middle of a round, for so many microseconds unless `isDone` is true. The caller
  /// is woken by `wakeCaller`. The others are not in the round meanwhile, so that nobody waits for a thread that
  /// sleeps; false when the round has ended: a thread must touch nothing of it then, and return.
  func sleep(_ number: Int, _ microseconds: UInt32, unless isDone: () -> Bool) -> Bool {
    if number == 0 {
      beds[0].sleep(microseconds, unless: isDone)
      return true
    }
    // It can not change while this thread is in it.
    let mine = round
    gate.subtract(1, ordering: .acquiringAndReleasing)
    // In its bed: the next round wakes it, as it has to wake others. What `isDone` looks at may be gone by then.
    beds[number].sleep(microseconds) { round != mine || !isOpen }
    if enter(mine) { return true }
    beds[number].hasLeft.store(true, ordering: .relaxed)
    return false
  }

  /// Tells the calling thread that what it sleeps for is done.
  func wakeCaller() { beds[0].wake() }

  private final class NextPart: Sendable {
    let value = Atomic<Int>(0)
  }

  /// Each thread wakes so many more: who is woken works some 40 microseconds later, and to wake one takes two.
  private static let wakesEach = 16

  private func wakeOthers(_ number: Int) {
    let first = Self.wakesEach * number + 1
    if first >= count { return }
    for other in first..<min(first + Self.wakesEach, count) { beds[other].wake() }
  }

  private static func live(_ number: Int, _ shared: Shared) {
    let pool = shared.pool
    var seen: UInt64 = 0
    var heard: UInt64 = 0
    while true {
      // Blocks follow one another: the next is often there before a sleep would be over.
      var turns = 0
      var backoff = Backoff()
      while pool.round == seen {
        if pool.isOver.load(ordering: .acquiring) { return }
        if turns < 200 {
          turns += 1
          backoff.wait()
          continue
        }
        pool.beds[number].sleep {
          pool.round != seen || pool.calls.load(ordering: .sequentiallyConsistent) != heard
            || pool.isOver.load(ordering: .sequentiallyConsistent)
        }
        let calls = pool.calls.load(ordering: .sequentiallyConsistent)
        if calls != heard {
          heard = calls
          pool.wakeOthers(number)
          turns = 0
          backoff.reset()
        }
      }
      // First the round, then the others: who goes to sleep after they were woken sees it, too.
      seen = pool.round
      heard = pool.calls.load(ordering: .sequentiallyConsistent)
      pool.wakeOthers(number)
      if pool.isOver.load(ordering: .acquiring) { return }
      if !pool.enter(seen) { continue }
      pool.arrivals.add(1, ordering: .acquiringAndReleasing)
      let body = pool.work.withLock { $0 }
      body?(number)
      if pool.beds[number].hasLeft.exchange(false, ordering: .relaxed) { continue }
      pool.gate.subtract(1, ordering: .acquiringAndReleasing)
    }
  }

  /// How many other threads take part in the round.
  private var inside: Int {
    Int(truncatingIfNeeded: gate.load(ordering: .acquiring) & (Self.isOpen - 1))
  }

  /// Whether threads may still take part in the round.
  private var isOpen: Bool { gate.load(ordering: .sequentiallyConsistent) & Self.isOpen != 0 }

  /// The number of the last round.
  private var round: UInt64 { gate.load(ordering: .sequentiallyConsistent) / Self.oneRound }

  /// Takes part in a round; false when it is over.
  private func enter(_ round: UInt64) -> Bool {
    var old = gate.load(ordering: .relaxed)
    while old / Self.oneRound == round && old & Self.isOpen != 0 {
      let (exchanged, found) = gate.compareExchange(
        expected: old, desired: old &+ 1, ordering: .acquiringAndReleasing)
      if exchanged { return true }
      old = found
    }
    return false
  }
}

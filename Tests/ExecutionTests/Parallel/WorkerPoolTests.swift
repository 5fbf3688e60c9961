import Foundation
import Synchronization
import Testing

@testable import Execution

/// Threads that wait for rounds of work together.
@Suite struct WorkerPoolTests {
  private final class Counts: Sendable {
    let rounds = Mutex<[Set<Int>]>([])
    let parts = Atomic<Int>(0)
    let absences = Atomic<Int>(0)

    /// Notes a thread in the last round, and waits until as many are there: false when they do not come.
    func meet(_ number: Int, count: Int) -> Bool {
      rounds.withLock { _ = $0[$0.count - 1].insert(number) }
      let end = ContinuousClock.now + .seconds(20)
      while rounds.withLock({ $0[$0.count - 1].count }) < count {
        if ContinuousClock.now > end { return false }
        usleep(10)
      }
      return true
    }
  }

  /// A round is open until the calling thread has done its part: the others wake up in time. One that was
  /// announced is like another; one that never comes keeps nobody.
  @Test(arguments: [1, 2, 5])
  func everybodyTakesPart(threads: Int) {
    let pool = WorkerPool(count: threads)
    defer { pool.end() }
    let counts = Counts()
    for round in 0..<300 {
      if round % 3 != 0 { pool.prepare() }
      // Some are asleep by then, some on their way to bed.
      if round % 50 == 0 { usleep(3000) }
      if round % 7 == 6 { continue }
      counts.rounds.withLock { $0.append([]) }
      pool.run { number in
        if !counts.meet(number, count: threads) { counts.absences.add(1, ordering: .relaxed) }
      }
      if counts.absences.load(ordering: .relaxed) > 0 { break }
    }
    #expect(counts.absences.load(ordering: .relaxed) == 0, "a thread did not come")
    #expect(counts.rounds.withLock { $0.allSatisfy { $0 == Set(0..<threads) } })
    pool.prepare()
  }

  /// However short the work is: who is through with it counts, too.
  @Test func allBeginTogether() {
    let pool = WorkerPool(count: 3)
    defer { pool.end() }
    let counts = Counts()
    for round in 1...300 {
      pool.run(together: true) { _ in counts.parts.add(1, ordering: .relaxed) }
      #expect(counts.parts.load(ordering: .relaxed) == 3 * round)
    }
  }

  /// Each thread wakes two more. One that comes to a round while the next one begins wakes them for the next
  /// one, too: else they sleep through a round in which all are waited for.
  @Test(arguments: [8, 16])
  func nobodySleepsThroughARound(threads: Int) {
    let isDone = DispatchSemaphore(value: 0)
    let counts = Counts()
    let thread = Thread {
      let pool = WorkerPool(count: threads)
      for round in 0..<1500 {
        // Some rounds are over before all have heard of them.
        for _ in 0..<round % 3 { pool.run { _ in } }
        if round % 64 == 0 { usleep(UInt32(round % 7) * 100) }
        pool.run(together: true) { _ in }
        counts.parts.add(1, ordering: .relaxed)
      }
      pool.end()
      isDone.signal()
    }
    thread.start()
    let result = isDone.wait(timeout: .now() + 120)
    let ended = counts.parts.load(ordering: .relaxed)
    #expect(result == .success, "\(ended) rounds of 1500 ended")
  }

  @Test func partsAreDoneOnce() {
    let pool = WorkerPool(count: 3)
    defer { pool.end() }
    let counts = Counts()
    for _ in 0..<200 {
      pool.prepare()
      pool.forEach(10) { _ in counts.parts.add(1, ordering: .relaxed) }
    }
    #expect(counts.parts.load(ordering: .relaxed) == 2000)
  }

  /// A thread that sleeps in the middle of a round keeps nobody: it learns that the round is over, and takes part
  /// in the next ones.
  @Test func nobodyWaitsForASleeper() {
    let pool = WorkerPool(count: 3)
    defer { pool.end() }
    let counts = Counts()
    let start = ContinuousClock.now
    pool.run(together: true) { number in
      if number == 0 {
        // Until both others are about to sleep.
        while counts.parts.load(ordering: .acquiring) < 2 { usleep(10) }
        usleep(1000)
      } else {
        counts.parts.add(1, ordering: .acquiringAndReleasing)
        let isInside = pool.sleep(number, 20_000_000, unless: { false })
        counts.absences.add(isInside ? 0 : 1, ordering: .relaxed)
      }
    }
    #expect(ContinuousClock.now - start < .seconds(15))
    for _ in 0..<10 {
      pool.run(together: true) { _ in counts.parts.add(1, ordering: .relaxed) }
    }
    #expect(counts.absences.load(ordering: .relaxed) == 2)
    #expect(counts.parts.load(ordering: .relaxed) == 2 + 30)
  }

  /// The caller sleeps until it is told that all is done.
  @Test func theCallerIsWoken() {
    let pool = WorkerPool(count: 2)
    defer { pool.end() }
    let counts = Counts()
    let start = ContinuousClock.now
    for round in 1...20 {
      pool.run(together: true) { number in
        if number == 0 {
          while counts.parts.load(ordering: .sequentiallyConsistent) < round {
            _ = pool.sleep(
              0, 20_000_000,
              unless: { counts.parts.load(ordering: .sequentiallyConsistent) >= round })
          }
        } else {
          usleep(200)
          counts.parts.add(1, ordering: .sequentiallyConsistent)
          pool.wakeCaller()
        }
      }
    }
    #expect(ContinuousClock.now - start < .seconds(15))
  }
}

import Execution
import Foundation

/// Executes the rounds of many blocks at once, in lockstep: every member waits for the result of its
/// round, and when all members wait the rounds of all run in one batch.
///
/// Rounds begin when as many members as were expected have joined and have asked, or are gone.
package final class LockstepRounds: @unchecked Sendable {
  // `@unchecked`: all that changes is used under the lock.
  private let rounds: BatchedRounds
  private let condition = NSCondition()
  private var members = 0
  private var waiting: [(member: Member, round: BlockRound)] = []

  /// Lockstep over rounds that run in batches.
  package init(_ rounds: BatchedRounds) { self.rounds = rounds }

  /// What all batches have taken, when no member is left.
  package var statistics: BatchStatistics { condition.withLock { rounds.statistics } }

  /// Batches so far.
  package var batches: Int { condition.withLock { rounds.batches } }

  /// Announces members: each of them joins.
  package func expect(_ count: Int) { condition.withLock { members += count } }

  /// One of the members that were announced.
  package func join() -> Member { Member(self) }

  /// One of those whose rounds run together; for one thread.
  package final class Member: BlockRoundExecutor {
    private let lockstep: LockstepRounds
    fileprivate var answer: Result<[BlockRound.Result], BatchError>?

    fileprivate init(_ lockstep: LockstepRounds) { self.lockstep = lockstep }

    deinit { lockstep.leave() }

    package func execute(_ round: BlockRound) throws(BatchError) -> [BlockRound.Result] {
      try lockstep.execute(round, for: self)
    }
  }

  private func leave() {
    condition.withLock {
      members -= 1
      runIfAllWait()
    }
  }

  private func execute(_ round: BlockRound, for member: Member) throws(BatchError)
    -> [BlockRound.Result]
  {
    condition.lock()
    waiting.append((member, round))
    runIfAllWait()
    while member.answer == nil { condition.wait() }
    let answer = member.answer!
    member.answer = nil
    condition.unlock()
    return try answer.get()
  }

  /// Runs the rounds of all members when there is none that could still ask. Under the lock: nobody
  /// has anything else to do.
  private func runIfAllWait() {
    if waiting.isEmpty || waiting.count < members { return }
    let asked = waiting
    waiting = []
    do throws(BatchError) {
      for (entry, results) in zip(asked, try rounds.execute(asked.map(\.round))) {
        entry.member.answer = .success(results)
      }
    } catch {
      for entry in asked { entry.member.answer = .failure(error) }
    }
    condition.broadcast()
  }
}

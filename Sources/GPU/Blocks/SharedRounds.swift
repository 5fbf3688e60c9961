import Synchronization

/// Executes the rounds of several executors on the same devices, one round at a time.
package final class SharedRounds: BlockRoundExecutor, Sendable {
  private let rounds: Mutex<BatchedRounds>

  /// Rounds by a runner of batches.
  package init(_ runner: sending BatchRunner) { rounds = Mutex(BatchedRounds(runner)) }

  /// What all batches have taken.
  package var statistics: BatchStatistics { rounds.withLock { $0.statistics } }

  package func execute(_ round: BlockRound) throws(BatchError) -> [BlockRound.Result] {
    try rounds.withLock { (rounds) throws(BatchError) in try rounds.execute(round) }
  }
}

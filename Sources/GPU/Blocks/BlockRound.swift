package import EVM
package import Ethereum
package import Execution
package import Kernels

/// Some transactions of a block, each to be executed by itself on one and the same state.
package struct BlockRound {
  /// The rules.
  package var fork: Fork
  /// The state, with its code.
  package var state: Allocation
  package var environment: BlockEnvironment
  /// What the block has left before the first of them.
  package var gasAvailable: UInt64
  package var blobsAvailable: Int
  /// Hashes of older blocks by number.
  package var blockHashes: [UInt64: Hash256]
  package var transactions: [PreparedTransaction]

  /// What came of one of them, if the state is right.
  package struct Result {
    package var outcome: Kernels.TransactionOutcome
    /// Read with `RecordSelection.reads`.
    package var records: TransactionRecords
    /// Why it ran on the host in place of a device.
    package var hostReason: HostReason?
  }
}

/// Somebody who executes rounds.
package protocol BlockRoundExecutor: AnyObject {
  /// The results of a round, one for each of its transactions.
  func execute(_ round: BlockRound) throws(BatchError) -> [BlockRound.Result]
}

/// Executes rounds in batches: those of one fork in one.
package final class BatchedRounds: BlockRoundExecutor {
  private let runner: BatchRunner
  /// What all batches have taken.
  package private(set) var statistics = BatchStatistics()
  /// Batches so far.
  package private(set) var batches = 0

  /// Rounds by a runner of batches.
  package init(_ runner: BatchRunner) { self.runner = runner }

  package func execute(_ round: BlockRound) throws(BatchError) -> [BlockRound.Result] {
    try execute([round])[0]
  }

  /// The results of many rounds, each on a state of its own.
  package func execute(_ rounds: [BlockRound]) throws(BatchError) -> [[BlockRound.Result]] {
    var results = [[BlockRound.Result]](repeating: [], count: rounds.count)
    for fork in Fork.allCases {
      let numbers = rounds.indices.filter { rounds[$0].fork == fork }
      if numbers.isEmpty { continue }
      for (number, result) in zip(numbers, try execute(fork, numbers.map { rounds[$0] })) {
        results[number] = result
      }
    }
    return results
  }

  private func execute(_ fork: Fork, _ rounds: [BlockRound]) throws(BatchError)
    -> [[BlockRound.Result]]
  {
    var batch = TransactionBatch()
    for (world, round) in rounds.enumerated() {
      let number = batch.append(
        round.environment, gasAvailable: round.gasAvailable, blobsAvailable: round.blobsAvailable,
        blockHashes: round.blockHashes)
      for transaction in round.transactions {
        transaction.withMessage {
          batch.append($0, environment: number, world: UInt32(world))
        }
      }
    }
    // Code is used a few times only.
    let image = StateImage(rounds.map(\.state), fork: fork, translation: .never)
    let result = try runner.run(batch, on: image, selection: [.reads, .logs, .output])
    statistics.add(result.statistics)
    batches += 1
    var next = 0
    return rounds.map { round in
      round.transactions.map { _ in
        defer { next += 1 }
        return BlockRound.Result(
          outcome: result.outcome.outcomes[next], records: result.outcome.records(next),
          hostReason: result.onHost[UInt32(next)])
      }
    }
  }
}

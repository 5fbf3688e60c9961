public import EVM
package import Ethereum

/// Executes a block's transactions one after the other: the reference for every other executor.
public final class SerialExecutor: HostBlockExecutor {
  /// Watches every transaction and system call.
  public var tracer: (any TransactionTracer)?
  /// Answers BLOCKHASH for blocks that the prepared block does not name.
  public var fallbackBlockHash: ((UInt64) -> Hash256?)?

  private var runner: TransactionRunner?

  /// An executor that reserves its memory with the first block.
  public init() {}

  public func execute(_ block: PreparedBlock, on state: inout WorldState) throws(ExecutionError)
    -> BlockOutcome
  {
    try execute(block, on: &state) { (run) throws(ExecutionError) in
      try run.executeTransactions()
    }
  }

  /// Executes a block, its transactions by `transactions`.
  package func execute(
    _ block: PreparedBlock, on state: inout WorldState,
    transactions: (inout BlockRun) throws(ExecutionError) -> Void
  ) throws(ExecutionError) -> BlockOutcome {
    let runner = runner ?? TransactionRunner()
    self.runner = runner
    runner.fallbackBlockHash = fallbackBlockHash
    runner.tracer = tracer
    runner.begin(block, on: &state)
    defer { runner.end(&state) }
    var run = BlockRun(block: block, runner: runner)
    return try run.execute(transactions: transactions)
  }

  /// Does what a block does before its transactions, or after them: then it gives the requests. For
  /// transactions that are executed one by one; `receipts` are theirs.
  package static func edge(
    of block: PreparedBlock, isBeginning: Bool, receipts: [Receipt], on state: inout WorldState
  ) throws(ExecutionError) -> [[UInt8]]? {
    let runner = TransactionRunner()
    runner.begin(block, on: &state)
    defer { runner.end(&state) }
    var run = BlockRun(block: block, runner: runner)
    run.outcome.receipts = receipts
    if isBeginning { try run.begin() } else { try run.end() }
    return run.outcome.requests
  }
}

public import EVM
import Ethereum

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
}

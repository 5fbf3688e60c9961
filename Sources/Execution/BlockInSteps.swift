import EVM
import Ethereum

/// A block whose transactions are executed one by one by a `CallRunner`, as simulations do it: what comes
/// before them and after them, and what the block counts and lists.
package struct BlockInSteps {
  private let block: PreparedBlock
  private let recorder: AccessListRecorder?
  private var outcome = BlockOutcome()

  /// A block of no transactions, on a state whose changes the caller keeps.
  package init(_ block: PreparedBlock) {
    precondition(block.transactions.isEmpty, "the transactions come one by one")
    self.block = block
    recorder = block.recordsAccessList ? AccessListRecorder() : nil
  }

  /// Gas used up to now, as the block's header counts it.
  package var gasUsed: UInt64 { outcome.gasUsed }

  /// Does what a block does before its transactions.
  package func begin(on state: inout WorldState) throws(ExecutionError) {
    _ = try edge(on: &state) { (run) throws(ExecutionError) in try run.begin() }
  }

  /// Executes the next transaction; one that is not valid leaves the block as it was. The changes stay.
  package mutating func run(
    _ transaction: PreparedTransaction, by runner: CallRunner, on state: inout WorldState,
    options: CallRunner.Options, tracer: (any TransactionTracer)? = nil
  ) throws(ExecutionError) -> CallRunner.Outcome {
    var options = options
    options.keepsChanges = true
    let ended = try runner.run(
      transaction, in: block, on: &state, options, tracer,
      accesses: recorder.map { ($0, UInt32(outcome.transactions.count + 1)) })
    if ended.error != nil { return ended }
    let message = transaction.transaction
    outcome.gas += ended.gas
    outcome.blobGasUsed += UInt64(message.blobVersionedHashes.count) * BlobGas.perBlob
    outcome.transactions.append(
      TransactionOutcome(
        index: outcome.transactions.count, status: ended.status, gasUsed: ended.gasUsed,
        gasRefunded: ended.gasRefunded, effectiveGasPrice: .zero,
        contractAddress: ended.createdAddress, returned: ShortBytes(ended.output)))
    outcome.receipts.append(
      Receipt(
        type: message.type, outcome: .status(ended.status.isSuccess),
        cumulativeGasUsed: outcome.gas.paid, logs: ended.logs))
    return ended
  }

  /// Does what a block does after its transactions, and gives what came of all.
  package mutating func end(on state: inout WorldState) throws(ExecutionError) -> BlockOutcome {
    outcome = try edge(on: &state) { (run) throws(ExecutionError) in try run.end() }
    return outcome
  }

  private func edge(
    on state: inout WorldState, _ body: (inout BlockRun) throws(ExecutionError) -> Void
  ) throws(ExecutionError) -> BlockOutcome {
    let runner = TransactionRunner()
    runner.begin(block, on: &state)
    defer { runner.end(&state) }
    var run = BlockRun(block: block, runner: runner, recorder: recorder)
    run.outcome = outcome
    try body(&run)
    return run.outcome
  }
}

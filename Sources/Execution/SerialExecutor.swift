public import EVM
import Ethereum

/// Executes a block's transactions one after the other: the reference for every other executor.
public final class SerialExecutor: BlockExecutor {
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
    let runner = runner ?? TransactionRunner(fork: block.fork, environment: block.environment)
    self.runner = runner
    runner.fork = block.fork
    runner.environment = block.environment
    runner.blockHashes = block.blockHashes
    runner.fallbackBlockHash = fallbackBlockHash
    runner.tracer = tracer
    // Swapped, not assigned: two owners would make the first change copy the state.
    swap(&runner.state, &state)
    defer { swap(&runner.state, &state) }
    var run = BlockRun(block: block, runner: runner)
    return try run.execute()
  }
}

/// One block on its way through a runner.
private struct BlockRun {
  let block: PreparedBlock
  let runner: TransactionRunner
  var outcome = BlockOutcome()

  init(block: PreparedBlock, runner: TransactionRunner) {
    self.block = block
    self.runner = runner
  }

  private var fork: Fork { block.fork }

  mutating func execute() throws(ExecutionError) -> BlockOutcome {
    if block.movesDAO { DAOFork.apply(to: &runner.state) }
    if block.callsSystemContracts { try beginBlock() }
    for index in block.transactions.indices {
      try executeTransaction(index)
    }
    for withdrawal in block.withdrawals {
      // Gwei to wei.
      runner.state.credit(
        withdrawal.address, wei: UInt256(withdrawal.amount) &* UInt256(1_000_000_000),
        deletesEmpty: true)
    }
    if block.callsSystemContracts { try collectRequests() }
    payRewards()
    return outcome
  }

  private func beginBlock() throws(ExecutionError) {
    if fork >= .cancun, let root = block.parentBeaconBlockRoot {
      _ = try systemCall(SystemContracts.beaconRoots, root.bytes)
    }
    if fork >= .prague, let hash = block.parentHash {
      _ = try systemCall(SystemContracts.history, hash.bytes)
    }
  }

  /// Calls a system contract and keeps its changes when it succeeds.
  private func systemCall(_ address: Address, _ data: [UInt8]) throws(ExecutionError)
    -> (status: ExecutionStatus, output: [UInt8])
  {
    let runner = runner
    let fork = fork
    let all = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: data.count)
    defer { all.deallocate() }
    _ = all.initialize(from: data)
    runner.tracer?.willRun(transaction: nil)
    return try runner.run(.systemCall(address, UnsafeBufferPointer(all))) {
      result, journal, output in
      runner.state.apply(journal, fork: fork)
      return (result.status, [UInt8](output))
    }
  }

  private mutating func executeTransaction(_ index: Int) throws(ExecutionError) {
    let prepared = block.transactions[index]
    let gasAvailable = block.environment.gasLimit &- outcome.gasUsed
    let blobsUsed = Int(outcome.blobGasUsed / BlobGas.perBlob)
    let runner = runner
    let fork = fork
    runner.tracer?.willRun(transaction: index)
    let result = prepared.withMessage { message in
      Swift.Result { () throws(ExecutionError) in
        try runner.run(
          .transaction(
            message, gasAvailable: gasAvailable, blobsAvailable: block.maxBlobs - blobsUsed)
        ) { result, journal, output -> (TransactionResult, [Log], [UInt8]) in
          if result.error != nil { return (result, [], []) }
          runner.state.apply(journal, fork: fork)
          return (result, journal.collectLogs(), [UInt8](output))
        }
      }
    }
    let executed: (result: TransactionResult, logs: [Log], output: [UInt8])
    do throws(ExecutionError) {
      executed = try result.get()
    } catch {
      throw ExecutionError(error.code, error.message, transaction: index)
    }
    if let error = executed.result.error {
      switch block.invalidTransactions {
      case .failBlock:
        throw ExecutionError(
          .invalidTransaction, error.message, transaction: index, transactionError: error)
      case .reject:
        outcome.rejected.append((index, error))
        return
      }
    }
    outcome.gasUsed += executed.result.gasUsed
    outcome.blobGasUsed +=
      UInt64(prepared.transaction.blobVersionedHashes.count) * BlobGas.perBlob
    outcome.transactions.append(
      TransactionOutcome(
        index: index, status: executed.result.status, gasUsed: executed.result.gasUsed,
        gasRefunded: executed.result.gasRefunded,
        effectiveGasPrice: executed.result.effectiveGasPrice,
        contractAddress: executed.result.createdAddress, output: executed.output))
    outcome.receipts.append(
      Receipt(
        type: prepared.transaction.type,
        // EIP-658: the status replaced the intermediate state root.
        outcome: fork >= .byzantium
          ? .status(executed.result.status.isSuccess)
          : .stateRoot(block.isPartialState ? .zero : runner.state.stateRoot()),
        cumulativeGasUsed: outcome.gasUsed, logs: executed.logs))
  }

  /// Deposits, withdrawal requests and consolidation requests (EIP-7685).
  private mutating func collectRequests() throws(ExecutionError) {
    guard fork >= .prague else { return }
    var requests: [[UInt8]] = []
    let deposits = try DepositRequests.collect(outcome.receipts)
    if !deposits.isEmpty { requests.append([0] + deposits) }
    for (type, address) in [
      (UInt8(1), SystemContracts.withdrawalRequests),
      (UInt8(2), SystemContracts.consolidationRequests),
    ] {
      guard runner.state.record(address).codeHash != .emptyCode else {
        if block.isPartialState { continue }
        throw ExecutionError(.systemContract, "the system contract \(address) has no code")
      }
      let (status, output) = try systemCall(address, [])
      guard status.isSuccess else {
        throw ExecutionError(.systemContract, "the system contract \(address) failed: \(status)")
      }
      if !output.isEmpty { requests.append([type] + output) }
    }
    outcome.requests = requests
  }

  /// The coinbase's and the ommers' rewards before Paris (yellow paper, section 11.3).
  private func payRewards() {
    guard let reward = block.reward else { return }
    let deletesEmpty = fork >= .spuriousDragon
    var total = reward
    for ommer in block.ommers {
      let share = UInt256.divide(
        reward &* UInt256(8 &- min(ommer.depth, 8)), UInt256(8))
      runner.state.credit(ommer.coinbase, wei: share, deletesEmpty: deletesEmpty)
      total = total &+ UInt256.divide(reward, UInt256(32))
    }
    runner.state.credit(
      block.environment.coinbase, wei: total, deletesEmpty: deletesEmpty)
  }
}

extension Journal {
  /// The logs as receipts hold them.
  func collectLogs() -> [Log] {
    (0..<logCount).map { index in
      let record = logs[index]
      let topics = [record.topics.0, record.topics.1, record.topics.2, record.topics.3]
      return Log(
        address: record.address,
        topics: topics.prefix(record.topicCount).map { Hash256($0) },
        data: [UInt8](
          UnsafeBufferPointer(start: logData + record.dataOffset, count: record.dataCount)))
    }
  }
}

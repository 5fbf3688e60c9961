package import EVM
package import Ethereum

/// One block on its way through a runner.
package struct BlockRun {
  package let block: PreparedBlock
  let runner: TransactionRunner
  package internal(set) var outcome = BlockOutcome()
  /// Puts the access list together, where the block wants one.
  let recorder: AccessListRecorder?
  /// The access list on whose values the transactions ran, where they did.
  var listed: UnsafeMutablePointer<ListedBlock>?

  init(block: PreparedBlock, runner: TransactionRunner) {
    self.init(
      block: block, runner: runner,
      recorder: block.recordsAccessList || block.accessList != nil ? AccessListRecorder() : nil)
  }

  /// A run that goes on with the notes of the block's accesses.
  init(block: PreparedBlock, runner: TransactionRunner, recorder: AccessListRecorder?) {
    self.block = block
    self.runner = runner
    self.recorder = recorder
  }

  private var fork: Fork { block.fork }

  /// Executes the block, its transactions by `transactions`.
  mutating func execute(
    transactions: (inout BlockRun) throws(ExecutionError) -> Void
  ) throws(ExecutionError) -> BlockOutcome {
    try begin()
    outcome.transactions.reserveCapacity(block.transactions.count)
    outcome.receipts.reserveCapacity(block.transactions.count)
    try transactions(&self)
    try end()
    return outcome
  }

  /// What comes before the transactions.
  func begin() throws(ExecutionError) {
    if block.movesDAO { DAOFork.apply(to: &runner.state) }
    if block.callsSystemContracts { try beginBlock() }
  }

  /// What comes after them.
  mutating func end() throws(ExecutionError) {
    for withdrawal in block.withdrawals {
      // Gwei to wei.
      let wei = UInt256(withdrawal.amount) &* UInt256(1_000_000_000)
      runner.state.credit(withdrawal.address, wei: wei, deletesEmpty: true)
      recorder?.credit(withdrawal.address, wei: wei, index: nextAccessIndex)
    }
    if block.callsSystemContracts { try collectRequests() }
    payRewards()
    try finishAccessList()
  }

  /// Makes the access list, and compares it with the one that came with the block.
  private mutating func finishAccessList() throws(ExecutionError) {
    guard let recorder else { return }
    let list = recorder.list { runner.state.record($0).balance }
    if let listed {
      // The transactions were checked one by one.
      if let difference = listed.pointee.difference(afterTransactions: list) {
        throw ExecutionError(difference)
      }
      outcome.accessList = block.accessList
      return
    }
    if let difference = block.accessList?.firstDifference(from: list) {
      throw ExecutionError(difference)
    }
    outcome.accessList = list
  }

  /// The index in the access list of the next transaction, and of what comes after the last one.
  private var nextAccessIndex: UInt32 { UInt32(outcome.transactions.count + 1) }

  /// Notes what a journal, which is not applied yet, reads and changes.
  private func note(_ journal: Journal, index: UInt32) {
    if let recorder { runner.note(journal, in: recorder, index: index) }
  }

  private func beginBlock() throws(ExecutionError) {
    if fork >= .cancun, let root = block.parentBeaconBlockRoot {
      _ = try systemCall(SystemContracts.beaconRoots, root.bytes, accessIndex: 0)
    }
    if fork >= .prague, let hash = block.parentHash {
      _ = try systemCall(SystemContracts.history, hash.bytes, accessIndex: 0)
    }
  }

  /// Calls a system contract and keeps its changes when it succeeds.
  private func systemCall(
    _ address: Address, _ data: [UInt8], accessIndex: UInt32
  ) throws(ExecutionError) -> (status: ExecutionStatus, output: [UInt8]) {
    let all = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: data.count)
    defer { all.deallocate() }
    _ = all.initialize(from: data)
    runner.tracer?.willRun(transaction: nil)
    var ended: (status: ExecutionStatus, output: [UInt8]) = (.stopped, [])
    try runner.run(.systemCall(address, UnsafeBufferPointer(all))) { result, journal, output in
      note(journal, index: accessIndex)
      runner.apply(journal)
      ended = (result.status, [UInt8](output))
    }
    return ended
  }

  /// The state as the transactions before the next one left it.
  package var state: WorldState { runner.state }

  /// The state as it is now, to be kept: what follows changes another copy.
  package func keptState() -> WorldState {
    let state = runner.state
    runner.change { _ in }
    return state
  }

  /// Counts in a transaction that somebody else executed, as on the state as it is; `apply` takes
  /// its changes over. Only where blocks count one kind of gas, before Amsterdam, and no access list is
  /// wanted.
  package mutating func settle(
    _ transaction: TransactionOutcome, _ message: TransactionMessage, logs: [Log],
    apply: (inout WorldState) -> Void
  ) {
    precondition(fork < .amsterdam && recorder == nil, "the executor says what it can not do")
    runner.change(apply)
    record(transaction, BlockGas(paid: transaction.gasUsed), message, logs)
  }

  /// Gas that transactions may still use.
  package var gasAvailable: UInt64 { outcome.gas.regularLeft(of: block.environment.gasLimit) }

  /// Gas that transactions may still use for new state (EIP-8037).
  package var stateGasAvailable: UInt64 {
    outcome.gas.stateLeft(of: block.environment.gasLimit)
  }

  /// Blobs that transactions may still carry.
  package var blobsAvailable: Int { block.maxBlobs - Int(outcome.blobGasUsed / BlobGas.perBlob) }

  /// Executes the transactions at these places, or all, one after the other.
  package mutating func executeTransactions(_ range: Range<Int>? = nil) throws(ExecutionError) {
    // By pointer: an element of an array would be copied, its five arrays retained.
    var failure: ExecutionError?
    block.transactions.withUnsafeBufferPointer { transactions in
      for index in range ?? transactions.indices {
        do throws(ExecutionError) {
          try execute(transactions.baseAddress! + index, index)
        } catch {
          failure = error
          return
        }
      }
    }
    if let failure { throw failure }
  }

  private mutating func execute(
    _ transaction: UnsafePointer<PreparedTransaction>, _ index: Int
  ) throws(ExecutionError) {
    let gasAvailable = gasAvailable
    let stateGasAvailable = stateGasAvailable
    let blobsAvailable = blobsAvailable
    runner.tracer?.willRun(transaction: index)
    runner.isTrial = transaction.pointee.isImpersonated
    var failure: ExecutionError?
    var refusal: TransactionError?
    PreparedTransaction.withMessage(transaction) { message in
      do throws(ExecutionError) {
        try runner.run(
          .transaction(
            message, gasAvailable: gasAvailable, stateGasAvailable: stateGasAvailable,
            blobsAvailable: blobsAvailable)
        ) { result, journal, output in
          refusal = result.error
          if refusal != nil { return }
          note(journal, index: nextAccessIndex)
          runner.apply(journal)
          record(
            TransactionOutcome(index, result, output), BlockGas(result), message,
            journal.collectLogs())
        }
      } catch {
        failure = error
      }
    }
    if let failure { throw ExecutionError(failure.code, failure.message, transaction: index) }
    if let refusal { try refuse(index, refusal) }
  }

  /// A transaction that is not valid: an error, or it is left out.
  package mutating func refuse(_ index: Int, _ refusal: TransactionError) throws(ExecutionError) {
    switch block.invalidTransactions {
    case .failBlock:
      throw ExecutionError(
        .invalidTransaction, refusal.message, transaction: index, transactionError: refusal)
    case .reject:
      outcome.rejected.append((index, refusal))
    }
  }

  /// Adds a transaction's outcome and receipt; its changes are in the state.
  @inline(__always)
  private mutating func record(
    _ transaction: TransactionOutcome, _ gas: BlockGas, _ message: TransactionMessage,
    _ logs: [Log]
  ) {
    outcome.gas += gas
    outcome.blobGasUsed += UInt64(message.blobHashes.count) * BlobGas.perBlob
    outcome.transactions.append(transaction)
    outcome.receipts.append(
      Receipt(
        type: message.type,
        // EIP-658: the status replaced the intermediate state root.
        outcome: fork >= .byzantium
          ? .status(transaction.status.isSuccess)
          : .stateRoot(block.isPartialState ? .zero : runner.state.stateRoot()),
        cumulativeGasUsed: outcome.gas.paid, logs: logs))
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
      let (status, output) = try systemCall(address, [], accessIndex: nextAccessIndex)
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
      recorder?.credit(ommer.coinbase, wei: share, index: nextAccessIndex)
      total = total &+ UInt256.divide(reward, UInt256(32))
    }
    runner.state.credit(
      block.environment.coinbase, wei: total, deletesEmpty: deletesEmpty)
    recorder?.credit(block.environment.coinbase, wei: total, index: nextAccessIndex)
  }
}

extension TransactionRunner {
  /// Notes what a journal, which is not applied yet, reads and changes.
  func note(_ journal: Journal, in recorder: AccessListRecorder, index: UInt32) {
    withUnsafePointer(to: journal) {
      recorder.record($0, index: index) { self.state.record($0.pointee.address).codeHash }
    }
  }
}

extension Journal {
  /// The logs as receipts hold them.
  func collectLogs() -> [Log] {
    if logCount == 0 { return [] }
    var list: [Log] = []
    list.reserveCapacity(logCount)
    for record in UnsafeBufferPointer(start: logs, count: logCount) {
      let topics = record.topics
      list.append(
        Log(
          address: record.address, topicCount: record.topicCount,
          topics: (Hash256(topics.0), Hash256(topics.1), Hash256(topics.2), Hash256(topics.3)),
          data: ShortBytes(
            UnsafeBufferPointer(start: logData + record.dataOffset, count: record.dataCount))))
    }
    return list
  }
}

package import EVM
import Ethereum
package import Execution
import Kernels

/// Executes blocks in rounds: all transactions that are left run at once, each on the state of the
/// round's beginning; then, in the block's order, each is taken over whose reads are what the state
/// has by then. The outcome is that of the serial executor.
///
/// The first of a round always counts, so there are at most as many rounds as transactions; where few
/// depend on each other there are a few.
///
/// A round has of a state with a source what was read by then: at first the accounts that transactions
/// name. What lanes ask for beyond it they find absent, and so come to nothing that counts; it is read
/// before the next round. A first one that goes on so is the host's.
package final class RoundExecutor: HostBlockExecutor {
  /// What blocks took.
  package struct Statistics: Sendable {
    package var blocks = 0
    package var transactions = 0
    /// Executions of transactions; those beyond `transactions` were in vain.
    package var executions = 0
    package var rounds = 0
  }

  /// Only where the host itself executes: for system calls.
  package var tracer: (any TransactionTracer)?
  package var fallbackBlockHash: ((UInt64) -> Hash256?)?
  /// Called with a transaction's place and why it ran on the host, where it did.
  package var onHost: ((Int, HostReason) -> Void)?
  package private(set) var statistics = Statistics()

  private let rounds: any BlockRoundExecutor
  private let host = SerialExecutor()
  /// Rounds that a transaction may be the first of without the state that it asks for.
  private static let patience = 3

  /// An executor whose rounds somebody executes.
  package init(_ rounds: any BlockRoundExecutor) { self.rounds = rounds }

  package func execute(_ block: PreparedBlock, on state: inout WorldState) throws(ExecutionError)
    -> BlockOutcome
  {
    host.tracer = tracer
    host.fallbackBlockHash = fallbackBlockHash
    statistics.blocks += 1
    statistics.transactions += block.transactions.count
    return try host.execute(block, on: &state) { (run) throws(ExecutionError) in
      try transactions(&run)
    }
  }

  private func transactions(_ run: inout BlockRun) throws(ExecutionError) {
    let block = run.block
    if block.fork >= .amsterdam || block.recordsAccessList || block.accessList != nil {
      for index in block.transactions.indices { onHost?(index, .accessList) }
      return try run.executeTransactions()
    }
    let hashes = blockHashes(block)
    var results = [BlockRound.Result?](repeating: nil, count: block.transactions.count)
    // Of a transaction that was refused: the sender as it was.
    var refused = [AccountRecord?](repeating: nil, count: results.count)
    var next = 0
    let hasSource = run.state.hasSource
    if hasSource { RoundState.readNamed(block, from: run.state) }
    // Rounds since the last transaction was taken over.
    var idle = 0
    while next < results.count {
      if idle == Self.patience {
        onHost?(next, .unreadState)
        try run.executeTransactions(next..<next + 1)
        next += 1
        idle = 0
        continue
      }
      let numbers = (next..<results.count).filter { number in
        if results[number] != nil { return false }
        // It would be refused again: its sender is as it was, or it is not its turn among the sender's.
        guard number > next, let sender = refused[number] else { return true }
        let transaction = block.transactions[number]
        let now = run.state.record(transaction.sender)
        return now != sender && now.nonce == transaction.transaction.nonce
      }
      statistics.rounds += 1
      statistics.executions += numbers.count
      let round = BlockRound(
        fork: block.fork, state: RoundState.allocation(run.state), environment: block.environment,
        gasAvailable: run.gasAvailable, blobsAvailable: run.blobsAvailable, blockHashes: hashes,
        transactions: numbers.map { block.transactions[$0] })
      do throws(BatchError) {
        for (number, result) in zip(numbers, try rounds.execute(round)) {
          results[number] = result
          if hasSource { RoundState.read(result.records, from: run.state) }
          refused[number] =
            result.isRefusal ? run.state.record(block.transactions[number].sender) : nil
        }
      } catch {
        throw ExecutionError(.device, error.description, transaction: next)
      }
      let first = next
      try settle(results, from: &next, &run)
      idle = next == first ? idle + 1 : 0
      // What did not see what there is now runs again.
      for number in next..<results.count where results[number]?.isRight(number, run) == false {
        results[number] = nil
      }
    }
  }

  /// Takes over the results in order, up to one that is not right. The first one is, where the state has
  /// no source: it saw the state as it is, or was asked after the round before.
  private func settle(
    _ results: [BlockRound.Result?], from next: inout Int, _ run: inout BlockRun
  ) throws(ExecutionError) {
    // A sender is read before anything runs: a refusal is right.
    var isFirst = true
    let hasSource = run.state.hasSource
    while next < results.count, let result = results[next] {
      if let reason = result.hostReason { onHost?(next, reason) }
      let transaction = run.block.transactions[next]
      if result.outcome.state != .done {
        // Not even the host's lanes have room for it.
        try run.executeTransactions(next..<next + 1)
      } else if result.isRefusal {
        if !isFirst { return }
        try run.refuse(next, TransactionError(rawValue: result.outcome.error)!)
      } else {
        if (!isFirst || hasSource) && !result.isRight(next, run) { return }
        settle(result, transaction, next, &run)
      }
      isFirst = false
      next += 1
    }
  }

  private func settle(
    _ result: BlockRound.Result, _ transaction: PreparedTransaction, _ index: Int,
    _ run: inout BlockRun
  ) {
    let fork = run.block.fork
    let baseFee = run.block.environment.baseFeePerGas
    transaction.withMessage { message in
      let outcome = Execution.TransactionOutcome(
        index: index, status: result.outcome.status, gasUsed: result.outcome.gasUsed,
        gasRefunded: result.outcome.gasRefunded,
        effectiveGasPrice: min(message.maxFeePerGas, baseFee &+ message.maxPriorityFeePerGas),
        contractAddress: result.outcome.hasCreated
          ? Address.created(by: message.sender, nonce: message.nonce) : nil,
        returned: result.records.output.withUnsafeBufferPointer { ShortBytes($0) })
      run.settle(outcome, message, logs: result.records.logs) { state in
        result.records.rebased(on: state).apply(to: &state, fork: fork)
      }
    }
  }

  /// All hashes that BLOCKHASH may ask for.
  private func blockHashes(_ block: PreparedBlock) -> [UInt64: Hash256] {
    var hashes = block.blockHashes
    guard let fallbackBlockHash else { return hashes }
    let number = block.environment.number
    for older in number - min(number, 256)..<number where hashes[older] == nil {
      hashes[older] = fallbackBlockHash(older)
    }
    return hashes
  }
}

extension BlockRound.Result {
  /// Whether the transaction is not valid on the state that it saw.
  fileprivate var isRefusal: Bool { TransactionError(rawValue: outcome.error) != nil }

  /// Whether the block's transaction at this place would do the same as the next one of the run. A
  /// refusal is taken for wrong: it has no records of what it saw.
  fileprivate func isRight(_ index: Int, _ run: BlockRun) -> Bool {
    let transaction = run.block.transactions[index].transaction
    return outcome.state == .done && !isRefusal
      && transaction.gasLimit <= run.gasAvailable
      && transaction.blobVersionedHashes.count <= run.blobsAvailable && isRight(on: run.state)
  }

  /// Whether the transaction would do the same on this state.
  private func isRight(on state: WorldState) -> Bool {
    records.accounts.allSatisfy { $0.isRight(on: state) }
      && records.slots.allSatisfy { slot in
        slot.original == state.storage(records.accounts[slot.account].address, slot: slot.key)
      }
  }
}

extension TransactionRecords.Account {
  /// Whether what decided something is what the state has (`AccountEntry.Observations`).
  fileprivate func isRight(on state: WorldState) -> Bool {
    guard let original else { return true }
    let now = state.record(address)
    if now.codeHash != original.codeHash || now.exists != original.exists
      || now.hasStorage != original.hasStorage
    {
      return false
    }
    let isExact = flags.contains(.destroyed)
    if now.nonce != original.nonce {
      if isExact || observed.contains(.nonce) || nonce != nil && nonce != original.nonce {
        return false
      }
      if observed.contains(.emptiness) && (now.nonce == 0) != (original.nonce == 0) { return false }
    }
    if now.balance != original.balance {
      if isExact || observed.contains(.balance) || now.balance < balanceFloor { return false }
      // Whether it is empty may decide, and whether a touch deletes it.
      if observed.contains(.emptiness) || now.balance.isZero != original.balance.isZero {
        return false
      }
      if let balance, !Self.fits(now.balance, change: balance &- original.balance) { return false }
    }
    return true
  }

  /// Whether a balance takes a change, more or less, without passing 0 or 2^256.
  private static func fits(_ balance: UInt256, change: UInt256) -> Bool {
    let sum = balance &+ change
    return change.limb3 >> 63 == 0 ? sum >= balance : sum < balance
  }
}

extension TransactionRecords {
  /// The same changes as changes of this state, which may have other values where those seen decided
  /// nothing.
  fileprivate func rebased(on state: WorldState) -> TransactionRecords {
    var records = self
    for index in accounts.indices {
      let account = accounts[index]
      guard let original = account.original, let nonce = account.nonce,
        let balance = account.balance
      else { continue }
      let now = state.record(account.address)
      records.accounts[index].nonce = nonce == original.nonce ? now.nonce : nonce
      records.accounts[index].balance = now.balance &+ (balance &- original.balance)
    }
    return records
  }
}

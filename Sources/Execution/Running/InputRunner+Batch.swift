import EVM
public import Ethereum

extension InputRunner {
  /// Runs the transactions of a batch one after the other on its pre-state. There are no system
  /// calls and no rewards; withdrawals are paid at the end.
  public func run(_ batch: Batch, name: String) throws(FormatError) -> RunReport {
    guard let fork = fork ?? batch.fork else {
      throw FormatError(
        .missingField, "the batch names no fork: name one with --fork", field: "fork",
        path: batch.name)
    }
    var block = StateTestRunner.block(
      batch.environment, fork: fork, chainID: batch.chainID, blobSchedule: batch.blobSchedule)
    block.withdrawals = batch.withdrawals
    executor.fallbackBlockHash = StateTestRunner.blockHash
    var report = RunReport(name: name, fork: fork, state: WorldState(batch.pre))
    var places: [Int] = []
    for (index, item) in batch.transactions.enumerated() {
      var row = RunReport.Row(index: index, transaction: item.transaction)
      do throws(FormatError) {
        let prepared = try item.prepare(fork: fork, chainID: batch.chainID)
        row.transaction = prepared.transaction
        row.sender = prepared.sender
        block.transactions.append(prepared)
        places.append(index)
      } catch {
        row.rejection = error.description
      }
      report.rows.append(row)
    }
    do throws(ExecutionError) {
      let outcome = try execute(block, into: &report)
      report.record(outcome, places: places)
    } catch {
      report.failures.append(error.description)
      return report
    }
    report.stateRoot = report.state.stateRoot()
    report.checkRejections(expected: batch.expectation?.rejected ?? [])
    if let expected = batch.expectation { report.check(expected) }
    return report
  }
}

extension DescribedTransaction {
  /// Finds the sender of a transaction that was signed when it was read.
  func prepare(fork: Fork, chainID: UInt64) throws(FormatError) -> PreparedTransaction {
    var transaction = transaction
    if !isSigned {
      if transaction.type != .legacy, transaction.chainID == nil { transaction.chainID = chainID }
      // A simulation: whoever is named is taken to have signed.
      return PreparedTransaction(transaction, sender: sender ?? .zero)
    }
    if let secretKey, transaction.type == .legacy, fork < .spuriousDragon {
      // Signatures name no chain yet.
      transaction.chainID = nil
      try transaction.sign(secretKey: secretKey)
    }
    let signer = try transaction.recoverSender(fork: fork, chainID: chainID)
    if let sender, sender != signer {
      throw FormatError(.invalidSignatureValue, "\(signer) signed it, not the sender \(sender)")
    }
    return PreparedTransaction(transaction, sender: signer)
  }
}

extension RunReport {
  /// Adds a failure for each field that is not as expected.
  fileprivate mutating func check(_ expected: Batch.Expectation) {
    var comparison = Comparison()
    if let gas = expected.gasUsed { comparison.check("gas used", expected: gas, got: gasUsed) }
    if let statuses = expected.statuses {
      let executed = rows.filter { $0.outcome != nil }
      comparison.check(
        "count of executed transactions", expected: statuses.count, got: executed.count)
      for (row, status) in zip(executed, statuses) {
        comparison.check(
          "transaction \(row.index) status", expected: status,
          got: row.outcome?.status.isSuccess ?? false
        ) { $0 ? "success" : "failure" }
      }
    }
    if let root = expected.transactionsRoot {
      comparison.check("transactions root", expected: root, got: transactionsRoot)
    }
    if let root = expected.receiptsRoot, let receiptsRoot {
      comparison.check("receipts root", expected: root, got: receiptsRoot)
    }
    if let bloom = expected.logsBloom {
      comparison.check("logs bloom", expected: bloom, got: logsBloom)
    }
    if let hash = expected.logsHash {
      comparison.check(
        "logs hash", expected: hash, got: Log.hash(of: rows.flatMap { $0.receipt?.logs ?? [] }))
    }
    if let state = expected.state {
      for difference in state.differences(from: self.state.allocation) {
        comparison.fail(difference)
      }
    }
    if let root = expected.stateRoot, let stateRoot {
      comparison.check("state root", expected: root, got: stateRoot)
    }
    failures += comparison.failures
  }
}

package import EVM
import Ethereum
package import Execution
package import Kernels

/// Random worlds of one fork as one state and one batch, and the comparison of what came of it by
/// different ways.
package struct RandomBatch {
  package let fork: Fork
  package let image: StateImage
  package let batch: TransactionBatch
  private let worlds: [RandomTransactions]

  /// All that records can hold.
  package static let selection: RecordSelection = [.changes, .reads, .logs, .output]

  /// The worlds of these seeds, which have one fork.
  package init(seeds: [UInt64], kind: RandomTransactions.Kind = .code) {
    precondition(!seeds.isEmpty, "a batch is of some worlds")
    worlds = seeds.map { RandomTransactions(seed: $0, kind: kind) }
    fork = worlds[0].fork
    precondition(worlds.allSatisfy { [fork] in $0.fork == fork }, "a batch is of one fork")
    image = StateImage(worlds.map(\.allocation), fork: fork)
    var batch = TransactionBatch()
    for (number, world) in worlds.enumerated() {
      let environment = batch.append(
        world.block.environment, blobsAvailable: world.block.maxBlobs,
        blockHashes: world.block.blockHashes)
      for transaction in world.block.transactions {
        transaction.withMessage {
          batch.append($0, environment: environment, world: UInt32(number))
        }
      }
    }
    self.batch = batch
  }

  /// Transactions whose results differ between two ways.
  package struct Mismatch: Sendable {
    /// The seed of the world.
    package let seed: UInt64
    /// The rules.
    package let fork: Fork
    /// The transaction's number in the world.
    package let transaction: Int
    /// What differs.
    package let differences: [String]
  }

  private func mismatch(_ index: Int, _ differences: [String]) -> Mismatch? {
    if differences.isEmpty { return nil }
    return Mismatch(
      seed: worlds[index / RandomTransactions.count].seed, fork: fork,
      transaction: index % RandomTransactions.count, differences: differences)
  }

  // MARK: Between two outcomes of the batch

  /// Where outcomes are not the same as the reference's, records included. Those in `except` were
  /// not done the way that is compared.
  package func mismatches(
    _ reference: BatchOutcome, _ other: BatchOutcome, except: Set<UInt32> = []
  ) -> [Mismatch] {
    (0..<batch.count).compactMap { index in
      if except.contains(UInt32(index)) { return nil }
      let (a, b) = (reference.outcomes[index], other.outcomes[index])
      var comparison = ResultComparison()
      comparison.check("state", a.state, b.state)
      comparison.check("status", a.status, b.status)
      comparison.check("error", a.error, b.error)
      comparison.check("gas", a.gasUsed, b.gasUsed)
      comparison.check("refund", a.gasRefunded, b.gasRefunded)
      comparison.check("creation", a.hasCreated, b.hasCreated)
      comparison.check("accounts", a.accountCount, b.accountCount)
      comparison.check("slots", a.slotCount, b.slotCount)
      comparison.check("logs", a.logCount, b.logCount)
      comparison.check("output bytes", a.outputCount, b.outputCount)
      let (bytes, others) = (reference.recordBytes(index), other.recordBytes(index))
      if bytes != others {
        let place = zip(bytes, others).enumerated().first { $0.element.0 != $0.element.1 }
        comparison.lines.append(
          "records of \(bytes.count) and \(others.count) bytes differ from byte "
            + "\(place?.offset ?? min(bytes.count, others.count)) on")
      }
      return mismatch(index, comparison.lines)
    }
  }

  // MARK: With the serial executor

  /// Where outcomes are not what the serial executor gives for each transaction alone, the state
  /// afterwards included.
  package func mismatchesWithSerial(_ outcome: BatchOutcome) -> [Mismatch] {
    let executor = SerialExecutor()
    var found: [Mismatch] = []
    for (number, world) in worlds.enumerated() {
      let state = WorldState(world.allocation, codes: CodeStore(translation: .never))
      for transaction in 0..<RandomTransactions.count {
        let index = number * RandomTransactions.count + transaction
        let lines = compare(outcome, index, world, transaction, state, executor)
        if let mismatch = mismatch(index, lines) { found.append(mismatch) }
      }
    }
    return found
  }

  private func compare(
    _ outcome: BatchOutcome, _ index: Int, _ world: RandomTransactions, _ transaction: Int,
    _ state: WorldState, _ executor: SerialExecutor
  ) -> [String] {
    var block = world.block
    block.transactions = [block.transactions[transaction]]
    var (expected, got) = (state, state)
    let serial: BlockOutcome
    do throws(ExecutionError) {
      serial = try executor.execute(block, on: &expected)
    } catch {
      return ["the serial executor: \(error)"]
    }
    let row = outcome.outcomes[index]
    guard row.state == .done else { return ["the lane: \(row.state), \(row.status)"] }
    var comparison = ResultComparison()
    let valid = Kernels.TransactionOutcome.valid
    comparison.check("error", serial.rejected.first?.error.rawValue ?? valid, row.error)
    guard let result = serial.transactions.first, row.error == valid else {
      return comparison.lines
    }
    // Translated code may find that the gas will not do before plain code comes to another reason to
    // halt: both take all of it.
    if !result.status.isHalt || !row.status.isHalt {
      comparison.check("status", result.status, row.status)
    }
    comparison.check("gas", result.gasUsed, row.gasUsed)
    comparison.check("refund", result.gasRefunded, row.gasRefunded)
    comparison.check("creation", result.contractAddress != nil, row.hasCreated)
    let records = outcome.records(index)
    comparison.check("output", result.output, records.output)
    comparison.check("logs", serial.receipts[0].logs, records.logs)
    records.apply(to: &got, fork: fork)
    comparison.check("state root", expected.stateRoot(), got.stateRoot())
    return comparison.lines
  }
}

/// Words what differs.
private struct ResultComparison {
  var lines: [String] = []

  mutating func check<Value: Equatable>(_ name: String, _ expected: Value, _ got: Value) {
    if expected != got { lines.append("\(name): expected \(expected), got \(got)") }
  }
}

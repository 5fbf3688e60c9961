public import EVM
public import Ethereum

/// What came of an input: a state-test case, a batch or a block.
public struct RunReport {
  /// One transaction.
  public struct Row: Sendable {
    /// Its place in the input.
    public var index: Int
    /// The transaction.
    public var transaction: Transaction
    /// Who signed it; `nil` when nobody could have.
    public var sender: Address?
    /// What came of it; `nil` when it is not valid.
    public var outcome: TransactionOutcome?
    /// Its receipt; `nil` when it is not valid.
    public var receipt: Receipt?
    /// Why it is not valid.
    public var rejection: String?
  }

  /// The name of the case, batch or block.
  public var name: String
  /// The rules.
  public var fork: Fork
  /// The transactions.
  public var rows: [Row] = []
  /// Gas used by all transactions.
  public var gasUsed: UInt64 = 0
  /// The root of the receipts of the transactions that were executed; `nil` where they have state
  /// roots that are not known.
  public var receiptsRoot: Hash256? = MerklePatriciaTrie.emptyRoot
  /// The root of the transactions that were executed.
  public var transactionsRoot = MerklePatriciaTrie.emptyRoot
  /// The filter of all logs.
  public var logsBloom = Bloom()
  /// The state afterwards.
  public var state: WorldState
  /// The state root afterwards; `nil` where only a part of the state is known.
  public var stateRoot: Hash256?
  /// What differs from what the input says, and faults.
  public var failures: [String] = []
  /// Gas by opcode; `nil` unless asked for.
  public var profile: ExecutionProfile?
  /// Where gas and time went; `nil` unless asked for.
  public var blockProfile: BlockProfile?
  /// How long the execution took, without reading, hashing and signatures.
  public var elapsed = Duration.zero
  /// What parallel execution took; `nil` when it was not asked for.
  public var parallel: ParallelStatistics?
  /// How long the serial executor took beside the parallel one.
  public var serialElapsed: Duration?

  /// A report of nothing yet.
  init(name: String, fork: Fork, state: WorldState) {
    self.name = name
    self.fork = fork
    self.state = state
  }

  /// Whether nothing differed or failed.
  public var passed: Bool { failures.isEmpty }

  /// Takes over what came of a block whose transactions are the rows at `places`.
  mutating func record(_ outcome: BlockOutcome, places: [Int]) {
    gasUsed = outcome.gasUsed
    logsBloom = outcome.logsBloom
    receiptsRoot = outcome.receiptsRoot
    for (executed, receipt) in zip(outcome.transactions, outcome.receipts) {
      rows[places[executed.index]].outcome = executed
      rows[places[executed.index]].receipt = receipt
    }
    for (index, error) in outcome.rejected {
      rows[places[index]].rejection = error.message
    }
    transactionsRoot = MerklePatriciaTrie.orderedRoot(
      rows.compactMap { $0.outcome == nil ? nil : $0.transaction.encoded })
  }

  /// Adds a failure for each transaction that is not valid and was not expected to be so.
  mutating func checkRejections(expected: [Int]) {
    for row in rows {
      let isExpected = expected.contains(row.index)
      if let rejection = row.rejection, !isExpected {
        failures.append("transaction \(row.index) is not valid: \(rejection)")
      } else if isExpected, row.rejection == nil {
        failures.append("transaction \(row.index): expected to be rejected, but it is valid")
      }
    }
    for index in expected where !rows.indices.contains(index) {
      failures.append("expect.rejected: there is no transaction \(index)")
    }
  }
}

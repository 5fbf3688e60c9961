public import EVM

/// A batch: many transactions on one pre-state in one block, Needletail's own format.
///
/// ```json
/// { "transfers": {
///   "fork": "Osaka",
///   "config": { "chainid": "0x1" },
///   "env": { "currentCoinbase": "0x…", "currentGasLimit": "0x…", … },
///   "pre": { "0x…": { "balance": "0x…", "nonce": "0x0", "code": "0x", "storage": {} } },
///   "transactions": [ { "sender": "0x…", "nonce": "0x0", "to": "0x…", "gas": "0x5208", … } ],
///   "expect": { "gasUsed": 21000, "stateRoot": "0x…", "receiptsRoot": "0x…" } } }
/// ```
/// `env` and `pre` are those of state tests, transactions those of the JSON-RPC interface. A
/// transaction is signed, or gives its `secretKey`, or only its `sender`. The outer object may be
/// left out; `alloc` and `txs` mean `pre` and `transactions`, as in the transition tool's input.
public struct Batch: Sendable {
  /// What the file expects; what is `nil` is not compared.
  public struct Expectation: Hashable, Sendable {
    /// Gas of all transactions together.
    public var gasUsed: UInt64?
    /// The state root after the batch.
    public var stateRoot: Hash256?
    /// The root of the receipts.
    public var receiptsRoot: Hash256?
    /// The root of the transactions that were executed.
    public var transactionsRoot: Hash256?
    /// The hash of the RLP of all logs.
    public var logsHash: Hash256?
    /// The filter of all logs.
    public var logsBloom: Bloom?
    /// Whether each transaction succeeds, of those that are executed.
    public var statuses: [Bool]?
    /// The places of transactions that are not valid.
    public var rejected: [Int] = []
    /// The accounts after the batch.
    public var state: Allocation?

    /// An expectation of nothing.
    public init() {}
  }

  /// The batch's name.
  public var name: String
  /// The rules; `nil` when the file leaves them to the user.
  public var fork: Fork?
  /// The chain's number; 1 when the file has none.
  public var chainID: UInt64
  /// The blob limits.
  public var blobSchedule: BlobSchedule
  /// The block's environment.
  public var environment: TestEnvironment
  /// The accounts before.
  public var pre: Allocation
  /// The transactions in their order, signed where they gave a secret key.
  public var transactions: [DescribedTransaction]
  /// Withdrawals after the transactions.
  public var withdrawals: [Withdrawal]
  /// What the file expects; `nil` when it expects nothing.
  public var expectation: Expectation?
}

extension Batch: FixtureCase {
  /// Reads the batch whose value comes next.
  public static func read(
    name: String, from cursor: inout FixtureCursor, options: Void
  ) throws(FormatError) -> Batch {
    try Batch(name: name, from: &cursor.json)
  }

  /// The batches of a file, whether it has one without a name or many with names.
  public static func batches(_ file: borrowing FileBytes) throws(FormatError) -> [Batch] {
    do throws(FormatError) {
      var cursor = JSONCursor(file.buffer)
      var isNamed = true
      try cursor.forEachKey { (cursor, key) throws(FormatError) in
        if key == "transactions" || key == "txs" { isNamed = false }
        try cursor.skipValue()
      }
      cursor = JSONCursor(file.buffer)
      var batches: [Batch] = []
      if isNamed {
        try cursor.forEachKey { (cursor, key) throws(FormatError) in
          batches.append(try Batch(name: key.text, from: &cursor))
        }
      } else {
        batches.append(try Batch(name: "", from: &cursor))
      }
      try cursor.finish()
      return batches
    } catch {
      throw error.inFile(file.path)
    }
  }

  package init(name: String, from cursor: inout JSONCursor) throws(FormatError) {
    var environment: TestEnvironment?
    var pre: Allocation?
    var transactions: [DescribedTransaction]?
    self.name = name
    chainID = 1
    blobSchedule = .testNetworks
    withdrawals = []
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key {
      case "fork", "network": fork = try cursor.fork()
      case "env": environment = try TestEnvironment(from: &cursor)
      case "pre", "alloc": pre = try cursor.allocation()
      case "withdrawals": withdrawals = try cursor.withdrawals()
      case "transactions", "txs":
        transactions = try cursor.array { (cursor) throws(FormatError) in
          try cursor.describedTransaction()
        }
      case "expect": expectation = try Expectation(from: &cursor)
      case "config": try cursor.chainConfiguration(&chainID, &blobSchedule)
      case "_info": try cursor.skipValue()
      default:
        // A misspelt field would otherwise be left out without a word.
        throw cursor.failure(
          .unexpectedField, "a batch has no field \(key.text)", at: cursor.offset(of: key))
      }
    }
    self.environment = try cursor.required(environment, "env")
    self.pre = try cursor.required(pre, "pre")
    self.transactions = try cursor.required(transactions, "transactions")
    for index in self.transactions.indices {
      do throws(FormatError) {
        try self.transactions[index].sign(chainID: chainID)
        if self.transactions[index].sender == nil, !self.transactions[index].isSigned {
          throw FormatError(.missingField, "neither a signature, secretKey nor sender")
        }
      } catch { throw error.within("\(name.isEmpty ? "" : name + ".")transactions[\(index)]") }
    }
  }
}

extension Batch.Expectation {
  fileprivate init(from cursor: inout JSONCursor) throws(FormatError) {
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key {
      case "gasUsed": gasUsed = try cursor.uint64()
      case "stateRoot": stateRoot = try cursor.hash()
      case "receiptsRoot": receiptsRoot = try cursor.hash()
      case "transactionsRoot": transactionsRoot = try cursor.hash()
      case "logsHash": logsHash = try cursor.hash()
      case "rejected":
        rejected = try cursor.array { (cursor) throws(FormatError) in try cursor.index() }
      case "statuses":
        statuses = try cursor.array { (cursor) throws(FormatError) in try cursor.boolean() }
      case "state": state = try cursor.allocation()
      case "logsBloom":
        var header = BlockHeader()
        _ = try cursor.readHeaderField(key, into: &header)
        logsBloom = header.logsBloom
      default:
        throw cursor.failure(
          .unexpectedField, "nothing called \(key.text) can be expected", at: cursor.offset(of: key)
        )
      }
    }
  }
}

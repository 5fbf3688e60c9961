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
/// transaction is signed, or gives its `secretKey`, or only its `sender`.
public struct Batch: Sendable {
  /// What the file expects; what is `nil` is not compared.
  public struct Expectation: Hashable, Sendable {
    /// Gas of all transactions together.
    public var gasUsed: UInt64?
    /// The state root after the batch.
    public var stateRoot: Hash256?
    /// The root of the receipts.
    public var receiptsRoot: Hash256?
    /// The filter of all logs.
    public var logsBloom: Bloom?
    /// Whether each transaction succeeds.
    public var statuses: [Bool]?
    /// The accounts after the batch.
    public var state: Allocation?

    /// An expectation of nothing.
    public init() {}
  }

  /// The batch's name.
  public var name: String
  /// The rules.
  public var fork: Fork
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

  package init(name: String, from cursor: inout JSONCursor) throws(FormatError) {
    var fork: Fork?
    var environment: TestEnvironment?
    var pre: Allocation?
    var transactions: [DescribedTransaction]?
    chainID = 1
    blobSchedule = .testNetworks
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key {
      case "fork", "network": fork = try cursor.fork()
      case "env": environment = try TestEnvironment(from: &cursor)
      case "pre": pre = try cursor.allocation()
      case "transactions":
        transactions = try cursor.array { (cursor) throws(FormatError) in
          try cursor.describedTransaction()
        }
      case "expect": expectation = try Expectation(from: &cursor)
      case "config":
        try cursor.beginObject()
        while let key = try cursor.nextKey() {
          switch key {
          case "chainid", "chainId": chainID = try cursor.uint64()
          case "blobSchedule": blobSchedule = try cursor.blobSchedule()
          default: try cursor.skipValue()
          }
        }
      default: try cursor.skipValue()
      }
    }
    self.name = name
    self.fork = try cursor.required(fork, "fork")
    self.environment = try cursor.required(environment, "env")
    self.pre = try cursor.required(pre, "pre")
    self.transactions = try cursor.required(transactions, "transactions")
    for index in self.transactions.indices {
      do throws(FormatError) {
        try self.transactions[index].sign(chainID: chainID)
        if self.transactions[index].sender == nil, !self.transactions[index].isSigned {
          throw FormatError(.missingField, "neither a signature, secretKey nor sender")
        }
      } catch { throw error.within("\(name).transactions[\(index)]") }
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
      case "statuses":
        statuses = try cursor.array { (cursor) throws(FormatError) in try cursor.boolean() }
      case "state": state = try cursor.allocation()
      case "logsBloom":
        var header = BlockHeader()
        _ = try cursor.readHeaderField(key, into: &header)
        logsBloom = header.logsBloom
      default: try cursor.skipValue()
      }
    }
  }
}

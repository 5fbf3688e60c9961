public import EVM

/// A transaction test: bytes, and what each fork makes of them (ethereum/tests,
/// "Transaction Tests").
public struct TransactionTest: Sendable {
  /// What a fork makes of the bytes.
  public enum Result: Hashable, Sendable {
    /// A valid transaction.
    case valid(hash: Hash256, sender: Address, intrinsicGas: UInt64)
    /// A rejected one, with the names of exceptions that fit.
    case exception([String])
  }

  /// The test's name.
  public var name: String
  /// The transaction's bytes.
  public var transactionBytes: [UInt8]
  /// The results by fork, in the order of the file.
  public var results: [(fork: Fork, result: Result)]
  /// Fork names that are not known here; they are to be reported as not run.
  public var unknownForks: [String]

  /// Whether an error in reading the bytes or recovering the sender is one that a result names.
  ///
  /// When the type is unknown to the fork as well, that may be the reason that counts.
  public func expects(_ error: FormatError, exceptions: [String], fork: Fork) -> Bool {
    var names = error.testNames
    if let first = transactionBytes.first, first < 0x80,
      TransactionType(rawValue: first).map({ $0.since > fork }) ?? true
    {
      names.append("TYPE_NOT_SUPPORTED")
    }
    return exceptions.contains { exception in
      names.contains { exception == "TransactionException." + $0 }
    }
  }
}

extension TransactionTest: FixtureCase {
  /// Reads the test whose value comes next.
  public static func read(
    name: String, from cursor: inout FixtureCursor, options: Void
  ) throws(FormatError) -> TransactionTest {
    try TransactionTest(name: name, from: &cursor.json)
  }

  package init(name: String, from cursor: inout JSONCursor) throws(FormatError) {
    var bytes: [UInt8]?
    var results: [(fork: Fork, result: Result)]?
    var unknown: [String] = []
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key {
      case "txbytes": bytes = try cursor.hexBytes()
      case "result":
        var found: [(fork: Fork, result: Result)] = []
        try cursor.beginObject()
        while let key = try cursor.nextKey() {
          let name = key.text
          if let fork = Fork(name: name) {
            found.append((fork, try Result(from: &cursor)))
          } else {
            unknown.append(name)
            try cursor.skipValue()
          }
        }
        results = found
      default: try cursor.skipValue()
      }
    }
    self.name = name
    transactionBytes = try cursor.required(bytes, "txbytes")
    self.results = try cursor.required(results, "result")
    unknownForks = unknown
  }
}

extension TransactionTest.Result {
  fileprivate init(from cursor: inout JSONCursor) throws(FormatError) {
    var hash: Hash256?
    var sender: Address?
    var gas: UInt64?
    var exceptions: [String]?
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key {
      case "hash": hash = try cursor.hash()
      case "sender": sender = try cursor.address()
      case "intrinsicGas": gas = try cursor.uint64()
      case "exception": exceptions = try cursor.exceptions()
      default: try cursor.skipValue()
      }
    }
    if let exceptions {
      self = .exception(exceptions)
    } else {
      self = .valid(
        hash: try cursor.required(hash, "hash"), sender: try cursor.required(sender, "sender"),
        intrinsicGas: try cursor.required(gas, "intrinsicGas"))
    }
  }
}

public import EVM

/// What a transaction did (yellow paper, section 4.4.1; EIP-658, EIP-2718).
public struct Receipt: Hashable, Sendable {
  /// How the execution ended, in the form that the fork asks for.
  public enum Outcome: Hashable, Sendable {
    /// The state root after the transaction: before Byzantium.
    case stateRoot(Hash256)
    /// Whether it succeeded: from Byzantium on (EIP-658).
    case status(Bool)
  }

  /// The transaction's type.
  public var type: TransactionType
  /// How the execution ended.
  public var outcome: Outcome
  /// Gas that the block has used with this transaction.
  public var cumulativeGasUsed: UInt64
  /// What was logged.
  public var logs: [Log]
  /// The filter when it is not that of the logs: one or none.
  private var otherBloom: [Bloom] = []

  /// A receipt whose bloom comes from its logs.
  public init(type: TransactionType, outcome: Outcome, cumulativeGasUsed: UInt64, logs: [Log]) {
    self.type = type
    self.outcome = outcome
    self.cumulativeGasUsed = cumulativeGasUsed
    self.logs = logs
  }

  /// A receipt from all its parts.
  public init(
    type: TransactionType, outcome: Outcome, cumulativeGasUsed: UInt64, bloom: Bloom, logs: [Log]
  ) {
    self.init(type: type, outcome: outcome, cumulativeGasUsed: cumulativeGasUsed, logs: logs)
    self.bloom = bloom
  }

  /// The filter of the logs. Worked out each time: one hash for each address and topic.
  public var bloom: Bloom {
    get { otherBloom.first ?? Bloom(logs: logs) }
    set { otherBloom = newValue == Bloom(logs: logs) ? [] : [newValue] }
  }

  /// The filter of the logs, with hashes that `hashes` remembers from other receipts.
  package func bloom(_ hashes: inout BloomHashes) -> Bloom {
    if let otherBloom = otherBloom.first { return otherBloom }
    var bloom = Bloom()
    for log in logs {
      bloom.insert(hash: hashes.hash(log.address))
      for index in 0..<log.countOfTopics { bloom.insert(hash: hashes.hash(log.topic(index))) }
    }
    return bloom
  }

  /// Reads a receipt as it stands in the receipts trie.
  public init(decoding bytes: [UInt8]) throws(FormatError) {
    self = try withBytes(bytes) { (buffer) throws(FormatError) in try Receipt(decoding: buffer) }
  }

  /// Reads a receipt as it stands in the receipts trie.
  package init(decoding bytes: UnsafeBufferPointer<UInt8>) throws(FormatError) {
    guard let first = bytes.first else { throw FormatError(.truncated, "a receipt of no bytes") }
    var type = TransactionType.legacy
    var body = bytes
    if first < 0xC0 {
      guard let known = TransactionType(rawValue: first), known != .legacy else {
        throw FormatError(.unknownTransactionType, "no receipt has the type \(first)")
      }
      type = known
      body = UnsafeBufferPointer(rebasing: bytes[1...])
    }
    var fields = try RLPItem(body).list("receipt")
    let result = try fields.next("status")
    let outcome: Outcome
    if try result.string("status").count == 32 {
      outcome = .stateRoot(try result.hash("status"))
    } else {
      let status = try result.uint64("status")
      guard status <= 1 else {
        throw FormatError(.valueOutOfRange, "the status is neither 0 nor 1", field: "status")
      }
      outcome = .status(status == 1)
    }
    let gas = try fields.next("cumulativeGasUsed").uint64("cumulativeGasUsed")
    let bloom = Bloom(loading: try fields.next("bloom").fixed("bloom", count: 256))
    var items = try fields.next("logs").list("logs")
    var logs: [Log] = []
    while !items.isAtEnd { logs.append(try Log(items.next("logs"))) }
    try fields.finish()
    self.init(type: type, outcome: outcome, cumulativeGasUsed: gas, bloom: bloom, logs: logs)
  }

  /// The bytes that the receipts trie holds: RLP, after the type's byte for a typed one.
  public var encoded: [UInt8] { encoded(bloom: bloom) }

  /// The same, with the bloom known.
  package func encoded(bloom: Bloom) -> [UInt8] {
    var encoder = RLPEncoder(capacity: 320)
    if type != .legacy { encoder.bytes.append(type.rawValue) }
    encoder.list { encoder in
      switch outcome {
      case .stateRoot(let root): encoder.append(root)
      case .status(let success): encoder.append(UInt64(success ? 1 : 0))
      }
      encoder.append(cumulativeGasUsed)
      encoder.append(bloom.bytes)
      encoder.list { encoder in
        for log in logs { log.encode(into: &encoder) }
      }
    }
    return encoder.bytes
  }
}

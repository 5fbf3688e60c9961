public import EVM

/// An entry that a contract wrote to the log (yellow paper, section 4.4.1).
public struct Log: Hashable, Sendable {
  /// The contract.
  public var address: Address
  /// Up to four indexed words.
  public var topics: [Hash256]
  /// The rest.
  public var data: [UInt8]

  /// A log from its parts.
  public init(address: Address, topics: [Hash256] = [], data: [UInt8] = []) {
    self.address = address
    self.topics = topics
    self.data = data
  }

  package init(_ item: RLPItem) throws(FormatError) {
    var fields = try item.list("log")
    let address = try fields.next("log.address").address("log.address")
    var words = try fields.next("log.topics").list("log.topics")
    var topics: [Hash256] = []
    while !words.isAtEnd { topics.append(try words.next("log.topics").hash("log.topics")) }
    let data = [UInt8](try fields.next("log.data").string("log.data"))
    try fields.finish()
    self.init(address: address, topics: topics, data: data)
  }

  package func encode(into encoder: inout RLPEncoder) {
    encoder.list { encoder in
      encoder.append(address)
      encoder.list { encoder in
        for topic in topics { encoder.append(topic) }
      }
      encoder.append(data)
    }
  }

  /// The hash of the RLP of a list of logs, as state tests give it.
  public static func hash(of logs: [Log]) -> Hash256 {
    var encoder = RLPEncoder()
    encoder.list { encoder in
      for log in logs { log.encode(into: &encoder) }
    }
    return Keccak256.hash(encoder.bytes)
  }
}

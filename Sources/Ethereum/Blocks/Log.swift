public import EVM

/// An entry that a contract wrote to the log (yellow paper, section 4.4.1).
public struct Log: Hashable, Sendable {
  /// The contract.
  public var address: Address
  private var bytes: ShortBytes

  // In place: most logs have no memory of their own. Topics past the count are zero.
  private var topicCount: UInt8
  private var topic0: Hash256
  private var topic1: Hash256
  private var topic2: Hash256
  private var topic3: Hash256

  /// A log from its parts.
  public init(address: Address, topics: [Hash256] = [], data: [UInt8] = []) {
    self.init(
      address: address, topicCount: 0, topics: (.zero, .zero, .zero, .zero),
      data: ShortBytes(data))
    self.topics = topics
  }

  /// A log from its parts; the topics past the count are zero.
  package init(
    address: Address, topicCount: Int, topics: (Hash256, Hash256, Hash256, Hash256),
    data: ShortBytes
  ) {
    self.address = address
    bytes = data
    self.topicCount = UInt8(topicCount)
    (topic0, topic1, topic2, topic3) = topics
  }

  /// The rest.
  public var data: [UInt8] {
    get { bytes.array }
    set { bytes = ShortBytes(newValue) }
  }

  /// Up to four indexed words.
  public var topics: [Hash256] {
    get { (0..<Int(topicCount)).map { topic($0) } }
    set {
      precondition(newValue.count <= 4, "a log has at most four topics")
      topicCount = UInt8(newValue.count)
      topic0 = newValue.count > 0 ? newValue[0] : .zero
      topic1 = newValue.count > 1 ? newValue[1] : .zero
      topic2 = newValue.count > 2 ? newValue[2] : .zero
      topic3 = newValue.count > 3 ? newValue[3] : .zero
    }
  }

  /// How many topics there are.
  package var countOfTopics: Int { Int(topicCount) }

  /// One topic.
  package func topic(_ index: Int) -> Hash256 {
    switch index {
    case 0: topic0
    case 1: topic1
    case 2: topic2
    default: topic3
    }
  }

  package init(_ item: RLPItem) throws(FormatError) {
    var fields = try item.list("log")
    let address = try fields.next("log.address").address("log.address")
    var words = try fields.next("log.topics").list("log.topics")
    var topics: [Hash256] = []
    while !words.isAtEnd { topics.append(try words.next("log.topics").hash("log.topics")) }
    guard topics.count <= 4 else {
      throw FormatError(
        .valueOutOfRange, "\(topics.count) topics are more than four", field: "log.topics")
    }
    let data = [UInt8](try fields.next("log.data").string("log.data"))
    try fields.finish()
    self.init(address: address, topics: topics, data: data)
  }

  package func encode(into encoder: inout RLPEncoder) {
    encoder.list { encoder in
      encoder.append(address)
      encoder.list { encoder in
        for index in 0..<countOfTopics { encoder.append(topic(index)) }
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

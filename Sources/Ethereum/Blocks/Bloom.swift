public import EVM

/// The 2048-bit filter of the addresses and topics of logs (yellow paper, section 4.4.1).
public struct Bloom: Sendable {
  /// The bits as 32 words, in the order of the bytes; bit 0 of the filter is the last byte's
  /// lowest.
  private var words: InlineArray<32, UInt64> = .init(repeating: 0)

  /// The filter of nothing.
  public init() {}

  /// A filter from its 256 bytes; `nil` for another count.
  public init?(bytes: [UInt8]) {
    guard bytes.count == 256 else { return nil }
    self = bytes.withUnsafeBufferPointer { Bloom(loading: $0.baseAddress!) }
  }

  /// A filter from 256 bytes.
  package init(loading bytes: UnsafePointer<UInt8>) {
    let raw = UnsafeRawPointer(bytes)
    for index in 0..<32 {
      words[index] = UInt64(
        bigEndian: raw.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
    }
  }

  /// The filter of some logs.
  public init(logs: [Log]) {
    for log in logs { insert(log) }
  }

  /// Adds a log's address and topics.
  public mutating func insert(_ log: Log) {
    insert(hash: Keccak256.hash(log.address))
    for index in 0..<log.countOfTopics { insert(hash: Keccak256.hash(log.topic(index).word)) }
  }

  /// Sets the three bits that a hash names: the low 11 bits of its first three pairs of bytes.
  public mutating func insert(hash: Hash256) {
    let top = hash.word.limb3
    setBit(Int(top >> 48) & 0x7FF)
    setBit(Int(top >> 32) & 0x7FF)
    setBit(Int(top >> 16) & 0x7FF)
  }

  /// Whether the bits that a hash names are all set: its address or topic may be in a log.
  public func mayContain(hash: Hash256) -> Bool {
    var probe = Bloom()
    probe.insert(hash: hash)
    for index in 0..<32 where words[index] & probe.words[index] != probe.words[index] {
      return false
    }
    return true
  }

  /// Adds what is in another filter.
  public mutating func formUnion(_ other: Bloom) {
    for index in 0..<32 { words[index] |= other.words[index] }
  }

  private mutating func setBit(_ bit: Int) {
    words[31 - bit >> 6] |= 1 << UInt64(bit & 63)
  }

  /// The 256 bytes.
  public var bytes: [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 256) { buffer, count in
      let raw = UnsafeMutableRawPointer(buffer.baseAddress!)
      for index in 0..<32 {
        raw.storeBytes(of: words[index].bigEndian, toByteOffset: index * 8, as: UInt64.self)
      }
      count = 256
    }
  }
}

/// The hashes of addresses and topics that a block's logs have in common: a token's address and the
/// topic of a transfer are hashed once, not once a log.
package struct BloomHashes {
  private var addresses: [Address: Hash256] = [:]
  private var topics: [Hash256: Hash256] = [:]

  /// No hashes yet.
  package init() {}

  /// The hash of an address.
  package mutating func hash(_ address: Address) -> Hash256 {
    if let known = addresses[address] { return known }
    let hash = Keccak256.hash(address)
    addresses[address] = hash
    return hash
  }

  /// The hash of a topic.
  package mutating func hash(_ topic: Hash256) -> Hash256 {
    if let known = topics[topic] { return known }
    let hash = Keccak256.hash(topic.word)
    topics[topic] = hash
    return hash
  }
}

extension Bloom: Hashable {
  /// Whether the same bits are set.
  public static func == (a: Bloom, b: Bloom) -> Bool {
    var difference: UInt64 = 0
    for index in 0..<32 { difference |= a.words[index] ^ b.words[index] }
    return difference == 0
  }

  /// Feeds the bits.
  public func hash(into hasher: inout Hasher) {
    for index in 0..<32 { hasher.combine(words[index]) }
  }
}

extension Bloom: CustomStringConvertible {
  /// `0x` and 512 lowercase digits.
  public var description: String { Hexadecimal.string(bytes) }
}

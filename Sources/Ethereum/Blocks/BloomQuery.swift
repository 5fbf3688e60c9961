package import EVM

/// What is looked for in the filters of many blocks: hashed once, compared with the bytes where they lie.
package struct BloomQuery: Sendable {
  /// The three bits that an address or a topic sets: the places of their bytes, and the bits there.
  private struct Probe: BitwiseCopyable {
    var places: (Int, Int, Int)
    var bits: (UInt8, UInt8, UInt8)

    init(_ hash: Hash256) {
      func bit(_ pair: Int) -> Int { Int(hash.word.limb3 >> UInt64(48 - pair * 16)) & 0x7FF }
      places = (255 - bit(0) >> 3, 255 - bit(1) >> 3, 255 - bit(2) >> 3)
      bits = (1 << UInt8(bit(0) & 7), 1 << UInt8(bit(1) & 7), 1 << UInt8(bit(2) & 7))
    }

    @inline(__always)
    func isIn(_ bytes: UnsafePointer<UInt8>) -> Bool {
      bytes[places.0] & bits.0 != 0 && bytes[places.1] & bits.1 != 0
        && bytes[places.2] & bits.2 != 0
    }
  }

  private let groups: [[Probe]]

  /// Of each group one has to be there: the hashes of addresses or of topics. A group without any asks
  /// for nothing.
  package init(_ groups: [[Hash256]]) {
    self.groups = groups.filter { !$0.isEmpty }.map { $0.map { Probe($0) } }
  }

  /// Whether a filter of these 256 bytes may have all.
  package func mayMatch(_ bytes: UnsafePointer<UInt8>) -> Bool {
    for group in groups where !group.contains(where: { $0.isIn(bytes) }) { return false }
    return true
  }

  /// Whether a filter may have all.
  package func mayMatch(_ bloom: Bloom) -> Bool {
    bloom.bytes.withUnsafeBufferPointer { mayMatch($0.baseAddress!) }
  }
}

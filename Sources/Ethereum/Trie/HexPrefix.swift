/// The form in which a node's path stands in its RLP: nibbles in bytes, with whether the node is a
/// leaf and whether their number is odd (yellow paper, appendix C).
package struct HexPrefix: Hashable, Sendable {
  /// The path, a nibble each.
  package var nibbles: [UInt8]
  /// Whether the path ends in a value.
  package var isLeaf: Bool

  /// Reads the bytes; an error for another flag, or for padding that is not zero.
  package init(_ bytes: UnsafeBufferPointer<UInt8>) throws(FormatError) {
    guard let first = bytes.first, first < 0x40, first & 0x10 != 0 || first & 0x0F == 0 else {
      throw FormatError(.invalidProof, "a path that is not in the hex-prefix form")
    }
    nibbles = first & 0x10 != 0 ? [first & 15] : []
    nibbles.reserveCapacity(bytes.count * 2)
    for byte in bytes.dropFirst() {
      nibbles.append(byte >> 4)
      nibbles.append(byte & 15)
    }
    isLeaf = first & 0x20 != 0
  }
}

import EVM

/// Nibbles of a key in the hex-prefix form (yellow paper, appendix C), as an RLP string.
struct TriePath {
  private let key: UInt256
  private let from: Int
  private let nibbles: Int
  private let isLeaf: Bool

  @inline(__always)
  init(_ key: UInt256, from: Int, to: Int, isLeaf: Bool) {
    self.key = key
    self.from = from
    nibbles = to &- from
    self.isLeaf = isLeaf
  }

  /// Bytes of the string with its header; one byte below 0x80 stands for itself.
  @inline(__always)
  var size: Int { nibbles < 2 ? 1 : nibbles / 2 &+ 2 }

  @inline(__always)
  func write(to sink: inout some NodeOutput) {
    if nibbles > 1 { sink.append(0x80 &+ UInt64(nibbles / 2 &+ 1)) }
    let isOdd = nibbles & 1 != 0
    var first: UInt64 = isLeaf ? 0x20 : 0
    if isOdd { first |= 0x10 | UInt64(key.nibbleInLane(from)) }
    sink.append(first)
    let start = isOdd ? from &+ 1 : from
    if nibbles > 1 { sink.append(key << UInt64(start &* 4), count: nibbles / 2) }
  }
}

extension UInt256 {
  /// One of the 64 nibbles, the highest first.
  @inline(__always)
  func nibbleInLane(_ index: Int) -> Int {
    let byte = Int(bigEndianByte(index >> 1))
    return index & 1 == 0 ? byte >> 4 : byte & 15
  }
}

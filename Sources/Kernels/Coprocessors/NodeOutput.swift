import EVM

/// Takes the bytes of a trie's node one after the other (yellow paper, appendices B and D).
protocol NodeOutput {
  /// Adds 0 to 8 bytes, the first in the lowest bits; there are no others.
  mutating func append(little bytes: UInt64, count: Int)
}

extension NodeOutput {
  /// Adds a byte.
  @inline(__always)
  mutating func append(_ byte: UInt64) { append(little: byte & 0xFF, count: 1) }

  @inline(__always)
  private mutating func append(_ high: UInt64, _ low: UInt64) {
    append(high)
    append(low)
  }

  /// Bytes of the header of a list with so many, below 2^24.
  @inline(__always)
  static func listHeaderSize(_ payload: Int) -> Int {
    payload < 56 ? 1 : payload < 0x100 ? 2 : payload < 0x1_0000 ? 3 : 4
  }

  /// Adds that header.
  @inline(__always)
  mutating func appendListHeader(_ payload: Int) {
    if payload < 56 {
      append(0xC0 &+ UInt64(payload))
    } else if payload < 0x100 {
      append(0xF8)
      append(UInt64(payload))
    } else if payload < 0x1_0000 {
      append(0xF9)
      append(UInt64(payload >> 8), UInt64(payload))
    } else {
      append(0xFA)
      append(UInt64(payload >> 16))
      append(UInt64(payload >> 8), UInt64(payload))
    }
  }

  /// Adds the first 0 to 32 bytes of a word, from its highest on.
  @inline(__always)
  mutating func append(_ word: UInt256, count: Int) {
    var left = count
    var limb = 3
    while left > 0 {
      let value =
        (limb == 3 ? word.limb3 : limb == 2 ? word.limb2 : limb == 1 ? word.limb1 : word.limb0)
        .byteSwapped
      let taken = left < 8 ? left : 8
      append(little: taken == 8 ? value : value & ((1 &<< (UInt64(taken) &* 8)) &- 1), count: taken)
      left &-= taken
      limb &-= 1
    }
  }

  /// Adds the bytes of a number as RLP writes it; `count` is the number of its bytes.
  @inline(__always)
  mutating func append(number: UInt256, count: Int) {
    if count == 1, number.limb0 < 0x80 { return append(number.limb0) }
    append(0x80 &+ UInt64(count))
    if count > 0 { append(number << (UInt64(32 &- count) &* 8), count: count) }
  }

  /// Adds how a node stands in its parent: a hash, or the node itself.
  @inline(__always)
  mutating func append(reference: UInt256, size: Int) {
    if size == 32 { append(0xA0) }
    append(reference, count: size)
  }
}

/// A node in memory, word by word.
struct NodeBytes: NodeOutput {
  private var next: UnsafeMutablePointer<UInt64>
  private var rest: UInt64 = 0
  private var restCount = 0

  /// Writes from a place on which has room for the node and up to seven bytes more.
  @inline(__always)
  init(to place: UnsafeMutablePointer<UInt64>) { next = place }

  @inline(__always)
  mutating func append(little bytes: UInt64, count: Int) {
    let bits = UInt64(restCount) &* 8
    rest |= bytes &<< bits
    if restCount &+ count < 8 {
      restCount &+= count
      return
    }
    next.pointee = rest.littleEndian
    next += 1
    // In two steps, as a shift by 64 is none.
    rest = (bytes &>> 1) &>> (63 &- bits)
    restCount = restCount &+ count &- 8
  }

  /// Writes the last bytes, which do not fill a word.
  @inline(__always)
  func finish() {
    if restCount > 0 { next.pointee = rest.littleEndian }
  }
}

import EVM

/// Takes the bytes of a trie's node one after the other and hashes them (yellow paper, appendices B
/// and D). The header of the list comes first, so that its size has to be known.
///
/// Bytes gather in a word, words in a block of 136 bytes of the lane's local memory.
struct NodeSink {
  private var state = KeccakState()
  private var block = InlineArray<17, UInt64>(repeating: 0)
  /// Whole words in the block, and the bytes behind them.
  private var words = 0
  private var rest: UInt64 = 0
  private var restCount = 0
  /// Bytes of the node.
  let size: Int

  /// A sink for the node with this number of bytes behind its header.
  init(payload: Int) {
    if payload < 56 {
      size = payload &+ 1
      append(0xC0 &+ UInt64(payload))
    } else if payload < 0x100 {
      size = payload &+ 2
      append(0xF8)
      append(UInt64(payload))
    } else if payload < 0x1_0000 {
      size = payload &+ 3
      append(0xF9)
      append(UInt64(payload >> 8), UInt64(payload))
    } else {
      size = payload &+ 4
      append(0xFA)
      append(UInt64(payload >> 16))
      append(UInt64(payload >> 8), UInt64(payload))
    }
  }

  /// Adds a byte.
  @inline(__always)
  mutating func append(_ byte: UInt64) { append(little: byte & 0xFF, count: 1) }

  @inline(__always)
  private mutating func append(_ high: UInt64, _ low: UInt64) {
    append(high)
    append(low)
  }

  /// Adds 0 to 8 bytes, the first in the lowest bits; there are no others.
  mutating func append(little bytes: UInt64, count: Int) {
    let bits = UInt64(restCount) &* 8
    rest |= bytes &<< bits
    if restCount &+ count < 8 {
      restCount &+= count
      return
    }
    // Below 17 words: a full block is taken at once.
    block[unchecked: words] = rest
    words &+= 1
    // In two steps, as a shift by 64 is none.
    rest = (bytes &>> 1) &>> (63 &- bits)
    restCount = restCount &+ count &- 8
    if words == 17 { absorb() }
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

  /// The node itself, from the highest byte on, where it has less than 32.
  var short: UInt256 {
    var copy = self
    while copy.words < 4 { copy.append(little: 0, count: 8) }
    return UInt256(
      copy.block[unchecked: 3].byteSwapped, copy.block[unchecked: 2].byteSwapped,
      copy.block[unchecked: 1].byteSwapped, copy.block[unchecked: 0].byteSwapped)
  }

  /// The hash of all that was added.
  mutating func hash() -> Hash256 {
    block[unchecked: words] = rest | 1 &<< (UInt64(restCount) &* 8)
    words &+= 1
    while words < 17 {
      block[unchecked: words] = 0
      words &+= 1
    }
    block[unchecked: 16] |= 1 << 63
    absorb()
    return state.digest
  }

  @inline(never)
  private mutating func absorb() {
    var lanes = state
    let block = block
    // Indexes are below 17.
    lanes.absorb { block[unchecked: $0] }
    lanes.permute()
    state = lanes
    words = 0
  }
}

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
  func write(to sink: inout NodeSink) {
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

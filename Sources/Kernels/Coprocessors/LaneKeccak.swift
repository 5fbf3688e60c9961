package import EVM

/// The bytes of a message as words of eight, the first in the lowest bits, whatever its alignment.
///
/// Reads whole aligned words: those that hold the message's first and last byte, and one more. The
/// memory has them.
struct MessageWords {
  private var next: UnsafePointer<UInt64>
  private var current: UInt64
  /// Bits of the first aligned word that lie before the message.
  private let shift: UInt64

  @inline(__always)
  init(_ bytes: UnsafeRawPointer) {
    let address = UInt(bitPattern: bytes)
    shift = UInt64(address & 7) &* 8
    let aligned = (bytes - Int(address & 7)).assumingMemoryBound(to: UInt64.self)
    current = aligned.pointee
    next = aligned + 1
  }

  /// The next eight bytes.
  @inline(__always)
  mutating func word() -> UInt64 {
    let following = next.pointee
    next += 1
    // In two steps, as a shift by 64 is none.
    let value = (current &>> shift) | ((following &<< 1) &<< (63 &- shift))
    current = following
    return UInt64(littleEndian: value)
  }
}

/// Up to eight bytes in a register, the first in the lowest bits.
struct ShortBytes {
  private(set) var bytes: UInt64 = 0
  private(set) var count = 0

  /// Adds a byte behind the others.
  @inline(__always)
  mutating func append(_ byte: UInt64) {
    bytes |= (byte & 0xFF) &<< (UInt64(count) &* 8)
    count &+= 1
  }

  /// All bits of the bytes; below eight of them.
  @inline(__always)
  var mask: UInt64 { (1 &<< (UInt64(count) &* 8)) &- 1 }

  /// Adds the header of an RLP list of so many bytes (yellow paper, appendix B), below 2^24.
  @inline(__always)
  mutating func appendListHeader(_ length: Int) {
    let length = UInt64(length)
    if length < 56 {
      append(0xC0 &+ length)
    } else if length < 0x100 {
      append(0xF8)
      append(length)
    } else if length < 0x1_0000 {
      append(0xF9)
      append(length &>> 8)
      append(length)
    } else {
      append(0xFA)
      append(length &>> 16)
      append(length &>> 8)
      append(length)
    }
  }

  /// Adds a number below 2^32 as RLP writes it.
  @inline(__always)
  mutating func appendNumber(_ number: UInt64) {
    if number == 0 {
      append(0x80)
    } else if number < 0x80 {
      append(number)
    } else {
      let size = number < 0x100 ? 1 : number < 0x1_0000 ? 2 : number < 0x100_0000 ? 3 : 4
      append(0x80 &+ UInt64(size))
      var place = size
      while place > 0 {
        place &-= 1
        append(number &>> (UInt64(place) &* 8))
      }
    }
  }
}

/// Keccak-256 of messages in the registers of a lane: the state has no address.
package enum LaneKeccak {
  /// Bytes absorbed between two permutations.
  static var rate: Int { 136 }

  /// The hash of `count` bytes.
  @inline(__always)
  package static func hash(_ bytes: UnsafeRawPointer, count: Int) -> Hash256 {
    hash(prefix: ShortBytes(), bytes, count: count, suffix: ShortBytes())
  }

  /// The hash of a prefix, `count` bytes and a suffix of at most seven bytes.
  ///
  /// In front of the bytes lie at least as many more as the prefix has: they are read, too.
  @inline(__always)
  static func hash(
    prefix: ShortBytes, _ bytes: UnsafeRawPointer, count: Int, suffix: ShortBytes
  ) -> Hash256 {
    var state = KeccakState()
    var words = MessageWords(bytes - prefix.count)
    // The prefix stands in the first word, for what lies there.
    var cover = prefix.mask
    var covered = prefix.bytes
    // The padding begins behind the suffix.
    let end = suffix.bytes | 1 &<< (UInt64(suffix.count) &* 8)
    // Bytes of prefix and message from the present block on, and those of the block's words.
    var left = prefix.count &+ count
    while true {
      state.absorb { index in
        let word = ending((words.word() & ~cover) | covered, left &- index &* 8, end)
        cover = 0
        covered = 0
        return word
      }
      if left &+ suffix.count < rate { break }
      state.permute()
      left &-= rate
    }
    state.lane16 ^= 1 << 63
    state.permute()
    return state.digest
  }

  /// A word of which the message has `left` bytes, negative behind its end, where `end` follows.
  @inline(__always)
  private static func ending(_ word: UInt64, _ left: Int, _ end: UInt64) -> UInt64 {
    if left >= 8 { return word }
    if left <= -8 { return 0 }
    if left < 0 { return end &>> (UInt64(0 &- left) &* 8) }
    let bits = UInt64(left) &* 8
    return (word & ((1 &<< bits) &- 1)) | (end &<< bits)
  }

  /// The hash of 64 bytes in eight words.
  @inline(__always)
  package static func hash(
    _ w0: UInt64, _ w1: UInt64, _ w2: UInt64, _ w3: UInt64, _ w4: UInt64, _ w5: UInt64,
    _ w6: UInt64, _ w7: UInt64
  ) -> Hash256 {
    var state = KeccakState()
    state.lane0 = w0
    state.lane1 = w1
    state.lane2 = w2
    state.lane3 = w3
    state.lane4 = w4
    state.lane5 = w5
    state.lane6 = w6
    state.lane7 = w7
    state.lane8 = 1
    state.lane16 = 1 << 63
    state.permute()
    return state.digest
  }
}

extension KeccakState {
  /// Adds a block of 17 words.
  @inline(__always)
  mutating func absorb(_ word: (Int) -> UInt64) {
    lane0 ^= word(0)
    lane1 ^= word(1)
    lane2 ^= word(2)
    lane3 ^= word(3)
    lane4 ^= word(4)
    lane5 ^= word(5)
    lane6 ^= word(6)
    lane7 ^= word(7)
    lane8 ^= word(8)
    lane9 ^= word(9)
    lane10 ^= word(10)
    lane11 ^= word(11)
    lane12 ^= word(12)
    lane13 ^= word(13)
    lane14 ^= word(14)
    lane15 ^= word(15)
    lane16 ^= word(16)
  }

  /// The first 32 bytes.
  @inline(__always)
  var digest: Hash256 {
    Hash256(
      UInt256(lane3.byteSwapped, lane2.byteSwapped, lane1.byteSwapped, lane0.byteSwapped))
  }
}

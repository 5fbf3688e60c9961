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

/// Keccak-256 of messages in the registers of a lane: the state has no address.
package enum LaneKeccak {
  /// Bytes absorbed between two permutations.
  static var rate: Int { 136 }

  /// The hash of `count` bytes.
  @inline(__always)
  package static func hash(_ bytes: UnsafeRawPointer, count: Int) -> Hash256 {
    var state = KeccakState()
    var words = MessageWords(bytes)
    var left = count
    while left >= rate {
      state.absorb { _ in words.word() }
      state.permute()
      left &-= rate
    }
    state.absorb { index in padded(words.word(), left &- index &* 8) }
    state.lane16 ^= 1 << 63
    state.permute()
    return state.digest
  }

  /// A word of which the message has `left` bytes more: what is behind the end is the padding.
  @inline(__always)
  static func padded(_ word: UInt64, _ left: Int) -> UInt64 {
    if left >= 8 { return word }
    if left < 0 { return 0 }
    let bits = UInt64(left) &* 8
    return (word & ((1 &<< bits) &- 1)) | (1 &<< bits)
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

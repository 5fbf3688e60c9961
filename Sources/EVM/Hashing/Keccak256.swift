/// Keccak-256 as Ethereum uses it: rate 136 bytes, capacity 512 bits and the original padding
/// byte 0x01 (yellow paper, section 3; The Keccak reference 3.0), not that of SHA3-256.
///
/// Use `hash(_:)` when the bytes are in one place, otherwise `absorb(_:)` as often as needed and
/// then `finalize()`.
public struct Keccak256: BitwiseCopyable, Sendable {
  /// Bytes absorbed between two permutations.
  static var rate: Int { 136 }

  private var state = KeccakState()
  /// Bytes of the present block that are already in the state; below `rate`.
  private var position = 0

  /// A hash of nothing so far.
  public init() {}

  // MARK: In one call

  /// The hash of all the bytes.
  public static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> Hash256 {
    guard let base = bytes.baseAddress else { return empty }
    return hash(UnsafeRawPointer(base), count: bytes.count)
  }

  /// The hash of `count` bytes at `bytes`, at any alignment.
  public static func hash(_ bytes: UnsafeRawPointer, count: Int) -> Hash256 {
    var state = KeccakState()
    if count == 32 {
      state.lane0 = lane(bytes, 0)
      state.lane1 = lane(bytes, 1)
      state.lane2 = lane(bytes, 2)
      state.lane3 = lane(bytes, 3)
      state.lane4 = 1
      state.lane16 = 1 << 63
    } else if count == 64 {
      state.lane0 = lane(bytes, 0)
      state.lane1 = lane(bytes, 1)
      state.lane2 = lane(bytes, 2)
      state.lane3 = lane(bytes, 3)
      state.lane4 = lane(bytes, 4)
      state.lane5 = lane(bytes, 5)
      state.lane6 = lane(bytes, 6)
      state.lane7 = lane(bytes, 7)
      state.lane8 = 1
      state.lane16 = 1 << 63
    } else {
      var bytes = bytes
      var left = count
      while left >= rate {
        absorbBlock(bytes, into: &state)
        state.permute()
        bytes += rate
        left &-= rate
      }
      absorbLast(bytes, count: left, into: &state)
    }
    state.permute()
    return digest(of: state)
  }

  /// The hash of two words of 32 bytes each: the slot of a mapping's entry.
  public static func hash(_ first: UInt256, _ second: UInt256) -> Hash256 {
    var state = KeccakState()
    state.lane0 = first.limb3.byteSwapped
    state.lane1 = first.limb2.byteSwapped
    state.lane2 = first.limb1.byteSwapped
    state.lane3 = first.limb0.byteSwapped
    state.lane4 = second.limb3.byteSwapped
    state.lane5 = second.limb2.byteSwapped
    state.lane6 = second.limb1.byteSwapped
    state.lane7 = second.limb0.byteSwapped
    state.lane8 = 1
    state.lane16 = 1 << 63
    state.permute()
    return digest(of: state)
  }

  /// The hash of one word's 32 bytes.
  public static func hash(_ word: UInt256) -> Hash256 {
    var state = KeccakState()
    state.lane0 = word.limb3.byteSwapped
    state.lane1 = word.limb2.byteSwapped
    state.lane2 = word.limb1.byteSwapped
    state.lane3 = word.limb0.byteSwapped
    state.lane4 = 1
    state.lane16 = 1 << 63
    state.permute()
    return digest(of: state)
  }

  /// The hash of an address's 20 bytes: its key in the state trie.
  public static func hash(_ address: Address) -> Hash256 {
    var state = KeccakState()
    // Big-endian bytes 0 to 3 are `high`, 4 to 11 `middle`, 12 to 19 `low`.
    let first = UInt64(address.high) << 32 | address.middle >> 32
    let second = address.middle << 32 | address.low >> 32
    state.lane0 = first.byteSwapped
    state.lane1 = second.byteSwapped
    state.lane2 = UInt64(UInt32(truncatingIfNeeded: address.low).byteSwapped) | 1 << 32
    state.lane16 = 1 << 63
    state.permute()
    return digest(of: state)
  }

  /// The hash of no bytes.
  public static var empty: Hash256 {
    Hash256(
      UInt256(
        0x7bfa_d804_5d85_a470, 0xe500_b653_ca82_273b,
        0x927e_7db2_dcc7_03c0, 0xc5d2_4601_86f7_233c))
  }

  // MARK: In pieces

  /// Adds bytes to the message.
  public mutating func absorb(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard let base = bytes.baseAddress else { return }
    var next = UnsafeRawPointer(base)
    var left = bytes.count
    if position != 0 {
      let room = Self.rate &- position
      let taken = left < room ? left : room
      Self.combine(next, count: taken, at: position, into: &state)
      next += taken
      left &-= taken
      position &+= taken
      if position < Self.rate { return }
      state.permute()
      position = 0
    }
    while left >= Self.rate {
      Self.absorbBlock(next, into: &state)
      state.permute()
      next += Self.rate
      left &-= Self.rate
    }
    Self.combine(next, count: left, at: 0, into: &state)
    position = left
  }

  /// The hash of everything absorbed. The value itself stays as it is, so more may follow.
  public func finalize() -> Hash256 {
    var last = state
    withUnsafeMutableBytes(of: &last) { lanes in
      lanes[position] ^= 0x01
    }
    last.lane16 ^= 1 << 63
    last.permute()
    return Self.digest(of: last)
  }

  // MARK: Steps

  /// Lane `index` of a block, at any alignment.
  @inline(__always)
  private static func lane(_ bytes: UnsafeRawPointer, _ index: Int) -> UInt64 {
    UInt64(littleEndian: ByteWords.loadAnywhere(bytes, index &* 8))
  }

  /// Adds one whole block of `rate` bytes.
  @inline(__always)
  private static func absorbBlock(_ bytes: UnsafeRawPointer, into state: inout KeccakState) {
    state.lane0 ^= Keccak256.lane(bytes, 0)
    state.lane1 ^= Keccak256.lane(bytes, 1)
    state.lane2 ^= Keccak256.lane(bytes, 2)
    state.lane3 ^= Keccak256.lane(bytes, 3)
    state.lane4 ^= Keccak256.lane(bytes, 4)
    state.lane5 ^= Keccak256.lane(bytes, 5)
    state.lane6 ^= Keccak256.lane(bytes, 6)
    state.lane7 ^= Keccak256.lane(bytes, 7)
    state.lane8 ^= Keccak256.lane(bytes, 8)
    state.lane9 ^= Keccak256.lane(bytes, 9)
    state.lane10 ^= Keccak256.lane(bytes, 10)
    state.lane11 ^= Keccak256.lane(bytes, 11)
    state.lane12 ^= Keccak256.lane(bytes, 12)
    state.lane13 ^= Keccak256.lane(bytes, 13)
    state.lane14 ^= Keccak256.lane(bytes, 14)
    state.lane15 ^= Keccak256.lane(bytes, 15)
    state.lane16 ^= Keccak256.lane(bytes, 16)
  }

  /// Adds the last `count` bytes (below `rate`) and the padding.
  @inline(__always)
  private static func absorbLast(
    _ bytes: UnsafeRawPointer, count: Int, into state: inout KeccakState
  ) {
    combine(bytes, count: count, at: 0, into: &state)
    withUnsafeMutableBytes(of: &state) { lanes in
      // count < rate, so the byte is inside the state.
      lanes[count] ^= 0x01
    }
    state.lane16 ^= 1 << 63
  }

  /// Adds `count` bytes from byte `position` of the state on; `position + count <= rate`.
  ///
  /// A lane's bytes lie in memory least significant first on every machine that Swift runs on, so
  /// the state can be reached as bytes.
  @inline(__always)
  private static func combine(
    _ bytes: UnsafeRawPointer, count: Int, at position: Int, into state: inout KeccakState
  ) {
    withUnsafeMutableBytes(of: &state) { lanes in
      guard let target = lanes.baseAddress else { return }
      var index = 0
      while index &+ 8 <= count {
        let offset = position &+ index
        let value =
          target.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
          ^ ByteWords.loadAnywhere(bytes, index)
        target.storeBytes(of: value, toByteOffset: offset, as: UInt64.self)
        index &+= 8
      }
      while index < count {
        let offset = position &+ index
        let value =
          target.load(fromByteOffset: offset, as: UInt8.self)
          ^ bytes.load(fromByteOffset: index, as: UInt8.self)
        target.storeBytes(of: value, toByteOffset: offset, as: UInt8.self)
        index &+= 1
      }
    }
  }

  /// The first 32 bytes of the state.
  @inline(__always)
  private static func digest(of state: KeccakState) -> Hash256 {
    Hash256(
      UInt256(
        state.lane3.byteSwapped, state.lane2.byteSwapped,
        state.lane1.byteSwapped, state.lane0.byteSwapped))
  }
}

/// The compression function F of BLAKE2b (RFC 7693, section 3.2), with any number of rounds as
/// EIP-152 asks.
enum BLAKE2 {
  /// Eight words of chaining value.
  typealias State = InlineArray<8, UInt64>
  /// Sixteen words of a message block.
  typealias Block = InlineArray<16, UInt64>

  /// Takes `block` into `state`.
  ///
  /// - Parameters:
  ///   - offset: The bytes hashed so far, this block included: low and high half.
  ///   - isLast: Whether this is the message's last block.
  static func compress(
    _ state: inout State, _ block: Block, rounds: UInt32, offset: (low: UInt64, high: UInt64),
    isLast: Bool
  ) {
    var v = Working(state)
    v.v12 ^= offset.low
    v.v13 ^= offset.high
    if isLast { v.v14 = ~v.v14 }
    // The message's order repeats after ten rounds (RFC 7693, section 2.7).
    var left = rounds
    while left != 0 {
      v.round(
        block[0], block[1], block[2], block[3],
        block[4], block[5], block[6], block[7],
        block[8], block[9], block[10], block[11],
        block[12], block[13], block[14], block[15])
      left &-= 1
      if left == 0 { break }
      v.round(
        block[14], block[10], block[4], block[8],
        block[9], block[15], block[13], block[6],
        block[1], block[12], block[0], block[2],
        block[11], block[7], block[5], block[3])
      left &-= 1
      if left == 0 { break }
      v.round(
        block[11], block[8], block[12], block[0],
        block[5], block[2], block[15], block[13],
        block[10], block[14], block[3], block[6],
        block[7], block[1], block[9], block[4])
      left &-= 1
      if left == 0 { break }
      v.round(
        block[7], block[9], block[3], block[1],
        block[13], block[12], block[11], block[14],
        block[2], block[6], block[5], block[10],
        block[4], block[0], block[15], block[8])
      left &-= 1
      if left == 0 { break }
      v.round(
        block[9], block[0], block[5], block[7],
        block[2], block[4], block[10], block[15],
        block[14], block[1], block[11], block[12],
        block[6], block[8], block[3], block[13])
      left &-= 1
      if left == 0 { break }
      v.round(
        block[2], block[12], block[6], block[10],
        block[0], block[11], block[8], block[3],
        block[4], block[13], block[7], block[5],
        block[15], block[14], block[1], block[9])
      left &-= 1
      if left == 0 { break }
      v.round(
        block[12], block[5], block[1], block[15],
        block[14], block[13], block[4], block[10],
        block[0], block[7], block[6], block[3],
        block[9], block[2], block[8], block[11])
      left &-= 1
      if left == 0 { break }
      v.round(
        block[13], block[11], block[7], block[14],
        block[12], block[1], block[3], block[9],
        block[5], block[0], block[15], block[4],
        block[8], block[6], block[2], block[10])
      left &-= 1
      if left == 0 { break }
      v.round(
        block[6], block[15], block[14], block[9],
        block[11], block[3], block[0], block[8],
        block[12], block[2], block[13], block[7],
        block[1], block[4], block[10], block[5])
      left &-= 1
      if left == 0 { break }
      v.round(
        block[10], block[2], block[8], block[4],
        block[7], block[6], block[1], block[5],
        block[15], block[11], block[9], block[14],
        block[3], block[12], block[13], block[0])
      left &-= 1
    }
    state[0] ^= v.v0 ^ v.v8
    state[1] ^= v.v1 ^ v.v9
    state[2] ^= v.v2 ^ v.v10
    state[3] ^= v.v3 ^ v.v11
    state[4] ^= v.v4 ^ v.v12
    state[5] ^= v.v5 ^ v.v13
    state[6] ^= v.v6 ^ v.v14
    state[7] ^= v.v7 ^ v.v15
  }

  /// The sixteen words that the rounds mix, as fields so that they stay in registers.
  private struct Working: BitwiseCopyable {
    var v0, v1, v2, v3, v4, v5, v6, v7: UInt64
    // The initialisation vector: that of SHA-512 (RFC 7693, section 2.6).
    var v8: UInt64 = 0x6A09_E667_F3BC_C908
    var v9: UInt64 = 0xBB67_AE85_84CA_A73B
    var v10: UInt64 = 0x3C6E_F372_FE94_F82B
    var v11: UInt64 = 0xA54F_F53A_5F1D_36F1
    var v12: UInt64 = 0x510E_527F_ADE6_82D1
    var v13: UInt64 = 0x9B05_688C_2B3E_6C1F
    var v14: UInt64 = 0x1F83_D9AB_FB41_BD6B
    var v15: UInt64 = 0x5BE0_CD19_137E_2179

    @inline(__always)
    init(_ state: State) {
      v0 = state[0]
      v1 = state[1]
      v2 = state[2]
      v3 = state[3]
      v4 = state[4]
      v5 = state[5]
      v6 = state[6]
      v7 = state[7]
    }

    /// One round: the columns, then the diagonals, with the words in this round's order.
    @inline(__always)
    mutating func round(
      _ m0: UInt64, _ m1: UInt64, _ m2: UInt64, _ m3: UInt64,
      _ m4: UInt64, _ m5: UInt64, _ m6: UInt64, _ m7: UInt64,
      _ m8: UInt64, _ m9: UInt64, _ m10: UInt64, _ m11: UInt64,
      _ m12: UInt64, _ m13: UInt64, _ m14: UInt64, _ m15: UInt64
    ) {
      Self.mix(&v0, &v4, &v8, &v12, m0, m1)
      Self.mix(&v1, &v5, &v9, &v13, m2, m3)
      Self.mix(&v2, &v6, &v10, &v14, m4, m5)
      Self.mix(&v3, &v7, &v11, &v15, m6, m7)
      Self.mix(&v0, &v5, &v10, &v15, m8, m9)
      Self.mix(&v1, &v6, &v11, &v12, m10, m11)
      Self.mix(&v2, &v7, &v8, &v13, m12, m13)
      Self.mix(&v3, &v4, &v9, &v14, m14, m15)
    }

    /// The mixing function G (RFC 7693, section 3.1).
    @inline(__always)
    private static func mix(
      _ a: inout UInt64, _ b: inout UInt64, _ c: inout UInt64, _ d: inout UInt64,
      _ x: UInt64, _ y: UInt64
    ) {
      a = a &+ b &+ x
      d = rotated(d ^ a, 32)
      c = c &+ d
      b = rotated(b ^ c, 24)
      a = a &+ b &+ y
      d = rotated(d ^ a, 16)
      c = c &+ d
      b = rotated(b ^ c, 63)
    }

    /// Rotation to the right by 1 to 63 bits.
    @inline(__always)
    private static func rotated(_ word: UInt64, _ count: UInt64) -> UInt64 {
      (word &>> count) | (word &<< (64 &- count))
    }
  }
}

/// SHA-256 (FIPS 180-4, section 6.2).
///
/// The compression function is the portable form; `MachineForms` has one in the processor's own
/// instructions.
package struct SHA256: BitwiseCopyable, Sendable {
  /// The hash of `count` bytes at `bytes`, at any alignment.
  package static func hash(_ bytes: UnsafeRawPointer, count: Int) -> Hash256 {
    var state = State()
    state.compress(bytes, blocks: count >> 6)
    // The bytes that are left, a one bit, zeros and the length in bits: one block or two.
    let left = count & 63
    let blocks = left < 56 ? 1 : 2
    var last = InlineArray<16, UInt64>(repeating: 0)
    withUnsafeMutableBytes(of: &last) { room in
      guard let target = room.baseAddress else { return }
      target.copyMemory(from: bytes + (count &- left), byteCount: left)
      target.storeBytes(of: 0x80, toByteOffset: left, as: UInt8.self)
      target.storeBytes(
        of: (UInt64(count) &<< 3).bigEndian, toByteOffset: blocks &* 64 &- 8, as: UInt64.self)
      state.compress(UnsafeRawPointer(target), blocks: blocks)
    }
    return state.digest
  }

  /// The hash of all the bytes.
  package static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> Hash256 {
    guard let base = bytes.baseAddress else { return empty }
    return hash(UnsafeRawPointer(base), count: bytes.count)
  }

  /// The hash of no bytes.
  static var empty: Hash256 {
    Hash256(
      UInt256(
        0xA495_991B_7852_B855, 0x27AE_41E4_649B_934C,
        0x9AFB_F4C8_996F_B924, 0xE3B0_C442_98FC_1C14))
  }

  /// Sixteen words of a message.
  package struct Block: BitwiseCopyable, Sendable {
    var words: InlineArray<16, UInt32>

    /// A block of these words.
    @inline(__always)
    package init(_ words: InlineArray<16, UInt32>) { self.words = words }

    /// Reads 64 bytes, at any alignment.
    @inline(__always)
    init(_ bytes: UnsafeRawPointer) {
      words = InlineArray(repeating: 0)
      for index in 0..<16 {
        words[index] = UInt32(
          bigEndian: bytes.loadUnaligned(fromByteOffset: index &* 4, as: UInt32.self))
      }
    }
  }

  /// The eight words of the chaining value.
  package struct State: BitwiseCopyable, Sendable {
    var a: UInt32 = 0x6A09_E667
    var b: UInt32 = 0xBB67_AE85
    var c: UInt32 = 0x3C6E_F372
    var d: UInt32 = 0xA54F_F53A
    var e: UInt32 = 0x510E_527F
    var f: UInt32 = 0x9B05_688C
    var g: UInt32 = 0x1F83_D9AB
    var h: UInt32 = 0x5BE0_CD19

    /// The chaining value of a hash of nothing yet.
    @inline(__always)
    package init() {}

    /// The chaining value as a hash.
    package var digest: Hash256 {
      @inline(__always)
      func pair(_ high: UInt32, _ low: UInt32) -> UInt64 { UInt64(high) << 32 | UInt64(low) }
      return Hash256(UInt256(pair(g, h), pair(e, f), pair(c, d), pair(a, b)))
    }

    /// Takes in blocks of 64 bytes, at any alignment.
    @inline(__always)
    mutating func compress(_ bytes: UnsafeRawPointer, blocks: Int) {
      if MachineForms.compress(&self, bytes, blocks: blocks) { return }
      var index = 0
      while index < blocks {
        compress(Block(bytes + index &* 64))
        index &+= 1
      }
    }

    /// Takes in one block: 64 rounds, sixteen of them a turn of the loop, with the message schedule
    /// in a ring of sixteen words.
    package mutating func compress(_ block: Block) {
      var w0 = block.words[0]
      var w1 = block.words[1]
      var w2 = block.words[2]
      var w3 = block.words[3]
      var w4 = block.words[4]
      var w5 = block.words[5]
      var w6 = block.words[6]
      var w7 = block.words[7]
      var w8 = block.words[8]
      var w9 = block.words[9]
      var w10 = block.words[10]
      var w11 = block.words[11]
      var w12 = block.words[12]
      var w13 = block.words[13]
      var w14 = block.words[14]
      var w15 = block.words[15]
      var s = self
      Self.round(s.a, s.b, s.c, &s.d, s.e, s.f, s.g, &s.h, w0, 0)
      Self.round(s.h, s.a, s.b, &s.c, s.d, s.e, s.f, &s.g, w1, 1)
      Self.round(s.g, s.h, s.a, &s.b, s.c, s.d, s.e, &s.f, w2, 2)
      Self.round(s.f, s.g, s.h, &s.a, s.b, s.c, s.d, &s.e, w3, 3)
      Self.round(s.e, s.f, s.g, &s.h, s.a, s.b, s.c, &s.d, w4, 4)
      Self.round(s.d, s.e, s.f, &s.g, s.h, s.a, s.b, &s.c, w5, 5)
      Self.round(s.c, s.d, s.e, &s.f, s.g, s.h, s.a, &s.b, w6, 6)
      Self.round(s.b, s.c, s.d, &s.e, s.f, s.g, s.h, &s.a, w7, 7)
      Self.round(s.a, s.b, s.c, &s.d, s.e, s.f, s.g, &s.h, w8, 8)
      Self.round(s.h, s.a, s.b, &s.c, s.d, s.e, s.f, &s.g, w9, 9)
      Self.round(s.g, s.h, s.a, &s.b, s.c, s.d, s.e, &s.f, w10, 10)
      Self.round(s.f, s.g, s.h, &s.a, s.b, s.c, s.d, &s.e, w11, 11)
      Self.round(s.e, s.f, s.g, &s.h, s.a, s.b, s.c, &s.d, w12, 12)
      Self.round(s.d, s.e, s.f, &s.g, s.h, s.a, s.b, &s.c, w13, 13)
      Self.round(s.c, s.d, s.e, &s.f, s.g, s.h, s.a, &s.b, w14, 14)
      Self.round(s.b, s.c, s.d, &s.e, s.f, s.g, s.h, &s.a, w15, 15)
      var turn = 16
      while turn < 64 {
        Self.extend(&w0, w1, w9, w14)
        Self.round(s.a, s.b, s.c, &s.d, s.e, s.f, s.g, &s.h, w0, turn &+ 0)
        Self.extend(&w1, w2, w10, w15)
        Self.round(s.h, s.a, s.b, &s.c, s.d, s.e, s.f, &s.g, w1, turn &+ 1)
        Self.extend(&w2, w3, w11, w0)
        Self.round(s.g, s.h, s.a, &s.b, s.c, s.d, s.e, &s.f, w2, turn &+ 2)
        Self.extend(&w3, w4, w12, w1)
        Self.round(s.f, s.g, s.h, &s.a, s.b, s.c, s.d, &s.e, w3, turn &+ 3)
        Self.extend(&w4, w5, w13, w2)
        Self.round(s.e, s.f, s.g, &s.h, s.a, s.b, s.c, &s.d, w4, turn &+ 4)
        Self.extend(&w5, w6, w14, w3)
        Self.round(s.d, s.e, s.f, &s.g, s.h, s.a, s.b, &s.c, w5, turn &+ 5)
        Self.extend(&w6, w7, w15, w4)
        Self.round(s.c, s.d, s.e, &s.f, s.g, s.h, s.a, &s.b, w6, turn &+ 6)
        Self.extend(&w7, w8, w0, w5)
        Self.round(s.b, s.c, s.d, &s.e, s.f, s.g, s.h, &s.a, w7, turn &+ 7)
        Self.extend(&w8, w9, w1, w6)
        Self.round(s.a, s.b, s.c, &s.d, s.e, s.f, s.g, &s.h, w8, turn &+ 8)
        Self.extend(&w9, w10, w2, w7)
        Self.round(s.h, s.a, s.b, &s.c, s.d, s.e, s.f, &s.g, w9, turn &+ 9)
        Self.extend(&w10, w11, w3, w8)
        Self.round(s.g, s.h, s.a, &s.b, s.c, s.d, s.e, &s.f, w10, turn &+ 10)
        Self.extend(&w11, w12, w4, w9)
        Self.round(s.f, s.g, s.h, &s.a, s.b, s.c, s.d, &s.e, w11, turn &+ 11)
        Self.extend(&w12, w13, w5, w10)
        Self.round(s.e, s.f, s.g, &s.h, s.a, s.b, s.c, &s.d, w12, turn &+ 12)
        Self.extend(&w13, w14, w6, w11)
        Self.round(s.d, s.e, s.f, &s.g, s.h, s.a, s.b, &s.c, w13, turn &+ 13)
        Self.extend(&w14, w15, w7, w12)
        Self.round(s.c, s.d, s.e, &s.f, s.g, s.h, s.a, &s.b, w14, turn &+ 14)
        Self.extend(&w15, w0, w8, w13)
        Self.round(s.b, s.c, s.d, &s.e, s.f, s.g, s.h, &s.a, w15, turn &+ 15)
        turn &+= 16
      }
      a = a &+ s.a
      b = b &+ s.b
      c = c &+ s.c
      d = d &+ s.d
      e = e &+ s.e
      f = f &+ s.f
      g = g &+ s.g
      h = h &+ s.h
    }

    /// The next word of the schedule in place of the one sixteen before it:
    /// `w[t] = s1(w[t-2]) + w[t-7] + s0(w[t-15]) + w[t-16]`.
    @inline(__always)
    private static func extend(_ w: inout UInt32, _ w15: UInt32, _ w7: UInt32, _ w2: UInt32) {
      let s0 = rotated(w15, 7) ^ rotated(w15, 18) ^ (w15 &>> 3)
      let s1 = rotated(w2, 17) ^ rotated(w2, 19) ^ (w2 &>> 10)
      w = w &+ s0 &+ w7 &+ s1
    }

    /// One round; the caller renames the eight words instead of moving them.
    @inline(__always)
    private static func round(
      _ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: inout UInt32,
      _ e: UInt32, _ f: UInt32, _ g: UInt32, _ h: inout UInt32,
      _ word: UInt32, _ index: Int
    ) {
      let sum1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)
      let choice = g ^ (e & (f ^ g))
      let t1 = h &+ sum1 &+ choice &+ constants[unchecked: index] &+ word
      let sum0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)
      let majority = (a & b) | (c & (a | b))
      d = d &+ t1
      h = t1 &+ sum0 &+ majority
    }
  }

  /// Rotation to the right by 1 to 31 bits.
  @inline(__always)
  private static func rotated(_ word: UInt32, _ count: UInt32) -> UInt32 {
    (word &>> count) | (word &<< (32 &- count))
  }

  /// The round constants: the first 32 bits of the fractional parts of the cube roots of the first
  /// 64 primes (FIPS 180-4, section 4.2.2).
  static let constants: InlineArray<64, UInt32> = [
    0x428A_2F98, 0x7137_4491, 0xB5C0_FBCF, 0xE9B5_DBA5, 0x3956_C25B, 0x59F1_11F1,
    0x923F_82A4, 0xAB1C_5ED5, 0xD807_AA98, 0x1283_5B01, 0x2431_85BE, 0x550C_7DC3,
    0x72BE_5D74, 0x80DE_B1FE, 0x9BDC_06A7, 0xC19B_F174, 0xE49B_69C1, 0xEFBE_4786,
    0x0FC1_9DC6, 0x240C_A1CC, 0x2DE9_2C6F, 0x4A74_84AA, 0x5CB0_A9DC, 0x76F9_88DA,
    0x983E_5152, 0xA831_C66D, 0xB003_27C8, 0xBF59_7FC7, 0xC6E0_0BF3, 0xD5A7_9147,
    0x06CA_6351, 0x1429_2967, 0x27B7_0A85, 0x2E1B_2138, 0x4D2C_6DFC, 0x5338_0D13,
    0x650A_7354, 0x766A_0ABB, 0x81C2_C92E, 0x9272_2C85, 0xA2BF_E8A1, 0xA81A_664B,
    0xC24B_8B70, 0xC76C_51A3, 0xD192_E819, 0xD699_0624, 0xF40E_3585, 0x106A_A070,
    0x19A4_C116, 0x1E37_6C08, 0x2748_774C, 0x34B0_BCB5, 0x391C_0CB3, 0x4ED8_AA4A,
    0x5B9C_CA4F, 0x682E_6FF3, 0x748F_82EE, 0x78A5_636F, 0x84C8_7814, 0x8CC7_0208,
    0x90BE_FFFA, 0xA450_6CEB, 0xBEF9_A3F7, 0xC671_78F2,
  ]
}

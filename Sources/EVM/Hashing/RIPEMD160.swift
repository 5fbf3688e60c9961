/// RIPEMD-160 (Hans Dobbertin, Antoon Bosselaers, Bart Preneel, "RIPEMD-160: a strengthened
/// version of RIPEMD", 1996).
package enum RIPEMD160 {
  /// The 20 bytes of the hash of all the bytes, as the address-sized number they write.
  package static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> Address {
    var state = State()
    var block = InlineArray<16, UInt32>(repeating: 0)
    var offset = 0
    while bytes.count &- offset >= 64 {
      copy(bytes, offset, 64, into: &block)
      state.compress(block)
      offset &+= 64
    }
    // The bytes that are left, a one bit, zeros and the length in bits: one block or two.
    let left = bytes.count &- offset
    block = InlineArray(repeating: 0)
    copy(bytes, offset, left, into: &block)
    // left < 64, so the word is inside the block.
    block[left >> 2] ^= 0x80 &<< UInt32((left & 3) &* 8)
    if left >= 56 {
      state.compress(block)
      block = InlineArray(repeating: 0)
    }
    let bits = UInt64(bytes.count) &<< 3
    block[14] = UInt32(truncatingIfNeeded: bits)
    block[15] = UInt32(truncatingIfNeeded: bits >> 32)
    state.compress(block)
    return state.digest
  }

  /// Copies `count` bytes (at most 64) from `offset` on into the words of a block, least
  /// significant byte first.
  @inline(__always)
  private static func copy(
    _ bytes: UnsafeBufferPointer<UInt8>, _ offset: Int, _ count: Int,
    into block: inout InlineArray<16, UInt32>
  ) {
    guard let base = bytes.baseAddress else { return }
    withUnsafeMutableBytes(of: &block) { room in
      guard let target = room.baseAddress else { return }
      target.copyMemory(from: base + offset, byteCount: count)
    }
  }

  /// The five words of the chaining value.
  struct State: BitwiseCopyable {
    var a: UInt32 = 0x6745_2301
    var b: UInt32 = 0xEFCD_AB89
    var c: UInt32 = 0x98BA_DCFE
    var d: UInt32 = 0x1032_5476
    var e: UInt32 = 0xC3D2_E1F0

    /// The words in little-endian bytes.
    var digest: Address {
      var result = Address.zero
      result.high = a.byteSwapped
      result.middle = UInt64(b.byteSwapped) << 32 | UInt64(c.byteSwapped)
      result.low = UInt64(d.byteSwapped) << 32 | UInt64(e.byteSwapped)
      return result
    }

    /// Takes in one block: two lines of 80 steps side by side.
    mutating func compress(_ block: InlineArray<16, UInt32>) {
      var left = self
      var right = self
      var step = 0
      while step < 80 {
        // The left line uses the five functions upwards, the right line downwards.
        switch step >> 4 {
        case 0:
          left.step(f1(left), block, step, leftOrder, leftShifts, 0)
          right.step(f5(right), block, step, rightOrder, rightShifts, 0x50A2_8BE6)
        case 1:
          left.step(f2(left), block, step, leftOrder, leftShifts, 0x5A82_7999)
          right.step(f4(right), block, step, rightOrder, rightShifts, 0x5C4D_D124)
        case 2:
          left.step(f3(left), block, step, leftOrder, leftShifts, 0x6ED9_EBA1)
          right.step(f3(right), block, step, rightOrder, rightShifts, 0x6D70_3EF3)
        case 3:
          left.step(f4(left), block, step, leftOrder, leftShifts, 0x8F1B_BCDC)
          right.step(f2(right), block, step, rightOrder, rightShifts, 0x7A6D_76E9)
        default:
          left.step(f5(left), block, step, leftOrder, leftShifts, 0xA953_FD4E)
          right.step(f1(right), block, step, rightOrder, rightShifts, 0)
        }
        step &+= 1
      }
      let t = b &+ left.c &+ right.d
      b = c &+ left.d &+ right.e
      c = d &+ left.e &+ right.a
      d = e &+ left.a &+ right.b
      e = a &+ left.b &+ right.c
      a = t
    }

    /// One step of a line, with the value of its function.
    @inline(__always)
    private mutating func step(
      _ function: UInt32, _ block: InlineArray<16, UInt32>, _ index: Int,
      _ order: InlineArray<80, UInt8>, _ shifts: InlineArray<80, UInt8>, _ constant: UInt32
    ) {
      // Entries of the order are below 16, of the shifts 5 to 15.
      let word = block[unchecked: Int(order[unchecked: index])]
      let shift = UInt32(shifts[unchecked: index])
      let sum = a &+ function &+ word &+ constant
      let t = ((sum &<< shift) | (sum &>> (32 &- shift))) &+ e
      a = e
      e = d
      d = (c &<< 10) | (c &>> 22)
      c = b
      b = t
    }
  }

  @inline(__always)
  private static func f1(_ s: State) -> UInt32 { s.b ^ s.c ^ s.d }
  @inline(__always)
  private static func f2(_ s: State) -> UInt32 { (s.b & s.c) | (~s.b & s.d) }
  @inline(__always)
  private static func f3(_ s: State) -> UInt32 { (s.b | ~s.c) ^ s.d }
  @inline(__always)
  private static func f4(_ s: State) -> UInt32 { (s.b & s.d) | (s.c & ~s.d) }
  @inline(__always)
  private static func f5(_ s: State) -> UInt32 { s.b ^ (s.c | ~s.d) }

  /// The order of the message's words in the left line, by step.
  static let leftOrder: InlineArray<80, UInt8> = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
    7, 4, 13, 1, 10, 6, 15, 3, 12, 0, 9, 5, 2, 14, 11, 8,
    3, 10, 14, 4, 9, 15, 8, 1, 2, 7, 0, 6, 13, 11, 5, 12,
    1, 9, 11, 10, 0, 8, 12, 4, 13, 3, 7, 15, 14, 5, 6, 2,
    4, 0, 5, 9, 7, 12, 2, 10, 14, 1, 3, 8, 11, 6, 15, 13,
  ]

  /// The order of the message's words in the right line.
  static let rightOrder: InlineArray<80, UInt8> = [
    5, 14, 7, 0, 9, 2, 11, 4, 13, 6, 15, 8, 1, 10, 3, 12,
    6, 11, 3, 7, 0, 13, 5, 10, 14, 15, 8, 12, 4, 9, 1, 2,
    15, 5, 1, 3, 7, 14, 6, 9, 11, 8, 12, 2, 10, 0, 4, 13,
    8, 6, 4, 1, 3, 11, 15, 0, 5, 12, 2, 13, 9, 7, 10, 14,
    12, 15, 10, 4, 1, 5, 8, 7, 6, 2, 13, 14, 0, 3, 9, 11,
  ]

  /// The rotations of the left line.
  static let leftShifts: InlineArray<80, UInt8> = [
    11, 14, 15, 12, 5, 8, 7, 9, 11, 13, 14, 15, 6, 7, 9, 8,
    7, 6, 8, 13, 11, 9, 7, 15, 7, 12, 15, 9, 11, 7, 13, 12,
    11, 13, 6, 7, 14, 9, 13, 15, 14, 8, 13, 6, 5, 12, 7, 5,
    11, 12, 14, 15, 14, 15, 9, 8, 9, 14, 5, 6, 8, 6, 5, 12,
    9, 15, 5, 11, 6, 8, 13, 12, 5, 12, 13, 14, 11, 8, 5, 6,
  ]

  /// The rotations of the right line.
  static let rightShifts: InlineArray<80, UInt8> = [
    8, 9, 9, 11, 13, 15, 15, 5, 7, 7, 8, 11, 14, 14, 12, 6,
    9, 13, 15, 7, 12, 8, 9, 11, 7, 7, 12, 7, 6, 15, 13, 11,
    9, 7, 15, 11, 8, 6, 6, 14, 12, 13, 5, 14, 13, 13, 7, 5,
    15, 5, 8, 11, 14, 14, 6, 14, 6, 9, 12, 9, 12, 5, 15, 8,
    8, 5, 12, 9, 12, 5, 14, 6, 8, 13, 6, 5, 15, 13, 11, 11,
  ]
}

/// A 768-bit integer: a product of two base field elements, or a sum of products, not yet reduced.
///
/// Sums of products are reduced once instead of each product ("lazy reduction"; Aranha, Karabina,
/// Longa, Gebotys, Lopez, "Faster explicit formulas for computing pairings over ordinary curves",
/// eprint 2010/526, section 3). `reduced()` takes any value below `2^384 p`, which is above `9 p^2`.
struct BLS12381FpWide: BitwiseCopyable {
  var limb0: UInt64
  var limb1: UInt64
  var limb2: UInt64
  var limb3: UInt64
  var limb4: UInt64
  var limb5: UInt64
  var limb6: UInt64
  var limb7: UInt64
  var limb8: UInt64
  var limb9: UInt64
  var limb10: UInt64
  var limb11: UInt64

  /// An integer from its limbs, least significant first.
  @inline(__always)
  init(
    _ limb0: UInt64, _ limb1: UInt64, _ limb2: UInt64, _ limb3: UInt64,
    _ limb4: UInt64, _ limb5: UInt64, _ limb6: UInt64, _ limb7: UInt64,
    _ limb8: UInt64, _ limb9: UInt64, _ limb10: UInt64, _ limb11: UInt64
  ) {
    self.limb0 = limb0
    self.limb1 = limb1
    self.limb2 = limb2
    self.limb3 = limb3
    self.limb4 = limb4
    self.limb5 = limb5
    self.limb6 = limb6
    self.limb7 = limb7
    self.limb8 = limb8
    self.limb9 = limb9
    self.limb10 = limb10
    self.limb11 = limb11
  }
}

extension BLS12381FpWide {
  private typealias Modulus = BLS12381Fp.Modulus

  /// The product of two numbers below `2^384`.
  @inline(never)
  static func multiply(_ a: BLS12381Fp, _ b: BLS12381Fp) -> BLS12381FpWide {
    var r0: UInt64
    var r1: UInt64
    var r2: UInt64
    var r3: UInt64
    var r4: UInt64
    var r5: UInt64
    var r6: UInt64
    var r7: UInt64
    var r8: UInt64
    var r9: UInt64
    var r10: UInt64
    var r11: UInt64
    var carry: UInt64
    (r0, carry) = multiplyAdd(a.limb0, b.limb0, 0, 0)
    (r1, carry) = multiplyAdd(a.limb0, b.limb1, 0, carry)
    (r2, carry) = multiplyAdd(a.limb0, b.limb2, 0, carry)
    (r3, carry) = multiplyAdd(a.limb0, b.limb3, 0, carry)
    (r4, carry) = multiplyAdd(a.limb0, b.limb4, 0, carry)
    (r5, carry) = multiplyAdd(a.limb0, b.limb5, 0, carry)
    r6 = carry
    (r1, carry) = multiplyAdd(a.limb1, b.limb0, r1, 0)
    (r2, carry) = multiplyAdd(a.limb1, b.limb1, r2, carry)
    (r3, carry) = multiplyAdd(a.limb1, b.limb2, r3, carry)
    (r4, carry) = multiplyAdd(a.limb1, b.limb3, r4, carry)
    (r5, carry) = multiplyAdd(a.limb1, b.limb4, r5, carry)
    (r6, carry) = multiplyAdd(a.limb1, b.limb5, r6, carry)
    r7 = carry
    (r2, carry) = multiplyAdd(a.limb2, b.limb0, r2, 0)
    (r3, carry) = multiplyAdd(a.limb2, b.limb1, r3, carry)
    (r4, carry) = multiplyAdd(a.limb2, b.limb2, r4, carry)
    (r5, carry) = multiplyAdd(a.limb2, b.limb3, r5, carry)
    (r6, carry) = multiplyAdd(a.limb2, b.limb4, r6, carry)
    (r7, carry) = multiplyAdd(a.limb2, b.limb5, r7, carry)
    r8 = carry
    (r3, carry) = multiplyAdd(a.limb3, b.limb0, r3, 0)
    (r4, carry) = multiplyAdd(a.limb3, b.limb1, r4, carry)
    (r5, carry) = multiplyAdd(a.limb3, b.limb2, r5, carry)
    (r6, carry) = multiplyAdd(a.limb3, b.limb3, r6, carry)
    (r7, carry) = multiplyAdd(a.limb3, b.limb4, r7, carry)
    (r8, carry) = multiplyAdd(a.limb3, b.limb5, r8, carry)
    r9 = carry
    (r4, carry) = multiplyAdd(a.limb4, b.limb0, r4, 0)
    (r5, carry) = multiplyAdd(a.limb4, b.limb1, r5, carry)
    (r6, carry) = multiplyAdd(a.limb4, b.limb2, r6, carry)
    (r7, carry) = multiplyAdd(a.limb4, b.limb3, r7, carry)
    (r8, carry) = multiplyAdd(a.limb4, b.limb4, r8, carry)
    (r9, carry) = multiplyAdd(a.limb4, b.limb5, r9, carry)
    r10 = carry
    (r5, carry) = multiplyAdd(a.limb5, b.limb0, r5, 0)
    (r6, carry) = multiplyAdd(a.limb5, b.limb1, r6, carry)
    (r7, carry) = multiplyAdd(a.limb5, b.limb2, r7, carry)
    (r8, carry) = multiplyAdd(a.limb5, b.limb3, r8, carry)
    (r9, carry) = multiplyAdd(a.limb5, b.limb4, r9, carry)
    (r10, carry) = multiplyAdd(a.limb5, b.limb5, r10, carry)
    r11 = carry
    return BLS12381FpWide(r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11)
  }

  /// The square of a number below `2^383`.
  @inline(__always)
  static func square(_ a: BLS12381Fp) -> BLS12381FpWide {
    var r1: UInt64
    var r2: UInt64
    var r3: UInt64
    var r4: UInt64
    var r5: UInt64
    var r6: UInt64
    var r7: UInt64
    var r8: UInt64
    var r9: UInt64
    var r10: UInt64
    var carry: UInt64
    (r1, carry) = multiplyAdd(a.limb0, a.limb1, 0, 0)
    (r2, carry) = multiplyAdd(a.limb0, a.limb2, 0, carry)
    (r3, carry) = multiplyAdd(a.limb0, a.limb3, 0, carry)
    (r4, carry) = multiplyAdd(a.limb0, a.limb4, 0, carry)
    (r5, carry) = multiplyAdd(a.limb0, a.limb5, 0, carry)
    r6 = carry
    (r3, carry) = multiplyAdd(a.limb1, a.limb2, r3, 0)
    (r4, carry) = multiplyAdd(a.limb1, a.limb3, r4, carry)
    (r5, carry) = multiplyAdd(a.limb1, a.limb4, r5, carry)
    (r6, carry) = multiplyAdd(a.limb1, a.limb5, r6, carry)
    r7 = carry
    (r5, carry) = multiplyAdd(a.limb2, a.limb3, r5, 0)
    (r6, carry) = multiplyAdd(a.limb2, a.limb4, r6, carry)
    (r7, carry) = multiplyAdd(a.limb2, a.limb5, r7, carry)
    r8 = carry
    (r7, carry) = multiplyAdd(a.limb3, a.limb4, r7, 0)
    (r8, carry) = multiplyAdd(a.limb3, a.limb5, r8, carry)
    r9 = carry
    (r9, carry) = multiplyAdd(a.limb4, a.limb5, r9, 0)
    r10 = carry
    // Twice the mixed products, plus the squares.
    let r11 = r10 >> 63
    r10 = r10 << 1 | r9 >> 63
    r9 = r9 << 1 | r8 >> 63
    r8 = r8 << 1 | r7 >> 63
    r7 = r7 << 1 | r6 >> 63
    r6 = r6 << 1 | r5 >> 63
    r5 = r5 << 1 | r4 >> 63
    r4 = r4 << 1 | r3 >> 63
    r3 = r3 << 1 | r2 >> 63
    r2 = r2 << 1 | r1 >> 63
    r1 = r1 << 1
    var low: UInt64
    var high: UInt64
    let r0: UInt64
    (r0, high) = multiplyAdd(a.limb0, a.limb0, 0, 0)
    (r1, carry) = BLS12381Fp.addCarry(r1, high, 0)
    (low, high) = multiplyAdd(a.limb1, a.limb1, 0, 0)
    (r2, carry) = BLS12381Fp.addCarry(r2, low, carry)
    (r3, carry) = BLS12381Fp.addCarry(r3, high, carry)
    (low, high) = multiplyAdd(a.limb2, a.limb2, 0, 0)
    (r4, carry) = BLS12381Fp.addCarry(r4, low, carry)
    (r5, carry) = BLS12381Fp.addCarry(r5, high, carry)
    (low, high) = multiplyAdd(a.limb3, a.limb3, 0, 0)
    (r6, carry) = BLS12381Fp.addCarry(r6, low, carry)
    (r7, carry) = BLS12381Fp.addCarry(r7, high, carry)
    (low, high) = multiplyAdd(a.limb4, a.limb4, 0, 0)
    (r8, carry) = BLS12381Fp.addCarry(r8, low, carry)
    (r9, carry) = BLS12381Fp.addCarry(r9, high, carry)
    (low, high) = multiplyAdd(a.limb5, a.limb5, 0, 0)
    (r10, carry) = BLS12381Fp.addCarry(r10, low, carry)
    return BLS12381FpWide(r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11 &+ high &+ carry)
  }

  /// The sum; the caller knows that it is below `2^768`.
  @inline(__always)
  static func &+ (a: BLS12381FpWide, b: BLS12381FpWide) -> BLS12381FpWide {
    let (s0, c0) = BLS12381Fp.addCarry(a.limb0, b.limb0, 0)
    let (s1, c1) = BLS12381Fp.addCarry(a.limb1, b.limb1, c0)
    let (s2, c2) = BLS12381Fp.addCarry(a.limb2, b.limb2, c1)
    let (s3, c3) = BLS12381Fp.addCarry(a.limb3, b.limb3, c2)
    let (s4, c4) = BLS12381Fp.addCarry(a.limb4, b.limb4, c3)
    let (s5, c5) = BLS12381Fp.addCarry(a.limb5, b.limb5, c4)
    let (s6, c6) = BLS12381Fp.addCarry(a.limb6, b.limb6, c5)
    let (s7, c7) = BLS12381Fp.addCarry(a.limb7, b.limb7, c6)
    let (s8, c8) = BLS12381Fp.addCarry(a.limb8, b.limb8, c7)
    let (s9, c9) = BLS12381Fp.addCarry(a.limb9, b.limb9, c8)
    let (s10, c10) = BLS12381Fp.addCarry(a.limb10, b.limb10, c9)
    return BLS12381FpWide(
      s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, a.limb11 &+ b.limb11 &+ c10)
  }

  /// The difference of two numbers where the second is not the larger.
  @inline(__always)
  static func &- (a: BLS12381FpWide, b: BLS12381FpWide) -> BLS12381FpWide {
    subtract(a, b).value
  }

  /// `a - b`, plus `2^384 p` where that is negative: the same modulo `p`, and below `2^384 p` when
  /// `a` is.
  @inline(__always)
  static func subtractModular(_ a: BLS12381FpWide, _ b: BLS12381FpWide) -> BLS12381FpWide {
    let (d, borrow) = subtract(a, b)
    let m = BLS12381Fp.modulus.masked(0 &- borrow)
    let (s6, c6) = BLS12381Fp.addCarry(d.limb6, m.limb0, 0)
    let (s7, c7) = BLS12381Fp.addCarry(d.limb7, m.limb1, c6)
    let (s8, c8) = BLS12381Fp.addCarry(d.limb8, m.limb2, c7)
    let (s9, c9) = BLS12381Fp.addCarry(d.limb9, m.limb3, c8)
    let (s10, c10) = BLS12381Fp.addCarry(d.limb10, m.limb4, c9)
    return BLS12381FpWide(
      d.limb0, d.limb1, d.limb2, d.limb3, d.limb4, d.limb5, s6, s7, s8, s9, s10,
      d.limb11 &+ m.limb5 &+ c10)
  }

  /// `a - b` modulo `2^768`, and the borrow.
  @inline(__always)
  private static func subtract(_ a: BLS12381FpWide, _ b: BLS12381FpWide)
    -> (value: BLS12381FpWide, borrow: UInt64)
  {
    let (s0, b0) = BLS12381Fp.subtractBorrow(a.limb0, b.limb0, 0)
    let (s1, b1) = BLS12381Fp.subtractBorrow(a.limb1, b.limb1, b0)
    let (s2, b2) = BLS12381Fp.subtractBorrow(a.limb2, b.limb2, b1)
    let (s3, b3) = BLS12381Fp.subtractBorrow(a.limb3, b.limb3, b2)
    let (s4, b4) = BLS12381Fp.subtractBorrow(a.limb4, b.limb4, b3)
    let (s5, b5) = BLS12381Fp.subtractBorrow(a.limb5, b.limb5, b4)
    let (s6, b6) = BLS12381Fp.subtractBorrow(a.limb6, b.limb6, b5)
    let (s7, b7) = BLS12381Fp.subtractBorrow(a.limb7, b.limb7, b6)
    let (s8, b8) = BLS12381Fp.subtractBorrow(a.limb8, b.limb8, b7)
    let (s9, b9) = BLS12381Fp.subtractBorrow(a.limb9, b.limb9, b8)
    let (s10, b10) = BLS12381Fp.subtractBorrow(a.limb10, b.limb10, b9)
    let (s11, b11) = BLS12381Fp.subtractBorrow(a.limb11, b.limb11, b10)
    return (BLS12381FpWide(s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11), b11)
  }

  /// This divided by `2^384` modulo `p` (Montgomery reduction), for values below `2^384 p`.
  ///
  /// The sum before the shift is below `2 (2^384 p) < 2^768`, so the last carry is zero.
  @inline(__always)
  func reduced() -> BLS12381Fp {
    let r0 = limb0
    var r1 = limb1
    var r2 = limb2
    var r3 = limb3
    var r4 = limb4
    var r5 = limb5
    var r6 = limb6
    var r7 = limb7
    var r8 = limb8
    var r9 = limb9
    var r10 = limb10
    var r11 = limb11
    var k: UInt64
    var carry: UInt64
    var top: UInt64
    k = r0 &* Modulus.negatedInverse
    (_, carry) = multiplyAdd(k, Modulus.limb0, r0, 0)
    (r1, carry) = multiplyAdd(k, Modulus.limb1, r1, carry)
    (r2, carry) = multiplyAdd(k, Modulus.limb2, r2, carry)
    (r3, carry) = multiplyAdd(k, Modulus.limb3, r3, carry)
    (r4, carry) = multiplyAdd(k, Modulus.limb4, r4, carry)
    (r5, carry) = multiplyAdd(k, Modulus.limb5, r5, carry)
    (r6, top) = BLS12381Fp.addCarry(r6, carry, 0)
    k = r1 &* Modulus.negatedInverse
    (_, carry) = multiplyAdd(k, Modulus.limb0, r1, 0)
    (r2, carry) = multiplyAdd(k, Modulus.limb1, r2, carry)
    (r3, carry) = multiplyAdd(k, Modulus.limb2, r3, carry)
    (r4, carry) = multiplyAdd(k, Modulus.limb3, r4, carry)
    (r5, carry) = multiplyAdd(k, Modulus.limb4, r5, carry)
    (r6, carry) = multiplyAdd(k, Modulus.limb5, r6, carry)
    (r7, top) = BLS12381Fp.addCarry(r7, carry, top)
    k = r2 &* Modulus.negatedInverse
    (_, carry) = multiplyAdd(k, Modulus.limb0, r2, 0)
    (r3, carry) = multiplyAdd(k, Modulus.limb1, r3, carry)
    (r4, carry) = multiplyAdd(k, Modulus.limb2, r4, carry)
    (r5, carry) = multiplyAdd(k, Modulus.limb3, r5, carry)
    (r6, carry) = multiplyAdd(k, Modulus.limb4, r6, carry)
    (r7, carry) = multiplyAdd(k, Modulus.limb5, r7, carry)
    (r8, top) = BLS12381Fp.addCarry(r8, carry, top)
    k = r3 &* Modulus.negatedInverse
    (_, carry) = multiplyAdd(k, Modulus.limb0, r3, 0)
    (r4, carry) = multiplyAdd(k, Modulus.limb1, r4, carry)
    (r5, carry) = multiplyAdd(k, Modulus.limb2, r5, carry)
    (r6, carry) = multiplyAdd(k, Modulus.limb3, r6, carry)
    (r7, carry) = multiplyAdd(k, Modulus.limb4, r7, carry)
    (r8, carry) = multiplyAdd(k, Modulus.limb5, r8, carry)
    (r9, top) = BLS12381Fp.addCarry(r9, carry, top)
    k = r4 &* Modulus.negatedInverse
    (_, carry) = multiplyAdd(k, Modulus.limb0, r4, 0)
    (r5, carry) = multiplyAdd(k, Modulus.limb1, r5, carry)
    (r6, carry) = multiplyAdd(k, Modulus.limb2, r6, carry)
    (r7, carry) = multiplyAdd(k, Modulus.limb3, r7, carry)
    (r8, carry) = multiplyAdd(k, Modulus.limb4, r8, carry)
    (r9, carry) = multiplyAdd(k, Modulus.limb5, r9, carry)
    (r10, top) = BLS12381Fp.addCarry(r10, carry, top)
    k = r5 &* Modulus.negatedInverse
    (_, carry) = multiplyAdd(k, Modulus.limb0, r5, 0)
    (r6, carry) = multiplyAdd(k, Modulus.limb1, r6, carry)
    (r7, carry) = multiplyAdd(k, Modulus.limb2, r7, carry)
    (r8, carry) = multiplyAdd(k, Modulus.limb3, r8, carry)
    (r9, carry) = multiplyAdd(k, Modulus.limb4, r9, carry)
    (r10, carry) = multiplyAdd(k, Modulus.limb5, r10, carry)
    (r11, top) = BLS12381Fp.addCarry(r11, carry, top)
    return BLS12381Fp(r6, r7, r8, r9, r10, r11).reducedOnce()
  }
}

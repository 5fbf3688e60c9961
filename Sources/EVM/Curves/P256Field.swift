/// An element of the base field of P-256: the integers modulo
/// p = 2^256 - 2^224 + 2^192 + 2^96 - 1, in Montgomery form with R = 2^256.
///
/// A field of its own beside `MontgomeryField256`, because -1/p is 1 modulo 2^64 and p is sparse: a
/// round of the reduction is a shift and one product instead of five. A verification takes two
/// thirds of the time. No operation but `inverse` branches on values.
///
/// Source: SEC 2, version 2.0, section 2.4.2 (secp256r1); FIPS 186-5.
struct P256Field: BitwiseCopyable {
  /// a R mod p, below p.
  let montgomery: UInt256

  /// The element with this Montgomery form, which is below p.
  @inline(__always)
  init(montgomery: UInt256) {
    self.montgomery = montgomery
  }

  /// The element with this canonical value; `nil` when it is not below p.
  @inline(__always)
  init?(_ canonical: UInt256) {
    if canonical >= Self.modulus { return nil }
    self.init(reducing: canonical)
  }

  /// The class of a 256-bit integer.
  @inline(__always)
  init(reducing value: UInt256) {
    // R^2 mod p.
    let rSquared = P256Field(
      montgomery: UInt256(
        0x0000_0000_0000_0003, 0xffff_fffb_ffff_ffff, 0xffff_ffff_ffff_fffe,
        0x0000_0004_ffff_fffd))
    // One factor below p keeps the product below p R, which is all that the reduction asks.
    self = P256Field(montgomery: value) * rSquared
  }

  /// p.
  @inline(__always)
  static var modulus: UInt256 {
    UInt256(
      0xffff_ffff_ffff_ffff, 0x0000_0000_ffff_ffff, 0x0000_0000_0000_0000,
      0xffff_ffff_0000_0001)
  }

  @inline(__always)
  static var zero: P256Field { P256Field(montgomery: .zero) }

  /// One: R mod p.
  @inline(__always)
  static var one: P256Field {
    P256Field(
      montgomery: UInt256(
        0x0000_0000_0000_0001, 0xffff_ffff_0000_0000, 0xffff_ffff_ffff_ffff,
        0x0000_0000_ffff_fffe))
  }

  @inline(__always)
  var isZero: Bool { montgomery.isZero }

  @inline(__always)
  static func == (a: P256Field, b: P256Field) -> Bool { a.montgomery == b.montgomery }

  @inline(__always)
  static func + (a: P256Field, b: P256Field) -> P256Field {
    let (sum, carry) = UInt256.addingWithCarry(a.montgomery, b.montgomery)
    return subtractingModulusOnce(sum, carry: carry)
  }

  @inline(__always)
  static func - (a: P256Field, b: P256Field) -> P256Field {
    let (difference, borrow) = UInt256.subtractingWithBorrow(a.montgomery, b.montgomery)
    // p again where it went below zero.
    let mask = 0 &- borrow
    let p = modulus
    return P256Field(
      montgomery: difference
        &+ UInt256(p.limb0 & mask, p.limb1 & mask, p.limb2 & mask, p.limb3 & mask))
  }

  @inline(__always)
  static prefix func - (a: P256Field) -> P256Field { .zero - a }

  @inline(__always)
  var doubled: P256Field { self + self }

  // Products stay calls: inlined into the point formulas they run out of registers and take half
  // as long again.
  @inline(never)
  static func * (a: P256Field, b: P256Field) -> P256Field {
    let (low, high) = UInt256.multiplyFullWidth(a.montgomery, b.montgomery)
    return reduce(low, high)
  }

  @inline(never)
  var squared: P256Field {
    let (low, high) = montgomery.squaredFullWidth
    return Self.reduce(low, high)
  }

  /// The inverse, zero for zero, in variable time: for public values only.
  var inverse: P256Field {
    let number = ModularInverse.variableTime(
      of: montgomery, modulus: Self.modulus, negatedInverse: 1)
    // That is 1 / (a R); times R^3 in Montgomery form it is R / a.
    let rCubed = P256Field(
      montgomery: UInt256(
        0xffff_fffd_0000_000a, 0xffff_ffed_ffff_fff7, 0x0000_0005_ffff_fffc,
        0x0000_0018_0000_0001))
    return P256Field(montgomery: number) * rCubed
  }

  /// A value below 2p, given as a word and a carry of 2^256.
  @inline(__always)
  private static func subtractingModulusOnce(_ value: UInt256, carry: UInt64) -> P256Field {
    let (difference, borrow) = UInt256.subtractingWithBorrow(value, modulus)
    // Keep the value when it was below p: it borrowed, and there was no carry to lend.
    return P256Field(
      montgomery: UInt256.select(mask: 0 &- (borrow & ~carry), value, difference))
  }

  /// (low + R high) / R for a number below p R.
  @inline(__always)
  private static func reduce(_ low: UInt256, _ high: UInt256) -> P256Field {
    // Four rounds give (low + m p) / R for the m that makes it whole: at most p.
    let folded = round(round(round(round(low))))
    let (sum, carry) = UInt256.addingWithCarry(folded, high)
    return subtractingModulusOnce(sum, carry: carry)
  }

  /// (t + t.limb0 p) / 2^64: p is -1 modulo 2^64, so that the lowest limb vanishes. Below
  /// 2^192 + p, which fits.
  @inline(__always)
  private static func round(_ t: UInt256) -> UInt256 {
    // m p = m (2^96 - 1) + 2^192 m (2^64 - 2^32 + 1).
    let m = t.limb0
    let top = m.multipliedFullWidth(by: 0xffff_ffff_0000_0001)
    let (s1, c1) = addWithCarry(t.limb1, m << 32, 0)
    let (s2, c2) = addWithCarry(t.limb2, m >> 32, c1)
    let (s3, c3) = addWithCarry(t.limb3, top.low, c2)
    return UInt256(s1, s2, s3, top.high &+ c3)
  }
}

/// An element of the base field of BLS12-381: the integers modulo the 381-bit prime
/// `p = 0x1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab`.
///
/// Six 64-bit limbs, least significant first, in Montgomery form (the value times `2^384`), always
/// below `p`, so that equal elements have equal limbs. Three bits are spare: sums of a few elements
/// fit in 384 bits, which products use. Nothing runs in constant time: no
/// value here is secret.
struct BLS12381Fp: FiniteField, Sendable {
  var limb0: UInt64
  var limb1: UInt64
  var limb2: UInt64
  var limb3: UInt64
  var limb4: UInt64
  var limb5: UInt64

  /// An element from the limbs of its Montgomery form, least significant first.
  @inline(__always)
  init(
    _ limb0: UInt64, _ limb1: UInt64, _ limb2: UInt64, _ limb3: UInt64, _ limb4: UInt64,
    _ limb5: UInt64
  ) {
    self.limb0 = limb0
    self.limb1 = limb1
    self.limb2 = limb2
    self.limb3 = limb3
    self.limb4 = limb4
    self.limb5 = limb5
  }

  /// The limbs of the prime, least significant first.
  enum Modulus {
    @inline(__always) static var limb0: UInt64 { 0xb9fe_ffff_ffff_aaab }
    @inline(__always) static var limb1: UInt64 { 0x1eab_fffe_b153_ffff }
    @inline(__always) static var limb2: UInt64 { 0x6730_d2a0_f6b0_f624 }
    @inline(__always) static var limb3: UInt64 { 0x6477_4b84_f385_12bf }
    @inline(__always) static var limb4: UInt64 { 0x4b1b_a7b6_434b_acd7 }
    @inline(__always) static var limb5: UInt64 { 0x1a01_11ea_397f_e69a }
    /// `-p^-1` modulo `2^64`.
    @inline(__always) static var negatedInverse: UInt64 { 0x89f3_fffc_fffc_fffd }
  }

  /// The prime itself, as plain limbs; not an element.
  @inline(__always)
  static var modulus: BLS12381Fp {
    BLS12381Fp(
      Modulus.limb0, Modulus.limb1, Modulus.limb2, Modulus.limb3, Modulus.limb4, Modulus.limb5)
  }

  /// Zero.
  @inline(__always)
  static var zero: BLS12381Fp { BLS12381Fp(0, 0, 0, 0, 0, 0) }

  /// Whether this is zero.
  @inline(__always)
  var isZero: Bool { (limb0 | limb1 | limb2 | limb3 | limb4 | limb5) == 0 }

  @inline(__always)
  static func == (a: BLS12381Fp, b: BLS12381Fp) -> Bool {
    ((a.limb0 ^ b.limb0) | (a.limb1 ^ b.limb1) | (a.limb2 ^ b.limb2) | (a.limb3 ^ b.limb3)
      | (a.limb4 ^ b.limb4) | (a.limb5 ^ b.limb5)) == 0
  }
}

// MARK: - Addition

extension BLS12381Fp {
  /// The sum as plain 384-bit integers, not reduced: at most `2p - 2` for two elements.
  @inline(__always)
  static func addUnreduced(_ a: BLS12381Fp, _ b: BLS12381Fp) -> BLS12381Fp {
    let (s0, c0) = addWithCarry(a.limb0, b.limb0, 0)
    let (s1, c1) = addWithCarry(a.limb1, b.limb1, c0)
    let (s2, c2) = addWithCarry(a.limb2, b.limb2, c1)
    let (s3, c3) = addWithCarry(a.limb3, b.limb3, c2)
    let (s4, c4) = addWithCarry(a.limb4, b.limb4, c3)
    // Two numbers below 2^383 do not carry out.
    return BLS12381Fp(s0, s1, s2, s3, s4, a.limb5 &+ b.limb5 &+ c4)
  }

  /// The difference as plain 384-bit integers modulo `2^384`, and the borrow (0 or 1).
  @inline(__always)
  static func subtractUnreduced(_ a: BLS12381Fp, _ b: BLS12381Fp)
    -> (value: BLS12381Fp, borrow: UInt64)
  {
    let (s0, b0) = subtractWithBorrow(a.limb0, b.limb0, 0)
    let (s1, b1) = subtractWithBorrow(a.limb1, b.limb1, b0)
    let (s2, b2) = subtractWithBorrow(a.limb2, b.limb2, b1)
    let (s3, b3) = subtractWithBorrow(a.limb3, b.limb3, b2)
    let (s4, b4) = subtractWithBorrow(a.limb4, b.limb4, b3)
    let (s5, b5) = subtractWithBorrow(a.limb5, b.limb5, b4)
    return (BLS12381Fp(s0, s1, s2, s3, s4, s5), b5)
  }

  /// The limbs and-ed with a mask of all ones or all zeros.
  @inline(__always)
  func masked(_ mask: UInt64) -> BLS12381Fp {
    BLS12381Fp(
      limb0 & mask, limb1 & mask, limb2 & mask, limb3 & mask, limb4 & mask, limb5 & mask)
  }

  /// This number less `p` when it is at least `p`; for numbers below `2p` that is the remainder.
  @inline(__always)
  func reducedOnce() -> BLS12381Fp {
    let (d, borrow) = Self.subtractUnreduced(self, Self.modulus)
    let mask = UInt64(0) &- borrow
    return BLS12381Fp(
      d.limb0 ^ ((d.limb0 ^ limb0) & mask), d.limb1 ^ ((d.limb1 ^ limb1) & mask),
      d.limb2 ^ ((d.limb2 ^ limb2) & mask), d.limb3 ^ ((d.limb3 ^ limb3) & mask),
      d.limb4 ^ ((d.limb4 ^ limb4) & mask), d.limb5 ^ ((d.limb5 ^ limb5) & mask))
  }

  /// Sum.
  @inline(__always)
  static func + (a: BLS12381Fp, b: BLS12381Fp) -> BLS12381Fp {
    #if NEEDLETAIL_DEVICE_MONTGOMERY
      return DeviceBLS12381.sum(a, b)
    #else
      return addUnreduced(a, b).reducedOnce()
    #endif
  }

  /// Difference.
  @inline(__always)
  static func - (a: BLS12381Fp, b: BLS12381Fp) -> BLS12381Fp {
    #if NEEDLETAIL_DEVICE_MONTGOMERY
      return DeviceBLS12381.difference(a, b)
    #else
      let (d, borrow) = subtractUnreduced(a, b)
      // Adding p back carries out of the top limb exactly when the difference had borrowed.
      let m = modulus.masked(0 &- borrow)
      let (s0, c0) = addWithCarry(d.limb0, m.limb0, 0)
      let (s1, c1) = addWithCarry(d.limb1, m.limb1, c0)
      let (s2, c2) = addWithCarry(d.limb2, m.limb2, c1)
      let (s3, c3) = addWithCarry(d.limb3, m.limb3, c2)
      let (s4, c4) = addWithCarry(d.limb4, m.limb4, c3)
      return BLS12381Fp(s0, s1, s2, s3, s4, d.limb5 &+ m.limb5 &+ c4)
    #endif
  }

  /// Negation.
  @inline(__always)
  static prefix func - (a: BLS12381Fp) -> BLS12381Fp { zero - a }

  /// Twice this.
  @inline(__always)
  var doubled: BLS12381Fp { self + self }

  /// Half of this: `x / 2`, or `(x + p) / 2` where `x` is odd (Montgomery form is linear).
  var halved: BLS12381Fp {
    let s = Self.addUnreduced(self, Self.modulus.masked(0 &- (limb0 & 1)))
    return BLS12381Fp(
      s.limb0 >> 1 | s.limb1 << 63, s.limb1 >> 1 | s.limb2 << 63, s.limb2 >> 1 | s.limb3 << 63,
      s.limb3 >> 1 | s.limb4 << 63, s.limb4 >> 1 | s.limb5 << 63, s.limb5 >> 1)
  }
}

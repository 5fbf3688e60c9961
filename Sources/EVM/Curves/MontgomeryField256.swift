/// The constants of a prime field of at most 256 bits in Montgomery form with R = 2^256.
///
/// Give each as a computed property of literals, so that they fold into the code.
protocol MontgomeryParameters256 {
  /// The prime p, odd, above 2^192.
  static var modulus: UInt256 { get }
  /// R mod p: the Montgomery form of one.
  static var montgomeryOne: UInt256 { get }
  /// R^2 mod p.
  static var rSquared: UInt256 { get }
  /// R^3 mod p.
  static var rCubed: UInt256 { get }
  /// -1/p mod 2^64.
  static var negatedInverse: UInt64 { get }
}

/// An element of the prime field of `P`, kept as a·R mod p with R = 2^256 and always below p.
///
/// Moduli use up to all 256 bits; where p's top bit is free the multiplication needs no fifth limb
/// (the "no-carry" form: El Housni and Botrel, "EdMSM", 2022, section 2.2).
/// Sum, difference, negation, product and square take no branch on the values.
struct MontgomeryField256<P: MontgomeryParameters256>: FiniteField {
  /// a·R mod p, below p.
  var montgomery: UInt256

  /// The element with this Montgomery form, which must be below p.
  @inline(__always)
  init(montgomery: UInt256) {
    self.montgomery = montgomery
  }

  /// The element with this canonical value; `nil` when it is not below p.
  @inline(__always)
  init?(_ canonical: UInt256) {
    if !(canonical < P.modulus) { return nil }
    self.init(montgomery: Self.product(P.rSquared, canonical))
  }

  /// The element congruent to any 256-bit number.
  @inline(__always)
  init(reducing value: UInt256) {
    self.init(montgomery: Self.product(P.rSquared, value))
  }

  /// Reads 32 big-endian bytes; `nil` when the number is not below p.
  @inline(__always)
  init?(bigEndian bytes: UnsafePointer<UInt8>) {
    self.init(UInt256(bigEndian: bytes))
  }

  /// The value as a number below p.
  @inline(__always)
  var canonical: UInt256 {
    Self.reduced(montgomery, .zero).montgomery
  }

  @inline(__always)
  static var zero: Self { Self(montgomery: .zero) }

  @inline(__always)
  static var one: Self { Self(montgomery: P.montgomeryOne) }

  @inline(__always)
  var isZero: Bool { montgomery.isZero }

  /// Whether the canonical value is odd.
  @inline(__always)
  var isOdd: Bool { canonical.limb0 & 1 != 0 }

  @inline(__always)
  static func == (a: Self, b: Self) -> Bool { a.montgomery == b.montgomery }

  /// Whether sums of two elements fit in 256 bits.
  @inline(__always)
  static var hasSpareBit: Bool { P.modulus.limb3 >> 63 == 0 }

  /// `value`, plus 2^256 where `carry` is 1, minus p when that is not negative: reduced, if it was
  /// below 2p.
  @inline(__always)
  static func subtractingModulusOnce(_ value: UInt256, carry: UInt64) -> Self {
    let (difference, borrow) = UInt256.subtractingReportingBorrow(value, P.modulus)
    if hasSpareBit { return Self(montgomery: select(borrow, value, difference)) }
    let keep = limb(borrow) & ~carry
    return Self(montgomery: select(keep != 0, value, difference))
  }

  @inline(__always)
  private static func select(_ condition: Bool, _ a: UInt256, _ b: UInt256) -> UInt256 {
    UInt256(
      condition ? a.limb0 : b.limb0, condition ? a.limb1 : b.limb1,
      condition ? a.limb2 : b.limb2, condition ? a.limb3 : b.limb3)
  }

  @inline(__always)
  static func + (a: Self, b: Self) -> Self {
    #if NEEDLETAIL_DEVICE_MONTGOMERY
      if isDeviceField {
        return Self(montgomery: DeviceBN254.sum(a.montgomery, b.montgomery))
      }
    #endif
    let (sum, carry) = UInt256.addingReportingCarry(a.montgomery, b.montgomery)
    return subtractingModulusOnce(sum, carry: limb(carry))
  }

  @inline(__always)
  static func - (a: Self, b: Self) -> Self {
    #if NEEDLETAIL_DEVICE_MONTGOMERY
      if isDeviceField {
        return Self(montgomery: DeviceBN254.difference(a.montgomery, b.montgomery))
      }
    #endif
    let (difference, borrow) = UInt256.subtractingReportingBorrow(a.montgomery, b.montgomery)
    let mask = 0 &- limb(borrow)
    let p = P.modulus
    let correction = UInt256(p.limb0 & mask, p.limb1 & mask, p.limb2 & mask, p.limb3 & mask)
    // Wraps back into [0, p) when the difference was negative.
    return Self(montgomery: difference &+ correction)
  }

  @inline(__always)
  static prefix func - (a: Self) -> Self {
    let difference = P.modulus &- a.montgomery
    return Self(montgomery: select(a.isZero, .zero, difference))
  }

  @inline(__always)
  var doubled: Self { self + self }

  @inline(__always)
  var halved: Self {
    // a/2 when a is even, (a + p)/2 otherwise; the form's factor R stays.
    let mask = 0 &- (montgomery.limb0 & 1)
    let p = P.modulus
    let (sum, carry) = UInt256.addingReportingCarry(
      montgomery, UInt256(p.limb0 & mask, p.limb1 & mask, p.limb2 & mask, p.limb3 & mask))
    let top = limb(carry) << 63
    return Self(
      montgomery: UInt256(
        (sum.limb0 >> 1) | (sum.limb1 << 63), (sum.limb1 >> 1) | (sum.limb2 << 63),
        (sum.limb2 >> 1) | (sum.limb3 << 63), (sum.limb3 >> 1) | top))
  }

  @inline(__always)
  static func * (a: Self, b: Self) -> Self {
    Self(montgomery: product(a.montgomery, b.montgomery))
  }

  @inline(__always)
  var squared: Self { self * self }
}

// Montgomery multiplication and reduction.
extension MontgomeryField256 {
  /// a·b/R mod p for `a` below p and any 256-bit `b`.
  ///
  /// With a spare bit in p it is enough that a + p < 2^256 and a·b < p·R: so both may be sums
  /// below 2p where p < 2^254.
  @inline(__always)
  static func product(_ a: UInt256, _ b: UInt256) -> UInt256 {
    #if NEEDLETAIL_DEVICE_MONTGOMERY
      if isDeviceField {
        return DeviceBN254.product(a, b)
      }
    #endif
    // The rows a·b[i] and m[i]·p alternate ("CIOS"). After each pair the sum is below p + a, so
    // with a spare bit in p it fits in four limbs; otherwise `over` holds the fifth, 0 or 1.
    let p = P.modulus
    var t0: UInt64 = 0
    var t1: UInt64 = 0
    var t2: UInt64 = 0
    var t3: UInt64 = 0
    var t4 = addRow(&t0, &t1, &t2, &t3, a, b.limb0)
    var m = t0 &* P.negatedInverse
    var over = addTop(&t4, addRow(&t0, &t1, &t2, &t3, p, m), 0)
    var t5 = addRow(&t1, &t2, &t3, &t4, a, b.limb1)
    m = t1 &* P.negatedInverse
    over = addTop(&t5, addRow(&t1, &t2, &t3, &t4, p, m), over)
    var t6 = addRow(&t2, &t3, &t4, &t5, a, b.limb2)
    m = t2 &* P.negatedInverse
    over = addTop(&t6, addRow(&t2, &t3, &t4, &t5, p, m), over)
    var t7 = addRow(&t3, &t4, &t5, &t6, a, b.limb3)
    m = t3 &* P.negatedInverse
    over = addTop(&t7, addRow(&t3, &t4, &t5, &t6, p, m), over)
    return subtractingModulusOnce(UInt256(t4, t5, t6, t7), carry: over).montgomery
  }

  /// a·b + c·d in one pass with one reduction; cheaper than two products where p has two spare bits
  /// (p < 2^254).
  ///
  /// Source: Longa, "Efficient Algorithms for Large Prime Characteristic Fields and Their
  /// Application to Bilinear Pairings", TCHES 2023, section 3.
  @inline(__always)
  static func sumOfProducts(_ a: Self, _ b: Self, _ c: Self, _ d: Self) -> Self {
    #if NEEDLETAIL_DEVICE_MONTGOMERY
      if isDeviceField {
        return Self(
          montgomery: DeviceBN254.sumOfProducts(
            a.montgomery, b.montgomery, c.montgomery, d.montgomery))
      }
    #endif
    if P.modulus.limb3 >> 62 != 0 { return a * b + c * d }
    // Each round adds less than 3p·2^64 and divides by 2^64, so the sum stays below 4p < 2^256;
    // at the end it is below p + 2p^2/R < 2p.
    let p = P.modulus
    let (x, y) = (b.montgomery, d.montgomery)
    var t0: UInt64 = 0
    var t1: UInt64 = 0
    var t2: UInt64 = 0
    var t3: UInt64 = 0
    var t4 = addRow(&t0, &t1, &t2, &t3, a.montgomery, x.limb0)
    t4 = t4 &+ addRow(&t0, &t1, &t2, &t3, c.montgomery, y.limb0)
    t4 = t4 &+ addRow(&t0, &t1, &t2, &t3, p, t0 &* P.negatedInverse)
    var t5 = addRow(&t1, &t2, &t3, &t4, a.montgomery, x.limb1)
    t5 = t5 &+ addRow(&t1, &t2, &t3, &t4, c.montgomery, y.limb1)
    t5 = t5 &+ addRow(&t1, &t2, &t3, &t4, p, t1 &* P.negatedInverse)
    var t6 = addRow(&t2, &t3, &t4, &t5, a.montgomery, x.limb2)
    t6 = t6 &+ addRow(&t2, &t3, &t4, &t5, c.montgomery, y.limb2)
    t6 = t6 &+ addRow(&t2, &t3, &t4, &t5, p, t2 &* P.negatedInverse)
    var t7 = addRow(&t3, &t4, &t5, &t6, a.montgomery, x.limb3)
    t7 = t7 &+ addRow(&t3, &t4, &t5, &t6, c.montgomery, y.limb3)
    t7 = t7 &+ addRow(&t3, &t4, &t5, &t6, p, t3 &* P.negatedInverse)
    return subtractingModulusOnce(UInt256(t4, t5, t6, t7), carry: 0)
  }

  /// x/R mod p for x = low + R·high below p·R.
  @inline(__always)
  static func reduced(_ low: UInt256, _ high: UInt256) -> Self {
    let p = P.modulus
    var t0 = low.limb0
    var t1 = low.limb1
    var t2 = low.limb2
    var t3 = low.limb3
    // Four times adds the multiple of p that clears the lowest limb: (x mod R + m·p)/R <= p.
    var t4 = addRow(&t0, &t1, &t2, &t3, p, t0 &* P.negatedInverse)
    var t5 = addRow(&t1, &t2, &t3, &t4, p, t1 &* P.negatedInverse)
    var t6 = addRow(&t2, &t3, &t4, &t5, p, t2 &* P.negatedInverse)
    let t7 = addRow(&t3, &t4, &t5, &t6, p, t3 &* P.negatedInverse)
    let (sum, carry) = UInt256.addingReportingCarry(UInt256(t4, t5, t6, t7), high)
    return subtractingModulusOnce(sum, carry: limb(carry))
  }

  /// Adds a·b to four limbs; returns the carry limb: a·b + t < 2^320.
  @inline(__always)
  private static func addRow(
    _ t0: inout UInt64, _ t1: inout UInt64, _ t2: inout UInt64, _ t3: inout UInt64,
    _ a: UInt256, _ b: UInt64
  ) -> UInt64 {
    // Joins the products' halves first, then adds: two unbroken carry chains.
    let p0 = a.limb0.multipliedFullWidth(by: b)
    let p1 = a.limb1.multipliedFullWidth(by: b)
    let p2 = a.limb2.multipliedFullWidth(by: b)
    let p3 = a.limb3.multipliedFullWidth(by: b)
    var carry: UInt64
    let r1: UInt64
    let r2: UInt64
    let r3: UInt64
    (r1, carry) = addWithCarry(p1.low, p0.high, 0)
    (r2, carry) = addWithCarry(p2.low, p1.high, carry)
    (r3, carry) = addWithCarry(p3.low, p2.high, carry)
    let r4 = p3.high &+ carry
    (t0, carry) = addWithCarry(t0, p0.low, 0)
    (t1, carry) = addWithCarry(t1, r1, carry)
    (t2, carry) = addWithCarry(t2, r2, carry)
    (t3, carry) = addWithCarry(t3, r3, carry)
    return r4 &+ carry
  }

  /// Adds a row's carry and the fifth limb of the round before; returns the new fifth limb.
  @inline(__always)
  private static func addTop(_ top: inout UInt64, _ row: UInt64, _ over: UInt64) -> UInt64 {
    if hasSpareBit {
      top = top &+ row
      return 0
    }
    // At most one of the two sums wraps, because the whole stays below 2^257.
    let (sum, carry) = top.addingReportingOverflow(row)
    let (value, carry2) = sum.addingReportingOverflow(over)
    top = value
    return limb(carry) | limb(carry2)
  }
}

extension UInt256 {
  /// `a / b` rounded down and what is left; zero and zero when `b` is zero (DIV and MOD, yellow
  /// paper, appendix H.2).
  ///
  /// Knuth's algorithm D with reciprocals, one form for each width of the divisor.
  @inlinable
  public static func divideWithRemainder(_ a: UInt256, _ b: UInt256)
    -> (quotient: UInt256, remainder: UInt256)
  {
    if (a.limb1 | a.limb2 | a.limb3 | b.limb1 | b.limb2 | b.limb3) == 0 {
      if b.limb0 == 0 { return (.zero, .zero) }
      let quotient = a.limb0 / b.limb0
      return (UInt256(quotient), UInt256(a.limb0 &- quotient &* b.limb0))
    }
    return divideWide(a, b)
  }

  /// `a / b` rounded down; zero when `b` is zero (DIV).
  @inlinable
  public static func divide(_ a: UInt256, _ b: UInt256) -> UInt256 {
    divideWithRemainder(a, b).quotient
  }

  /// `a` modulo `b`; zero when `b` is zero (MOD).
  @inlinable
  public static func remainder(_ a: UInt256, _ b: UInt256) -> UInt256 {
    divideWithRemainder(a, b).remainder
  }

  /// The quotient of two's complement numbers, rounded towards zero; zero when `b` is zero, and
  /// -2^255 for -2^255 by -1 (SDIV).
  @inlinable
  public static func signedDivide(_ a: UInt256, _ b: UInt256) -> UInt256 {
    let quotient = divide(a.magnitude, b.magnitude)
    return a.isNegative != b.isNegative ? quotient.negated : quotient
  }

  /// The remainder of two's complement numbers with the sign of `a`; zero when `b` is zero (SMOD).
  @inlinable
  public static func signedRemainder(_ a: UInt256, _ b: UInt256) -> UInt256 {
    let rest = remainder(a.magnitude, b.magnitude)
    return a.isNegative ? rest.negated : rest
  }

  /// `a + b` modulo `modulus` without wrapping in between; zero for a zero modulus (ADDMOD).
  @inlinable
  public static func addModulo(_ a: UInt256, _ b: UInt256, _ modulus: UInt256) -> UInt256 {
    if modulus.isZero { return .zero }
    let x = residue(a, modulus)
    let y = residue(b, modulus)
    // x + y < 2 * modulus: one subtraction is enough.
    let (sum, carry) = addingReportingCarry(x, y)
    let (reduced, borrow) = subtractingReportingBorrow(sum, modulus)
    return carry || !borrow ? reduced : sum
  }

  /// `a` modulo `modulus`, which is not zero; quick where the quotient is 0 or 1.
  @inlinable @inline(__always)
  static func residue(_ a: UInt256, _ modulus: UInt256) -> UInt256 {
    let (difference, borrow) = subtractingReportingBorrow(a, modulus)
    if borrow { return a }
    return difference < modulus ? difference : remainder(difference, modulus)
  }

  /// `a * b` modulo `modulus` with the full product; zero for a zero modulus (MULMOD).
  public static func multiplyModulo(_ a: UInt256, _ b: UInt256, _ modulus: UInt256) -> UInt256 {
    if (modulus.limb2 | modulus.limb3) == 0 {
      // The product of the residues fits in a word.
      return remainder(remainder(a, modulus) &* remainder(b, modulus), modulus)
    }
    // The residues of a modulus of three limbs leave the product below modulus * 2^192.
    let short = modulus.limb3 == 0
    let product = multiplyFullWidth(
      short ? remainder(a, modulus) : a, short ? remainder(b, modulus) : b)
    if product.high.isZero { return remainder(product.low, modulus) }
    let shift = UInt64(truncatingIfNeeded: modulus.leadingZeroBitCount)
    return remainder(
      // What the shift moves out at the top: nothing for three limbs, and below 2^shift <= 2^63
      // for four, so below the divisor's first limb.
      (product.high.limb3 &>> 1) &>> (63 &- shift),
      (product.high << shift) | (product.low >> (256 &- shift)), product.low << shift,
      by: KnuthDivisor(normalized: modulus << shift), shift: shift)
  }

  /// The remainder of `(out, high, low)`, where `out` is below the divisor's first limb, shifted
  /// down by `shift`.
  @inline(__always)
  static func remainder(
    _ out: UInt64, _ high: UInt256, _ low: UInt256, by divisor: KnuthDivisor, shift: UInt64
  ) -> UInt256 {
    var high = high
    if out != 0 || high >= divisor.value {
      var rest = UInt256(high.limb1, high.limb2, high.limb3, out)
      _ = divisor.step(&rest, high.limb0)
      high = rest
    }
    _ = divisor.step(&high, low.limb3)
    _ = divisor.step(&high, low.limb2)
    _ = divisor.step(&high, low.limb1)
    _ = divisor.step(&high, low.limb0)
    return high >> shift
  }

  /// Whether `a < b` as two's complement numbers (SLT).
  @inlinable @inline(__always)
  public static func signedLess(_ a: UInt256, _ b: UInt256) -> Bool {
    // Turning over the sign bits maps the signed order to the unsigned one.
    let sign: UInt64 = 1 << 63
    return UInt256(a.limb0, a.limb1, a.limb2, a.limb3 ^ sign)
      < UInt256(b.limb0, b.limb1, b.limb2, b.limb3 ^ sign)
  }

  /// The byte at `index` from the most significant one; zero from 32 on (BYTE).
  @inlinable @inline(__always)
  public func byte(at index: UInt256) -> UInt256 {
    if !index.fitsUInt64 || index.limb0 >= 32 { return .zero }
    return UInt256(UInt64(bigEndianByte(Int(truncatingIfNeeded: index.limb0))))
  }

  /// Division where one of the two takes more than 64 bits.
  @usableFromInline
  static func divideWide(_ a: UInt256, _ b: UInt256) -> (quotient: UInt256, remainder: UInt256) {
    divideInline(a, b)
  }

  /// `divideWide`, for callers whose operands are in memory: see `UInt256+InPlace`.
  @inline(__always)
  static func divideInline(_ a: UInt256, _ b: UInt256)
    -> (quotient: UInt256, remainder: UInt256)
  {
    if (b.limb1 | b.limb2 | b.limb3) == 0 {
      return b.limb0 == 0 ? (.zero, .zero) : divideByLimb(a, b.limb0)
    }
    if a < b { return (.zero, a) }
    if (b.limb2 | b.limb3) == 0 { return divideByTwoLimbs(a, b.limb1, b.limb0) }
    let lower = b &- .one
    if (b & lower).isZero {  // A power of two.
      return (a >> UInt64(truncatingIfNeeded: b.bitWidth &- 1), a & lower)
    }
    // Three or four limbs: the quotient has at most two.
    let shift = UInt64(truncatingIfNeeded: b.leadingZeroBitCount)
    let divisor = KnuthDivisor(normalized: b << shift)
    let low = a << shift
    let high = a >> (256 &- shift)
    if b.limb3 != 0 {
      // high < 2^shift <= 2^63: the window is below the divisor.
      var rest = UInt256(low.limb1, low.limb2, low.limb3, high.limb0)
      let q0 = divisor.step(&rest, low.limb0)
      return (UInt256(q0), rest >> shift)
    }
    // high < 2^shift <= 2^127.
    var rest = UInt256(low.limb2, low.limb3, high.limb0, high.limb1)
    let q1 = divisor.step(&rest, low.limb1)
    let q0 = divisor.step(&rest, low.limb0)
    return (UInt256(q0, q1, 0, 0), rest >> shift)
  }

  /// Division by a divisor of one limb, not zero.
  @inline(__always)
  private static func divideByLimb(_ a: UInt256, _ b: UInt64)
    -> (quotient: UInt256, remainder: UInt256)
  {
    ShortDivisor(b).divide(a)
  }

  /// Division by a divisor of two limbs, `high` not zero.
  @inline(__always)
  private static func divideByTwoLimbs(_ a: UInt256, _ high: UInt64, _ low: UInt64)
    -> (quotient: UInt256, remainder: UInt256)
  {
    let shift = UInt64(truncatingIfNeeded: high.leadingZeroBitCount)
    let normalized = (UInt128(high) << 64 | UInt128(low)) &<< UInt128(shift)
    let divisor = Reciprocal128(
      normalized: UInt64(truncatingIfNeeded: normalized >> 64),
      UInt64(truncatingIfNeeded: normalized))
    let shifted = a << shift
    let out = (a.limb3 &>> 1) &>> (63 &- shift)
    var rest = UInt128(out) << 64 | UInt128(shifted.limb3)
    let q2: UInt64
    let q1: UInt64
    let q0: UInt64
    (q2, rest) = divisor.divide(
      UInt64(truncatingIfNeeded: rest >> 64), UInt64(truncatingIfNeeded: rest), shifted.limb2)
    (q1, rest) = divisor.divide(
      UInt64(truncatingIfNeeded: rest >> 64), UInt64(truncatingIfNeeded: rest), shifted.limb1)
    (q0, rest) = divisor.divide(
      UInt64(truncatingIfNeeded: rest >> 64), UInt64(truncatingIfNeeded: rest), shifted.limb0)
    rest = rest &>> UInt128(shift)
    return (
      UInt256(q0, q1, q2, 0),
      UInt256(UInt64(truncatingIfNeeded: rest), UInt64(truncatingIfNeeded: rest >> 64), 0, 0)
    )
  }
}

/// A divisor of one limb, not zero, with its reciprocal.
struct ShortDivisor: BitwiseCopyable {
  private let reciprocal: Reciprocal
  private let shift: UInt64

  @inline(__always)
  init(_ divisor: UInt64) {
    shift = UInt64(truncatingIfNeeded: divisor.leadingZeroBitCount)
    reciprocal = Reciprocal(normalized: divisor &<< shift)
  }

  /// The divisor that a word of a program's pool holds (`word`).
  @inline(__always)
  init(_ limbs: UnsafePointer<UInt64>) {
    reciprocal = Reciprocal(normalized: limbs[0], value: limbs[1])
    shift = limbs[2] & 63
  }

  /// It as a word of a program's pool.
  var word: UInt256 { UInt256(reciprocal.divisor, reciprocal.value, shift, 0) }

  /// The quotient and what is left.
  @inline(__always)
  func divide(_ a: UInt256) -> (quotient: UInt256, remainder: UInt256) {
    // What the shift moves out is below 2^shift, so below the divisor.
    let bits = 63 &- shift
    var rest: UInt64
    var q3: UInt64 = 0
    var q2: UInt64 = 0
    let q1: UInt64
    let q0: UInt64
    if (a.limb2 | a.limb3) == 0 {
      rest = (a.limb1 &>> 1) &>> bits
    } else {
      rest = (a.limb3 &>> 1) &>> bits
      (q3, rest) = reciprocal.divide(
        rest, (a.limb3 &<< shift) | ((a.limb2 &>> 1) &>> bits))
      (q2, rest) = reciprocal.divide(
        rest, (a.limb2 &<< shift) | ((a.limb1 &>> 1) &>> bits))
    }
    (q1, rest) = reciprocal.divide(rest, (a.limb1 &<< shift) | ((a.limb0 &>> 1) &>> bits))
    (q0, rest) = reciprocal.divide(rest, a.limb0 &<< shift)
    return (UInt256(q0, q1, q2, q3), UInt256(rest &>> shift))
  }
}

/// A modulus of four limbs, ready to divide by: MULMOD mostly meets the same one again.
struct LastModulus: BitwiseCopyable {
  private var modulus = UInt256.zero
  private var shift: UInt64 = 0
  private var divisor = KnuthDivisor(normalized: .max)
  /// `2^256 - modulus` where that fits in a limb, as for secp256k1's field; otherwise 0.
  private var complement: UInt64 = 0

  /// `a * b` modulo `modulus` (MULMOD), whose highest limb is not zero.
  @inline(__always)
  mutating func multiply(_ a: UInt256, _ b: UInt256, _ modulus: UInt256) -> UInt256 {
    if modulus != self.modulus { prepare(modulus) }
    let product = UInt256.multiplyFullWidth(a, b)
    if complement != 0 { return fold(product) }
    let (low, high, out) = shifted(product)
    return UInt256.remainder(out, high, low, by: divisor, shift: shift)
  }

  /// Makes it one of no modulus: nothing else is asked of its memory.
  mutating func forget() { modulus = .zero }

  @inline(never)
  private mutating func prepare(_ modulus: UInt256) {
    self.modulus = modulus
    shift = UInt64(truncatingIfNeeded: modulus.limb3.leadingZeroBitCount)
    divisor = KnuthDivisor(normalized: modulus << shift)
    let rest = modulus.negated
    complement = rest.fitsUInt64 ? rest.limb0 : 0
  }

  /// A product moved up by `shift`, below 64, in nine limbs.
  @inline(__always)
  private func shifted(_ product: (low: UInt256, high: UInt256))
    -> (low: UInt256, high: UInt256, out: UInt64)
  {
    func joined(_ limb: UInt64, _ below: UInt64) -> UInt64 {
      (limb &<< shift) | ((below &>> 1) &>> (63 &- shift))
    }
    let (l, h) = product
    return (
      UInt256(
        l.limb0 &<< shift, joined(l.limb1, l.limb0), joined(l.limb2, l.limb1),
        joined(l.limb3, l.limb2)),
      UInt256(
        joined(h.limb0, l.limb3), joined(h.limb1, h.limb0), joined(h.limb2, h.limb1),
        joined(h.limb3, h.limb2)),
      (h.limb3 &>> 1) &>> (63 &- shift)
    )
  }

  /// The remainder by `2^256 - complement`, as 2^256 leaves `complement`.
  @inline(__always)
  private func fold(_ product: (low: UInt256, high: UInt256)) -> UInt256 {
    // high * complement + low < 2^320: its top limb is at most `complement`.
    let (r0, h) = UInt256.multiplyAddRow(complement, product.high, product.low)
    let (p0, p1) = multiplyAdd(h.limb3, complement, 0, 0)
    let (sum, carry) = UInt256.addingReportingCarry(
      UInt256(r0, h.limb0, h.limb1, h.limb2), UInt256(p0, p1, 0, 0))
    // After a carry the sum is below 2^128: adding the complement does not carry again.
    let value = sum &+ UInt256(carry ? complement : 0)
    let (reduced, borrow) = UInt256.subtractingReportingBorrow(value, modulus)
    return borrow ? value : reduced
  }
}

/// A divisor of four limbs whose top bit is set, with the reciprocal of its upper half.
struct KnuthDivisor: BitwiseCopyable {
  /// The divisor.
  let value: UInt256
  private let upper: Reciprocal128

  @inline(__always)
  init(normalized value: UInt256) {
    self.value = value
    upper = Reciprocal128(normalized: value.limb3, value.limb2)
  }

  /// One limb of a quotient: divides `(rest, next)`, five limbs, and leaves the remainder in
  /// `rest`. `rest < value` before and after (Knuth, volume 2, section 4.3.1, steps D3 to D6).
  @inline(__always)
  func step(_ rest: inout UInt256, _ next: UInt64) -> UInt64 {
    let d = value
    if rest.limb3 == d.limb3 && rest.limb2 == d.limb2 {
      // The limb is 2^64 - 1: B * D / (D + 1) > B - 1 for the upper half D >= 2^127.
      rest =
        UInt256(next, rest.limb0, rest.limb1, rest.limb2)
        &- UInt256(0, d.limb0, d.limb1, d.limb2) &+ d
      return .max
    }
    let (estimate, top) = upper.divide(rest.limb3, rest.limb2, rest.limb1)
    var quotient = estimate
    // Subtract quotient * (lower half) from (top, rest.limb0, next).
    let (p0, c0) = multiplyAdd(quotient, d.limb0, 0, 0)
    let (p1, p2) = multiplyAdd(quotient, d.limb1, 0, c0)
    let (result, borrow) = UInt256.subtractingReportingBorrow(
      UInt256(
        next, rest.limb0,
        UInt64(truncatingIfNeeded: top), UInt64(truncatingIfNeeded: top >> 64)),
      UInt256(p0, p1, p2, 0))
    rest = result
    if borrow {
      // One too many; once is enough, as two limbs of the divisor were looked at.
      rest = rest &+ d
      quotient &-= 1
    }
    return quotient
  }
}

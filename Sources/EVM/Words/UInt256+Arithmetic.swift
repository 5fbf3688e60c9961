extension UInt256 {
  /// `a + b` modulo 2^256, and whether it wrapped.
  @inlinable @inline(__always)
  public static func addingReportingCarry(_ a: UInt256, _ b: UInt256)
    -> (value: UInt256, carry: Bool)
  {
    let (s0, c0) = a.limb0.addingReportingOverflow(b.limb0)
    let (t1, d1) = a.limb1.addingReportingOverflow(b.limb1)
    let (s1, e1) = t1.addingReportingOverflow(c0 ? 1 : 0)
    let (t2, d2) = a.limb2.addingReportingOverflow(b.limb2)
    let (s2, e2) = t2.addingReportingOverflow((d1 || e1) ? 1 : 0)
    let (t3, d3) = a.limb3.addingReportingOverflow(b.limb3)
    let (s3, e3) = t3.addingReportingOverflow((d2 || e2) ? 1 : 0)
    return (UInt256(s0, s1, s2, s3), d3 || e3)
  }

  /// `a - b` modulo 2^256, and whether `b` was the larger.
  @inlinable @inline(__always)
  public static func subtractingReportingBorrow(_ a: UInt256, _ b: UInt256)
    -> (value: UInt256, borrow: Bool)
  {
    let (s0, c0) = a.limb0.subtractingReportingOverflow(b.limb0)
    let (t1, d1) = a.limb1.subtractingReportingOverflow(b.limb1)
    let (s1, e1) = t1.subtractingReportingOverflow(c0 ? 1 : 0)
    let (t2, d2) = a.limb2.subtractingReportingOverflow(b.limb2)
    let (s2, e2) = t2.subtractingReportingOverflow((d1 || e1) ? 1 : 0)
    let (t3, d3) = a.limb3.subtractingReportingOverflow(b.limb3)
    let (s3, e3) = t3.subtractingReportingOverflow((d2 || e2) ? 1 : 0)
    return (UInt256(s0, s1, s2, s3), d3 || e3)
  }

  /// Wrapping sum.
  @inlinable @inline(__always)
  public static func &+ (a: UInt256, b: UInt256) -> UInt256 { addingReportingCarry(a, b).value }

  /// Wrapping difference.
  @inlinable @inline(__always)
  public static func &- (a: UInt256, b: UInt256) -> UInt256 {
    subtractingReportingBorrow(a, b).value
  }

  /// Two's complement.
  @inlinable @inline(__always)
  public var negated: UInt256 { .zero &- self }

  /// The magnitude in two's complement; -2^255 stays as it is.
  @inlinable @inline(__always)
  public var magnitude: UInt256 { isNegative ? negated : self }

  /// The low 256 bits of a product.
  @inlinable
  public static func &* (a: UInt256, b: UInt256) -> UInt256 {
    if (a.limb1 | a.limb2 | a.limb3 | b.limb1 | b.limb2 | b.limb3) == 0 {
      let product = a.limb0.multipliedFullWidth(by: b.limb0)
      return UInt256(product.low, product.high, 0, 0)
    }
    var r0: UInt64
    var r1: UInt64
    var r2: UInt64
    var r3: UInt64
    var carry: UInt64
    // Each step adds a limb product, a limb and a carry: at most 2^128 - 1.
    (r0, carry) = multiplyAdd(a.limb0, b.limb0, 0, 0)
    (r1, carry) = multiplyAdd(a.limb0, b.limb1, 0, carry)
    (r2, carry) = multiplyAdd(a.limb0, b.limb2, 0, carry)
    r3 = a.limb0 &* b.limb3 &+ carry
    (r1, carry) = multiplyAdd(a.limb1, b.limb0, r1, 0)
    (r2, carry) = multiplyAdd(a.limb1, b.limb1, r2, carry)
    r3 = r3 &+ a.limb1 &* b.limb2 &+ carry
    (r2, carry) = multiplyAdd(a.limb2, b.limb0, r2, 0)
    r3 = r3 &+ a.limb2 &* b.limb1 &+ carry
    r3 = r3 &+ a.limb3 &* b.limb0
    return UInt256(r0, r1, r2, r3)
  }

  /// The 512-bit product, as its low and high words.
  @inlinable
  public static func multiplyFullWidth(_ a: UInt256, _ b: UInt256)
    -> (low: UInt256, high: UInt256)
  {
    var r0: UInt64
    var r1: UInt64
    var r2: UInt64
    var r3: UInt64
    var r4: UInt64
    var r5: UInt64
    var r6: UInt64
    var r7: UInt64
    var carry: UInt64
    (r0, carry) = multiplyAdd(a.limb0, b.limb0, 0, 0)
    (r1, carry) = multiplyAdd(a.limb0, b.limb1, 0, carry)
    (r2, carry) = multiplyAdd(a.limb0, b.limb2, 0, carry)
    (r3, r4) = multiplyAdd(a.limb0, b.limb3, 0, carry)
    (r1, carry) = multiplyAdd(a.limb1, b.limb0, r1, 0)
    (r2, carry) = multiplyAdd(a.limb1, b.limb1, r2, carry)
    (r3, carry) = multiplyAdd(a.limb1, b.limb2, r3, carry)
    (r4, r5) = multiplyAdd(a.limb1, b.limb3, r4, carry)
    (r2, carry) = multiplyAdd(a.limb2, b.limb0, r2, 0)
    (r3, carry) = multiplyAdd(a.limb2, b.limb1, r3, carry)
    (r4, carry) = multiplyAdd(a.limb2, b.limb2, r4, carry)
    (r5, r6) = multiplyAdd(a.limb2, b.limb3, r5, carry)
    (r3, carry) = multiplyAdd(a.limb3, b.limb0, r3, 0)
    (r4, carry) = multiplyAdd(a.limb3, b.limb1, r4, carry)
    (r5, carry) = multiplyAdd(a.limb3, b.limb2, r5, carry)
    (r6, r7) = multiplyAdd(a.limb3, b.limb3, r6, carry)
    return (UInt256(r0, r1, r2, r3), UInt256(r4, r5, r6, r7))
  }

  /// `base` to the power `exponent`, modulo 2^256. Squares once an exponent bit.
  @inlinable
  public static func power(_ base: UInt256, _ exponent: UInt256) -> UInt256 {
    var result = UInt256.one
    var bit = exponent.bitWidth &- 1
    while bit >= 0 {
      result = result &* result
      if exponent.bit(bit) { result = result &* base }
      bit &-= 1
    }
    return result
  }
}

/// `a * b + c + d` as low and high limbs; can not overflow: (2^64-1)^2 + 2(2^64-1) = 2^128 - 1.
@inlinable @inline(__always)
package func multiplyAdd(_ a: UInt64, _ b: UInt64, _ c: UInt64, _ d: UInt64)
  -> (low: UInt64, high: UInt64)
{
  let product = UInt128(a) &* UInt128(b) &+ UInt128(c) &+ UInt128(d)
  return (UInt64(truncatingIfNeeded: product), UInt64(truncatingIfNeeded: product >> 64))
}

extension UInt256 {
  /// `a + b` modulo 2^256, and whether it wrapped.
  @inlinable @inline(__always)
  public static func addingReportingCarry(_ a: UInt256, _ b: UInt256)
    -> (value: UInt256, carry: Bool)
  {
    let (s0, c0) = addWithCarry(a.limb0, b.limb0, 0)
    let (s1, c1) = addWithCarry(a.limb1, b.limb1, c0)
    let (s2, c2) = addWithCarry(a.limb2, b.limb2, c1)
    let (s3, c3) = addWithCarry(a.limb3, b.limb3, c2)
    return (UInt256(s0, s1, s2, s3), c3 != 0)
  }

  /// `a - b` modulo 2^256, and whether `b` was the larger.
  @inlinable @inline(__always)
  public static func subtractingReportingBorrow(_ a: UInt256, _ b: UInt256)
    -> (value: UInt256, borrow: Bool)
  {
    let (s0, c0) = subtractWithBorrow(a.limb0, b.limb0, 0)
    let (s1, c1) = subtractWithBorrow(a.limb1, b.limb1, c0)
    let (s2, c2) = subtractWithBorrow(a.limb2, b.limb2, c1)
    let (s3, c3) = subtractWithBorrow(a.limb3, b.limb3, c2)
    return (UInt256(s0, s1, s2, s3), c3 != 0)
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

  /// The low 256 bits of a product with a limb.
  @inlinable @inline(__always)
  static func multiply(_ a: UInt256, _ limb: UInt64) -> UInt256 {
    let (r0, c0) = multiplyAdd(a.limb0, limb, 0, 0)
    let (r1, c1) = multiplyAdd(a.limb1, limb, 0, c0)
    let (r2, c2) = multiplyAdd(a.limb2, limb, 0, c1)
    return UInt256(r0, r1, r2, a.limb3 &* limb &+ c2)
  }

  /// The 512-bit product, as its low and high words.
  @inlinable @inline(__always)
  public static func multiplyFullWidth(_ a: UInt256, _ b: UInt256)
    -> (low: UInt256, high: UInt256)
  {
    let (r0, t0) = multiplyAddRow(a.limb0, b, .zero)
    let (r1, t1) = multiplyAddRow(a.limb1, b, t0)
    let (r2, t2) = multiplyAddRow(a.limb2, b, t1)
    let (r3, t3) = multiplyAddRow(a.limb3, b, t2)
    return (UInt256(r0, r1, r2, r3), t3)
  }

  /// `limb * word + accumulator` (below 2^320) as its low limb and the four above it.
  ///
  /// Four products first and two carry chains after them: a chain of `multiplyAdd` has to wait for
  /// each product's carry and takes 1.7 times as long.
  @inlinable @inline(__always)
  package static func multiplyAddRow(_ limb: UInt64, _ word: UInt256, _ accumulator: UInt256)
    -> (low: UInt64, high: UInt256)
  {
    let p0 = limb.multipliedFullWidth(by: word.limb0)
    let p1 = limb.multipliedFullWidth(by: word.limb1)
    let p2 = limb.multipliedFullWidth(by: word.limb2)
    let p3 = limb.multipliedFullWidth(by: word.limb3)
    let (q1, c1) = addWithCarry(p0.high, p1.low, 0)
    let (q2, c2) = addWithCarry(p1.high, p2.low, c1)
    let (q3, c3) = addWithCarry(p2.high, p3.low, c2)
    // A product of 64 and 256 bits is below 2^320, and so is its sum with 256 bits.
    let q4 = p3.high &+ c3
    let (s0, d0) = addWithCarry(accumulator.limb0, p0.low, 0)
    let (s1, d1) = addWithCarry(accumulator.limb1, q1, d0)
    let (s2, d2) = addWithCarry(accumulator.limb2, q2, d1)
    let (s3, d3) = addWithCarry(accumulator.limb3, q3, d2)
    return (s0, UInt256(s1, s2, s3, q4 &+ d3))
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

/// 1 for true and 0 for false, without a branch.
///
/// `condition ? 1 : 0` becomes control flow before the code generator sees it, which breaks chains
/// of `adc`; a `Bool` is stored as the byte 0 or 1.
@inlinable @inline(__always)
package func limb(_ condition: Bool) -> UInt64 {
  UInt64(truncatingIfNeeded: unsafeBitCast(condition, to: UInt8.self))
}

/// `a + b + carry` and the carry out; `carry` is 0 or 1. Chains become `add`, `adc`, `adc`...
@inlinable @inline(__always)
package func addWithCarry(_ a: UInt64, _ b: UInt64, _ carry: UInt64)
  -> (value: UInt64, carry: UInt64)
{
  let (sum, overflow) = a.addingReportingOverflow(b)
  let (value, overflow2) = sum.addingReportingOverflow(carry)
  return (value, limb(overflow) | limb(overflow2))
}

/// `a - b - borrow` and the borrow out; `borrow` is 0 or 1. Chains become `sub`, `sbb`, `sbb`...
@inlinable @inline(__always)
package func subtractWithBorrow(_ a: UInt64, _ b: UInt64, _ borrow: UInt64)
  -> (value: UInt64, borrow: UInt64)
{
  let (difference, overflow) = a.subtractingReportingOverflow(b)
  let (value, overflow2) = difference.subtractingReportingOverflow(borrow)
  return (value, limb(overflow) | limb(overflow2))
}

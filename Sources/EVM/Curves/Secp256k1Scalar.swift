/// An integer modulo n, the order of secp256k1's base point.
///
/// Always canonical (below n). All operations take constant time except where they say so.
///
/// Source: SEC 2, version 2.0, section 2.4.1.
package struct Secp256k1Scalar: BitwiseCopyable, Sendable {
  /// The residue, below n.
  package let value: UInt256

  @inline(__always)
  private init(canonical value: UInt256) {
    self.value = value
  }

  /// The class of a 256-bit integer.
  @inline(__always)
  package init(reducing value: UInt256) {
    // 2^256 < 2n, so one subtraction is enough.
    self.init(canonical: Self.subtractingOrderOnce(value, carry: 0))
  }

  /// n.
  @inline(__always)
  package static var order: UInt256 {
    UInt256(0xbfd2_5e8c_d036_4141, 0xbaae_dce6_af48_a03b, 0xffff_ffff_ffff_fffe, ~0)
  }

  /// n / 2, rounded down: the largest `s` of a signature in normal form (EIP-2).
  @inline(__always)
  package static var halfOrder: UInt256 {
    UInt256(0xdfe9_2f46_681b_20a0, 0x5d57_6e73_57a4_501d, ~0, 0x7fff_ffff_ffff_ffff)
  }

  @inline(__always)
  package static var zero: Secp256k1Scalar { Secp256k1Scalar(canonical: .zero) }

  @inline(__always)
  package static var one: Secp256k1Scalar { Secp256k1Scalar(canonical: .one) }

  @inline(__always)
  package var isZero: Bool { value.isZero }

  @inline(__always)
  package static func + (a: Secp256k1Scalar, b: Secp256k1Scalar) -> Secp256k1Scalar {
    let (sum, carry) = UInt256.addingWithCarry(a.value, b.value)
    return Secp256k1Scalar(canonical: subtractingOrderOnce(sum, carry: carry))
  }

  /// n minus the scalar; zero for zero.
  @inline(__always)
  package var negated: Secp256k1Scalar {
    let (difference, borrow) = UInt256.subtractingWithBorrow(.zero, value)
    let mask = 0 &- borrow
    let order = Self.order
    return Secp256k1Scalar(
      canonical: difference
        &+ UInt256(
          order.limb0 & mask, order.limb1 & mask, order.limb2 & mask, order.limb3 & mask))
  }

  package static func * (a: Secp256k1Scalar, b: Secp256k1Scalar) -> Secp256k1Scalar {
    let (low, high) = UInt256.multiplyFullWidth(a.value, b.value)
    return reduce(low, high)
  }

  package var squared: Secp256k1Scalar {
    let (low, high) = value.squaredFullWidth
    return Self.reduce(low, high)
  }

  /// The inverse, zero for zero, in constant time: the power n - 2 by windows of four bits.
  ///
  /// Branches and indexes follow the exponent, which is public.
  package var inverse: Secp256k1Scalar {
    var powers = InlineArray<16, Secp256k1Scalar>(repeating: .one)
    var index = 1
    while index < 16 {
      powers[index] = powers[index &- 1] * self
      index &+= 1
    }
    let exponent = Self.order &- UInt256(2 as UInt64)
    var result = Secp256k1Scalar.one
    index = 0
    while index < 64 {
      let byte = exponent.bigEndianByte(index >> 1)
      let digit = Int(index & 1 == 0 ? byte >> 4 : byte & 15)
      result = result.squared.squared.squared.squared
      if digit != 0 { result = result * powers[digit] }
      index &+= 1
    }
    return result
  }

  /// The inverse, zero for zero, in variable time: for public values only.
  package var inverseInVariableTime: Secp256k1Scalar {
    Secp256k1Scalar(
      canonical: ModularInverse.variableTime(
        of: value, modulus: Self.order, negatedInverse: 0x4b0d_ff66_5588_b13f))
  }

  /// A value below 2n, given as a word and a carry of 2^256, reduced to below n.
  @inline(__always)
  private static func subtractingOrderOnce(_ value: UInt256, carry: UInt64) -> UInt256 {
    // The value is n or more exactly when adding 2^256 - n carries out; the sum is value - n.
    let (sum, carryOut) = UInt256.addingWithCarry(
      value, UInt256(complement0, complement1, 1, 0))
    return UInt256.select(mask: 0 &- (carry | carryOut), sum, value)
  }

  /// 2^256 - n is 2^128 + complement1 * 2^64 + complement0.
  @inline(__always)
  private static var complement0: UInt64 { 0x402d_a173_2fc9_bebf }

  @inline(__always)
  private static var complement1: UInt64 { 0x4551_2319_50b7_5fc4 }

  /// The class of a 512-bit integer: what stands above 2^256 is folded down three times.
  @inline(__always)
  private static func reduce(_ low: UInt256, _ high: UInt256) -> Secp256k1Scalar {
    // First: high * (2^256 - n) + low is below 2^386.
    let (m0, t1) = UInt256.multiplyAddRow(complement0, high, low)
    let (m1, t2) = UInt256.multiplyAddRow(complement1, high, t1)
    let (m, m6) = UInt256.addingWithCarry(t2, high)
    // Second: the 130 bits above give less than 2^259 + 2^256.
    let above = UInt256(m.limb2, m.limb3, m6, 0)
    let (p0, u1) = UInt256.multiplyAddRow(
      complement0, above, UInt256(m0, m1, m.limb0, m.limb1))
    let (p1, u2) = UInt256.multiplyAddRow(complement1, above, u1)
    let p = u2 &+ above
    // Third: the few bits above (limb 4 of the sum) give at most 2^256 + 2^133.
    let top = p.limb2
    let (q0, c0) = multiplyAdd(top, complement0, p0, 0)
    let (q1, c1) = multiplyAdd(top, complement1, p1, c0)
    let (q2, c2) = addWithCarry(p.limb0, top, 0)
    let (q2b, c3) = addWithCarry(q2, c1, 0)
    let (q3, c4) = addWithCarry(p.limb1, c2 &+ c3, 0)
    return Secp256k1Scalar(
      canonical: subtractingOrderOnce(UInt256(q0, q1, q2b, q3), carry: c4))
  }
}

extension UInt256 {
  @inlinable @inline(__always)
  public static func & (a: UInt256, b: UInt256) -> UInt256 {
    UInt256(a.limb0 & b.limb0, a.limb1 & b.limb1, a.limb2 & b.limb2, a.limb3 & b.limb3)
  }

  @inlinable @inline(__always)
  public static func | (a: UInt256, b: UInt256) -> UInt256 {
    UInt256(a.limb0 | b.limb0, a.limb1 | b.limb1, a.limb2 | b.limb2, a.limb3 | b.limb3)
  }

  @inlinable @inline(__always)
  public static func ^ (a: UInt256, b: UInt256) -> UInt256 {
    UInt256(a.limb0 ^ b.limb0, a.limb1 ^ b.limb1, a.limb2 ^ b.limb2, a.limb3 ^ b.limb3)
  }

  @inlinable @inline(__always)
  public static prefix func ~ (a: UInt256) -> UInt256 {
    UInt256(~a.limb0, ~a.limb1, ~a.limb2, ~a.limb3)
  }

  /// Bit `index`, counted from the least significant (0 to 255).
  @inlinable @inline(__always)
  public func bit(_ index: Int) -> Bool {
    let limb: UInt64
    switch index >> 6 {
    case 0: limb = limb0
    case 1: limb = limb1
    case 2: limb = limb2
    default: limb = limb3
    }
    return (limb >> UInt64(index & 63)) & 1 != 0
  }

  /// Logical shift left by 0 to 255 bits; more gives zero.
  @inlinable
  public static func << (a: UInt256, count: UInt64) -> UInt256 {
    if count >= 256 { return .zero }
    let bits = count & 63
    // Shifting by 64 - bits in two steps keeps the count below 64 when bits is 0.
    let r0 = a.limb0 << bits
    let r1 = (a.limb1 << bits) | ((a.limb0 >> 1) >> (63 &- bits))
    let r2 = (a.limb2 << bits) | ((a.limb1 >> 1) >> (63 &- bits))
    let r3 = (a.limb3 << bits) | ((a.limb2 >> 1) >> (63 &- bits))
    switch count >> 6 {
    case 0: return UInt256(r0, r1, r2, r3)
    case 1: return UInt256(0, r0, r1, r2)
    case 2: return UInt256(0, 0, r0, r1)
    default: return UInt256(0, 0, 0, r0)
    }
  }

  /// Logical shift right by 0 to 255 bits; more gives zero.
  @inlinable
  public static func >> (a: UInt256, count: UInt64) -> UInt256 {
    if count >= 256 { return .zero }
    let bits = count & 63
    let r3 = a.limb3 >> bits
    let r2 = (a.limb2 >> bits) | ((a.limb3 << 1) << (63 &- bits))
    let r1 = (a.limb1 >> bits) | ((a.limb2 << 1) << (63 &- bits))
    let r0 = (a.limb0 >> bits) | ((a.limb1 << 1) << (63 &- bits))
    switch count >> 6 {
    case 0: return UInt256(r0, r1, r2, r3)
    case 1: return UInt256(r1, r2, r3, 0)
    case 2: return UInt256(r2, r3, 0, 0)
    default: return UInt256(r3, 0, 0, 0)
    }
  }

  /// Arithmetic shift right: copies of the sign come in from above.
  @inlinable
  public func shiftedRightArithmetic(_ count: UInt64) -> UInt256 {
    if !isNegative { return self >> count }
    if count >= 256 { return .max }
    return ~(~self >> count)
  }

  /// Copies bit `8 * byteIndex + 7` into all bits above it (SIGNEXTEND); 31 and more change
  /// nothing.
  @inlinable
  public func signExtended(fromByte byteIndex: UInt256) -> UInt256 {
    if !byteIndex.fitsUInt64 || byteIndex.limb0 >= 31 { return self }
    let shift = 248 &- byteIndex.limb0 &* 8
    return (self << shift).shiftedRightArithmetic(shift)
  }
}

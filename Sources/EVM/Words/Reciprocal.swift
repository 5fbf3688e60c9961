/// A normalised 64-bit divisor and its reciprocal: division of two limbs by one without a
/// division instruction.
///
/// Niels Möller and Torbjörn Granlund, "Improved division by invariant integers", IEEE
/// Transactions on Computers, 2011: algorithms 1 to 6. No step can trap, and no 128-bit division is
/// needed, which few machines have.
struct Reciprocal: BitwiseCopyable {
  /// The divisor, its top bit set.
  let divisor: UInt64
  /// `floor((2^128 - 1) / divisor) - 2^64`.
  let value: UInt64

  /// A reciprocal that was computed before.
  @inline(__always)
  init(normalized divisor: UInt64, value: UInt64) {
    self.divisor = divisor
    self.value = value
  }

  /// The reciprocal of a divisor whose top bit is set (algorithm 3, its first approximation
  /// divided instead of looked up).
  @inline(__always)
  init(normalized divisor: UInt64) {
    self.divisor = divisor
    let odd = divisor & 1
    // Nine bits, at least 256: never a division by zero.
    let top9 = UInt32(truncatingIfNeeded: divisor &>> 55) | 256
    let top40 = (divisor &>> 24) &+ 1
    let half = (divisor &>> 1) &+ odd
    let v0 = UInt64((0x7FD00 as UInt32) / top9)
    let v1 = (v0 &<< 11) &- ((v0 &* v0 &* top40) &>> 40) &- 1
    let v2 = (v1 &<< 13) &+ ((v1 &* ((1 << 60) &- v1 &* top40)) &>> 47)
    let error = ((v2 &>> 1) & (0 &- odd)) &- v2 &* half
    let v3 = (v2 &<< 31) &+ (v2.multipliedFullWidth(by: error).high &>> 1)
    let correction = multiplyAdd(v3, divisor, divisor, 0).high &+ divisor
    value = v3 &- correction
  }

  /// `(high, low)` divided by the divisor; `high < divisor` (algorithm 4).
  @inline(__always)
  func divide(_ high: UInt64, _ low: UInt64) -> (quotient: UInt64, remainder: UInt64) {
    // value * high + (high, low) < 2^128, as high < divisor.
    let estimate = UInt128(value) &* UInt128(high) &+ (UInt128(high) << 64 | UInt128(low))
    var quotient = UInt64(truncatingIfNeeded: estimate >> 64) &+ 1
    var remainder = low &- quotient &* divisor
    if remainder > UInt64(truncatingIfNeeded: estimate) {
      quotient &-= 1
      remainder = remainder &+ divisor
    }
    if remainder >= divisor {
      quotient &+= 1
      remainder = remainder &- divisor
    }
    return (quotient, remainder)
  }
}

/// A normalised 128-bit divisor and its reciprocal: division of three limbs by two.
struct Reciprocal128: BitwiseCopyable {
  /// The divisor, its top bit set.
  let divisor: UInt128
  /// `floor((2^192 - 1) / divisor) - 2^64`.
  let value: UInt64

  /// The reciprocal of the divisor `(high, low)`, the top bit of `high` set (algorithm 6).
  @inline(__always)
  init(normalized high: UInt64, _ low: UInt64) {
    divisor = UInt128(high) << 64 | UInt128(low)
    var v = Reciprocal(normalized: high).value
    var p = high &* v &+ low
    if p < low {
      v &-= 1
      if p >= high {
        v &-= 1
        p = p &- high
      }
      p = p &- high
    }
    let t = v.multipliedFullWidth(by: low)
    p = p &+ t.high
    if p < t.high {
      v &-= 1
      if (UInt128(p) << 64 | UInt128(t.low)) >= divisor { v &-= 1 }
    }
    value = v
  }

  /// `(high, middle, low)` divided by the divisor; `(high, middle) < divisor` (algorithm 5).
  @inline(__always)
  func divide(_ high: UInt64, _ middle: UInt64, _ low: UInt64)
    -> (quotient: UInt64, remainder: UInt128)
  {
    let estimate = UInt128(value) &* UInt128(high) &+ (UInt128(high) << 64 | UInt128(middle))
    var quotient = UInt64(truncatingIfNeeded: estimate >> 64)
    let top = middle &- quotient &* UInt64(truncatingIfNeeded: divisor >> 64)
    let product = UInt128(quotient) &* UInt128(UInt64(truncatingIfNeeded: divisor))
    var remainder = (UInt128(top) << 64 | UInt128(low)) &- product &- divisor
    quotient &+= 1
    if UInt64(truncatingIfNeeded: remainder >> 64) >= UInt64(truncatingIfNeeded: estimate) {
      quotient &-= 1
      remainder = remainder &+ divisor
    }
    if remainder >= divisor {
      quotient &+= 1
      remainder = remainder &- divisor
    }
    return (quotient, remainder)
  }
}

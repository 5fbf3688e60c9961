/// A 128-bit integer written in signed odd digits, at most one in any `width` neighbouring places.
///
/// The integer is the sum of `digit(at: i) * 2^i`; digits are zero, or odd and below 2^(width - 1)
/// in magnitude (width-w non-adjacent form: Solinas, "Efficient arithmetic on Koblitz curves",
/// 2000). For public scalars only: time and places follow the value.
struct WindowedDigits: BitwiseCopyable {
  /// Digits of a 128-bit integer: a carry may add one place.
  @inline(__always)
  static var count: Int { 129 }

  private var digits = InlineArray<129, Int8>(repeating: 0)

  /// The digits of `number`, for a width of 2 to 8.
  init(_ number: SignedMagnitude128, width: Int) {
    var remaining = number.magnitude
    var place = 0
    while remaining != 0 {
      let zeros = remaining.trailingZeroBitCount
      remaining >>= UInt128(zeros)
      place &+= zeros
      let window = Int(truncatingIfNeeded: remaining) & ((1 << width) &- 1)
      remaining >>= UInt128(width)
      var digit = window
      if window >> (width &- 1) != 0 {
        // The upper half becomes negative; what is left takes the carry, and has room for it.
        digit &-= 1 << width
        remaining &+= 1
      }
      // An odd bit at `place` was in the number or carried out of its last digit: place <= 128.
      digits[unchecked: place] = Int8(truncatingIfNeeded: number.isNegative ? 0 &- digit : digit)
      place &+= width
    }
  }

  /// The digit at a place from 0 to 128.
  @inline(__always)
  func digit(at place: Int) -> Int {
    // `place` is below `count` in every caller's loop.
    Int(digits[unchecked: place])
  }
}

/// An integer between -2^128 and 2^128, as its sign and magnitude.
struct SignedMagnitude128: BitwiseCopyable {
  let isNegative: Bool
  let magnitude: UInt128

  /// A number that is not negative, from its two limbs.
  @inline(__always)
  init(low: UInt64, high: UInt64) {
    self.init(low: low, high: high, isNegative: false)
  }

  /// The signed value of a word whose magnitude is known to be below 2^128.
  @inline(__always)
  init(_ word: UInt256) {
    let magnitude = word.magnitude
    self.init(low: magnitude.limb0, high: magnitude.limb1, isNegative: word.isNegative)
  }

  @inline(__always)
  private init(low: UInt64, high: UInt64, isNegative: Bool) {
    self.isNegative = isNegative
    magnitude = UInt128(high) << 64 | UInt128(low)
  }
}

/// A 128-bit integer written in signed odd digits, at most one in any `width` neighbouring places.
///
/// The integer is the sum of `digit(i) * 2^i`; digits are zero or odd and below 2^(width - 1) in
/// magnitude (width-w non-adjacent form: Solinas, "Efficient arithmetic on Koblitz curves", 2000).
/// For public scalars only: places of digits follow the value.
struct WindowedDigits: BitwiseCopyable {
  /// Digits of a 128-bit integer: a carry may add one place.
  static var count: Int { 129 }

  private var digits = InlineArray<129, Int8>(repeating: 0)

  /// The digits of `number`, for a width of 2 to 8.
  @inline(__always)
  init(_ number: SignedMagnitude128, width: Int) {
    let mask = (1 as UInt64) << UInt64(width) &- 1
    var remaining = number.magnitude
    var carry: UInt64 = 0
    var place = 0
    while place < Self.count {
      let bits = UInt64(truncatingIfNeeded: remaining)
      if bits & 1 == carry {
        // An even number: this place stays zero. (Skipping is by one place: runs are short.)
        remaining >>= 1
        place &+= 1
        continue
      }
      // Odd, at most 2^width - 1: the upper half becomes negative and carries.
      let window = bits & mask &+ carry
      carry = window >> UInt64(width &- 1) & 1
      let digit = Int(truncatingIfNeeded: window) &- Int(truncatingIfNeeded: carry) << width
      digits[unchecked: place] = Int8(truncatingIfNeeded: number.isNegative ? 0 &- digit : digit)
      remaining >>= UInt128(width)
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

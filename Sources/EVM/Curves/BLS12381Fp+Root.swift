extension BLS12381Fp {
  /// `a^((p-3)/4)`, from which square roots and their inverses come.
  ///
  /// Sliding windows of four bits over the 379-bit exponent.
  var powerOfQuarter: BLS12381Fp {
    let square = squared
    // Odd powers: entry i is a^(2i + 1).
    var odd = InlineArray<8, BLS12381Fp>(repeating: self)
    for index in 1..<8 { odd[unchecked: index] = odd[unchecked: index &- 1] * square }
    var result = BLS12381Fp.one
    var isOne = true
    var bit = 378
    while bit >= 0 {
      if !Self.quarterExponentBit(bit) {
        result = result.squared
        bit &-= 1
        continue
      }
      // The longest window of at most four bits that ends in a set bit.
      var low = bit >= 3 ? bit &- 3 : 0
      while !Self.quarterExponentBit(low) { low &+= 1 }
      var value = 0
      while bit >= low {
        if !isOne { result = result.squared }
        value = value << 1 | (Self.quarterExponentBit(bit) ? 1 : 0)
        bit &-= 1
      }
      // The value is odd and below 16.
      result = isOne ? odd[unchecked: value >> 1] : result * odd[unchecked: value >> 1]
      isOne = false
    }
    return result
  }

  /// A bit of `(p-3)/4`, for bits 0 to 378: bit `i + 2` of `p` (`p` is 3 modulo 4).
  @inline(__always)
  private static func quarterExponentBit(_ index: Int) -> Bool {
    let position = index &+ 2
    let limb: UInt64
    switch position >> 6 {
    case 0: limb = Modulus.limb0
    case 1: limb = Modulus.limb1
    case 2: limb = Modulus.limb2
    case 3: limb = Modulus.limb3
    case 4: limb = Modulus.limb4
    default: limb = Modulus.limb5
    }
    return limb >> UInt64(truncatingIfNeeded: position & 63) & 1 != 0
  }

  /// A square root `a^((p+1)/4)` (`p` is 3 modulo 4), or `nil` when there is none.
  var squareRoot: BLS12381Fp? {
    let root = powerOfQuarter * self
    return root.squared == self ? root : nil
  }
}

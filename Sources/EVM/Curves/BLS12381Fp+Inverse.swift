extension BLS12381Fp {
  /// Inverse; zero for zero. `a^(p-2)` (Fermat).
  var inverse: BLS12381Fp {
    // p - 2 = 4 (p-3)/4 + 1.
    powerOfQuarter.squared.squared * self
  }

  /// `a^((p-3)/4)`, from which square roots and their inverses come.
  ///
  /// Fixed windows of four bits over the 379-bit exponent.
  var powerOfQuarter: BLS12381Fp {
    let square = squared
    // Odd powers: entry i is a^(2i + 1).
    var odd = InlineArray<8, BLS12381Fp>(repeating: self)
    for index in 1..<8 { odd[index] = odd[index &- 1] * square }
    var result = BLS12381Fp.one
    var bit = 379
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
        result = result.squared
        value = value << 1 | (Self.quarterExponentBit(bit) ? 1 : 0)
        bit &-= 1
      }
      result = result * odd[value >> 1]
    }
    return result
  }

  /// A bit of `(p-3)/4`, for bits 0 to 383: bit `i + 2` of `p` (`p` is 3 modulo 4).
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
    case 5: limb = Modulus.limb5
    default: limb = 0
    }
    return limb >> UInt64(truncatingIfNeeded: position & 63) & 1 != 0
  }

  /// A square root `a^((p+1)/4)` (`p` is 3 modulo 4), or `nil` when there is none.
  var squareRoot: BLS12381Fp? {
    let root = powerOfQuarter * self
    return root.squared == self ? root : nil
  }
}

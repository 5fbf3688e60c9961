extension MontgomeryField256 {
  /// The multiplicative inverse in variable time, for public values only; zero for zero.
  var inverse: Self {
    // The number at hand is a·R, its inverse 1/(a·R); times R^3 in Montgomery form gives R/a.
    let number = ModularInverse.variableTime(
      of: montgomery, modulus: P.modulus, negatedInverse: P.negatedInverse)
    return Self(montgomery: Self.product(number, P.rCubed))
  }

  /// The multiplicative inverse as the power p - 2 (Fermat): the sequence of operations does not
  /// depend on the value. Zero for zero.
  var inverseByPower: Self { power(P.modulus &- UInt256(2)) }

  /// This to a public exponent; its time depends on the exponent alone. Zero to zero is one.
  func power(_ exponent: UInt256) -> Self {
    // Left to right, four bits at a time.
    var table = InlineArray<16, Self>(repeating: .one)
    var entry = 1
    while entry < 16 {
      table[unchecked: entry] = table[unchecked: entry &- 1] * self
      entry &+= 1
    }
    var result = Self.one
    var position = (exponent.bitWidth &+ 3) & ~3
    while position > 0 {
      position &-= 4
      result = result.squared.squared.squared.squared
      let digit = Int(truncatingIfNeeded: (exponent >> UInt64(position)).limb0 & 15)
      if digit != 0 { result = result * table[unchecked: digit] }
    }
    return result
  }

  /// A square root where p = 3 modulo 4, or `nil` when there is none: the power (p + 1)/4.
  var squareRoot: Self? {
    // (p + 1)/4 = (p - 3)/4 + 1, and the first part is p shifted, whatever p's width.
    let root = power((P.modulus >> 2) &+ .one)
    return root.squared == self ? root : nil
  }
}

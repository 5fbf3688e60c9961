extension Secp256k1Field {
  /// The inverse, zero for zero, in constant time: the power p - 2 (Fermat).
  ///
  /// p - 2 is 223 ones, a zero, 22 ones, and 0000101101: the addition chain builds runs of ones.
  /// 255 squarings, 15 multiplications.
  package var inverse: Secp256k1Field {
    let runs = powersOfOnes
    var t = runs.x223.squared(times: 23) * runs.x22
    t = t.squared(times: 5) * self
    t = t.squared(times: 3) * runs.x2
    return t.squared(times: 2) * self
  }

  /// The inverse, zero for zero, in variable time: for public values only.
  var inverseInVariableTime: Secp256k1Field {
    Secp256k1Field(
      ModularInverse.variableTime(
        of: canonical, modulus: Self.modulus, negatedInverse: 0xd838_091d_d225_3531))
  }

  /// A square root when there is one: the power (p + 1) / 4, as p is 3 modulo 4.
  ///
  /// For a non-residue the result is a root of the negated element, so the caller squares it to
  /// check. 253 squarings, 13 multiplications, constant time.
  package var squareRootCandidate: Secp256k1Field {
    let runs = powersOfOnes
    var t = runs.x223.squared(times: 23) * runs.x22
    t = t.squared(times: 6) * runs.x2
    return t.squared(times: 2)
  }

  /// The powers 2^2 - 1, 2^22 - 1 and 2^223 - 1: exponents that are runs of ones.
  @inline(__always)
  private var powersOfOnes: (x2: Secp256k1Field, x22: Secp256k1Field, x223: Secp256k1Field) {
    let x2 = squared * self
    let x3 = x2.squared * self
    let x6 = x3.squared(times: 3) * x3
    let x9 = x6.squared(times: 3) * x3
    let x11 = x9.squared(times: 2) * x2
    let x22 = x11.squared(times: 11) * x11
    let x44 = x22.squared(times: 22) * x22
    let x88 = x44.squared(times: 44) * x44
    let x176 = x88.squared(times: 88) * x88
    let x220 = x176.squared(times: 44) * x44
    return (x2, x22, x220.squared(times: 3) * x3)
  }
}

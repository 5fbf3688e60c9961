/// Four of the six `Fp2` coordinates of an element after the pairing's easy part, which are enough to
/// square it: four products in `Fp2` instead of six. The other two follow from them.
///
/// Source: Karabina, "Squaring in cyclotomic subgroups", eprint 2010/542, as Aranha et al.,
/// EUROCRYPT 2011, section 5.2, write it. With `s^2 = 1 + u` the element is
/// `(g0 + g1 s) + (g2 + g3 s) w + (g4 + g5 s) w^2`.
struct BLS12381CompressedUnit: BitwiseCopyable {
  private var g2: BLS12381.Fp2
  private var g3: BLS12381.Fp2
  private var g4: BLS12381.Fp2
  private var g5: BLS12381.Fp2

  /// The coordinates of an element whose order divides `p^4 - p^2 + 1`.
  init(_ element: BLS12381.Fp12) {
    g2 = element.c1.c0
    g3 = element.c0.c2
    g4 = element.c0.c1
    g5 = element.c1.c2
  }

  /// Squares the element.
  @inline(never)
  mutating func square() {
    let b23 = g2 * g3
    let b45 = g4 * g5
    // g2^2 + (1 + u) g3^2, and the same of g4 and g5.
    let c23 = (g2 + g3) * (g2 + g3.timesNonResidue) - b23 - b23.timesNonResidue
    let shifted45 = b45.timesNonResidue
    let c45 = (g4 + g5) * (g4 + g5.timesNonResidue) - b45 - shifted45
    g2 = (shifted45.doubled + shifted45 + g2).doubled
    g3 = (c45 - g3).doubled + c45
    g4 = (c23 - g4).doubled + c23
    g5 = (b23.doubled + b23 + g5).doubled
  }

  /// `4 g2`, whose inverse the other coordinates need; zero for one, and hardly anything else.
  fileprivate var denominator: BLS12381.Fp2 { g2.doubled.doubled }

  /// The whole element, given the inverse of `denominator`.
  fileprivate func element(inverse: BLS12381.Fp2) -> BLS12381.Fp12 {
    // g1 = ((1 + u) g5^2 + 3 g4^2 - 2 g3) / (4 g2)
    let square4 = g4.squared
    let g1 =
      (g5.squared.timesNonResidue + (square4.doubled + square4) - g3.doubled) * inverse
    // g0 = (2 g1^2 + g2 g5 - 3 g3 g4) (1 + u) + 1
    let g34 = g3 * g4
    let g0 =
      (g1.squared.doubled + g2 * g5 - (g34.doubled + g34)).timesNonResidue + .one
    return BLS12381.Fp12(BLS12381.Fp6(g0, g4, g3), BLS12381.Fp6(g2, g1, g5))
  }
}

extension BLS12381 {
  /// The power `|x|` of an element whose order divides `p^4 - p^2 + 1`.
  ///
  /// The parameter has six bits set: their powers are kept in one chain of compressed squarings
  /// and recovered with one inversion.
  static func powerParameter(_ f: Fp12) -> Fp12 {
    var unit = BLS12381CompressedUnit(f)
    var units = InlineArray<6, BLS12381CompressedUnit>(repeating: unit)
    var products = InlineArray<6, Fp2>(repeating: .one)
    var product = Fp2.one
    var count = 0
    var bit: UInt64 = 0
    while true {
      if parameter >> bit & 1 != 0 {
        units[unchecked: count] = unit
        products[unchecked: count] = product
        product = product * unit.denominator
        count &+= 1
      }
      if bit == 63 { break }
      unit.square()
      bit &+= 1
    }
    if product.isZero { return plainPowerParameter(f) }
    // From the last to the first, `inverse` is that of the product up to the power (Montgomery).
    var inverse = product.inverse
    count &-= 1
    var result = units[unchecked: count].element(inverse: inverse * products[unchecked: count])
    while count > 0 {
      inverse = inverse * units[unchecked: count].denominator
      count &-= 1
      result =
        result * units[unchecked: count].element(inverse: inverse * products[unchecked: count])
    }
    return result
  }

  /// The same power by squarings of whole elements, for all of them, one included.
  static func plainPowerParameter(_ f: Fp12) -> Fp12 {
    var result = f
    var bit: UInt64 = 63
    while bit > 0 {
      bit &-= 1
      result = result.cyclotomicSquared
      if parameter >> bit & 1 != 0 { result = result * f }
    }
    return result
  }
}

/// The pairing-friendly curve BLS12-381 of EIP-2537 and EIP-4844: `y^2 = x^3 + 4` over `Fp`.
///
/// A Barreto-Lynn-Scott curve with `x = -0xd201000000010000`, `p = (x - 1)^2 r / 3 + x` and the
/// group order `r = x^4 - x^2 + 1`. Tower: `Fp2 = Fp[u]/(u^2 + 1)`, `Fp6 = Fp2[v]/(v^3 - (1 + u))`,
/// `Fp12 = Fp6[w]/(w^2 - v)`. The points of order `r` of the curve are G1, those of its twist
/// `y^2 = x^3 + 4 (1 + u)` over `Fp2` are G2. Both curves have further points: members of a group
/// must be told from them.
enum BLS12381 {
  /// The base field.
  typealias Fp = BLS12381Fp
  /// The quadratic extension.
  typealias Fp2 = BLS12381Fp2
  /// The sextic extension.
  typealias Fp6 = CubicExtension<BLS12381Fp2>
  /// The field of the pairing's values.
  typealias Fp12 = DodecicExtension<BLS12381Fp2>
  /// A point over `Fp`.
  typealias G1Affine = AffinePoint<BLS12381Fp>
  /// A point over `Fp2`, on the twist.
  typealias G2Affine = AffinePoint<BLS12381Fp2>
  /// A point over `Fp` with a denominator.
  typealias G1 = JacobianPoint<BLS12381Fp>
  /// A point over `Fp2` with a denominator.
  typealias G2 = JacobianPoint<BLS12381Fp2>

  /// `|x|`; the curve's parameter `x` is its negation.
  @inline(__always)
  static var parameter: UInt64 { 0xd201_0000_0001_0000 }

  /// The group order `r`.
  @inline(__always)
  static var order: UInt256 {
    UInt256(
      0xffff_ffff_0000_0001, 0x53bd_a402_fffe_5bfe, 0x3339_d808_09a1_d805, 0x73ed_a753_299d_7d48)
  }

  /// `|x|` times a point: 63 doublings and five additions.
  static func timesParameter<Field: FiniteField>(_ point: AffinePoint<Field>)
    -> JacobianPoint<Field>
  {
    var result = JacobianPoint(point)
    var bit: UInt64 = 63
    while bit > 0 {
      bit &-= 1
      result = result.doubled
      if parameter >> bit & 1 != 0 { result = result.adding(point) }
    }
    return result
  }

  /// `|x|` times a point: 63 doublings and five additions.
  static func timesParameter<Field: FiniteField>(_ point: JacobianPoint<Field>)
    -> JacobianPoint<Field>
  {
    var result = point
    var bit: UInt64 = 63
    while bit > 0 {
      bit &-= 1
      result = result.doubled
      if parameter >> bit & 1 != 0 { result = result + point }
    }
    return result
  }
}

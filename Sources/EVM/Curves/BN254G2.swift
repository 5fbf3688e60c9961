/// The group G2: the points of order r on the twist.
extension BN254 {
  /// b of the twist y^2 = x^3 + b: 3/(9 + u), in Montgomery form.
  @inline(__always)
  static var g2B: Fp2 {
    Fp2(
      Fp(
        montgomery: UInt256(
          0x3bf9_38e3_77b8_02a8, 0x020b_1b27_3633_535d, 0x26b7_edf0_4975_5260, 0x2514_c632_4384_a86d
        )),
      Fp(
        montgomery: UInt256(
          0x38e7_eccc_d1dc_ff67, 0x65f0_b37d_93ce_0d3e, 0xd749_d0dd_22ac_00aa, 0x0141_b9ce_4a68_8d4d
        )))
  }

  /// The curve's parameter x.
  static var x: UInt64 { 4_965_661_367_192_848_881 }

  /// The p-power Frobenius carried over to the twist: (x, y) to (x^p·ξ^((p-1)/3), y^p·ξ^((p-1)/2)).
  @inline(__always)
  static func frobenius(_ point: G2Affine) -> G2Affine {
    G2Affine(
      x: point.x.conjugate.timesFrobeniusCoefficient(index: 2, power: 1),
      y: point.y.conjugate.timesFrobeniusCoefficient(index: 3, power: 1))
  }

  /// The same map in Jacobian coordinates.
  @inline(__always)
  static func frobenius(_ point: JacobianPoint<Fp2>) -> JacobianPoint<Fp2> {
    JacobianPoint(
      x: point.x.conjugate.timesFrobeniusCoefficient(index: 2, power: 1),
      y: point.y.conjugate.timesFrobeniusCoefficient(index: 3, power: 1),
      z: point.z.conjugate)
  }

  /// Whether a point of the twist (on the curve, or infinity) has an order that divides r.
  ///
  /// With ψ the Frobenius above, tests (x + 1)·Q + ψ(x·Q) + ψ²(x·Q) = ψ³(2x·Q) (Dai, Lin, Zhao and
  /// Zhou, "Fast subgroup membership testings for G1, G2 and GT on pairing-friendly curves", 2022).
  /// Necessary: on G2 ψ is multiplication by p, and x + 1 + x·p + x·p² - 2x·p³ = 0 modulo r.
  /// Sufficient: ψ² - t·ψ + p = 0 on the whole twist with t = 6x² + 1, so a point that satisfies
  /// the equation is annihilated by the resultant N of that polynomial and
  /// x + 1 + x·z + x·z² - 2x·z³; it is annihilated by the twist's order r·(2p - r) too, and
  /// gcd(N, r·(2p - r)) = r (`Tools/generators/bn254_constants.py` computes it).
  static func isInSubgroup(_ point: G2Affine) -> Bool {
    if point.isInfinity { return true }
    let multiple = timesX(point)
    let once = frobenius(multiple)
    let twice = frobenius(once)
    let right = frobenius(twice).doubled
    return multiple.adding(point) + once + twice == right
  }

  /// x times a point of the twist.
  private static func timesX(_ point: G2Affine) -> JacobianPoint<Fp2> {
    // Non-adjacent form of x (63 digits, the first is 1): places of the digits 1 and -1.
    let plus: UInt64 = 0x450a_1404_4a89_0a01
    let minus: UInt64 = 0x0020_8150_0020_0010
    let negated = -point
    var sum = JacobianPoint(point)
    var place: UInt64 = 62
    while place > 0 {
      place &-= 1
      sum = sum.doubled
      if plus >> place & 1 != 0 { sum = sum.adding(point) }
      if minus >> place & 1 != 0 { sum = sum.adding(negated) }
    }
    return sum
  }
}

/// Maps from field elements to points of G1 and G2 (EIP-2537; RFC 9380, sections 6.6.3 and 8.8): the
/// simplified Shallue-van de Woestijne-Ulas map to an isogenous curve `y^2 = x^3 + A' x + B'`, the
/// isogeny, and the cofactor's clearing.
///
/// The first candidate is `x1 = -B'/A' (1 + 1/(t^2 + t))` with `t = Z u^2`, or `B'/(Z A')` where
/// the denominator is zero; where `g(x1)` is not a square, `x2 = t x1` has `g(x2) = t^3 g(x1)`,
/// which is one. Of the two roots, y is the one with the sign of u.
extension BLS12381 {
  /// The point of G1 for an element of `Fp`.
  static func mapToG1(_ u: Fp) -> G1 {
    let t = u.squared.timesEleven
    let denominator = t.squared + t
    var x = mapCandidate(
      t: t, denominator: denominator, a: Fp.isogenousA, b: Fp.isogenousB, z: Fp.one.timesEleven)
    let g = (x.squared + Fp.isogenousA) * x + Fp.isogenousB
    // root^2 is g, or -g where that is the square.
    var y = g.powerOfQuarter * g
    if y.squared != g {
      // (t u sqrt(-Z) root)^2 = -t^2 u^2 Z (-g) = t^3 g.
      y = y * Fp.rootOfNegatedZ * (t * u)
      x = x * t
    }
    if y.isOdd != u.isOdd { y = -y }
    return clearCofactor(isogeny(G1Affine(x: x, y: y)))
  }

  /// The point of G2 for an element of `Fp2`.
  static func mapToG2(_ u: Fp2) -> G2 {
    let t = u.squared * Fp2.mapZ
    let denominator = t.squared + t
    var x = mapCandidate(
      t: t, denominator: denominator, a: Fp2.isogenousA, b: Fp2.isogenousB, z: Fp2.mapZ)
    var g = (x.squared + Fp2.isogenousA) * x + Fp2.isogenousB
    // g is a square in Fp2 exactly where its norm is one in Fp. root^2 is the norm, or its negation.
    let norm = g.norm
    var root = norm.powerOfQuarter * norm
    if root.squared != norm {
      // The norm of t^3 g is N(Z)^3 N(u)^6 N(g).
      let normOfU = u.norm
      root = root * Fp.rootOfNegatedNormCubed * (normOfU.squared * normOfU)
      g = t.squared * t * g
      x = x * t
    }
    var y = g.squareRoot(rootOfNorm: root)
    if y.isOdd != u.isOdd { y = -y }
    return clearCofactor(isogeny(G2Affine(x: x, y: y)))
  }

  /// The first candidate for x.
  @inline(__always)
  private static func mapCandidate<Field: FiniteField>(
    t: Field, denominator: Field, a: Field, b: Field, z: Field
  ) -> Field {
    denominator.isZero
      ? b * (z * a).inverse : b * (denominator + .one) * (-(a * denominator)).inverse
  }

  /// The 11-isogeny to G1's curve.
  @inline(never)
  private static func isogeny(_ point: G1Affine) -> G1 {
    isogeny(
      point,
      polynomial(point.x, at: 0, count: 12, of: g1Coefficient),
      monicPolynomial(point.x, at: 12, count: 10, of: g1Coefficient),
      polynomial(point.x, at: 22, count: 16, of: g1Coefficient),
      monicPolynomial(point.x, at: 38, count: 15, of: g1Coefficient))
  }

  /// The 3-isogeny to G2's curve.
  @inline(never)
  private static func isogeny(_ point: G2Affine) -> G2 {
    isogeny(
      point,
      polynomial(point.x, at: 0, count: 4, of: g2Coefficient),
      monicPolynomial(point.x, at: 4, count: 2, of: g2Coefficient),
      polynomial(point.x, at: 6, count: 4, of: g2Coefficient),
      monicPolynomial(point.x, at: 10, count: 3, of: g2Coefficient))
  }

  /// `(a/b, y c/d)`, or infinity where a denominator is zero.
  @inline(__always)
  private static func isogeny<Field: FiniteField>(
    _ point: AffinePoint<Field>, _ a: Field, _ b: Field, _ c: Field, _ d: Field
  ) -> JacobianPoint<Field> {
    let bd = b * d
    let bdd = bd * d
    return JacobianPoint(x: a * bdd, y: point.y * c * (b.squared * bdd), z: bd)
  }

  /// The value at `x` of the polynomial whose `count` coefficients start at `start` (Horner).
  @inline(__always)
  private static func polynomial<Field: FiniteField>(
    _ x: Field, at start: Int, count: Int, of coefficient: (Int) -> Field
  ) -> Field {
    var index = start &+ count &- 1
    var value = coefficient(index)
    while index > start {
      index &-= 1
      value = value * x + coefficient(index)
    }
    return value
  }

  /// The same with a further, leading coefficient of one.
  @inline(__always)
  private static func monicPolynomial<Field: FiniteField>(
    _ x: Field, at start: Int, count: Int, of coefficient: (Int) -> Field
  ) -> Field {
    var index = start &+ count &- 1
    var value = x + coefficient(index)
    while index > start {
      index &-= 1
      value = value * x + coefficient(index)
    }
    return value
  }

  // Indexes of elements: the callers above stay within the tables (53 and 13 elements).

  @inline(__always)
  private static func g1Coefficient(_ index: Int) -> Fp {
    let at = index &* 6
    return Fp(
      BLS12381Isogenies.g1[unchecked: at], BLS12381Isogenies.g1[unchecked: at &+ 1],
      BLS12381Isogenies.g1[unchecked: at &+ 2], BLS12381Isogenies.g1[unchecked: at &+ 3],
      BLS12381Isogenies.g1[unchecked: at &+ 4], BLS12381Isogenies.g1[unchecked: at &+ 5])
  }

  @inline(__always)
  private static func g2Coefficient(_ index: Int) -> Fp2 {
    let at = index &* 12
    return Fp2(
      Fp(
        BLS12381Isogenies.g2[unchecked: at], BLS12381Isogenies.g2[unchecked: at &+ 1],
        BLS12381Isogenies.g2[unchecked: at &+ 2], BLS12381Isogenies.g2[unchecked: at &+ 3],
        BLS12381Isogenies.g2[unchecked: at &+ 4], BLS12381Isogenies.g2[unchecked: at &+ 5]),
      Fp(
        BLS12381Isogenies.g2[unchecked: at &+ 6], BLS12381Isogenies.g2[unchecked: at &+ 7],
        BLS12381Isogenies.g2[unchecked: at &+ 8], BLS12381Isogenies.g2[unchecked: at &+ 9],
        BLS12381Isogenies.g2[unchecked: at &+ 10], BLS12381Isogenies.g2[unchecked: at &+ 11]))
  }
}

extension BLS12381Fp {
  /// This times `Z = 11` of G1's map.
  @inline(__always)
  fileprivate var timesEleven: BLS12381Fp {
    let three = doubled + self
    return three.doubled.doubled - self
  }
}

extension BLS12381Fp2 {
  /// A square root, given a square root of the norm.
  ///
  /// The complex method with one power: the real part's square is one of
  /// `(c0 + n)/2` and `(c0 - n)/2`, whose product is `-c1^2/4`, so exactly one of them is a square
  /// unless both are zero.
  fileprivate func squareRoot(rootOfNorm n: BLS12381Fp) -> BLS12381Fp2 {
    var delta = (c0 + n).halved
    // Then c1 is zero, and the other one is c0.
    if delta.isZero { delta = c0 }
    let power = delta.powerOfQuarter
    // root^2 is delta, or -delta where that is the square.
    let root = power * delta
    let other = (c1 * power).halved
    // power is 1/root where delta is a square, else -1/root.
    return root.squared == delta ? BLS12381Fp2(root, other) : BLS12381Fp2(-other, root)
  }
}

/// Membership in G1 and G2, and the maps of the whole curves into them.
///
/// Source of the membership tests: Scott, "A note on group membership tests for G1, G2 and GT on
/// BLS pairing-friendly curves", eprint 2021/1130, sections 4 and 5: on a BLS12 curve whose
/// parameter meets the conditions there (BLS12-381's does), a point of the curve is in G1 exactly
/// where `phi(P) = [-x^2] P`, and a point of the twist in G2 exactly where `psi(P) = [x] P`.
extension BLS12381 {
  /// The endomorphism `phi` of the curve: `(beta x, y)`, which is `[-x^2]` on G1.
  @inline(__always)
  static func endomorphism(_ point: G1Affine) -> G1Affine {
    G1Affine(x: point.x * Fp.beta, y: point.y)
  }

  /// The endomorphism `psi` of the twist, the Frobenius map carried over: `[x]` on G2.
  @inline(__always)
  static func endomorphism(_ point: G2Affine) -> G2Affine {
    G2Affine(
      x: point.x.conjugate * Fp2.endomorphismX, y: point.y.conjugate * Fp2.endomorphismY)
  }

  /// `psi` with a denominator.
  @inline(__always)
  static func endomorphism(_ point: G2) -> G2 {
    G2(
      x: point.x.conjugate * Fp2.endomorphismX, y: point.y.conjugate * Fp2.endomorphismY,
      z: point.z.conjugate)
  }

  /// Whether a point of the curve, or infinity, is in G1.
  @inline(never)
  static func isInSubgroup(_ point: G1Affine) -> Bool {
    if point.isInfinity { return true }
    let multiple = timesParameter(timesParameter(point))
    return isEqual(-multiple, endomorphism(point))
  }

  /// Whether a point of the twist, or infinity, is in G2.
  @inline(never)
  static func isInSubgroup(_ point: G2Affine) -> Bool {
    if point.isInfinity { return true }
    return isEqual(-timesParameter(point), endomorphism(point))
  }

  /// Whether a point with a denominator equals a finite point without.
  @inline(__always)
  private static func isEqual<Field: FiniteField>(
    _ a: JacobianPoint<Field>, _ b: AffinePoint<Field>
  ) -> Bool {
    if a.isInfinity { return false }
    let square = a.z.squared
    return a.x == b.x * square && a.y == b.y * (square * a.z)
  }

  /// A point of the curve times `1 - x`, which brings it into G1 (Wahby and Boneh, "Fast and
  /// simple constant-time hashing to the BLS12-381 elliptic curve", 2019, section 5; `h_eff` of
  /// RFC 9380, section 8.8.1).
  @inline(never)
  static func clearCofactor(_ point: G1) -> G1 {
    timesParameter(point) + point
  }

  /// `[x^2 - x - 1] P + [x - 1] psi(P) + psi^2([2] P)`, which brings a point of the twist into G2
  /// (Budroni and Pintore, "Efficient hash maps to G2 on BLS curves", 2017; the same point as by
  /// `h_eff` of RFC 9380, section 8.8.2, says its appendix G.3).
  @inline(never)
  static func clearCofactor(_ point: G2) -> G2 {
    // With a = |x|: [x^2 - x - 1] P + [x - 1] psi(P)
    //   = [a]([a] P + P - psi(P)) - P - psi(P).
    let image = endomorphism(point)
    let inner = timesParameter(point) + point + -image
    let outer = timesParameter(inner) + -point + -image
    return outer + endomorphism(endomorphism(point.doubled))
  }
}

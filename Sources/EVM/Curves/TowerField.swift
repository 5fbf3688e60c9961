/// A quadratic extension Fp2 of a pairing's base field, on which its degree 6 and degree 12
/// extensions stand: `CubicExtension` adjoins v with v^3 = ξ, `DodecicExtension` w with w^2 = v.
protocol TowerField: FiniteField {
  /// The product with ξ, which is neither a square nor a cube.
  var timesNonResidue: Self { get }
  /// The conjugate over Fp: this to the power p.
  var conjugate: Self { get }
  /// The product with ξ^(index·(p^power - 1)/6), for `index` 1 to 5 and `power` 1 to 3: how
  /// (p^power)-th powers act on w^index.
  func timesFrobeniusCoefficient(index: Int, power: Int) -> Self
}

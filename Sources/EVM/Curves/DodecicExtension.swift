/// An element c0 + c1·w of Fp12 = Fp6[w]/(w^2 - v): the values of a pairing.
///
/// Over Fp2 the coefficients of w^0 to w^5 are c0.c0, c1.c0, c0.c1, c1.c1, c0.c2, c1.c2.
struct DodecicExtension<Base: TowerField>: BitwiseCopyable, Equatable, Sendable {
  var c0: CubicExtension<Base>
  var c1: CubicExtension<Base>

  @inline(__always)
  init(_ c0: CubicExtension<Base>, _ c1: CubicExtension<Base>) {
    self.c0 = c0
    self.c1 = c1
  }

  @inline(__always)
  static var one: Self { Self(.one, .zero) }

  static func == (a: Self, b: Self) -> Bool { a.c0 == b.c0 && a.c1 == b.c1 }

  @inline(never)
  static func * (a: Self, b: Self) -> Self {
    let v0 = a.c0 * b.c0
    let v1 = a.c1 * b.c1
    let m = (a.c0 + a.c1) * (b.c0 + b.c1)
    return Self(v0 + v1.timesV, m - v0 - v1)
  }

  /// The square by the complex method: two products in Fp6.
  @inline(never)
  var squared: Self {
    let t = c0 * c1
    let m = (c0 + c1) * (c0 + c1.timesV)
    return Self(m - t - t.timesV, t.doubled)
  }

  /// The product with a + b·w + c·w^3, as a line on a divisive ("D") twist has: 13 products in Fp2.
  @inline(never)
  func timesLine(_ a: Base, _ b: Base, _ c: Base) -> Self {
    let v0 = c0.times(a)
    let v1 = c1.times(b, c)
    let m = (c0 + c1).times(a + b, c)
    return Self(v0 + v1.timesV, m - v0 - v1)
  }

  /// The product with a + b·w^2 + c·w^3, as a line on a multiplicative ("M") twist has: 13 products
  /// in Fp2.
  @inline(never)
  func timesTwistedLine(_ a: Base, _ b: Base, _ c: Base) -> Self {
    let v0 = c0.times(a, b)
    // c1·(c·v).
    let v1 = c1.times(c).timesV
    let m = (c0 + c1).times(a, b + c)
    return Self(v0 + v1.timesV, m - v0 - v1)
  }

  /// The conjugate over Fp6: this to the power p^6, and the inverse where the norm is one.
  @inline(__always)
  var conjugate: Self { Self(c0, -c1) }

  /// The multiplicative inverse; zero for zero.
  var inverse: Self {
    let norm = c0 * c0 - (c1 * c1).timesV
    let inverse = norm.inverse
    return Self(c0 * inverse, -(c1 * inverse))
  }

  /// This to the power p^power, for `power` 1 to 3.
  @inline(__always)
  func frobenius(_ power: Int) -> Self {
    Self(
      CubicExtension(
        power & 1 == 0 ? c0.c0 : c0.c0.conjugate,
        Self.frobenius(c0.c1, 2, power),
        Self.frobenius(c0.c2, 4, power)),
      CubicExtension(
        Self.frobenius(c1.c0, 1, power),
        Self.frobenius(c1.c1, 3, power),
        Self.frobenius(c1.c2, 5, power)))
  }

  @inline(__always)
  private static func frobenius(_ value: Base, _ index: Int, _ power: Int) -> Base {
    (power & 1 == 0 ? value : value.conjugate)
      .timesFrobeniusCoefficient(index: index, power: power)
  }

  /// The square of an element whose order divides p^4 - p^2 + 1, as all values after the easy part
  /// of the final exponentiation have. Six products in Fp2.
  ///
  /// Source: Granger and Scott, "Faster Squaring in the Cyclotomic Subgroup of Sixth Degree
  /// Extensions", PKC 2010, section 3.2.
  @inline(never)
  var cyclotomicSquared: Self {
    let (a0, a1) = Self.quarticSquare(c0.c0, c1.c1)
    let (b0, b1) = Self.quarticSquare(c1.c0, c0.c2)
    let (d0, d1) = Self.quarticSquare(c0.c1, c1.c2)
    return Self(
      CubicExtension(
        (a0 - c0.c0).doubled + a0, (b0 - c0.c1).doubled + b0, (d0 - c0.c2).doubled + d0),
      CubicExtension(
        Self.tripleAdding(d1.timesNonResidue, c1.c0), Self.tripleAdding(a1, c1.c1),
        Self.tripleAdding(b1, c1.c2)))
  }

  /// 3a + 2b.
  @inline(__always)
  private static func tripleAdding(_ a: Base, _ b: Base) -> Base { (a + b).doubled + a }

  /// (a + b·s)^2 where s^2 = ξ: (a^2 + ξ·b^2, 2·a·b) by two products.
  @inline(__always)
  private static func quarticSquare(_ a: Base, _ b: Base) -> (Base, Base) {
    let t = a * b
    let m = (a + b) * (a + b.timesNonResidue)
    return (m - t - t.timesNonResidue, t.doubled)
  }
}

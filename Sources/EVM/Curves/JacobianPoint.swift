/// A point of a curve y^2 = x^3 + b as (x/z^2, y/z^3); infinity where z is zero.
///
/// Formulas do not use b, so they hold on every curve of this family at once, and on the curves
/// isomorphic to it (see `scaled`). Operations branch on special cases: for public data only.
/// Source of the formulas: Bernstein and Lange, Explicit-Formulas Database, "Jacobian coordinates
/// with a4 = 0".
struct JacobianPoint<Field: FiniteField>: BitwiseCopyable, Sendable {
  var x: Field
  var y: Field
  var z: Field

  @inline(__always)
  init(x: Field, y: Field, z: Field) {
    self.x = x
    self.y = y
    self.z = z
  }

  /// The point with these coordinates, or infinity for (0, 0).
  @inline(__always)
  init(_ point: AffinePoint<Field>) {
    self.init(x: point.x, y: point.y, z: point.isInfinity ? .zero : .one)
  }

  /// The neutral element.
  @inline(__always)
  static var infinity: Self { Self(x: .one, y: .one, z: .zero) }

  @inline(__always)
  var isInfinity: Bool { z.isZero }

  @inline(__always)
  static prefix func - (a: Self) -> Self { Self(x: a.x, y: -a.y, z: a.z) }

  /// Twice the point: three products and four squares. Infinity, or a point of order two, gives
  /// infinity (z = 0).
  @inline(never)
  var doubled: Self {
    // With s = y^2, l = 3/2·x^2, t = x·s: x' = l^2 - 2t, y' = l·(t - x') - s^2, z' = y·z.
    let s = y.squared
    let square = x.squared
    let l = (square + square.doubled).halved
    let t = x * s
    let x3 = l.squared - t.doubled
    return Self(x: x3, y: l * (t - x3) - s.squared, z: y * z)
  }

  /// The sum with an affine point, and the factor by which z grew: eight products, three squares.
  /// The factor means nothing where a special case holds (infinity, equal or opposite points).
  @inline(never)
  func addingReportingRatio(_ other: AffinePoint<Field>) -> (sum: Self, ratio: Field) {
    if other.isInfinity { return (self, .one) }
    if isInfinity { return (Self(other), .one) }
    let zz = z.squared
    let h = other.x * zz - x
    let r = other.y * (zz * z) - y
    if h.isZero { return r.isZero ? (doubled, .one) : (.infinity, .one) }
    let hh = h.squared
    let hhh = hh * h
    let v = x * hh
    let x3 = r.squared - hhh - v.doubled
    return (Self(x: x3, y: r * (v - x3) - y * hhh, z: z * h), h)
  }

  /// The sum with an affine point.
  @inline(__always)
  func adding(_ other: AffinePoint<Field>) -> Self { addingReportingRatio(other).sum }

  /// The sum of two points: twelve products, four squares.
  @inline(never)
  static func + (a: Self, b: Self) -> Self {
    if a.isInfinity { return b }
    if b.isInfinity { return a }
    let azz = a.z.squared
    let bzz = b.z.squared
    let u = a.x * bzz
    let s = a.y * (bzz * b.z)
    let h = b.x * azz - u
    let r = b.y * (azz * a.z) - s
    if h.isZero { return r.isZero ? a.doubled : .infinity }
    let hh = h.squared
    let hhh = hh * h
    let v = u * hh
    let x3 = r.squared - hhh - v.doubled
    return Self(x: x3, y: r * (v - x3) - s * hhh, z: a.z * b.z * h)
  }

  /// Whether both stand for the same point.
  static func == (a: Self, b: Self) -> Bool {
    if a.isInfinity || b.isInfinity { return a.isInfinity && b.isInfinity }
    let azz = a.z.squared
    let bzz = b.z.squared
    return a.x * bzz == b.x * azz && a.y * (bzz * b.z) == b.y * (azz * a.z)
  }

  /// The coordinates; (0, 0) for infinity. One inversion.
  var affine: AffinePoint<Field> {
    let inverse = z.inverse
    let square = inverse.squared
    return AffinePoint(x: x * square, y: y * (square * inverse))
  }
}

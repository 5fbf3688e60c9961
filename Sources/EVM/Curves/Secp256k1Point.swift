/// A finite point of secp256k1 (y^2 = x^3 + 7) by its two coordinates.
struct Secp256k1AffinePoint: BitwiseCopyable {
  var x: Secp256k1Field
  var y: Secp256k1Field

  /// The point with the same x.
  @inline(__always)
  var negated: Secp256k1AffinePoint { Secp256k1AffinePoint(x: x, y: y.negated) }

  /// The point with this x and an odd or even y; `nil` where the curve has none.
  static func decompress(x: Secp256k1Field, isOdd: Bool) -> Secp256k1AffinePoint? {
    let square = x.squared * x + Secp256k1Field(7 as UInt64)
    let root = square.squareRootCandidate
    if !(root.squared == square) { return nil }
    // No point has y = 0: the group's order is odd.
    return Secp256k1AffinePoint(x: x, y: root.isOdd == isOdd ? root : root.negated)
  }

  /// Whether the coordinates satisfy the equation.
  var isOnCurve: Bool {
    y.squared == x.squared * x + Secp256k1Field(7 as UInt64)
  }
}

/// A point of secp256k1 as (x / z^2, y / z^3), at infinity where z is zero (Jacobian coordinates).
///
/// The operations branch on special cases: for public data only. Secret scalars use
/// `Secp256k1CompletePoint`. Formulas: Bernstein and Lange, Explicit-Formulas Database,
/// short Weierstrass curves with a = 0.
struct Secp256k1JacobianPoint: BitwiseCopyable {
  var x: Secp256k1Field
  var y: Secp256k1Field
  var z: Secp256k1Field

  @inline(__always)
  init(x: Secp256k1Field, y: Secp256k1Field, z: Secp256k1Field) {
    self.x = x
    self.y = y
    self.z = z
  }

  @inline(__always)
  init(_ point: Secp256k1AffinePoint) {
    self.init(x: point.x, y: point.y, z: .one)
  }

  @inline(__always)
  static var infinity: Secp256k1JacobianPoint {
    Secp256k1JacobianPoint(x: .one, y: .one, z: .zero)
  }

  @inline(__always)
  var isInfinity: Bool { z.isZero }

  /// Twice the point: three multiplications, four squarings.
  ///
  /// No point has order two, so only infinity (z = 0) gives infinity.
  var doubled: Secp256k1JacobianPoint {
    // With s = y^2, l = 3/2 x^2, t = x s: x3 = l^2 - 2t, y3 = l (t - x3) - s^2, z3 = y z.
    let s = y.squared
    let square = x.squared
    let l = (square.doubled + square).halved
    let t = x * s
    let x3 = l.squared - t.doubled
    return Secp256k1JacobianPoint(x: x3, y: l * (t - x3) - s.squared, z: y * z)
  }

  /// The sum with a finite point, and the factor by which z grew: eight multiplications, three
  /// squarings.
  ///
  /// The factor means nothing where one of the special cases holds.
  @inline(__always)
  func addingReportingRatio(_ other: Secp256k1AffinePoint)
    -> (sum: Secp256k1JacobianPoint, ratio: Secp256k1Field)
  {
    adding(other, scaledZ: z)
  }

  /// The sum with a finite point.
  func adding(_ other: Secp256k1AffinePoint) -> Secp256k1JacobianPoint {
    adding(other, scaledZ: z).sum
  }

  /// The sum with a finite point whose coordinates stand for (x / c^2, y / c^3).
  ///
  /// Costs one multiplication more than a point of the same scale. With the curve scaled by c the
  /// sum's coordinates keep the receiver's scale.
  func adding(_ other: Secp256k1AffinePoint, scale c: Secp256k1Field) -> Secp256k1JacobianPoint {
    if isInfinity {
      // On the receiver's curve the other point is (x c^2, y c^3).
      let c2 = c.squared
      return Secp256k1JacobianPoint(x: other.x * c2, y: other.y * c2 * c, z: .one)
    }
    return adding(other, scaledZ: z * c).sum
  }

  @inline(__always)
  private func adding(_ other: Secp256k1AffinePoint, scaledZ: Secp256k1Field)
    -> (sum: Secp256k1JacobianPoint, ratio: Secp256k1Field)
  {
    if isInfinity { return (Secp256k1JacobianPoint(other), .one) }
    let z2 = scaledZ.squared
    let h = other.x * z2 - x
    let r = other.y * (z2 * scaledZ) - y
    if h.isZero {
      return r.isZero ? (doubled, y) : (.infinity, .zero)
    }
    let h2 = h.squared
    let h3 = h2 * h
    let v = x * h2
    let x3 = r.squared - h3 - v.doubled
    return (Secp256k1JacobianPoint(x: x3, y: r * (v - x3) - y * h3, z: z * h), h)
  }

  /// The two coordinates; the point must be finite.
  var affine: Secp256k1AffinePoint { affine(inverseZ: z.inverseInVariableTime) }

  /// The two coordinates, given 1 / z.
  @inline(__always)
  func affine(inverseZ: Secp256k1Field) -> Secp256k1AffinePoint {
    let square = inverseZ.squared
    return Secp256k1AffinePoint(x: x * square, y: y * (square * inverseZ))
  }
}

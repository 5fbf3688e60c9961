/// A point of a curve y^2 = x^3 + b by its coordinates; (0, 0) stands for infinity.
///
/// With b not zero no finite point has both coordinates zero, so the convention of EIP-196 needs no
/// flag.
struct AffinePoint<Field: FiniteField>: BitwiseCopyable, Equatable, Sendable {
  var x: Field
  var y: Field

  @inline(__always)
  init(x: Field, y: Field) {
    self.x = x
    self.y = y
  }

  /// The neutral element.
  @inline(__always)
  static var infinity: Self { Self(x: .zero, y: .zero) }

  @inline(__always)
  var isInfinity: Bool { x.isZero && y.isZero }

  @inline(__always)
  static prefix func - (a: Self) -> Self { Self(x: a.x, y: -a.y) }

  /// Whether the coordinates are infinity or satisfy y^2 = x^3 + b.
  func isOnCurve(b: Field) -> Bool {
    isInfinity || y.squared == x.squared * x + b
  }

  /// The sum, by the chord or the tangent, with one inversion.
  static func + (a: Self, b: Self) -> Self {
    if a.isInfinity { return b }
    if b.isInfinity { return a }
    let slope: Field
    if a.x == b.x {
      // Opposite points, or a point of order two doubled.
      if a.y != b.y || a.y.isZero { return .infinity }
      let square = a.x.squared
      slope = (square.doubled + square) * a.y.doubled.inverse
    } else {
      slope = (b.y - a.y) * (b.x - a.x).inverse
    }
    let x = slope.squared - a.x - b.x
    return Self(x: x, y: slope * (a.x - x) - a.y)
  }
}

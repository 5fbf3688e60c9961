/// A finite point of P-256 (y^2 = x^3 - 3x + b) by its two coordinates.
struct P256AffinePoint: BitwiseCopyable {
  var x: P256Field
  var y: P256Field

  /// The point with the same x.
  @inline(__always)
  var negated: P256AffinePoint { P256AffinePoint(x: x, y: -y) }

  /// Whether the coordinates satisfy the equation; (0, 0) does not.
  var isOnCurve: Bool {
    let b = P256Field(
      montgomery: UInt256(
        0xd89c_df62_29c4_bddf, 0xacf0_05cd_7884_3090, 0xe5a2_20ab_f721_2ed6,
        0xdc30_061d_0487_4834))
    return y.squared == (x.squared - (P256Field.one.doubled + .one)) * x + b
  }
}

/// A point of P-256 as (x / z^2, y / z^3), at infinity where z is zero (Jacobian coordinates).
///
/// The operations branch on special cases: for public data only. Formulas: Bernstein and Lange,
/// Explicit-Formulas Database, short Weierstrass curves with a = -3 (dbl-2001-b, madd).
struct P256JacobianPoint: BitwiseCopyable {
  var x: P256Field
  var y: P256Field
  var z: P256Field

  @inline(__always)
  init(x: P256Field, y: P256Field, z: P256Field) {
    self.x = x
    self.y = y
    self.z = z
  }

  @inline(__always)
  init(_ point: P256AffinePoint) {
    self.init(x: point.x, y: point.y, z: .one)
  }

  @inline(__always)
  static var infinity: P256JacobianPoint { P256JacobianPoint(x: .one, y: .one, z: .zero) }

  @inline(__always)
  var isInfinity: Bool { z.isZero }

  /// Twice the point. No point has order two, so only infinity gives infinity.
  var doubled: P256JacobianPoint {
    // a = -3 makes 3 x^2 + a z^4 a product.
    let zz = z.squared
    let yy = y.squared
    let product = (x - zz) * (x + zz)
    let m = product.doubled + product
    let s = (x * yy).doubled.doubled
    let x3 = m.squared - s.doubled
    let y3 = m * (s - x3) - yy.squared.doubled.doubled.doubled
    return P256JacobianPoint(x: x3, y: y3, z: (y * z).doubled)
  }

  /// The sum with a finite point.
  func adding(_ other: P256AffinePoint) -> P256JacobianPoint {
    addingReportingRatio(other).sum
  }

  /// The sum with a finite point, and the factor by which z grew, which means nothing in the
  /// special cases (infinity, equal or opposite points).
  @inline(__always)
  func addingReportingRatio(_ other: P256AffinePoint)
    -> (sum: P256JacobianPoint, ratio: P256Field)
  {
    if isInfinity { return (P256JacobianPoint(other), .one) }
    let zz = z.squared
    let h = other.x * zz - x
    let r = other.y * (zz * z) - y
    if h.isZero { return (r.isZero ? doubled : .infinity, .zero) }
    let hh = h.squared
    let hhh = hh * h
    let v = x * hh
    let x3 = r.squared - hhh - v.doubled
    return (P256JacobianPoint(x: x3, y: r * (v - x3) - y * hhh, z: z * h), h)
  }

  /// `a G + b P` for public scalars (canonical integers), G being the base point.
  ///
  /// One row of 256 doublings for both, in signed odd digits (Strauss's trick).
  static func combination(generator a: UInt256, point: P256AffinePoint, _ b: UInt256)
    -> P256JacobianPoint
  {
    let generatorWidth = P256GeneratorTable.digitWidth
    let pointWidth = P256OddMultiples.digitWidth
    let digitsA0 = WindowedDigits(.init(low: a.limb0, high: a.limb1), width: generatorWidth)
    let digitsA1 = WindowedDigits(.init(low: a.limb2, high: a.limb3), width: generatorWidth)
    let digitsB0 = WindowedDigits(.init(low: b.limb0, high: b.limb1), width: pointWidth)
    let digitsB1 = WindowedDigits(.init(low: b.limb2, high: b.limb3), width: pointWidth)
    let table = P256OddMultiples(point)
    var sum = P256JacobianPoint.infinity
    // The high halves, then the low ones below them; both have a digit at place 128.
    var place = WindowedDigits.count
    while place > 0 {
      place &-= 1
      sum = sum.doubled.adding(digitsA1.digit(at: place), digitsB1.digit(at: place), table)
    }
    sum = sum.adding(digitsA0.digit(at: 128), digitsB0.digit(at: 128), table)
    place = 128
    while place > 0 {
      place &-= 1
      sum = sum.doubled.adding(digitsA0.digit(at: place), digitsB0.digit(at: place), table)
    }
    return sum
  }

  /// The sum with two digits' multiples; a zero digit adds nothing.
  @inline(__always)
  private func adding(_ generatorDigit: Int, _ pointDigit: Int, _ table: P256OddMultiples)
    -> P256JacobianPoint
  {
    var sum = self
    if generatorDigit != 0 { sum = sum.adding(P256GeneratorTable.multiple(generatorDigit)) }
    if pointDigit != 0 { sum = sum.adding(table.multiple(pointDigit)) }
    return sum
  }
}

extension P256GeneratorTable {
  /// The base point times an odd digit of at most `digitWidth` bits with its sign.
  @inline(__always)
  static func multiple(_ digit: Int) -> P256AffinePoint {
    // |digit| is below 128, so the index is below 512.
    let i = (digit > 0 ? digit : 0 &- digit) >> 1 &* 8
    let x = UInt256(
      oddMultiples[unchecked: i], oddMultiples[unchecked: i &+ 1],
      oddMultiples[unchecked: i &+ 2], oddMultiples[unchecked: i &+ 3])
    let y = UInt256(
      oddMultiples[unchecked: i &+ 4], oddMultiples[unchecked: i &+ 5],
      oddMultiples[unchecked: i &+ 6], oddMultiples[unchecked: i &+ 7])
    let point = P256AffinePoint(x: P256Field(montgomery: x), y: P256Field(montgomery: y))
    return digit > 0 ? point : point.negated
  }
}

/// A point's multiples 1, 3 ... 15 as affine points, made with one inversion.
struct P256OddMultiples: BitwiseCopyable {
  /// Digits have up to this many bits: odd, below 16 in magnitude.
  @inline(__always)
  static var digitWidth: Int { 5 }

  private var points: InlineArray<8, P256AffinePoint>

  init(_ point: P256AffinePoint) {
    // On the isomorphic curve scaled by the z of 2P, both P and 2P are affine, and sums (which do
    // not use the curve's constants) can run there.
    let double = P256JacobianPoint(point).doubled
    let step = P256AffinePoint(x: double.x, y: double.y)
    let zz = double.z.squared
    let first = P256AffinePoint(x: point.x * zz, y: point.y * (zz * double.z))
    points = InlineArray(repeating: first)
    // No multiple below 16 of a point of large prime order is a special case of addition.
    var ratios = InlineArray<8, P256Field>(repeating: .one)
    var current = P256JacobianPoint(first)
    var index = 1
    while index < 8 {
      let (sum, ratio) = current.addingReportingRatio(step)
      current = sum
      points[unchecked: index] = P256AffinePoint(x: sum.x, y: sum.y)
      ratios[unchecked: index] = ratio
      index &+= 1
    }
    // Entry i stands at z = double.z times the ratios up to i: walk back from the whole's inverse.
    var inverse = (double.z * current.z).inverse
    index = 7
    while index > 0 {
      points[unchecked: index] = points[unchecked: index].scaled(by: inverse)
      inverse = inverse * ratios[unchecked: index]
      index &-= 1
    }
    points[unchecked: 0] = point
  }

  /// The point times an odd digit from -15 to 15.
  @inline(__always)
  func multiple(_ digit: Int) -> P256AffinePoint {
    digit > 0 ? points[unchecked: digit >> 1] : points[unchecked: (0 &- digit) >> 1].negated
  }
}

extension P256AffinePoint {
  /// (x f^2, y f^3).
  @inline(__always)
  func scaled(by factor: P256Field) -> P256AffinePoint {
    let square = factor.squared
    return P256AffinePoint(x: x * square, y: y * (square * factor))
  }
}

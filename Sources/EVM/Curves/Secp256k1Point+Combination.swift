extension Secp256k1JacobianPoint {
  /// `a G + b P` for public scalars, G being the base point.
  ///
  /// Both scalars are split by the endomorphism, and the four halves walk down one row of 128
  /// doublings in signed odd digits (Strauss's trick).
  static func combination(
    generator a: Secp256k1Scalar, point: Secp256k1AffinePoint, _ b: Secp256k1Scalar
  ) -> Secp256k1JacobianPoint {
    let splitA = a.endomorphismParts
    let splitB = b.endomorphismParts
    let generatorWidth = Secp256k1GeneratorTable.digitWidth
    let digitsA1 = WindowedDigits(splitA.low, width: generatorWidth)
    let digitsA2 = WindowedDigits(splitA.high, width: generatorWidth)
    let digitsB1 = WindowedDigits(splitB.low, width: Secp256k1OddMultiples.digitWidth)
    let digitsB2 = WindowedDigits(splitB.high, width: Secp256k1OddMultiples.digitWidth)
    let table = Secp256k1OddMultiples(point)
    // Coordinates are those of the curve on which the table is affine; see the table.
    var sum = Secp256k1JacobianPoint.infinity
    var place = WindowedDigits.count
    while place > 0 {
      place &-= 1
      sum = sum.doubled
      let b1 = digitsB1.digit(at: place)
      if b1 != 0 { sum = sum.adding(table.multiple(b1)) }
      let b2 = digitsB2.digit(at: place)
      if b2 != 0 { sum = sum.adding(table.multiple(b2).endomorphism) }
      let a1 = digitsA1.digit(at: place)
      if a1 != 0 {
        sum = sum.adding(Secp256k1GeneratorTable.multiple(a1), scale: table.scale)
      }
      let a2 = digitsA2.digit(at: place)
      if a2 != 0 {
        sum = sum.adding(
          Secp256k1GeneratorTable.multiple(a2).endomorphism, scale: table.scale)
      }
    }
    return Secp256k1JacobianPoint(x: sum.x, y: sum.y, z: sum.z * table.scale)
  }
}

extension Secp256k1AffinePoint {
  /// lambda times the point: (beta x, y), beta being a cube root of unity modulo p.
  @inline(__always)
  var endomorphism: Secp256k1AffinePoint {
    let beta = Secp256k1Field(
      UInt256(
        0xc139_6c28_7195_01ee, 0x9cf0_4975_12f5_8995, 0x6e64_479e_ac34_34e9,
        0x7ae9_6a2b_657c_0710))
    return Secp256k1AffinePoint(x: x * beta, y: y)
  }
}

extension Secp256k1GeneratorTable {
  /// The base point times an odd digit of at most `digitWidth` bits with its sign.
  @inline(__always)
  static func multiple(_ digit: Int) -> Secp256k1AffinePoint {
    digit > 0 ? oddMultiple(digit >> 1) : oddMultiple((0 &- digit) >> 1).negated
  }
}

/// A point's multiples 1, 3 ... 15 as affine points, made without an inversion.
///
/// They are affine on the isomorphic curve y^2 = x^3 + 7 / scale^6: entry (x, y) stands for
/// (x / scale^2, y / scale^3). Jacobian formulas do not use the constant 7, so sums run on that
/// curve as they are, and `scale` is multiplied into the result's z at the end.
struct Secp256k1OddMultiples: BitwiseCopyable {
  /// Digits have up to this many bits: odd, below 16 in magnitude.
  @inline(__always)
  static var digitWidth: Int { 5 }

  /// The common z.
  private(set) var scale: Secp256k1Field
  private var points: InlineArray<8, Secp256k1AffinePoint>

  init(_ point: Secp256k1AffinePoint) {
    // On the curve scaled by the z of 2P, both P and 2P are affine.
    let double = Secp256k1JacobianPoint(point).doubled
    let step = Secp256k1AffinePoint(x: double.x, y: double.y)
    let z2 = double.z.squared
    let first = Secp256k1AffinePoint(x: point.x * z2, y: point.y * (z2 * double.z))
    points = InlineArray(repeating: first)
    // No multiple below 16 of a point of large prime order is a special case of addition.
    var ratios = InlineArray<8, Secp256k1Field>(repeating: .one)
    var current = Secp256k1JacobianPoint(first)
    var index = 1
    while index < 8 {
      let (sum, ratio) = current.addingReportingRatio(step)
      current = sum
      points[unchecked: index] = Secp256k1AffinePoint(x: sum.x, y: sum.y)
      ratios[unchecked: index] = ratio
      index &+= 1
    }
    scale = double.z * current.z
    // Bring all to the last one's z: entry i lacks the ratios of all later entries.
    var factor = Secp256k1Field.one
    index = 7
    while index > 0 {
      factor = factor * ratios[unchecked: index]
      index &-= 1
      let factor2 = factor.squared
      points[unchecked: index] = Secp256k1AffinePoint(
        x: points[unchecked: index].x * factor2,
        y: points[unchecked: index].y * (factor2 * factor))
    }
  }

  /// The point times an odd digit from -15 to 15.
  @inline(__always)
  func multiple(_ digit: Int) -> Secp256k1AffinePoint {
    digit > 0 ? points[unchecked: digit >> 1] : points[unchecked: (0 &- digit) >> 1].negated
  }
}

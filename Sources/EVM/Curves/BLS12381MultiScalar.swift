/// Sums of multiples of points of G1 and G2 (multi-scalar multiplication).
///
/// Scalars are split along an endomorphism first, so that all of them are short: in base `x^2` into
/// two of 128 bits on G1, in base `|x|` into four of 64 bits on G2 (Gallant, Lambert and Vanstone,
/// CRYPTO 2001; Galbraith, Lin and Scott, EUROCRYPT 2009). Points must be in their group: elsewhere
/// the endomorphisms are not multiplications.
///
/// Few points take the way of shared doublings and tables (`windowedSum`), many the way of buckets
/// (`bucketSum`).
struct BLS12381MultiScalarSum<Field: BLS12381GroupField>: BitwiseCopyable {
  /// The points' short multiples: the parts of one point lie together. With tables, a point's part
  /// has `tableSize` places, of which the first is filled at first.
  let points: UnsafeMutablePointer<AffinePoint<Field>>
  /// The short scalars, in the same order.
  let scalars: UnsafeMutablePointer<UInt128>
  /// Points so far.
  private(set) var count = 0
  /// Points at most.
  private let capacity: Int

  /// A sum of at most `capacity` multiples; `nil` when the arena is too small for it.
  init?(capacity: Int, scratch: inout Arena) {
    let (parts, overflow) = capacity.multipliedReportingOverflow(by: Field.partCount)
    if overflow { return nil }
    guard let points = scratch.allocate(AffinePoint<Field>.self, count: parts),
      let scalars = scratch.allocate(UInt128.self, count: parts)
    else { return nil }
    self.points = points
    self.scalars = scalars
    self.capacity = capacity
  }

  /// Adds a multiple of a point of the group to the sum.
  mutating func append(_ point: AffinePoint<Field>, times scalar: UInt256) {
    if point.isInfinity || scalar.isZero || count >= capacity { return }
    let parts = Field.parts(of: scalar)
    let first = count &* Field.partCount
    points[first] = point
    scalars[first] = parts[unchecked: 0]
    var index = 1
    while index < Field.partCount {
      points[first &+ index] = Field.timesBase(points[first &+ index &- 1])
      scalars[first &+ index] = parts[unchecked: index]
      index &+= 1
    }
    count &+= 1
  }

  /// The sum; `nil` when the arena is too small.
  func result(scratch: inout Arena) -> JacobianPoint<Field>? {
    let used = scratch.used
    defer { scratch.used = used }
    return count < Field.bucketsFrom ? windowedSum(scratch: &scratch) : bucketSum(scratch: &scratch)
  }
}

/// A field of coordinates of G1 or G2, with what is particular to the group.
protocol BLS12381GroupField: FiniteField {
  /// Parts that a scalar is split into.
  static var partCount: Int { get }
  /// Bits of a part.
  static var partBits: Int { get }
  /// Points from which on buckets take less time than tables, as measured on a processor.
  static var bucketsFrom: Int { get }
  /// The parts of a scalar modulo the group order, from the lowest, in a base of `|x|` to the power
  /// `4 / partCount`.
  static func parts(of scalar: UInt256) -> InlineArray<4, UInt128>
  /// A point of the group times the base.
  static func timesBase(_ point: AffinePoint<Self>) -> AffinePoint<Self>
}

extension BLS12381Fp: BLS12381GroupField {
  static var partCount: Int { 2 }
  static var partBits: Int { 128 }
  static var bucketsFrom: Int { 100 }

  static func parts(of scalar: UInt256) -> InlineArray<4, UInt128> {
    let digits = BLS12381.parameterDigits(scalar)
    let x = UInt128(BLS12381.parameter)
    // Two digits are below x^2 < 2^128.
    return [
      UInt128(digits.0) &+ UInt128(digits.1) &* x, UInt128(digits.2) &+ UInt128(digits.3) &* x,
      0, 0,
    ]
  }

  static func timesBase(_ point: AffinePoint<BLS12381Fp>) -> AffinePoint<BLS12381Fp> {
    // phi is [-x^2].
    -BLS12381.endomorphism(point)
  }
}

extension BLS12381Fp2: BLS12381GroupField {
  static var partCount: Int { 4 }
  static var partBits: Int { 64 }
  static var bucketsFrom: Int { 32 }

  static func parts(of scalar: UInt256) -> InlineArray<4, UInt128> {
    let digits = BLS12381.parameterDigits(scalar)
    return [UInt128(digits.0), UInt128(digits.1), UInt128(digits.2), UInt128(digits.3)]
  }

  static func timesBase(_ point: AffinePoint<BLS12381Fp2>) -> AffinePoint<BLS12381Fp2> {
    // psi is [x], and x is negative.
    -BLS12381.endomorphism(point)
  }
}

extension BLS12381 {
  /// The digits of a scalar modulo the group order, in base `|x|`, from the lowest: each is below
  /// `|x|`, as `r < x^4`.
  static func parameterDigits(_ scalar: UInt256) -> (UInt64, UInt64, UInt64, UInt64) {
    // 2^256 < 3 r.
    var rest = scalar
    if rest >= order { rest = rest &- order }
    if rest >= order { rest = rest &- order }
    let reciprocal = Reciprocal(normalized: parameter)
    let d0 = divide(&rest, by: reciprocal)
    let d1 = divide(&rest, by: reciprocal)
    let d2 = divide(&rest, by: reciprocal)
    return (d0, d1, d2, rest.limb0)
  }

  /// Divides a number and gives the remainder.
  @inline(__always)
  private static func divide(_ number: inout UInt256, by divisor: Reciprocal) -> UInt64 {
    // The first remainder is zero, each next one below the divisor.
    let (q3, r3) = divisor.divide(0, number.limb3)
    let (q2, r2) = divisor.divide(r3, number.limb2)
    let (q1, r1) = divisor.divide(r2, number.limb1)
    let (q0, r0) = divisor.divide(r1, number.limb0)
    number = UInt256(q0, q1, q2, q3)
    return r0
  }
}

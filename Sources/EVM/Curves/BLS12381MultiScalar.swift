/// Sums of multiples of points of G1 and G2 (multi-scalar multiplication).
///
/// Scalars are split along the endomorphisms first, so that all of them are short: in base `x^2`
/// into two of 128 bits on G1, where `phi` is `[-x^2]`, and in base `|x|` into four of 64 bits on
/// G2, where `psi` is `[x]` (Gallant, Lambert and Vanstone, CRYPTO 2001; Galbraith, Lin and Scott,
/// EUROCRYPT 2009). Then the bucket method (Pippenger, 1976, as in Bernstein, Doumen, Lange and
/// Oosterwijk, "Faster batch forgery identification", 2012) with digits in `-2^(w-1) ... 2^(w-1)`.
/// Points must be in their group: elsewhere the endomorphisms are not multiplications.
extension BLS12381 {
  /// A sum under way: the short multiples to come, in memory of the caller's arena.
  struct MultiScalarSum<Field: FiniteField> {
    /// The points, then their buckets.
    private let points: UnsafeMutablePointer<AffinePoint<Field>>
    private let scalars: UnsafeMutablePointer<UInt128>
    private let buckets: UnsafeMutablePointer<JacobianPoint<Field>>
    private let width: Int
    private let capacity: Int
    private var count = 0

    /// A sum of at most `capacity` short multiples; `nil` when the arena is too small.
    init?(capacity: Int, scratch: inout Arena) {
      width = Self.width(count: capacity)
      self.capacity = capacity
      guard let points = scratch.allocate(AffinePoint<Field>.self, count: capacity),
        let scalars = scratch.allocate(UInt128.self, count: capacity),
        let buckets = scratch.allocate(JacobianPoint<Field>.self, count: 1 << (width &- 1))
      else { return nil }
      self.points = points
      self.scalars = scalars
      self.buckets = buckets
    }

    /// Adds a multiple to the sum. Does nothing for zero and infinity, which leave no trace.
    @inline(__always)
    mutating func append(_ point: AffinePoint<Field>, times scalar: UInt128) {
      if scalar == 0 || point.isInfinity || count >= capacity { return }
      points[count] = point
      scalars[count] = scalar
      count &+= 1
    }

    /// The sum of the multiples, whose scalars are below `2^bits`.
    func result(bits: Int) -> JacobianPoint<Field> {
      var sum = JacobianPoint<Field>.infinity
      // Digits are signed: one bit more than the scalars have.
      var window = (bits &+ width) / width
      while window > 0 {
        window &-= 1
        if !sum.isInfinity {
          var step = 0
          while step < width {
            sum = sum.doubled
            step &+= 1
          }
        }
        sum = sum + windowSum(at: window &* width)
      }
      return sum
    }

    /// The sum of the points times their digits at a place.
    private func windowSum(at place: Int) -> JacobianPoint<Field> {
      let bucketCount = 1 << (width &- 1)
      var index = 0
      while index < bucketCount {
        buckets[index] = .infinity
        index &+= 1
      }
      index = 0
      while index < count {
        let digit = digit(scalars[index], at: place)
        if digit > 0 {
          buckets[digit &- 1] = buckets[digit &- 1].adding(points[index])
        } else if digit < 0 {
          buckets[0 &- digit &- 1] = buckets[0 &- digit &- 1].adding(-points[index])
        }
        index &+= 1
      }
      // Sum of (i + 1) buckets[i]: each running sum from the top is added once.
      var running = JacobianPoint<Field>.infinity
      var sum = JacobianPoint<Field>.infinity
      index = bucketCount
      while index > 0 {
        index &-= 1
        running = running + buckets[index]
        sum = sum + running
      }
      return sum
    }

    /// The signed digit at a place (Booth recoding: a digit takes over the top bit of the digit
    /// below it, and gives its own to the digit above).
    @inline(__always)
    private func digit(_ scalar: UInt128, at place: Int) -> Int {
      // The bit below the digit, then its bits; zero beyond the top.
      let bits =
        place == 0 ? scalar << 1 : (place > 128 ? 0 : scalar >> UInt128(place &- 1))
      let window = Int(truncatingIfNeeded: bits) & ((2 << width) &- 1)
      let rounded = (window &+ 1) >> 1
      return window >> width == 0 ? rounded : rounded &- (1 << width)
    }

    /// The window width that makes additions fewest, counted for 128-bit scalars.
    private static func width(count: Int) -> Int {
      var best = 2
      var bestCost = Int.max
      var width = 2
      while width <= 13 {
        let windows = (128 &+ width) / width
        // A bucket costs two full additions, a point one mixed one.
        let cost = windows &* (count &* 2 &+ (3 << (width &- 1)))
        if cost < bestCost {
          best = width
          bestCost = cost
        }
        width &+= 1
      }
      return best
    }
  }

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

extension BLS12381.MultiScalarSum where Field == BLS12381Fp {
  /// Short multiples a point gives.
  static var partsOfScalar: Int { 2 }

  /// Adds a multiple of a point of G1 to the sum.
  mutating func append(_ point: BLS12381.G1Affine, scalar: UInt256) {
    let digits = BLS12381.parameterDigits(scalar)
    let x = UInt128(BLS12381.parameter)
    // Two digits are below x^2 < 2^128.
    append(point, times: UInt128(digits.0) &+ UInt128(digits.1) &* x)
    append(
      -BLS12381.endomorphism(point), times: UInt128(digits.2) &+ UInt128(digits.3) &* x)
  }

  /// The sum.
  var result: BLS12381.G1 { result(bits: 128) }
}

extension BLS12381.MultiScalarSum where Field == BLS12381Fp2 {
  /// Short multiples a point gives.
  static var partsOfScalar: Int { 4 }

  /// Adds a multiple of a point of G2 to the sum.
  mutating func append(_ point: BLS12381.G2Affine, scalar: UInt256) {
    let digits = BLS12381.parameterDigits(scalar)
    // psi is [x] with x negative.
    let first = -BLS12381.endomorphism(point)
    let second = -BLS12381.endomorphism(first)
    append(point, times: UInt128(digits.0))
    append(first, times: UInt128(digits.1))
    append(second, times: UInt128(digits.2))
    append(-BLS12381.endomorphism(second), times: UInt128(digits.3))
  }

  /// The sum.
  var result: BLS12381.G2 { result(bits: 64) }
}

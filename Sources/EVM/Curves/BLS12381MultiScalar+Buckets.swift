/// Sums of many multiples by buckets (Pippenger, 1976, as in Bernstein, Doumen, Lange and Oosterwijk,
/// "Faster batch forgery identification", 2012), with digits in `-2^(w-1) ... 2^(w-1)`.
extension BLS12381MultiScalarSum {
  /// The sum of the multiples; `nil` when the arena is too small.
  func bucketSum(scratch: inout Arena) -> JacobianPoint<Field>? {
    let width = bucketWidth
    guard
      let buckets = scratch.allocate(JacobianPoint<Field>.self, count: 1 << (width &- 1))
    else { return nil }
    var sum = JacobianPoint<Field>.infinity
    // Digits are signed: one bit more than the scalars have.
    var window = (Field.partBits &+ width) / width
    while window > 0 {
      window &-= 1
      if !sum.isInfinity {
        var step = 0
        while step < width {
          sum = sum.doubled
          step &+= 1
        }
      }
      sum = sum + windowSum(at: window &* width, width: width, buckets)
    }
    return sum
  }

  /// The sum of the points times their digits at a place.
  private func windowSum(
    at place: Int, width: Int, _ buckets: UnsafeMutablePointer<JacobianPoint<Field>>
  ) -> JacobianPoint<Field> {
    let bucketCount = 1 << (width &- 1)
    var index = 0
    while index < bucketCount {
      buckets[index] = .infinity
      index &+= 1
    }
    index = 0
    let parts = count &* Field.partCount
    while index < parts {
      let digit = Self.digit(scalars[index], at: place, width: width)
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

  /// The signed digit at a place (Booth recoding: a digit takes over the top bit of the digit below
  /// it, and gives its own to the digit above).
  @inline(__always)
  private static func digit(_ scalar: UInt128, at place: Int, width: Int) -> Int {
    // The bit below the digit, then its bits; zero beyond the top.
    let bits = place == 0 ? scalar << 1 : (place > 128 ? 0 : scalar >> UInt128(place &- 1))
    let window = Int(truncatingIfNeeded: bits) & ((2 << width) &- 1)
    let rounded = (window &+ 1) >> 1
    return window >> width == 0 ? rounded : rounded &- (1 << width)
  }

  /// The window width, 3 to 13 bits, that makes additions fewest.
  private var bucketWidth: Int {
    var best = 3
    var bestCost = Int.max
    var width = 3
    while width <= 13 {
      let windows = (Field.partBits &+ width) / width
      // A bucket costs two full additions, a part one mixed one, of about two thirds of the time.
      let cost = windows &* (count &* Field.partCount &* 2 &+ (6 << (width &- 1)))
      if cost < bestCost {
        best = width
        bestCost = cost
      }
      width &+= 1
    }
    return best
  }
}

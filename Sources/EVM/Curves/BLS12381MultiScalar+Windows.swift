/// Sums of a few multiples: all parts share their doublings, and digits of five bits pick odd
/// multiples from tables (Straus, 1964, with the signed digits of Solinas, 2000).
extension BLS12381MultiScalarSum {
  /// Odd multiples of a point: 1 to 15 times.
  private static var tableSize: Int { 8 }
  private static var digitWidth: Int { 5 }

  /// The sum of the multiples; `nil` when the arena is too small.
  func windowedSum(scratch: inout Arena) -> JacobianPoint<Field>? {
    if count == 0 { return .infinity }
    let parts = count &* Field.partCount
    guard
      let tables = scratch.allocate(
        AffinePoint<Field>.self, count: parts &* Self.tableSize),
      let digits = scratch.allocate(WindowedDigits.self, count: parts),
      fill(tables, scratch: &scratch)
    else { return nil }
    var index = 0
    while index < parts {
      let scalar = scalars[index]
      digits[index] = WindowedDigits(
        SignedMagnitude128(
          low: UInt64(truncatingIfNeeded: scalar), high: UInt64(truncatingIfNeeded: scalar >> 64)),
        width: Self.digitWidth)
      index &+= 1
    }
    var sum = JacobianPoint<Field>.infinity
    // A carry may add one place to the parts' bits.
    var place = Field.partBits
    while place >= 0 {
      if !sum.isInfinity { sum = sum.doubled }
      index = 0
      while index < parts {
        let digit = digits[index].digit(at: place)
        if digit > 0 {
          sum = sum.adding(tables[index &* Self.tableSize &+ digit >> 1])
        } else if digit < 0 {
          sum = sum.adding(-tables[index &* Self.tableSize &+ (0 &- digit) >> 1])
        }
        index &+= 1
      }
      place &-= 1
    }
    return sum
  }

  /// Fills the tables of all parts, with one inversion; false when the arena is too small.
  private func fill(_ tables: UnsafeMutablePointer<AffinePoint<Field>>, scratch: inout Arena)
    -> Bool
  {
    let used = scratch.used
    defer { scratch.used = used }
    let entries = count &* Self.tableSize
    guard let multiples = scratch.allocate(JacobianPoint<Field>.self, count: entries),
      let products = scratch.allocate(Field.self, count: entries)
    else { return false }
    var product = Field.one
    var point = 0
    while point < count {
      let first = point &* Self.tableSize
      oddMultiples(of: points[point &* Field.partCount], multiples + first)
      var index = first
      while index < first &+ Self.tableSize {
        products[index] = product
        // Never zero: a small multiple of a point of large prime order is not infinity.
        product = product * multiples[index].z
        index &+= 1
      }
      point &+= 1
    }
    // From the last to the first, `inverse` is that of the product up to the entry (Montgomery).
    var inverse = product.inverse
    while point > 0 {
      point &-= 1
      var entry = Self.tableSize
      while entry > 0 {
        entry &-= 1
        let multiple = multiples[point &* Self.tableSize &+ entry]
        let factor = inverse * products[point &* Self.tableSize &+ entry]
        inverse = inverse * multiple.z
        let square = factor.squared
        var affine = AffinePoint(x: multiple.x * square, y: multiple.y * (square * factor))
        var part = 0
        while true {
          tables[(point &* Field.partCount &+ part) &* Self.tableSize &+ entry] = affine
          part &+= 1
          if part == Field.partCount { break }
          affine = Field.timesBase(affine)
        }
      }
    }
    return true
  }

  /// The odd multiples of a point, from 1 to `2 tableSize - 1` times.
  private func oddMultiples(
    of point: AffinePoint<Field>, _ multiples: UnsafeMutablePointer<JacobianPoint<Field>>
  ) {
    let double = JacobianPoint(point).doubled
    // On the isomorphic curve where twice the point has z = 1, steps are additions of an affine
    // point; the factor goes back into each z.
    let square = double.z.squared
    let step = AffinePoint(x: double.x, y: double.y)
    var multiple = JacobianPoint(
      AffinePoint(x: point.x * square, y: point.y * (square * double.z)))
    multiples[0] = JacobianPoint(point)
    var index = 1
    while index < Self.tableSize {
      multiple = multiple.adding(step)
      multiples[index] = JacobianPoint(x: multiple.x, y: multiple.y, z: multiple.z * double.z)
      index &+= 1
    }
  }
}

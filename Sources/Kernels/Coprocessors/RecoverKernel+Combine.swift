import EVM

extension RecoverKernel {
  /// Bits of a digit of the nonce point's multiple.
  static var digitWidth: Int { 5 }
  /// Digits: the halves of a scalar, made odd, are below 2^130 in magnitude.
  static var digitCount: Int { 26 }
  /// Pairs of words of a lane's table: 16 odd multiples, each x, y and beta x.
  package static var pairsPerTable: Int { 16 &* 6 }

  /// `a G + b R` of some rows, R being the point whose x is r: rows `index`, `index + lanes`, ...
  ///
  /// R's scalar is split in two by the endomorphism. Both halves are made odd, which a vector of the
  /// lattice does without changing the sum, so that they can be written in digits that are odd, never
  /// zero: all lanes add at the same places. The base point's scalar needs no doublings, as the table
  /// has multiples for every place. The table of R's odd multiples lies in the device's memory, a
  /// lane's behind each other: 1.5 KB a lane, which the second-level cache holds for the most part.
  @inline(__always)
  package static func combine(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    let arguments = arguments.pointee
    let total = arguments.total
    if index >= arguments.lanes { return }
    let table = arguments.tables + index &* pairsPerTable
    var row = index
    while row < total {
      combine(row, table, arguments)
      row &+= arguments.lanes
    }
  }

  @inline(__always)
  private static func combine(
    _ row: Int, _ table: UnsafeMutablePointer<SIMD2<UInt64>>, _ arguments: Arguments
  ) {
    let state = arguments.states[row]
    if state > State.odd { return }
    let pairs = arguments.rows + row &* pairsPerRow
    // r is below the order, which is below p.
    let x = Secp256k1Field.load(pairs + 2)
    let square = x.squared * x + Secp256k1Field(7 as UInt64)
    var y = rootCandidate(of: square, table)
    if !(y.squared == square) {
      arguments.states[row] = State.refused
      return
    }
    if y.isOdd != (state == State.odd) { y = y.negated }
    let scale = fill(table, x, y)
    var sum = multiple(of: table, by: Secp256k1Scalar(reducing: word(pairs + 4)), arguments)
    sum.z = sum.z * scale
    add(&sum, generator: word(pairs), arguments)
    sum.x.store(pairs)
    sum.y.store(pairs + 2)
    sum.z.store(pairs + 4)
  }

  // MARK: The nonce's point

  /// `Secp256k1Field.squareRootCandidate` by the same chain as one loop: instructions of loops written
  /// out would not fit the cache that warps share. The powers on the way go to `memory`, 14 elements.
  @inline(__always)
  private static func rootCandidate(
    of element: Secp256k1Field, _ memory: UnsafeMutablePointer<SIMD2<UInt64>>
  ) -> Secp256k1Field {
    // For each step how often the last power is squared, and which earlier one it is then multiplied
    // with: 0 is the element; the powers 2^n - 1 have n = 2, 3, 6, 9, 11, 22, 44, 88, 176, 220, 223.
    let squarings: InlineArray<14, UInt8> = [1, 1, 3, 3, 2, 11, 22, 44, 88, 44, 3, 23, 6, 2]
    let factors: InlineArray<14, UInt8> = [0, 0, 2, 2, 1, 5, 6, 7, 8, 7, 2, 6, 1, 0]
    var power = element
    var step = 0
    while true {
      power.store(memory + step &* 2)
      // `step` is below 14.
      var left = squarings[unchecked: step]
      while left > 0 {
        power = power.squared
        left &-= 1
      }
      if step == 13 { return power }
      power = power * .load(memory + Int(factors[unchecked: step]) &* 2)
      step &+= 1
    }
  }

  /// Fills a lane's table with the multiples 1, 3 ... 31 of (x, y); gives the scale of the curve on
  /// which they are affine. See `Secp256k1OddMultiples`, which does the same.
  @inline(__always)
  private static func fill(
    _ table: UnsafeMutablePointer<SIMD2<UInt64>>, _ x: Secp256k1Field, _ y: Secp256k1Field
  ) -> Secp256k1Field {
    var double = LanePoint(x: x, y: y, z: .one)
    double.double()
    let step = LaneAffinePoint(x: double.x, y: double.y)
    let z2 = double.z.squared
    var current = LanePoint(x: x * z2, y: y * (z2 * double.z), z: .one)
    current.x.store(table)
    current.y.store(table + 2)
    var index = 1
    while index < 16 {
      let ratio = current.add(step)
      let entry = table + index &* 6
      current.x.store(entry)
      current.y.store(entry + 2)
      ratio.store(entry + 4)
      index &+= 1
    }
    // Bring all to the last one's z: entry i lacks the ratios of all later entries.
    let beta = Secp256k1Field(
      UInt256(
        0xc139_6c28_7195_01ee, 0x9cf0_4975_12f5_8995, 0x6e64_479e_ac34_34e9,
        0x7ae9_6a2b_657c_0710))
    var factor = Secp256k1Field.one
    index = 15
    while index >= 0 {
      let entry = table + index &* 6
      let factor2 = factor.squared
      let x = .load(entry) * factor2
      (.load(entry + 2) * (factor2 * factor)).store(entry + 2)
      // The ratio gives way to beta x, which the other half of the scalar takes for x.
      if index > 0 { factor = factor * .load(entry + 4) }
      x.store(entry)
      (x * beta).store(entry + 4)
      index &-= 1
    }
    return double.z * current.z
  }

  /// A scalar's multiple of the point whose odd multiples are in a table.
  @inline(__always)
  private static func multiple(
    of table: UnsafePointer<SIMD2<UInt64>>, by scalar: Secp256k1Scalar, _ arguments: Arguments
  ) -> LanePoint {
    var (low, high) = scalar.endomorphismWords
    // Vectors (a, b) of the lattice, a + b lambda = 0, one odd in both, one odd in b alone.
    if low.limb0 & 1 == 0 {
      low = low &+ UInt256(0xe86c_90e4_9284_eb15, 0x3086_d221_a7d4_6bcd, 0, 0)
      high = high &- UInt256(0x6f54_7fa9_0abf_e4c3, 0xe443_7ed6_010e_8828, 0, 0)
    }
    if high.limb0 & 1 == 0 {
      low = low &+ UInt256(0x57c1_108d_9d44_cfd8, 0x14ca_50f7_a8e2_f3f6, 1, 0)
      high = high &+ UInt256(0xe86c_90e4_9284_eb15, 0x3086_d221_a7d4_6bcd, 0, 0)
    }
    var digits = (OddDigits(low), OddDigits(high))
    let first = entry(table, digits.0.next(), endomorphic: false)
    var sum = LanePoint(x: first.x, y: first.y, z: .one)
    sum.add(entry(table, digits.1.next(), endomorphic: true))
    var place = 1
    while place < digitCount {
      var doubling = 0
      while doubling < arguments.digitWidth {
        sum.double()
        doubling &+= 1
      }
      let low = digits.0.next()
      let high = digits.1.next()
      var half = 0
      while half < arguments.halves {
        sum.add(entry(table, half == 0 ? low : high, endomorphic: half != 0))
        half &+= 1
      }
      place &+= 1
    }
    return sum
  }

  /// The multiple that a digit's bits name: 16 to 31 are 1, 3 ... 31, and 15 to 0 their negatives.
  @inline(__always)
  private static func entry(
    _ table: UnsafePointer<SIMD2<UInt64>>, _ bits: Int, endomorphic: Bool
  ) -> LaneAffinePoint {
    let isNegative = bits < 16
    let entry = table + (isNegative ? 15 &- bits : bits &- 16) &* 6
    return LaneAffinePoint(x: entry + (endomorphic ? 4 : 0), y: entry + 2).negated(isNegative)
  }

  /// Adds a multiple of the base point.
  @inline(__always)
  private static func add(
    _ sum: inout LanePoint, generator scalar: UInt256, _ arguments: Arguments
  ) {
    let width = arguments.generatorWidth
    let half = 1 &<< (width &- 1)
    // Odd by taking the order away from an even one; then (scalar + 2^256 - 1) / 2, whose bits are
    // the digits', as in `OddDigits`.
    let isOdd = scalar.limb0 & 1 != 0
    var bits =
      isOdd
      ? (scalar >> 1) | UInt256(0, 0, 0, 1 << 63)
      : (scalar &+ (.zero &- Secp256k1.order) &- .one) >> 1
    var place = 0
    while place < 256 {
      let digit = Int(truncatingIfNeeded: bits.limb0) & ((half &<< 1) &- 1)
      let isNegative = digit < half
      let index = isNegative ? half &- 1 &- digit : digit &- half
      let entry = arguments.generator + ((place / width) &* half &+ index) &* 4
      sum.add(LaneAffinePoint(x: entry, y: entry + 2).negated(isNegative))
      let shift = UInt64(width)
      bits = UInt256(
        bits.limb0 &>> shift | bits.limb1 &<< (64 &- shift),
        bits.limb1 &>> shift | bits.limb2 &<< (64 &- shift),
        bits.limb2 &>> shift | bits.limb3 &<< (64 &- shift), bits.limb3 &>> shift)
      place &+= width
    }
  }
}

/// An odd integer k between -2^130 and 2^130 in 26 digits of five bits, none of them zero.
///
/// With u = (k + 2^130 - 1) / 2 written to the base 32, k is the sum of (2 u_i - 31) 32^i: the digits
/// are odd, from -31 to 31. Source of odd digits: Joye and Tunstall, "Exponent recoding and regular
/// exponentiation algorithms", AFRICACRYPT 2009.
private struct OddDigits {
  // The bits that are left, from the highest of `high` down.
  private var low: UInt64
  private var middle: UInt64
  private var high: UInt64

  @inline(__always)
  init(_ number: UInt256) {
    let u = (number &+ UInt256(~0, ~0, 3, 0)) >> 1
    // 130 bits: to the top of 192.
    low = u.limb0 << 62
    middle = u.limb1 << 62 | u.limb0 >> 2
    high = u.limb2 << 62 | u.limb1 >> 2
  }

  /// The next digit's bits, from the most significant one on.
  @inline(__always)
  mutating func next() -> Int {
    let digit = Int(high >> 59)
    high = high << 5 | middle >> 59
    middle = middle << 5 | low >> 59
    low = low << 5
    return digit
  }
}

extension LaneAffinePoint {
  /// The point, or the one with the same x.
  @inline(__always)
  fileprivate func negated(_ isNegative: Bool) -> LaneAffinePoint {
    LaneAffinePoint(x: x, y: isNegative ? y.negated : y)
  }
}

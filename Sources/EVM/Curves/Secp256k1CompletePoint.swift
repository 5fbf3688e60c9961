/// A point of secp256k1 in homogeneous coordinates (x / z, y / z), infinity being (0, 1, 0), whose
/// operations have no special cases: the form for secret scalars.
///
/// Source: Renes, Costello, Batina, "Complete addition formulas for prime order elliptic curves",
/// EUROCRYPT 2016, algorithms 8 and 9 (a = 0, 3b = 21).
struct Secp256k1CompletePoint: BitwiseCopyable {
  var x: Secp256k1Field
  var y: Secp256k1Field
  var z: Secp256k1Field

  @inline(__always)
  static var infinity: Secp256k1CompletePoint {
    Secp256k1CompletePoint(x: .zero, y: .one, z: .zero)
  }

  /// Twice the point.
  var doubled: Secp256k1CompletePoint {
    let yy = y.squared
    let yz = y * z
    let zz21 = z.squared.multiplied(bySmall: 21)
    let yy8 = yy.multiplied(bySmall: 8)
    let low = yy - zz21.multiplied(bySmall: 3)
    let sum = yy + zz21
    return Secp256k1CompletePoint(
      x: (low * (x * y)).doubled,
      y: zz21 * yy8 + low * sum,
      z: yz * yy8)
  }

  /// The sum with a finite point.
  func adding(_ other: Secp256k1AffinePoint) -> Secp256k1CompletePoint {
    let xx = x * other.x
    let yy = y * other.y
    let xy = (other.x + other.y) * (x + y) - (xx + yy)
    let yz = other.y * z + y
    let xz21 = (other.x * z + x).multiplied(bySmall: 21)
    let xx3 = xx.multiplied(bySmall: 3)
    let z21 = z.multiplied(bySmall: 21)
    let high = yy + z21
    let low = yy - z21
    return Secp256k1CompletePoint(
      x: xy * low - yz * xz21,
      y: xz21 * xx3 + low * high,
      z: high * yz + xx3 * xy)
  }

  /// `a` where the mask is all ones, `b` where it is zero.
  @inline(__always)
  static func select(mask: UInt64, _ a: Secp256k1CompletePoint, _ b: Secp256k1CompletePoint)
    -> Secp256k1CompletePoint
  {
    Secp256k1CompletePoint(
      x: .select(mask: mask, a.x, b.x), y: .select(mask: mask, a.y, b.y),
      z: .select(mask: mask, a.z, b.z))
  }

  /// The base point times a secret scalar, in constant time.
  ///
  /// A comb over four blocks of 64 bits with four teeth each: 16 doublings, 64 additions. Every
  /// table entry of a block is read and the wanted one kept by masks.
  static func generatorMultiple(_ scalar: Secp256k1Scalar) -> Secp256k1CompletePoint {
    let limbs = scalar.value
    var result = Secp256k1CompletePoint.infinity
    var column: UInt64 = 16
    while column > 0 {
      column &-= 1
      result = result.doubled
      result = result.addingCombEntry(block: 0, limb: limbs.limb0, column: column)
      result = result.addingCombEntry(block: 1, limb: limbs.limb1, column: column)
      result = result.addingCombEntry(block: 2, limb: limbs.limb2, column: column)
      result = result.addingCombEntry(block: 3, limb: limbs.limb3, column: column)
    }
    return result
  }

  /// The sum with the entry for the four bits of `limb` at `column`, spaced by 16.
  private func addingCombEntry(block: Int, limb: UInt64, column: UInt64)
    -> Secp256k1CompletePoint
  {
    let bits = limb >> column
    let digit = (bits & 1) | (bits >> 15 & 2) | (bits >> 30 & 4) | (bits >> 45 & 8)
    var x = UInt256.zero
    var y = UInt256.zero
    var entry: UInt64 = 1
    var offset = block &* (15 * 8)
    while entry < 16 {
      // All ones where entry = digit: the difference is below 16, so only zero borrows.
      let mask = 0 &- (((entry ^ digit) &- 1) >> 63)
      x = x | Secp256k1GeneratorTable.maskedCombWord(offset, mask)
      y = y | Secp256k1GeneratorTable.maskedCombWord(offset &+ 4, mask)
      offset &+= 8
      entry &+= 1
    }
    // A zero digit picks nothing: the sum with that non-point is thrown away.
    let sum = adding(Secp256k1AffinePoint(x: Secp256k1Field(x), y: Secp256k1Field(y)))
    return .select(mask: 0 &- ((digit &- 1) >> 63), self, sum)
  }

  /// The two coordinates (zeros at infinity), in constant time.
  var affine: Secp256k1AffinePoint {
    let inverse = z.inverse
    return Secp256k1AffinePoint(x: x * inverse, y: y * inverse)
  }
}

extension Secp256k1GeneratorTable {
  /// Odd multiple number `index` (0 to `oddMultipleCount - 1`) of the base point.
  @inline(__always)
  static func oddMultiple(_ index: Int) -> Secp256k1AffinePoint {
    let i = index &* 8
    let x = UInt256(
      oddMultiples[unchecked: i], oddMultiples[unchecked: i &+ 1],
      oddMultiples[unchecked: i &+ 2], oddMultiples[unchecked: i &+ 3])
    let y = UInt256(
      oddMultiples[unchecked: i &+ 4], oddMultiples[unchecked: i &+ 5],
      oddMultiples[unchecked: i &+ 6], oddMultiples[unchecked: i &+ 7])
    return Secp256k1AffinePoint(x: Secp256k1Field(x), y: Secp256k1Field(y))
  }

  /// The four limbs of the comb table at `offset`, and-ed with the mask.
  @inline(__always)
  static func maskedCombWord(_ offset: Int, _ mask: UInt64) -> UInt256 {
    UInt256(
      comb[unchecked: offset] & mask, comb[unchecked: offset &+ 1] & mask,
      comb[unchecked: offset &+ 2] & mask, comb[unchecked: offset &+ 3] & mask)
  }
}

import EVM

/// A point of secp256k1 as (x / z^2, y / z^3) on its way through a lane, without a branch.
///
/// The sums are those of points that differ and are not opposite. Where they do, z becomes zero and
/// stays so, as every z that follows is a multiple of it: who ends with zero has met a special case,
/// and the host does its row.
struct LanePoint {
  var x: Secp256k1Field
  var y: Secp256k1Field
  var z: Secp256k1Field

  /// Twice the point; see `Secp256k1JacobianPoint.doubled`.
  @inline(__always)
  mutating func double() {
    let s = y.squared
    let square = x.squared
    let l = (square.doubled + square).halved
    let t = x * s
    z = y * z
    x = l.squared - t.doubled
    y = l * (t - x) - s.squared
  }

  /// Adds an affine point; gives the factor by which z grew. Eight multiplications, three squarings.
  @inline(__always)
  @discardableResult
  mutating func add(_ other: LaneAffinePoint) -> Secp256k1Field {
    let z2 = z.squared
    let h = other.x * z2 - x
    let r = other.y * (z2 * z) - y
    z = z * h
    let h2 = h.squared
    let h3 = h2 * h
    let v = x * h2
    x = r.squared - h3 - v.doubled
    y = r * (v - x) - y * h3
    return h
  }
}

/// A finite point by its two coordinates.
struct LaneAffinePoint {
  var x: Secp256k1Field
  var y: Secp256k1Field

  /// Reads x and y from two places in memory of 16-byte alignment.
  @inline(__always)
  init(x: UnsafePointer<SIMD2<UInt64>>, y: UnsafePointer<SIMD2<UInt64>>) {
    self.x = .load(x)
    self.y = .load(y)
  }

  @inline(__always)
  init(x: Secp256k1Field, y: Secp256k1Field) {
    self.x = x
    self.y = y
  }
}

extension Secp256k1Field {
  /// Reads an element at a place of 16-byte alignment.
  @inline(__always)
  static func load(_ place: UnsafePointer<SIMD2<UInt64>>) -> Secp256k1Field {
    let low = place[0]
    let high = place[1]
    return Secp256k1Field(UInt256(low.x, low.y, high.x, high.y))
  }

  /// Writes the element at a place of 16-byte alignment.
  @inline(__always)
  func store(_ place: UnsafeMutablePointer<SIMD2<UInt64>>) {
    place[0] = SIMD2(value.limb0, value.limb1)
    place[1] = SIMD2(value.limb2, value.limb3)
  }
}

/// An element c0 + c1·v + c2·v^2 of Fp6 = Fp2[v]/(v^3 - ξ).
struct CubicExtension<Base: TowerField>: BitwiseCopyable, Equatable, Sendable {
  var c0: Base
  var c1: Base
  var c2: Base

  @inline(__always)
  init(_ c0: Base, _ c1: Base, _ c2: Base) {
    self.c0 = c0
    self.c1 = c1
    self.c2 = c2
  }

  @inline(__always)
  static var zero: Self { Self(.zero, .zero, .zero) }

  @inline(__always)
  static var one: Self { Self(.one, .zero, .zero) }

  static func == (a: Self, b: Self) -> Bool { a.c0 == b.c0 && a.c1 == b.c1 && a.c2 == b.c2 }

  @inline(__always)
  static func + (a: Self, b: Self) -> Self { Self(a.c0 + b.c0, a.c1 + b.c1, a.c2 + b.c2) }

  @inline(__always)
  static func - (a: Self, b: Self) -> Self { Self(a.c0 - b.c0, a.c1 - b.c1, a.c2 - b.c2) }

  @inline(__always)
  static prefix func - (a: Self) -> Self { Self(-a.c0, -a.c1, -a.c2) }

  @inline(__always)
  var doubled: Self { Self(c0.doubled, c1.doubled, c2.doubled) }

  /// The product with v.
  @inline(__always)
  var timesV: Self { Self(c2.timesNonResidue, c0, c1) }

  /// Six products (Karatsuba; Devegili et al., "Multiplication and Squaring on Pairing-Friendly
  /// Fields", 2006, section 4).
  @inline(never)
  static func * (a: Self, b: Self) -> Self {
    let v0 = a.c0 * b.c0
    let v1 = a.c1 * b.c1
    let v2 = a.c2 * b.c2
    let m12 = (a.c1 + a.c2) * (b.c1 + b.c2) - v1 - v2
    let m01 = (a.c0 + a.c1) * (b.c0 + b.c1) - v0 - v1
    let m02 = (a.c0 + a.c2) * (b.c0 + b.c2) - v0 - v2
    return Self(v0 + m12.timesNonResidue, m01 + v2.timesNonResidue, m02 + v1)
  }

  /// The product with b0 + b1·v: five products.
  @inline(never)
  func times(_ b0: Base, _ b1: Base) -> Self {
    let v0 = c0 * b0
    let v1 = c1 * b1
    let m = (c0 + c1) * (b0 + b1) - v0 - v1
    return Self(v0 + (c2 * b1).timesNonResidue, m, c2 * b0 + v1)
  }

  /// The product with an element of Fp2.
  @inline(__always)
  func times(_ b: Base) -> Self { Self(c0 * b, c1 * b, c2 * b) }

  /// The multiplicative inverse; zero for zero. One inversion in Fp2.
  var inverse: Self {
    let t0 = c0.squared - (c1 * c2).timesNonResidue
    let t1 = c2.squared.timesNonResidue - c0 * c1
    let t2 = c1.squared - c0 * c2
    let norm = c0 * t0 + (c2 * t1 + c1 * t2).timesNonResidue
    let inverse = norm.inverse
    return Self(t0 * inverse, t1 * inverse, t2 * inverse)
  }
}

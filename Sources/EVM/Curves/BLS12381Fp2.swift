/// An element of the quadratic extension `Fp2 = Fp[u] / (u^2 + 1)`: `c0 + c1 u`.
struct BLS12381Fp2: TowerField, Sendable {
  /// The coefficient of 1.
  var c0: BLS12381Fp
  /// The coefficient of `u`.
  var c1: BLS12381Fp

  /// The element `c0 + c1 u`.
  @inline(__always)
  init(_ c0: BLS12381Fp, _ c1: BLS12381Fp) {
    self.c0 = c0
    self.c1 = c1
  }

  /// Zero.
  @inline(__always)
  static var zero: BLS12381Fp2 { BLS12381Fp2(.zero, .zero) }

  /// One.
  @inline(__always)
  static var one: BLS12381Fp2 { BLS12381Fp2(.one, .zero) }

  /// Whether this is zero.
  @inline(__always)
  var isZero: Bool { c0.isZero && c1.isZero }

  @inline(__always)
  static func == (a: BLS12381Fp2, b: BLS12381Fp2) -> Bool {
    a.c0 == b.c0 && a.c1 == b.c1
  }
}

extension BLS12381Fp2 {
  /// Sum.
  static func + (a: BLS12381Fp2, b: BLS12381Fp2) -> BLS12381Fp2 {
    BLS12381Fp2(a.c0 + b.c0, a.c1 + b.c1)
  }

  /// Difference.
  static func - (a: BLS12381Fp2, b: BLS12381Fp2) -> BLS12381Fp2 {
    BLS12381Fp2(a.c0 - b.c0, a.c1 - b.c1)
  }

  /// Negation.
  static prefix func - (a: BLS12381Fp2) -> BLS12381Fp2 { BLS12381Fp2(-a.c0, -a.c1) }

  /// Twice this.
  var doubled: BLS12381Fp2 { BLS12381Fp2(c0.doubled, c1.doubled) }

  /// Half of this.
  var halved: BLS12381Fp2 { BLS12381Fp2(c0.halved, c1.halved) }

  /// `c0 - c1 u`: the power `p`.
  var conjugate: BLS12381Fp2 { BLS12381Fp2(c0, -c1) }

  /// Product: four products and two reductions, which take less time than the three products and
  /// the wider sums of Karatsuba's way.
  @inline(never)
  static func * (a: BLS12381Fp2, b: BLS12381Fp2) -> BLS12381Fp2 {
    // p - b1 is at most p, where b1 is zero.
    let negated = BLS12381Fp.subtractUnreduced(BLS12381Fp.modulus, b.c1).value
    return BLS12381Fp2(
      .sumOfProducts(a.c0, b.c0, a.c1, negated), .sumOfProducts(a.c0, b.c1, a.c1, b.c0))
  }

  /// Product with a base field element.
  static func * (a: BLS12381Fp2, b: BLS12381Fp) -> BLS12381Fp2 {
    BLS12381Fp2(a.c0 * b, a.c1 * b)
  }

  /// Square: `(c0 + c1)(c0 - c1) + 2 c0 c1 u`. The sums are not reduced: factors below `2p`.
  @inline(never)
  var squared: BLS12381Fp2 {
    BLS12381Fp2(
      .product(BLS12381Fp.addUnreduced(c0, c1), c0 - c1),
      .product(BLS12381Fp.addUnreduced(c0, c0), c1))
  }

  /// `c0^2 + c1^2`: the norm to the base field.
  var norm: BLS12381Fp { .sumOfProducts(c0, c0, c1, c1) }

  /// Inverse; zero for zero.
  var inverse: BLS12381Fp2 {
    let scale = norm.inverse
    return BLS12381Fp2(c0 * scale, -(c1 * scale))
  }

  /// This times `1 + u`, the element that the sixth-degree extension adjoins a root of.
  var timesNonResidue: BLS12381Fp2 { BLS12381Fp2(c0 - c1, c0 + c1) }

  /// The sign of RFC 9380, section 4.1 (`sgn0`).
  var isOdd: Bool { c0.isOdd || (c0.isZero && c1.isOdd) }
}

extension BLS12381Fp2 {
  func timesFrobeniusCoefficient(index: Int, power: Int) -> BLS12381Fp2 {
    switch power {
    case 1: timesFirstFrobeniusCoefficient(index)
    case 2: timesSecondFrobeniusCoefficient(index)
    // p^3 - 1 = p (p^2 - 1) + (p - 1), and the second coefficients are in Fp.
    default: timesFirstFrobeniusCoefficient(index).timesSecondFrobeniusCoefficient(index)
    }
  }

  @inline(__always)
  private func timesFirstFrobeniusCoefficient(_ index: Int) -> BLS12381Fp2 {
    switch index {
    case 1: self * Self.frobenius1
    case 2: self * Self.frobenius2
    case 3: self * Self.frobenius3
    case 4: self * Self.frobenius4
    default: self * Self.frobenius5
    }
  }

  /// Second powers fix `Fp2`, so these are sixth roots of unity in `Fp`.
  @inline(__always)
  private func timesSecondFrobeniusCoefficient(_ index: Int) -> BLS12381Fp2 {
    switch index {
    case 1: self * BLS12381Fp.frobeniusSquared1
    case 2: self * BLS12381Fp.frobeniusSquared2
    case 3: -self
    case 4: self * BLS12381Fp.frobeniusSquared4
    default: self * BLS12381Fp.frobeniusSquared5
    }
  }
}

extension BLS12381Fp2 {
  /// Reads the 128-byte form of EIP-2537: `c0`, then `c1`; `nil` when either is not canonical.
  init?(bigEndian128 bytes: UnsafePointer<UInt8>) {
    guard let c0 = BLS12381Fp(bigEndian64: bytes), let c1 = BLS12381Fp(bigEndian64: bytes + 64)
    else { return nil }
    self.init(c0, c1)
  }

  /// Writes the 128-byte form of EIP-2537.
  func store(bigEndian128 bytes: UnsafeMutablePointer<UInt8>) {
    c0.store(bigEndian64: bytes)
    c1.store(bigEndian64: bytes + 64)
  }
}

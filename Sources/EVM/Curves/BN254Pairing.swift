/// One pair of a product of pairings, while its Miller loop runs.
struct BN254MillerPair: BitwiseCopyable {
  /// The point of G1.
  let p: BN254.G1Affine
  /// The point of G2.
  let q: BN254.G2Affine
  /// The running multiple of `q` in homogeneous coordinates (x/z, y/z).
  private var x: BN254.Fp2
  private var y: BN254.Fp2
  private var z: BN254.Fp2

  /// A pair whose points are not infinity.
  @inline(__always)
  init(p: BN254.G1Affine, q: BN254.G2Affine) {
    self.p = p
    self.q = q
    x = q.x
    y = q.y
    z = .one
  }

  // The line through two points of the untwisted curve, (x·w², y·w³) for a point of the twist, is
  // yP - λ·xP·w + (λ·x - y)·w³ at P, where λ is the slope on the twist. Factors in Fp2 are free to
  // choose: the final exponentiation removes them.
  // Source of the formulas: Costello, Lange and Naehrig, "Faster Pairing Computations on Curves
  // with High-Degree Twists", PKC 2010, as Aranha et al. arrange them, EUROCRYPT 2011, section 4.

  /// Doubles the running point and multiplies `f` by the tangent's value at `p`.
  @inline(__always)
  mutating func double(multiplyingInto f: inout BN254.Fp12) {
    let a = (x * y).halved
    let b = y.squared
    let c = z.squared
    let e = BN254.g2B * (c.doubled + c)
    let e3 = e.doubled + e
    let g = (b + e3).halved
    let h = (y + z).squared - (b + c)
    let j = x.squared
    let ee = e.squared
    x = a * (b - e3)
    y = g.squared - (ee.doubled + ee)
    z = b * h
    f = f.timesLine(-(h * p.y), (j.doubled + j) * p.x, e - b)
  }

  /// Adds a point to the running point and multiplies `f` by the chord's value at `p`.
  @inline(__always)
  mutating func add(_ other: BN254.G2Affine, multiplyingInto f: inout BN254.Fp12) {
    let theta = y - other.y * z
    let lambda = x - other.x * z
    let c = theta.squared
    let d = lambda.squared
    let e = lambda * d
    let g = x * d
    let h = e + z * c - g.doubled
    x = lambda * h
    y = theta * (g - h) - e * y
    z = z * e
    f = f.timesLine(lambda * p.y, -(theta * p.x), theta * other.x - lambda * other.y)
  }
}

/// The optimal ate pairing on bn254 (Vercauteren, "Optimal pairings", 2010): for points P of G1 and
/// Q of G2, the final power of f·l·l' with f of the Miller loop for 6x + 2 and the lines through
/// (6x + 2)·Q, ψ(Q) and -ψ²(Q).
extension BN254 {
  /// The product of the pairs' Miller loops, which share their squarings. The pairs are used up.
  static func millerLoop(_ pairs: UnsafeMutableBufferPointer<BN254MillerPair>) -> Fp12 {
    // Non-adjacent form of 6x + 2: the first digit, at place 65, is 1, the next is 0; below are the
    // places of the digits 1 and -1.
    let plus: UInt64 = 0x2002_0042_0080_4028
    let minus: UInt64 = 0x8288_9008_420a_0480
    var f = Fp12.one
    var index = 0
    while index < pairs.count {
      pairs[index].double(multiplyingInto: &f)
      index &+= 1
    }
    var place: UInt64 = 64
    while place > 0 {
      place &-= 1
      f = f.squared
      let digit = (plus | minus) >> place & 1
      let negative = minus >> place & 1 != 0
      index = 0
      while index < pairs.count {
        pairs[index].double(multiplyingInto: &f)
        if digit != 0 {
          let q = pairs[index].q
          pairs[index].add(negative ? -q : q, multiplyingInto: &f)
        }
        index &+= 1
      }
    }
    index = 0
    while index < pairs.count {
      let first = frobenius(pairs[index].q)
      pairs[index].add(first, multiplyingInto: &f)
      pairs[index].add(-frobenius(first), multiplyingInto: &f)
      index &+= 1
    }
    return f
  }

  /// f to the power 2x·(6x² + 3x + 1)·(p^12 - 1)/r; the factor in front is prime to r, so that the
  /// result is one exactly where the plain power is. Zero gives zero.
  ///
  /// Source: Fuentes-Castañeda, Knapp and Rodríguez-Henríquez, "Faster Hashing to G2", SAC 2011,
  /// section 5.
  static func finalExponentiation(_ value: Fp12) -> Fp12 {
    // Easy part: the power (p^6 - 1)·(p^2 + 1). From here on the inverse is the conjugate.
    let unitary = value.conjugate * value.inverse
    let f = unitary.frobenius(2) * unitary
    // Hard part, in powers of x.
    let f1 = powerX(f)
    let f2 = f1.cyclotomicSquared
    let f6 = f2.cyclotomicSquared * f2
    let f6xx = powerX(f6)
    let f12xxx = powerX(f6xx.cyclotomicSquared)
    // Exponents a = 12x³ + 6x² + 6x and b = 12x³ + 6x² + 4x.
    let a = f12xxx * f6xx * f6
    let b = a * f2.conjugate
    return a * f6xx * f * b.frobenius(1) * a.frobenius(2) * (b * f.conjugate).frobenius(3)
  }

  /// The power x of an element after the easy part.
  private static func powerX(_ f: Fp12) -> Fp12 {
    // Width-3 signed digits of x: the first, at place 62, is 1; below are the places of the digits
    // 1, -1, 3 and -3.
    let plus: UInt64 = 0x0800_1200_4001_1001
    let minus: UInt64 = 0x0000_0000_0000_0010
    let plus3: UInt64 = 0x0000_8040_0400_0000
    let minus3: UInt64 = 0x0108_0004_0088_0200
    let cube = f.cyclotomicSquared * f
    var result = f
    var place: UInt64 = 62
    while place > 0 {
      place &-= 1
      result = result.cyclotomicSquared
      if plus >> place & 1 != 0 {
        result = result * f
      } else if minus >> place & 1 != 0 {
        result = result * f.conjugate
      } else if plus3 >> place & 1 != 0 {
        result = result * cube
      } else if minus3 >> place & 1 != 0 {
        result = result * cube.conjugate
      }
    }
    return result
  }
}

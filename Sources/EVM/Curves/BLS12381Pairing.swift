/// One pair of a product of pairings, while its Miller loop runs.
struct BLS12381MillerPair: BitwiseCopyable {
  /// The point of G1.
  let p: BLS12381.G1Affine
  /// The point of G2.
  let q: BLS12381.G2Affine
  /// The running multiple of `q` in homogeneous coordinates (x/z, y/z).
  private var x: BLS12381.Fp2
  private var y: BLS12381.Fp2
  private var z: BLS12381.Fp2

  /// A pair whose points are not infinity.
  @inline(__always)
  init(p: BLS12381.G1Affine, q: BLS12381.G2Affine) {
    self.p = p
    self.q = q
    x = q.x
    y = q.y
    z = .one
  }

  // The line through two points of the untwisted curve, (x/w^2, y/w^3) for a point of the twist,
  // with slope l on the twist, is (l x - y) - l xP w^2 + yP w^3 at P, times w^-3. Factors in Fp2
  // and powers of w^3 are free to choose: the final exponentiation removes them.
  // Source of the formulas: Costello, Lange and Naehrig, "Faster pairing computations on curves
  // with high-degree twists", PKC 2010, as Aranha et al. arrange them, EUROCRYPT 2011, section 4.

  /// Doubles the running point and multiplies `f` by the tangent's value at `p`.
  mutating func double(multiplyingInto f: inout BLS12381.Fp12) {
    let a = (x * y).halved
    let b = y.squared
    let c = z.squared
    // 3b' z^2 for b' = 4 (1 + u).
    let e = (c.doubled + c).doubled.doubled.timesNonResidue
    let e3 = e.doubled + e
    let g = (b + e3).halved
    let h = (y + z).squared - (b + c)
    let j = x.squared
    let ee = e.squared
    x = a * (b - e3)
    y = g.squared - (ee.doubled + ee)
    z = b * h
    f = f.timesTwistedLine(e - b, (j.doubled + j) * p.x, -(h * p.y))
  }

  /// Adds `q` to the running point and multiplies `f` by the chord's value at `p`.
  mutating func add(multiplyingInto f: inout BLS12381.Fp12) {
    let theta = y - q.y * z
    let lambda = x - q.x * z
    let c = theta.squared
    let d = lambda.squared
    let e = lambda * d
    let g = x * d
    let h = e + z * c - g.doubled
    x = lambda * h
    y = theta * (g - h) - e * y
    z = z * e
    f = f.timesTwistedLine(theta * q.x - lambda * q.y, -(theta * p.x), lambda * p.y)
  }
}

/// The optimal ate pairing on BLS12-381 (Vercauteren, "Optimal pairings", 2010): the final power
/// of Miller's function for the parameter `x`.
extension BLS12381 {
  /// The product of the pairs' Miller loops, which share their squarings. The pairs are used up.
  @inline(never)
  static func millerLoop(_ pairs: UnsafeMutablePointer<BLS12381MillerPair>, count: Int) -> Fp12 {
    var f = Fp12.one
    var bit: UInt64 = 63
    while bit > 0 {
      bit &-= 1
      if bit != 62 { f = f.squared }
      var index = 0
      while index < count {
        pairs[index].double(multiplyingInto: &f)
        if parameter >> bit & 1 != 0 { pairs[index].add(multiplyingInto: &f) }
        index &+= 1
      }
    }
    // The parameter is negative: invert, up to factors that the final exponentiation removes.
    return f.conjugate
  }

  /// f to the power `3 (p^12 - 1)/r`; 3 is prime to `r`, so that the result is one exactly where
  /// the plain power is. Zero gives zero.
  ///
  /// Source: Hayashida, Hayasaka and Teruya, "Efficient final exponentiation via cyclotomic
  /// structure for pairings over families of elliptic curves", eprint 2020/875:
  /// `3 (p^4 - p^2 + 1)/r = (x - 1)^2 (x + p) (x^2 + p^2 - 1) + 3`.
  @inline(never)
  static func finalExponentiation(_ value: Fp12) -> Fp12 {
    let f = easyPower(value)
    let c = powerOfParameterPlusPrime(powerOfParameterLessOne(powerOfParameterLessOne(f)))
    return powerOfSquaresLessOne(c) * (f.cyclotomicSquared * f)
  }

  // The steps are functions of their own, so that their temporary values share the stack: a lane of
  // a GPU has little.

  /// The power `(p^6 - 1) (p^2 + 1)`, after which the inverse is the conjugate.
  @inline(never)
  private static func easyPower(_ value: Fp12) -> Fp12 {
    let unitary = value.conjugate * value.inverse
    return unitary.frobenius(2) * unitary
  }

  /// The power `x - 1`.
  @inline(never)
  private static func powerOfParameterLessOne(_ f: Fp12) -> Fp12 {
    (powerParameter(f) * f).conjugate
  }

  /// The power `x + p`.
  @inline(never)
  private static func powerOfParameterPlusPrime(_ f: Fp12) -> Fp12 {
    powerParameter(f).conjugate * f.frobenius(1)
  }

  /// The power `x^2 + p^2 - 1`.
  @inline(never)
  private static func powerOfSquaresLessOne(_ f: Fp12) -> Fp12 {
    powerParameter(powerParameter(f)) * (f.frobenius(2) * f.conjugate)
  }
}

extension BLS12381Fp {
  /// Product.
  ///
  /// The factors need not be reduced, as long as their product is below `9 p^2`.
  @inline(never)
  static func * (a: BLS12381Fp, b: BLS12381Fp) -> BLS12381Fp { product(a, b) }

  /// The same product, in the caller's code: for the extension's functions, which are called
  /// themselves.
  @inline(__always)
  static func product(_ a: BLS12381Fp, _ b: BLS12381Fp) -> BLS12381Fp {
    #if NEEDLETAIL_DEVICE_MONTGOMERY
      return DeviceBLS12381.product(a, b)
    #else
      var sum = MontgomerySum(a.limb0, b)
      sum.reduce()
      sum.add(a.limb1, b)
      sum.reduce()
      sum.add(a.limb2, b)
      sum.reduce()
      sum.add(a.limb3, b)
      sum.reduce()
      sum.add(a.limb4, b)
      sum.reduce()
      sum.add(a.limb5, b)
      sum.reduce()
      return sum.value
    #endif
  }

  /// `a b + c d` with one reduction. The factors need not be reduced, as long as the sum is below
  /// `9 p^2`.
  @inline(__always)
  static func sumOfProducts(
    _ a: BLS12381Fp, _ b: BLS12381Fp, _ c: BLS12381Fp, _ d: BLS12381Fp
  ) -> BLS12381Fp {
    #if NEEDLETAIL_DEVICE_MONTGOMERY
      return DeviceBLS12381.sumOfProducts(a, b, c, d)
    #else
      var sum = MontgomerySum(a.limb0, b)
      sum.add(c.limb0, d)
      sum.reduce()
      sum.add(a.limb1, b)
      sum.add(c.limb1, d)
      sum.reduce()
      sum.add(a.limb2, b)
      sum.add(c.limb2, d)
      sum.reduce()
      sum.add(a.limb3, b)
      sum.add(c.limb3, d)
      sum.reduce()
      sum.add(a.limb4, b)
      sum.add(c.limb4, d)
      sum.reduce()
      sum.add(a.limb5, b)
      sum.add(c.limb5, d)
      sum.reduce()
      return sum.value
    #endif
  }

  /// Square: each mixed product once, with a doubled limb. The rows' zeros cost nothing.
  ///
  /// The limbs must be below `2^383`, their square below `9 p^2`.
  @inline(never)
  var squared: BLS12381Fp {
    #if NEEDLETAIL_DEVICE_MONTGOMERY
      return DeviceBLS12381.product(self, self)
    #else
      let double2 = limb2 << 1 | limb1 >> 63
      let double3 = limb3 << 1 | limb2 >> 63
      let double4 = limb4 << 1 | limb3 >> 63
      let double5 = limb5 << 1 | limb4 >> 63
      var sum = MontgomerySum(
        limb0, BLS12381Fp(limb0, limb1 << 1, double2, double3, double4, double5))
      sum.reduce()
      sum.add(limb1, BLS12381Fp(0, limb1, limb2 << 1, double3, double4, double5))
      sum.reduce()
      sum.add(limb2, BLS12381Fp(0, 0, limb2, limb3 << 1, double4, double5))
      sum.reduce()
      sum.add(limb3, BLS12381Fp(0, 0, 0, limb3, limb4 << 1, double5))
      sum.reduce()
      sum.add(limb4, BLS12381Fp(0, 0, 0, 0, limb4, limb5 << 1))
      sum.reduce()
      sum.add(limb5, BLS12381Fp(0, 0, 0, 0, 0, limb5))
      sum.reduce()
      return sum.value
    #endif
  }

  /// A sum of products under way: Montgomery multiplication row by row with the reduction
  /// interleaved (Koc, Acar, Kaliski, "Analyzing and comparing Montgomery multiplication
  /// algorithms", 1996: CIOS; for sums, Longa, "Efficient algorithms for large prime
  /// characteristic fields and their application to bilinear pairings", eprint 2022/367).
  ///
  /// A row's products are all made first, then one chain of additions joins their halves and another
  /// takes them up, as multiplication spoils the carry on most processors. With a sum of products
  /// below `9 p^2 < 2^384 p - p^2` the number in the limbs is below `2^448` throughout, and below
  /// `2p` in the end.
  private struct MontgomerySum {
    private var limb0: UInt64
    private var limb1: UInt64
    private var limb2: UInt64
    private var limb3: UInt64
    private var limb4: UInt64
    private var limb5: UInt64
    private var limb6: UInt64

    /// The number reduced, after the last row.
    @inline(__always)
    var value: BLS12381Fp {
      BLS12381Fp(limb0, limb1, limb2, limb3, limb4, limb5).reducedOnce()
    }

    /// The product `x b`.
    @inline(__always)
    init(_ x: UInt64, _ b: BLS12381Fp) {
      let p0 = x.multipliedFullWidth(by: b.limb0)
      let p1 = x.multipliedFullWidth(by: b.limb1)
      let p2 = x.multipliedFullWidth(by: b.limb2)
      let p3 = x.multipliedFullWidth(by: b.limb3)
      let p4 = x.multipliedFullWidth(by: b.limb4)
      let p5 = x.multipliedFullWidth(by: b.limb5)
      var carry: UInt64
      limb0 = p0.low
      (limb1, carry) = addWithCarry(p1.low, p0.high, 0)
      (limb2, carry) = addWithCarry(p2.low, p1.high, carry)
      (limb3, carry) = addWithCarry(p3.low, p2.high, carry)
      (limb4, carry) = addWithCarry(p4.low, p3.high, carry)
      (limb5, carry) = addWithCarry(p5.low, p4.high, carry)
      limb6 = p5.high &+ carry
    }

    /// Adds the product `x b`.
    @inline(__always)
    mutating func add(_ x: UInt64, _ b: BLS12381Fp) {
      let p0 = x.multipliedFullWidth(by: b.limb0)
      let p1 = x.multipliedFullWidth(by: b.limb1)
      let p2 = x.multipliedFullWidth(by: b.limb2)
      let p3 = x.multipliedFullWidth(by: b.limb3)
      let p4 = x.multipliedFullWidth(by: b.limb4)
      let p5 = x.multipliedFullWidth(by: b.limb5)
      let (q1, c1) = addWithCarry(p1.low, p0.high, 0)
      let (q2, c2) = addWithCarry(p2.low, p1.high, c1)
      let (q3, c3) = addWithCarry(p3.low, p2.high, c2)
      let (q4, c4) = addWithCarry(p4.low, p3.high, c3)
      let (q5, c5) = addWithCarry(p5.low, p4.high, c4)
      let q6 = p5.high &+ c5
      var carry: UInt64
      (limb0, carry) = addWithCarry(limb0, p0.low, 0)
      (limb1, carry) = addWithCarry(limb1, q1, carry)
      (limb2, carry) = addWithCarry(limb2, q2, carry)
      (limb3, carry) = addWithCarry(limb3, q3, carry)
      (limb4, carry) = addWithCarry(limb4, q4, carry)
      (limb5, carry) = addWithCarry(limb5, q5, carry)
      limb6 = limb6 &+ q6 &+ carry
    }

    /// Adds the multiple of `p` that makes the lowest limb zero, and drops that limb.
    @inline(__always)
    mutating func reduce() {
      let k = limb0 &* Modulus.negatedInverse
      let p0 = k.multipliedFullWidth(by: Modulus.limb0)
      let p1 = k.multipliedFullWidth(by: Modulus.limb1)
      let p2 = k.multipliedFullWidth(by: Modulus.limb2)
      let p3 = k.multipliedFullWidth(by: Modulus.limb3)
      let p4 = k.multipliedFullWidth(by: Modulus.limb4)
      let p5 = k.multipliedFullWidth(by: Modulus.limb5)
      let (q1, c1) = addWithCarry(p1.low, p0.high, 0)
      let (q2, c2) = addWithCarry(p2.low, p1.high, c1)
      let (q3, c3) = addWithCarry(p3.low, p2.high, c2)
      let (q4, c4) = addWithCarry(p4.low, p3.high, c3)
      let (q5, c5) = addWithCarry(p5.low, p4.high, c4)
      let q6 = p5.high &+ c5
      var carry: UInt64
      (_, carry) = addWithCarry(limb0, p0.low, 0)
      (limb0, carry) = addWithCarry(limb1, q1, carry)
      (limb1, carry) = addWithCarry(limb2, q2, carry)
      (limb2, carry) = addWithCarry(limb3, q3, carry)
      (limb3, carry) = addWithCarry(limb4, q4, carry)
      (limb4, carry) = addWithCarry(limb5, q5, carry)
      limb5 = limb6 &+ q6 &+ carry
      limb6 = 0
    }
  }
}

extension BLS12381Fp {
  /// Inverse; zero for zero.
  ///
  /// Division steps as in `ModularInverse`, on numbers of seven 62-bit limbs. Of an element in
  /// Montgomery form `a 2^384` they give `a^-1 2^-384`, which a factor `2^1152` brings back.
  var inverse: BLS12381Fp {
    let p = Signed434(Self.modulus)
    let inverse62 = (0 &- Modulus.negatedInverse) & Signed434.mask
    var f = p
    var g = Signed434(self)
    var d = Signed434(.zero)
    var e = Signed434(BLS12381Fp(1, 0, 0, 0, 0, 0))
    var eta: Int64 = -1
    // At most (49 * 381 + 57) / 17 < 1102 steps (Bernstein and Yang, theorem 11.2): 18 batches.
    var round = 0
    while !g.isZero && round < 18 {
      let matrix = ModularInverse.Matrix.steps(f: f.lowWord, g: g.lowWord, eta: &eta)
      Self.applyModular(matrix, &d, &e, modulus: p, inverse62: inverse62)
      Self.apply(matrix, &f, &g)
      round &+= 1
    }
    // f is now 1 or -1 (p or -p, and d zero, for zero).
    return d.normalized(negating: f.isNegative, modulus: p) * Self.montgomeryCubed
  }

  /// (f, g) becomes (u f + v g, q f + r g) / 2^62, exactly.
  @inline(__always)
  private static func apply(
    _ m: ModularInverse.Matrix, _ f: inout Signed434, _ g: inout Signed434
  ) {
    // |u| + |v| <= 2^62, so each column sum stays below 2^126.
    var cf = product(m.u, f[0]) &+ product(m.v, g[0])
    var cg = product(m.q, f[0]) &+ product(m.r, g[0])
    cf >>= 62
    cg >>= 62
    for index in 1..<7 {
      let (fi, gi) = (f[index], g[index])
      cf = cf &+ product(m.u, fi) &+ product(m.v, gi)
      cg = cg &+ product(m.q, fi) &+ product(m.r, gi)
      f[index &- 1] = Signed434.take(&cf)
      g[index &- 1] = Signed434.take(&cg)
    }
    f[6] = Int64(truncatingIfNeeded: cf)
    g[6] = Int64(truncatingIfNeeded: cg)
  }

  /// (d, e) becomes (u d + v e, q d + r e) / 2^62 modulo p; both stay in (-2p, p).
  @inline(__always)
  private static func applyModular(
    _ m: ModularInverse.Matrix, _ d: inout Signed434, _ e: inout Signed434, modulus p: Signed434,
    inverse62: UInt64
  ) {
    // One p for each negative operand, then the multiple of p that makes the low 62 bits vanish.
    let ds = d[6] >> 63
    let es = e[6] >> 63
    var md = (m.u & ds) &+ (m.v & es)
    var me = (m.q & ds) &+ (m.r & es)
    var cd = product(m.u, d[0]) &+ product(m.v, e[0])
    var ce = product(m.q, d[0]) &+ product(m.r, e[0])
    md = md &- residue(cd, md, inverse62)
    me = me &- residue(ce, me, inverse62)
    cd = (cd &+ product(p[0], md)) >> 62
    ce = (ce &+ product(p[0], me)) >> 62
    for index in 1..<7 {
      let (di, ei) = (d[index], e[index])
      cd = cd &+ product(m.u, di) &+ product(m.v, ei) &+ product(p[index], md)
      ce = ce &+ product(m.q, di) &+ product(m.r, ei) &+ product(p[index], me)
      d[index &- 1] = Signed434.take(&cd)
      e[index &- 1] = Signed434.take(&ce)
    }
    d[6] = Int64(truncatingIfNeeded: cd)
    e[6] = Int64(truncatingIfNeeded: ce)
  }

  /// (sum/p + multiple) mod 2^62.
  @inline(__always)
  private static func residue(_ sum: Int128, _ multiple: Int64, _ inverse62: UInt64) -> Int64 {
    let low = UInt64(truncatingIfNeeded: sum) &* inverse62
    return Int64(bitPattern: (low &+ UInt64(bitPattern: multiple)) & Signed434.mask)
  }

  @inline(__always)
  private static func product(_ a: Int64, _ b: Int64) -> Int128 { Int128(a) &* Int128(b) }

  /// A signed number of seven limbs of 62 bits; the last carries the sign.
  private struct Signed434 {
    private var limbs: InlineArray<7, Int64>

    static var mask: UInt64 { ~0 >> 2 }

    /// The number that six plain limbs write.
    @inline(__always)
    init(_ value: BLS12381Fp) {
      limbs = [
        Int64(bitPattern: value.limb0 & Self.mask),
        Int64(bitPattern: (value.limb0 >> 62 | value.limb1 << 2) & Self.mask),
        Int64(bitPattern: (value.limb1 >> 60 | value.limb2 << 4) & Self.mask),
        Int64(bitPattern: (value.limb2 >> 58 | value.limb3 << 6) & Self.mask),
        Int64(bitPattern: (value.limb3 >> 56 | value.limb4 << 8) & Self.mask),
        Int64(bitPattern: (value.limb4 >> 54 | value.limb5 << 10) & Self.mask),
        Int64(bitPattern: value.limb5 >> 52),
      ]
    }

    /// A limb, from 0 to 6.
    @inline(__always)
    subscript(index: Int) -> Int64 {
      get { limbs[unchecked: index] }
      set { limbs[unchecked: index] = newValue }
    }

    @inline(__always)
    var isZero: Bool {
      (self[0] | self[1] | self[2] | self[3] | self[4] | self[5] | self[6]) == 0
    }

    @inline(__always)
    var isNegative: Bool { self[6] < 0 }

    /// The number as far as 62 division steps look.
    @inline(__always)
    var lowWord: UInt64 { UInt64(bitPattern: self[0]) }

    /// The low 62 bits of a column sum, which is left divided by 2^62.
    @inline(__always)
    static func take(_ sum: inout Int128) -> Int64 {
      let low = Int64(bitPattern: UInt64(truncatingIfNeeded: sum) & mask)
      sum >>= 62
      return low
    }

    /// The value in (-2p, p), or its negation, brought into [0, p), in plain limbs.
    @inline(__always)
    func normalized(negating: Bool, modulus p: Signed434) -> BLS12381Fp {
      var value = self
      if value.isNegative { value.add(p) }
      if negating { value.negate() }
      if value.isNegative { value.add(p) }
      return value.plain
    }

    @inline(__always)
    private mutating func add(_ p: Signed434) {
      for index in 0..<7 { self[index] = self[index] &+ p[index] }
      carry()
    }

    @inline(__always)
    private mutating func negate() {
      for index in 0..<7 { self[index] = 0 &- self[index] }
      carry()
    }

    @inline(__always)
    private mutating func carry() {
      for index in 0..<6 {
        self[index &+ 1] = self[index &+ 1] &+ self[index] >> 62
        self[index] &= Int64(bitPattern: Self.mask)
      }
    }

    /// The plain limbs, when the number is in [0, 2^384).
    @inline(__always)
    private var plain: BLS12381Fp {
      BLS12381Fp(
        word(0) | word(1) << 62, word(1) >> 2 | word(2) << 60, word(2) >> 4 | word(3) << 58,
        word(3) >> 6 | word(4) << 56, word(4) >> 8 | word(5) << 54, word(5) >> 10 | word(6) << 52)
    }

    @inline(__always)
    private func word(_ index: Int) -> UInt64 { UInt64(bitPattern: self[index]) }
  }
}

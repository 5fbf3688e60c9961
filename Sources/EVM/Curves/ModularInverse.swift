/// Modular inversion by division steps, in variable time: for public values only.
///
/// Bernstein and Yang, "Fast constant-time gcd computation and modular inversion" (2019), with
/// batches of 62 steps on the low words (as Pornin and libsecp256k1 describe) and trailing zeros
/// taken at once. About 1 microsecond where a power to p - 2 takes 5.
enum ModularInverse {
  /// The inverse of `value` modulo an odd `modulus`, both of up to 256 bits; zero for a value that
  /// has none (zero). `negatedInverse` is -1/modulus mod 2^64; `value` is below `modulus`.
  static func variableTime(of value: UInt256, modulus: UInt256, negatedInverse: UInt64) -> UInt256 {
    let p = Signed62(modulus)
    let inverse62 = (0 &- negatedInverse) & Signed62.mask
    var f = p
    var g = Signed62(value)
    // Kept: f ≡ d·value and g ≡ e·value (mod p), up to the batches' powers of two, which
    // `Matrix.applyModular` divides out.
    var d = Signed62(.zero)
    var e = Signed62(.one)
    // The paper's -delta.
    var eta: Int64 = -1
    // At most 741 steps for 256 bits (the paper, theorem 11.2): 12 batches. The bound is never
    // met before g is 0; it keeps the loop finite by construction.
    var round = 0
    while !g.isZero && round < 12 {
      let matrix = Matrix.steps(f: f.lowWord, g: g.lowWord, eta: &eta)
      matrix.applyModular(&d, &e, modulus: p, inverse62: inverse62)
      matrix.apply(&f, &g)
      round &+= 1
    }
    // f is now ±gcd = ±1 (or ±p when value was 0, with d = 0).
    return d.normalized(negating: f.isNegative, modulus: p)
  }

  /// A 2 by 2 integer matrix scaled by 2^62: what 62 division steps do to (f, g).
  struct Matrix {
    var u: Int64 = 1
    var v: Int64 = 0
    var q: Int64 = 0
    var r: Int64 = 1

    /// The matrix of 62 division steps that start from the low words of f (odd) and g.
    static func steps(f initialF: UInt64, g initialG: UInt64, eta: inout Int64) -> Matrix {
      var m = Matrix()
      var f = initialF
      var g = initialG
      var left: Int64 = 62
      while true {
        // Even g: halve it, which doubles f's row instead. The sentinel bit stops at `left`.
        // Both counts are between 0 and 62.
        let sentinel = ~0 &<< UInt64(truncatingIfNeeded: left)
        let zeros = Int64(truncatingIfNeeded: (g | sentinel).trailingZeroBitCount)
        g &>>= UInt64(truncatingIfNeeded: zeros)
        m.u &<<= zeros
        m.v &<<= zeros
        eta &-= zeros
        left &-= zeros
        if left == 0 { return m }
        if eta < 0 {
          eta = 0 &- eta
          (f, g) = (g, 0 &- f)
          (m.u, m.q) = (m.q, 0 &- m.u)
          (m.v, m.r) = (m.r, 0 &- m.v)
        }
        // Clears up to 6 low bits of g with one multiple of f: as many as steps may pass before
        // the next exchange. f·(f² - 2) is -1/f modulo 64.
        let limit = min(min(eta &+ 1, left), 6)
        let w = (f &* g &* (f &* f &- 2)) & ((1 &<< UInt64(truncatingIfNeeded: limit)) &- 1)
        g = g &+ f &* w
        let signedW = Int64(truncatingIfNeeded: w)
        m.q = m.q &+ m.u &* signedW
        m.r = m.r &+ m.v &* signedW
      }
    }

    /// (f, g) becomes (u·f + v·g, q·f + r·g) / 2^62, exactly.
    @inline(__always)
    func apply(_ f: inout Signed62, _ g: inout Signed62) {
      // |u| + |v| <= 2^62, so each column sum stays below 2^126.
      var cf = product(u, f.limb0) &+ product(v, g.limb0)
      var cg = product(q, f.limb0) &+ product(r, g.limb0)
      cf >>= 62
      cg >>= 62
      let (f1, g1) = (f.limb1, g.limb1)
      cf = cf &+ product(u, f1) &+ product(v, g1)
      cg = cg &+ product(q, f1) &+ product(r, g1)
      (f.limb0, g.limb0) = (Signed62.take(&cf), Signed62.take(&cg))
      let (f2, g2) = (f.limb2, g.limb2)
      cf = cf &+ product(u, f2) &+ product(v, g2)
      cg = cg &+ product(q, f2) &+ product(r, g2)
      (f.limb1, g.limb1) = (Signed62.take(&cf), Signed62.take(&cg))
      let (f3, g3) = (f.limb3, g.limb3)
      cf = cf &+ product(u, f3) &+ product(v, g3)
      cg = cg &+ product(q, f3) &+ product(r, g3)
      (f.limb2, g.limb2) = (Signed62.take(&cf), Signed62.take(&cg))
      let (f4, g4) = (f.limb4, g.limb4)
      cf = cf &+ product(u, f4) &+ product(v, g4)
      cg = cg &+ product(q, f4) &+ product(r, g4)
      (f.limb3, g.limb3) = (Signed62.take(&cf), Signed62.take(&cg))
      (f.limb4, g.limb4) = (Int64(truncatingIfNeeded: cf), Int64(truncatingIfNeeded: cg))
    }

    /// (d, e) becomes (u·d + v·e, q·d + r·e) / 2^62 modulo p; both stay in (-2p, p).
    @inline(__always)
    func applyModular(
      _ d: inout Signed62, _ e: inout Signed62, modulus p: Signed62, inverse62: UInt64
    ) {
      // Start with one p for each negative operand, then choose the multiple of p that makes the
      // low 62 bits vanish.
      let ds = d.limb4 >> 63
      let es = e.limb4 >> 63
      var md = (u & ds) &+ (v & es)
      var me = (q & ds) &+ (r & es)
      var cd = product(u, d.limb0) &+ product(v, e.limb0)
      var ce = product(q, d.limb0) &+ product(r, e.limb0)
      md = md &- Self.residue(cd, md, inverse62)
      me = me &- Self.residue(ce, me, inverse62)
      cd = (cd &+ product(p.limb0, md)) >> 62
      ce = (ce &+ product(p.limb0, me)) >> 62
      let (d1, e1) = (d.limb1, e.limb1)
      cd = cd &+ product(u, d1) &+ product(v, e1) &+ product(p.limb1, md)
      ce = ce &+ product(q, d1) &+ product(r, e1) &+ product(p.limb1, me)
      (d.limb0, e.limb0) = (Signed62.take(&cd), Signed62.take(&ce))
      let (d2, e2) = (d.limb2, e.limb2)
      cd = cd &+ product(u, d2) &+ product(v, e2) &+ product(p.limb2, md)
      ce = ce &+ product(q, d2) &+ product(r, e2) &+ product(p.limb2, me)
      (d.limb1, e.limb1) = (Signed62.take(&cd), Signed62.take(&ce))
      let (d3, e3) = (d.limb3, e.limb3)
      cd = cd &+ product(u, d3) &+ product(v, e3) &+ product(p.limb3, md)
      ce = ce &+ product(q, d3) &+ product(r, e3) &+ product(p.limb3, me)
      (d.limb2, e.limb2) = (Signed62.take(&cd), Signed62.take(&ce))
      let (d4, e4) = (d.limb4, e.limb4)
      cd = cd &+ product(u, d4) &+ product(v, e4) &+ product(p.limb4, md)
      ce = ce &+ product(q, d4) &+ product(r, e4) &+ product(p.limb4, me)
      (d.limb3, e.limb3) = (Signed62.take(&cd), Signed62.take(&ce))
      (d.limb4, e.limb4) = (Int64(truncatingIfNeeded: cd), Int64(truncatingIfNeeded: ce))
    }

    /// (sum/p + multiple) mod 2^62.
    @inline(__always)
    private static func residue(_ sum: Int128, _ multiple: Int64, _ inverse62: UInt64) -> Int64 {
      let low = UInt64(truncatingIfNeeded: sum) &* inverse62
      return Int64(bitPattern: (low &+ UInt64(bitPattern: multiple)) & Signed62.mask)
    }

    @inline(__always)
    private func product(_ a: Int64, _ b: Int64) -> Int128 { Int128(a) &* Int128(b) }
  }

  /// A signed number of five limbs of 62 bits; the last carries the sign.
  struct Signed62 {
    var limb0: Int64
    var limb1: Int64
    var limb2: Int64
    var limb3: Int64
    var limb4: Int64

    static var mask: UInt64 { ~0 >> 2 }

    @inline(__always)
    init(_ value: UInt256) {
      limb0 = Int64(bitPattern: value.limb0 & Self.mask)
      limb1 = Int64(bitPattern: (value.limb0 >> 62 | value.limb1 << 2) & Self.mask)
      limb2 = Int64(bitPattern: (value.limb1 >> 60 | value.limb2 << 4) & Self.mask)
      limb3 = Int64(bitPattern: (value.limb2 >> 58 | value.limb3 << 6) & Self.mask)
      limb4 = Int64(bitPattern: value.limb3 >> 56)
    }

    @inline(__always)
    var isZero: Bool { (limb0 | limb1 | limb2 | limb3 | limb4) == 0 }

    @inline(__always)
    var isNegative: Bool { limb4 < 0 }

    /// The value modulo 2^64 as far as 62 division steps look: 62 bits.
    @inline(__always)
    var lowWord: UInt64 { UInt64(bitPattern: limb0) }

    /// The low 62 bits of a column sum, which is left divided by 2^62.
    @inline(__always)
    static func take(_ sum: inout Int128) -> Int64 {
      let low = Int64(bitPattern: UInt64(truncatingIfNeeded: sum) & mask)
      sum >>= 62
      return low
    }

    /// The value in (-2p, p), or its negation, brought into [0, p).
    @inline(__always)
    func normalized(negating: Bool, modulus p: Signed62) -> UInt256 {
      var value = self
      if value.isNegative { value.add(p) }
      if negating { value.negate() }
      if value.isNegative { value.add(p) }
      return value.word
    }

    @inline(__always)
    private mutating func add(_ p: Signed62) {
      limb0 = limb0 &+ p.limb0
      limb1 = limb1 &+ p.limb1
      limb2 = limb2 &+ p.limb2
      limb3 = limb3 &+ p.limb3
      limb4 = limb4 &+ p.limb4
      carry()
    }

    @inline(__always)
    private mutating func negate() {
      limb0 = 0 &- limb0
      limb1 = 0 &- limb1
      limb2 = 0 &- limb2
      limb3 = 0 &- limb3
      limb4 = 0 &- limb4
      carry()
    }

    @inline(__always)
    private mutating func carry() {
      let mask = Int64(bitPattern: Self.mask)
      limb1 = limb1 &+ limb0 >> 62
      limb0 &= mask
      limb2 = limb2 &+ limb1 >> 62
      limb1 &= mask
      limb3 = limb3 &+ limb2 >> 62
      limb2 &= mask
      limb4 = limb4 &+ limb3 >> 62
      limb3 &= mask
    }

    /// The number, when it is in [0, 2^256).
    @inline(__always)
    private var word: UInt256 {
      let (a, b) = (UInt64(bitPattern: limb0), UInt64(bitPattern: limb1))
      let (c, d) = (UInt64(bitPattern: limb2), UInt64(bitPattern: limb3))
      let e = UInt64(bitPattern: limb4)
      return UInt256(
        a | b << 62, b >> 2 | c << 60, c >> 4 | d << 58, d >> 6 | e << 56)
    }
  }
}

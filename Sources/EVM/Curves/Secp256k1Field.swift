/// An element of the base field of secp256k1: the integers modulo p = 2^256 - 2^32 - 977.
///
/// The residue is kept weakly reduced: any 256-bit value stands for its class, so a value below
/// 2^256 - p has two forms. `canonical` picks the one below p. Nothing here branches on values
/// except what says so, so that the same code serves public and secret data.
///
/// Device code for coprocessors is compiled with NEEDLETAIL_DEVICE_FIELD and takes sums, halves and
/// products from `MachineForms`; those that end in `Portably` are their twins.
///
/// Source: SEC 2, version 2.0, section 2.4.1.
package struct Secp256k1Field: BitwiseCopyable, Sendable {
  /// A 256-bit representative of the residue.
  package var value: UInt256

  /// The class of a 256-bit integer.
  @inline(__always)
  package init(_ value: UInt256) {
    self.value = value
  }

  /// The class of a small integer.
  @inline(__always)
  package init(_ value: UInt64) {
    self.value = UInt256(value)
  }

  /// p.
  @inline(__always)
  package static var modulus: UInt256 {
    UInt256(0xffff_fffe_ffff_fc2f, ~0, ~0, ~0)
  }

  /// 2^256 - p: what a carry out of the word is worth.
  @inline(__always)
  static var complement: UInt64 { 0x1_0000_03d1 }

  @inline(__always)
  package static var zero: Secp256k1Field { Secp256k1Field(UInt256.zero) }

  @inline(__always)
  package static var one: Secp256k1Field { Secp256k1Field(UInt256.one) }

  /// The representative below p.
  @inline(__always)
  package var canonical: UInt256 {
    // A value is p or more exactly when adding 2^256 - p carries out; the sum then is value - p.
    let (sum, carry) = UInt256.addingWithCarry(value, UInt256(Self.complement))
    return UInt256.select(mask: 0 &- carry, sum, value)
  }

  /// Whether the residue is zero.
  @inline(__always)
  package var isZero: Bool {
    value.isZero || value == Self.modulus
  }

  /// Whether the canonical representative is odd.
  @inline(__always)
  package var isOdd: Bool { canonical.limb0 & 1 != 0 }

  /// Whether two elements are the same residue.
  @inline(__always)
  package static func == (a: Secp256k1Field, b: Secp256k1Field) -> Bool { (a - b).isZero }

  @inline(__always)
  package static func + (a: Secp256k1Field, b: Secp256k1Field) -> Secp256k1Field {
    #if NEEDLETAIL_DEVICE_FIELD
      return MachineForms.sum(a, b)
    #else
      return a.addingPortably(b)
    #endif
  }

  @inline(__always)
  package static func - (a: Secp256k1Field, b: Secp256k1Field) -> Secp256k1Field {
    #if NEEDLETAIL_DEVICE_FIELD
      return MachineForms.difference(a, b)
    #else
      return a.subtractingPortably(b)
    #endif
  }

  @inline(__always)
  package func addingPortably(_ b: Secp256k1Field) -> Secp256k1Field {
    let (sum, carry) = UInt256.addingWithCarry(value, b.value)
    return Secp256k1Field(Self.foldCarry(sum, carry))
  }

  @inline(__always)
  package func subtractingPortably(_ b: Secp256k1Field) -> Secp256k1Field {
    let (difference, borrow) = UInt256.subtractingWithBorrow(value, b.value)
    // Borrowing took 2^256; give back p instead by taking the complement away. That borrows again
    // only from a value below the complement, which leaves one close to 2^256: once more is enough.
    let first = (0 &- borrow) & Self.complement
    let (r, again) = UInt256.subtractingWithBorrow(difference, UInt256(first))
    let second = (0 &- again) & Self.complement
    return Secp256k1Field(UInt256(r.limb0 &- second, r.limb1, r.limb2, r.limb3))
  }

  /// The negated element.
  @inline(__always)
  package var negated: Secp256k1Field { .zero - self }

  /// Twice the element.
  @inline(__always)
  package var doubled: Secp256k1Field { self + self }

  /// Half the element.
  @inline(__always)
  package var halved: Secp256k1Field {
    #if NEEDLETAIL_DEVICE_FIELD
      return MachineForms.half(self)
    #else
      return halvedPortably
    #endif
  }

  @inline(__always)
  package var halvedPortably: Secp256k1Field {
    // Adding p makes an odd value even; the carry becomes the top bit.
    let mask = 0 &- (value.limb0 & 1)
    let (sum, carry) = UInt256.addingWithCarry(
      value, UInt256(Self.modulus.limb0 & mask, mask, mask, mask))
    return Secp256k1Field(
      UInt256(
        sum.limb0 >> 1 | sum.limb1 << 63, sum.limb1 >> 1 | sum.limb2 << 63,
        sum.limb2 >> 1 | sum.limb3 << 63, sum.limb3 >> 1 | carry << 63))
  }

  /// The product with a number below 2^30.
  @inline(__always)
  func multiplied(bySmall factor: UInt64) -> Secp256k1Field {
    let (r0, c0) = multiplyAdd(value.limb0, factor, 0, 0)
    let (r1, c1) = multiplyAdd(value.limb1, factor, 0, c0)
    let (r2, c2) = multiplyAdd(value.limb2, factor, 0, c1)
    let (r3, c3) = multiplyAdd(value.limb3, factor, 0, c2)
    // c3 is below 2^30 and the complement below 2^33: their product fits a limb.
    let (sum, carry) = UInt256.addingWithCarry(
      UInt256(r0, r1, r2, r3), UInt256(c3 &* Self.complement))
    return Secp256k1Field(Self.foldCarry(sum, carry))
  }

  package static func * (a: Secp256k1Field, b: Secp256k1Field) -> Secp256k1Field {
    #if NEEDLETAIL_DEVICE_FIELD
      return MachineForms.product(a, b)
    #else
      return a.multipliedPortably(by: b)
    #endif
  }

  /// The square.
  package var squared: Secp256k1Field {
    #if NEEDLETAIL_DEVICE_FIELD
      return MachineForms.square(self)
    #else
      return squaredPortably
    #endif
  }

  @inline(__always)
  package func multipliedPortably(by b: Secp256k1Field) -> Secp256k1Field {
    let (low, high) = UInt256.multiplyFullWidth(value, b.value)
    return Self.reduce(low, high)
  }

  @inline(__always)
  package var squaredPortably: Secp256k1Field {
    let (low, high) = value.squaredFullWidth
    return Self.reduce(low, high)
  }

  /// The element squared `count` times.
  @inline(__always)
  package func squared(times count: Int) -> Secp256k1Field {
    var result = self
    var index = 0
    while index < count {
      result = result.squared
      index &+= 1
    }
    return result
  }

  /// `a` where the mask is all ones, `b` where it is zero, in constant time.
  @inline(__always)
  static func select(mask: UInt64, _ a: Secp256k1Field, _ b: Secp256k1Field) -> Secp256k1Field {
    Secp256k1Field(UInt256.select(mask: mask, a.value, b.value))
  }

  /// A word and a carry of 2^256 as one residue.
  @inline(__always)
  private static func foldCarry(_ word: UInt256, _ carry: UInt64) -> UInt256 {
    let first = (0 &- carry) & complement
    let (r, again) = UInt256.addingWithCarry(word, UInt256(first))
    // After a second wrap the value is below the complement (2^33), so limb 0 takes it.
    let second = (0 &- again) & complement
    return UInt256(r.limb0 &+ second, r.limb1, r.limb2, r.limb3)
  }

  /// The class of a 512-bit integer.
  @inline(__always)
  private static func reduce(_ low: UInt256, _ high: UInt256) -> Secp256k1Field {
    let (r0, c0) = multiplyAdd(high.limb0, complement, low.limb0, 0)
    let (r1, c1) = multiplyAdd(high.limb1, complement, low.limb1, c0)
    let (r2, c2) = multiplyAdd(high.limb2, complement, low.limb2, c1)
    let (r3, c3) = multiplyAdd(high.limb3, complement, low.limb3, c2)
    // c3 is at most 2^33: its product with the complement needs two limbs.
    let product = UInt128(c3) &* UInt128(complement)
    let (sum, carry) = UInt256.addingWithCarry(
      UInt256(r0, r1, r2, r3),
      UInt256(
        UInt64(truncatingIfNeeded: product), UInt64(truncatingIfNeeded: product >> 64), 0, 0))
    // After a wrap the value is below 2^67, so two limbs take the complement.
    let last = (0 &- carry) & complement
    let (s0, again) = addWithCarry(sum.limb0, last, 0)
    return Secp256k1Field(UInt256(s0, sum.limb1 &+ again, sum.limb2, sum.limb3))
  }
}

extension UInt256 {
  /// `a + b` modulo 2^256, and the carry (0 or 1) as a limb, which keeps code free of branches.
  @inline(__always)
  static func addingWithCarry(_ a: UInt256, _ b: UInt256) -> (value: UInt256, carry: UInt64) {
    let (s0, c0) = addWithCarry(a.limb0, b.limb0, 0)
    let (s1, c1) = addWithCarry(a.limb1, b.limb1, c0)
    let (s2, c2) = addWithCarry(a.limb2, b.limb2, c1)
    let (s3, c3) = addWithCarry(a.limb3, b.limb3, c2)
    return (UInt256(s0, s1, s2, s3), c3)
  }

  /// `a - b` modulo 2^256, and the borrow (0 or 1) as a limb.
  @inline(__always)
  static func subtractingWithBorrow(_ a: UInt256, _ b: UInt256)
    -> (value: UInt256, borrow: UInt64)
  {
    let (s0, c0) = subtractWithBorrow(a.limb0, b.limb0, 0)
    let (s1, c1) = subtractWithBorrow(a.limb1, b.limb1, c0)
    let (s2, c2) = subtractWithBorrow(a.limb2, b.limb2, c1)
    let (s3, c3) = subtractWithBorrow(a.limb3, b.limb3, c2)
    return (UInt256(s0, s1, s2, s3), c3)
  }

  /// `a` where the mask is all ones, `b` where it is zero, without a branch.
  @inline(__always)
  static func select(mask: UInt64, _ a: UInt256, _ b: UInt256) -> UInt256 {
    UInt256(
      b.limb0 ^ (mask & (a.limb0 ^ b.limb0)), b.limb1 ^ (mask & (a.limb1 ^ b.limb1)),
      b.limb2 ^ (mask & (a.limb2 ^ b.limb2)), b.limb3 ^ (mask & (a.limb3 ^ b.limb3)))
  }

  /// The 512-bit square, as its low and high words: six cross products doubled, four squares.
  @inline(__always)
  var squaredFullWidth: (low: UInt256, high: UInt256) {
    var r2: UInt64
    var r3: UInt64
    var r4: UInt64
    var r5: UInt64
    var carry: UInt64
    let r1: UInt64
    (r1, carry) = multiplyAdd(limb0, limb1, 0, 0)
    (r2, carry) = multiplyAdd(limb0, limb2, 0, carry)
    (r3, r4) = multiplyAdd(limb0, limb3, 0, carry)
    (r3, carry) = multiplyAdd(limb1, limb2, r3, 0)
    (r4, r5) = multiplyAdd(limb1, limb3, r4, carry)
    let r6: UInt64
    (r5, r6) = multiplyAdd(limb2, limb3, r5, 0)
    // Doubling by addition keeps to one carry chain: double-width shifts are slow on many CPUs.
    let (d1, c1) = addWithCarry(r1, r1, 0)
    let (d2, c2) = addWithCarry(r2, r2, c1)
    let (d3, c3) = addWithCarry(r3, r3, c2)
    let (d4, c4) = addWithCarry(r4, r4, c3)
    let (d5, c5) = addWithCarry(r5, r5, c4)
    let (d6, d7) = addWithCarry(r6, r6, c5)
    let s0 = limb0.multipliedFullWidth(by: limb0)
    let s1 = limb1.multipliedFullWidth(by: limb1)
    let s2 = limb2.multipliedFullWidth(by: limb2)
    let s3 = limb3.multipliedFullWidth(by: limb3)
    let (t1, e1) = addWithCarry(s0.high, d1, 0)
    let (t2, e2) = addWithCarry(s1.low, d2, e1)
    let (t3, e3) = addWithCarry(s1.high, d3, e2)
    let (t4, e4) = addWithCarry(s2.low, d4, e3)
    let (t5, e5) = addWithCarry(s2.high, d5, e4)
    let (t6, e6) = addWithCarry(s3.low, d6, e5)
    // The square is below 2^512, so nothing carries out.
    let t7 = s3.high &+ d7 &+ e6
    return (UInt256(s0.low, t1, t2, t3), UInt256(t4, t5, t6, t7))
  }
}

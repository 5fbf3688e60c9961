/// Powers modulo numbers of at most 256 bits, in registers.
enum ModularPower256 {
  /// `base ^ exponent` modulo `modulus`, which is above 1; neither base nor exponent is zero.
  static func power(
    _ base: BigEndianNumber, _ exponent: BigEndianNumber, modulus: UInt256
  ) -> UInt256 {
    // modulus = 2^twos * odd
    var twos = 0
    while !modulus.bit(twos) { twos &+= 1 }
    let odd = modulus >> UInt64(twos)
    if twos == 0 { return powerModuloOdd(base, exponent, modulus: odd) }
    let x2 = powerModuloPowerOfTwo(base, exponent, bits: twos)
    if odd == .one { return x2 }
    // The Chinese remainder theorem: x1 + odd * ((x2 - x1) / odd modulo 2^twos), below modulus.
    let x1 = powerModuloOdd(base, exponent, modulus: odd)
    let mask = (UInt256.one << UInt64(twos)) &- .one
    return x1 &+ odd &* (((x2 &- x1) &* inverseModuloWord(odd)) & mask)
  }

  /// `base ^ exponent` modulo an odd number above 1.
  static func powerModuloOdd(
    _ base: BigEndianNumber, _ exponent: BigEndianNumber, modulus: UInt256
  ) -> UInt256 {
    // R = 2^256 modulo the modulus.
    let r = UInt256.remainder(modulus.negated, modulus)
    var residue = UInt256.zero
    var index = (base.limbCount &+ 3) >> 2
    while index > 0 {
      index &-= 1
      let first = index &* 4
      let word = UInt256(
        base.limb(first), base.limb(first &+ 1), base.limb(first &+ 2), base.limb(first &+ 3))
      residue = UInt256.addModulo(UInt256.multiplyModulo(residue, r, modulus), word, modulus)
    }
    let ring = Montgomery(modulus: modulus)
    let one = UInt256.multiplyModulo(residue, r, modulus)
    let bits = exponent.bitWidth
    let width = bits <= 6 ? 1 : bits <= 24 ? 2 : bits <= 80 ? 3 : bits <= 240 ? 4 : 5
    var table = InlineArray<16, UInt256>(repeating: one)
    if width > 1 {
      let squared = ring.product(one, one)
      let entries = 1 << (width &- 1)
      var entry = 1
      while entry < entries {
        // entries is at most 16.
        table[unchecked: entry] = ring.product(table[unchecked: entry &- 1], squared)
        entry &+= 1
      }
    }
    var result = one
    var position = bits &- 1
    var isFirst = true
    while position >= 0 {
      if !exponent.bit(position) {
        result = ring.product(result, result)
        position &-= 1
        continue
      }
      var length = position &+ 1 < width ? position &+ 1 : width
      var window = exponent.bits(position &- length &+ 1, length)
      let zeros = window.trailingZeroBitCount
      window >>= zeros
      length &-= zeros
      position &-= length
      let entry = table[unchecked: window >> 1]
      if isFirst {
        result = entry
        isFirst = false
        continue
      }
      while length > 0 {
        result = ring.product(result, result)
        length &-= 1
      }
      result = ring.product(result, entry)
    }
    return ring.product(result, .one)
  }

  /// `base ^ exponent` modulo 2^bits, bits 1 to 255.
  private static func powerModuloPowerOfTwo(
    _ base: BigEndianNumber, _ exponent: BigEndianNumber, bits: Int
  ) -> UInt256 {
    let mask = (UInt256.one << UInt64(bits)) &- .one
    let factor = base.word & mask
    var position = exponent.bitWidth
    if factor.limb0 & 1 != 0 {
      // The order of an odd number divides 2^(bits - 1).
      if position > bits { position = bits }
    } else if position > 8 {
      // 2^256 divides it.
      return .zero
    }
    var result = UInt256.one
    while position > 0 {
      position &-= 1
      result = result &* result
      if exponent.bit(position) { result = result &* factor }
    }
    return result & mask
  }

  /// `1 / value` modulo 2^256 for an odd value.
  private static func inverseModuloWord(_ value: UInt256) -> UInt256 {
    var inverse = UInt256(inverseModuloLimb(value.limb0))
    inverse = inverse &* (UInt256(2) &- value &* inverse)
    return inverse &* (UInt256(2) &- value &* inverse)
  }

  /// Products divided by R = 2^256 modulo an odd number of any size up to 256 bits.
  private struct Montgomery: BitwiseCopyable {
    let modulus: UInt256
    /// -1/modulus modulo 2^64.
    let negatedInverse: UInt64

    init(modulus: UInt256) {
      self.modulus = modulus
      negatedInverse = 0 &- inverseModuloLimb(modulus.limb0)
    }

    /// `a * b / R`, below the modulus when one of both is.
    @inline(__always)
    func product(_ a: UInt256, _ b: UInt256) -> UInt256 {
      var t = UInt256.zero
      var top: UInt64 = 0
      accumulate(&t, &top, a, b.limb0)
      accumulate(&t, &top, a, b.limb1)
      accumulate(&t, &top, a, b.limb2)
      accumulate(&t, &top, a, b.limb3)
      let (reduced, borrow) = UInt256.subtractingReportingBorrow(t, modulus)
      return borrow && top == 0 ? t : reduced
    }

    /// `(top, t) = ((top, t) + a * b + modulus * u) / 2^64`, where u makes it come out even.
    @inline(__always)
    private func accumulate(_ t: inout UInt256, _ top: inout UInt64, _ a: UInt256, _ b: UInt64) {
      var c: UInt64
      let t0: UInt64
      let t1: UInt64
      let t2: UInt64
      let t3: UInt64
      (t0, c) = multiplyAdd(a.limb0, b, t.limb0, 0)
      (t1, c) = multiplyAdd(a.limb1, b, t.limb1, c)
      (t2, c) = multiplyAdd(a.limb2, b, t.limb2, c)
      (t3, c) = multiplyAdd(a.limb3, b, t.limb3, c)
      let (t4, carry) = top.addingReportingOverflow(c)
      let u = t0 &* negatedInverse
      c = multiplyAdd(u, modulus.limb0, t0, 0).high
      (t.limb0, c) = multiplyAdd(u, modulus.limb1, t1, c)
      (t.limb1, c) = multiplyAdd(u, modulus.limb2, t2, c)
      (t.limb2, c) = multiplyAdd(u, modulus.limb3, t3, c)
      let (limb3, carry2) = t4.addingReportingOverflow(c)
      t.limb3 = limb3
      // The value stays below 2 * modulus: the new top is 0 or 1.
      top = (carry ? 1 : 0) &+ (carry2 ? 1 : 0)
    }
  }
}

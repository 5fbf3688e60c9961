/// Powers modulo numbers of any size.
enum ModularPower {
  /// Writes `base ^ exponent` modulo `modulus` as `outputCount` big-endian bytes, which is at least
  /// the modulus' own length. Zero modulo zero and one; one for a zero exponent otherwise.
  ///
  /// Gives false when `scratch` is too small, and then has written nothing that counts.
  static func power(
    _ base: BigEndianNumber, _ exponent: BigEndianNumber, modulus: BigEndianNumber,
    output: UnsafeMutablePointer<UInt8>, outputCount: Int, scratch: inout Arena
  ) -> Bool {
    output.update(repeating: 0, count: outputCount)
    if modulus.isZero || modulus.bitWidth == 1 { return true }
    if exponent.isZero {
      output[outputCount &- 1] = 1
      return true
    }
    if base.isZero { return true }
    let used = scratch.used
    defer { scratch.used = used }
    let limbs = (modulus.length &+ 7) >> 3
    if limbs <= 4 {
      let result = ModularPower256.power(base, exponent, modulus: modulus.word)
      guard let room = scratch.allocate(UInt64.self, count: 4) else { return false }
      room[0] = result.limb0
      room[1] = result.limb1
      room[2] = result.limb2
      room[3] = result.limb3
      store(room, 4, output, outputCount)
      return true
    }
    guard
      // One limb of room above the result: x1 + odd * y is built there.
      let result = scratch.allocate(UInt64.self, count: limbs &+ 3),
      let odd = scratch.allocate(UInt64.self, count: limbs &+ 2)
    else { return false }
    let twos = modulus.trailingZeroBitCount
    var oddCount = limbs &- twos >> 6
    load(odd, modulus, from: twos >> 6, count: oddCount)
    Limbs.shiftRight(odd, odd, oddCount, bits: UInt64(twos & 63))
    while odd[oddCount &- 1] == 0 { oddCount &-= 1 }
    odd[oddCount] = 0
    Limbs.clear(result, limbs &+ 3)
    if oddCount > 4 {
      if !powerModuloOdd(result, base, exponent, odd, oddCount, &scratch) { return false }
    } else if oddCount > 1 || odd[0] != 1 {
      let word = UInt256(
        odd[0], oddCount > 1 ? odd[1] : 0, oddCount > 2 ? odd[2] : 0, oddCount > 3 ? odd[3] : 0)
      let residue = ModularPower256.powerModuloOdd(base, exponent, modulus: word)
      result[0] = residue.limb0
      result[1] = residue.limb1
      result[2] = residue.limb2
      result[3] = residue.limb3
    }
    if twos != 0 {
      if !combine(result, base, exponent, odd, oddCount, twos: twos, &scratch) { return false }
    }
    store(result, limbs, output, outputCount)
    return true
  }

  /// `r = base ^ exponent` modulo an odd number of `count` limbs, at least 2 and the highest not
  /// zero, with a zero limb above them.
  private static func powerModuloOdd(
    _ r: Limbs.Pointer, _ base: BigEndianNumber, _ exponent: BigEndianNumber,
    _ modulus: Limbs.Pointer, _ count: Int, _ scratch: inout Arena
  ) -> Bool {
    let used = scratch.used
    defer { scratch.used = used }
    let even = (count &+ 1) & ~1
    let bits = exponent.bitWidth
    let baseCount = base.limbCount
    let dividendCount = even &+ baseCount
    guard
      let number = scratch.allocate(UInt64.self, count: even),
      let product = scratch.allocate(UInt64.self, count: 2 &* even),
      let powers = scratch.allocate(
        UInt64.self, count: MontgomeryRing.powerScratch(count: even, exponentBits: bits))
    else { return false }
    let beforeDivision = scratch.used
    guard
      let divisor = scratch.allocate(UInt64.self, count: count),
      let dividend = scratch.allocate(UInt64.self, count: dividendCount &+ 1)
    else { return false }
    // base * R modulo the modulus, by one division.
    let shift = UInt64(modulus[count &- 1].leadingZeroBitCount)
    _ = Limbs.shiftLeft(divisor, modulus, count, bits: shift)
    Limbs.clear(dividend, even)
    load(dividend + even, base, from: 0, count: baseCount)
    dividend[dividendCount] = Limbs.shiftLeft(dividend, dividend, dividendCount, bits: shift)
    Limbs.reduce(dividend, dividendCount, by: divisor, count)
    Limbs.clear(number, even)
    Limbs.shiftRight(number, dividend, count, bits: shift)
    scratch.used = beforeDivision

    let ring = MontgomeryRing(modulus: modulus, count: even, product: product)
    ring.power(number, number, exponent, bits: bits, scratch: powers)
    ring.convertOut(number, number)
    Limbs.copy(r, number, count)
    return true
  }

  /// Makes of `r`, a power modulo `odd`, the same power modulo `odd * 2^twos`: the Chinese
  /// remainder theorem. `r` has room for the limbs of the product and one more, zeros above its
  /// value.
  private static func combine(
    _ r: Limbs.Pointer, _ base: BigEndianNumber, _ exponent: BigEndianNumber,
    _ odd: Limbs.Pointer, _ oddCount: Int, twos: Int, _ scratch: inout Arena
  ) -> Bool {
    let used = scratch.used
    defer { scratch.used = used }
    let count = (twos &+ 63) >> 6
    guard
      let x2 = scratch.allocate(UInt64.self, count: count),
      let product = scratch.allocate(UInt64.self, count: count)
    else { return false }
    let ring = TwoAdicRing(count: count, product: product)
    if !powerModuloPowerOfTwo(x2, base, exponent, twos, ring, &scratch) { return false }
    let mask = UInt64.max &>> UInt64((0 &- twos) & 63)
    if oddCount == 1 && odd[0] == 1 {
      x2[count &- 1] &= mask
      Limbs.copy(r, x2, count)
      return true
    }
    guard
      let inverse = scratch.allocate(UInt64.self, count: count),
      let low = scratch.allocate(UInt64.self, count: count),
      let temporary = scratch.allocate(UInt64.self, count: count),
      let multiple = scratch.allocate(UInt64.self, count: oddCount &+ count)
    else { return false }
    copyExtended(low, count, odd, oddCount)
    ring.invert(inverse, low, scratch: temporary)
    copyExtended(low, count, r, oddCount)
    // y = (x2 - x1) / odd modulo 2^twos
    _ = Limbs.subtract(x2, x2, low, count)
    ring.multiply(x2, x2, inverse)
    x2[count &- 1] &= mask
    // x1 + odd * y is below odd * 2^twos, so the limbs above the modulus' are zeros.
    Limbs.multiply(multiple, odd, oddCount, x2, count)
    var carry: UInt64 = 0
    var index = 0
    while index < oddCount &+ count {
      let x1 = index < oddCount ? r[index] : 0
      (r[index], carry) = multiplyAdd(1, multiple[index], x1, carry)
      index &+= 1
    }
    return true
  }

  /// `r = base ^ exponent` modulo 2^twos; the bits above are left as they come.
  private static func powerModuloPowerOfTwo(
    _ r: Limbs.Pointer, _ base: BigEndianNumber, _ exponent: BigEndianNumber, _ twos: Int,
    _ ring: TwoAdicRing, _ scratch: inout Arena
  ) -> Bool {
    var bits = exponent.bitWidth
    if base.limb(0) & 1 != 0 {
      // The order of an odd number divides 2^(twos - 1): the exponent's lower bits decide.
      if bits > twos { bits = twos }
      while bits > 0 && !exponent.bit(bits &- 1) { bits &-= 1 }
    } else if bits > 62 || exponent.limb(0) >= UInt64(twos) {
      // 2^exponent divides it.
      Limbs.clear(r, ring.count)
      return true
    }
    if bits == 0 {
      Limbs.clear(r, ring.count)
      r[0] = 1
      return true
    }
    let used = scratch.used
    defer { scratch.used = used }
    guard
      let powers = scratch.allocate(
        UInt64.self, count: TwoAdicRing.powerScratch(count: ring.count, exponentBits: bits))
    else { return false }
    load(r, base, from: 0, count: ring.count)
    ring.power(r, r, exponent, bits: bits, scratch: powers)
    return true
  }

  /// `r = a`, cut off or with zeros above.
  private static func copyExtended(
    _ r: Limbs.Pointer, _ count: Int, _ a: Limbs.Pointer, _ aCount: Int
  ) {
    var index = 0
    while index < count {
      r[index] = index < aCount ? a[index] : 0
      index &+= 1
    }
  }

  /// Reads `count` limbs of a number from limb `first` on.
  private static func load(
    _ r: Limbs.Pointer, _ number: BigEndianNumber, from first: Int, count: Int
  ) {
    var index = 0
    while index < count {
      r[index] = number.limb(first &+ index)
      index &+= 1
    }
  }

  /// Writes the lower bytes of `limbs` limbs as `count` big-endian bytes, zeros in front.
  private static func store(
    _ a: Limbs.Pointer, _ limbs: Int, _ output: UnsafeMutablePointer<UInt8>, _ count: Int
  ) {
    var index = 0
    while index < count {
      let limb = index >> 3
      let value = limb < limbs ? a[limb] &>> UInt64((index & 7) &* 8) : 0
      output[count &- 1 &- index] = UInt8(truncatingIfNeeded: value)
      index &+= 1
    }
  }
}

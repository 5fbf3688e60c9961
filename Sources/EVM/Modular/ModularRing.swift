/// Numbers modulo something, as limbs in memory, that can be multiplied: what raising to a power
/// needs.
protocol ModularRing: BitwiseCopyable {
  /// Limbs of a number.
  var count: Int { get }
  /// `r = a * b`; any of them may be the same.
  func multiply(_ r: Limbs.Pointer, _ a: Limbs.Pointer, _ b: Limbs.Pointer)
  /// `r = a * a`; both may be the same.
  func square(_ r: Limbs.Pointer, _ a: Limbs.Pointer)
}

extension ModularRing {
  /// The window that takes the fewest multiplications for an exponent of so many bits.
  static func windowWidth(exponentBits bits: Int) -> Int {
    if bits <= 6 { return 1 }
    if bits <= 24 { return 2 }
    if bits <= 80 { return 3 }
    if bits <= 240 { return 4 }
    if bits <= 672 { return 5 }
    return bits <= 1792 ? 6 : 7
  }

  /// Limbs of scratch that `power` needs.
  static func powerScratch(count: Int, exponentBits bits: Int) -> Int {
    (1 << (windowWidth(exponentBits: bits) &- 1) &+ 1) &* count
  }

  /// `r = base ^ exponent`, the exponent's lowest `bits` bits of it, at least 1, the highest of
  /// which is set: windows that slide over the exponent from its highest bit (Menezes, van
  /// Oorschot, Vanstone, "Handbook of applied cryptography", algorithm 14.85).
  ///
  /// `scratch` has `powerScratch` limbs; `r` and `base` may be the same.
  func power(
    _ r: Limbs.Pointer, _ base: Limbs.Pointer, _ exponent: BigEndianNumber, bits: Int,
    scratch: Limbs.Pointer
  ) {
    let width = Self.windowWidth(exponentBits: bits)
    // The odd powers, and behind them the square.
    let table = scratch
    let entries = 1 << (width &- 1)
    Limbs.copy(table, base, count)
    if entries > 1 {
      let squared = scratch + entries &* count
      square(squared, base)
      var entry = 1
      while entry < entries {
        multiply(table + entry &* count, table + (entry &- 1) &* count, squared)
        entry &+= 1
      }
    }
    var position = bits &- 1
    var isFirst = true
    while position >= 0 {
      if !exponent.bit(position) {
        square(r, r)
        position &-= 1
        continue
      }
      var length = position &+ 1 < width ? position &+ 1 : width
      var window = exponent.bits(position &- length &+ 1, length)
      let zeros = window.trailingZeroBitCount
      window >>= zeros
      length &-= zeros
      let entry = table + (window >> 1) &* count
      if isFirst {
        Limbs.copy(r, entry, count)
        isFirst = false
      } else {
        var index = 0
        while index < length {
          square(r, r)
          index &+= 1
        }
        multiply(r, r, entry)
      }
      position &-= length
    }
  }
}

/// Numbers modulo an odd m in Montgomery form: a stands for a * R, R = 2^(64 * count) (Peter
/// Montgomery, "Modular multiplication without trial division", 1985).
struct MontgomeryRing: ModularRing {
  /// Limbs of a number: even, so that two rows go together.
  let count: Int
  private let modulus: Limbs.Pointer
  /// `2 * count` limbs for products.
  private let product: Limbs.Pointer
  /// -1/m modulo 2^64.
  private let negatedInverse: UInt64

  /// - Parameters:
  ///   - modulus: `count` limbs, odd; zeros may be on top.
  ///   - count: An even number of limbs.
  ///   - product: `2 * count` limbs that the ring overwrites.
  init(modulus: Limbs.Pointer, count: Int, product: Limbs.Pointer) {
    self.modulus = modulus
    self.count = count
    self.product = product
    negatedInverse = 0 &- inverseModuloLimb(modulus[0])
  }

  func multiply(_ r: Limbs.Pointer, _ a: Limbs.Pointer, _ b: Limbs.Pointer) {
    Limbs.multiply(product, a, count, b, count)
    reduceProduct(r)
  }

  func square(_ r: Limbs.Pointer, _ a: Limbs.Pointer) {
    Limbs.square(product, a, count)
    reduceProduct(r)
  }

  /// `r = a / R`: out of Montgomery form. Both may be the same.
  func convertOut(_ r: Limbs.Pointer, _ a: Limbs.Pointer) {
    Limbs.copy(product, a, count)
    Limbs.clear(product + count, count)
    reduceProduct(r)
  }

  /// `r = product / R` modulo m, below m when the product is below m * R.
  private func reduceProduct(_ r: Limbs.Pointer) {
    let m0 = modulus[0]
    let m1 = modulus[1]
    var top: UInt64 = 0
    var i = 0
    while i < count {
      let t = product + i
      // Multiples of m that make the two lowest limbs zero.
      let u0 = t[0] &* negatedInverse
      let column0 = multiplyAdd(u0, m0, t[0], 0)
      let column1 = multiplyAdd(u0, m1, t[1], column0.high)
      let u1 = column1.low &* negatedInverse
      var rows = Limbs.TwoRows(
        u0, u1, previous: m1, carry0: column1.high,
        carry1: multiplyAdd(u1, m0, column1.low, 0).high)
      rows.accumulate(t, modulus, from: 2, count)
      let (sum, carry1) = multiplyAdd(rows.previous, u1, t[count], rows.carry1)
      let low = UInt128(sum) &+ UInt128(rows.carry0) &+ UInt128(top)
      t[count] = UInt64(truncatingIfNeeded: low)
      let high = UInt128(t[count &+ 1]) &+ UInt128(carry1) &+ (low >> 64)
      t[count &+ 1] = UInt64(truncatingIfNeeded: high)
      top = UInt64(truncatingIfNeeded: high >> 64)
      i &+= 2
    }
    // Below 2 m: one subtraction is enough.
    let upper = product + count
    let borrow = Limbs.subtract(r, upper, modulus, count)
    if borrow > top { Limbs.copy(r, upper, count) }
  }
}

/// Numbers modulo 2^(64 * count).
struct TwoAdicRing: ModularRing {
  let count: Int
  /// `count` limbs for products.
  let product: Limbs.Pointer

  func multiply(_ r: Limbs.Pointer, _ a: Limbs.Pointer, _ b: Limbs.Pointer) {
    Limbs.multiplyLow(product, a, b, count)
    Limbs.copy(r, product, count)
  }

  func square(_ r: Limbs.Pointer, _ a: Limbs.Pointer) {
    multiply(r, a, a)
  }

  /// `r = 1 / a` for an odd `a`, apart from it; `scratch` has `count` limbs. Newton's iteration
  /// doubles the limbs that are right.
  func invert(_ r: Limbs.Pointer, _ a: Limbs.Pointer, scratch: Limbs.Pointer) {
    Limbs.clear(r, count)
    r[0] = inverseModuloLimb(a[0])
    var right = 1
    while right < count {
      right = right &* 2 < count ? right &* 2 : count
      // r * (2 - a * r)
      Limbs.multiplyLow(product, a, r, right)
      Limbs.clear(scratch, right)
      scratch[0] = 2
      _ = Limbs.subtract(scratch, scratch, product, right)
      Limbs.multiplyLow(product, r, scratch, right)
      Limbs.copy(r, product, right)
    }
  }
}

/// `1 / value` modulo 2^64 for an odd value: Newton's iteration from five right bits on.
@inline(__always)
func inverseModuloLimb(_ value: UInt64) -> UInt64 {
  var inverse = (3 &* value) ^ 2
  inverse = inverse &* (2 &- value &* inverse)
  inverse = inverse &* (2 &- value &* inverse)
  inverse = inverse &* (2 &- value &* inverse)
  inverse = inverse &* (2 &- value &* inverse)
  return inverse
}

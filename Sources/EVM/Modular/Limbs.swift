/// Arithmetic on numbers of any size as limbs in memory, least significant first.
///
/// The caller owns the memory and says how many limbs there are; nothing is checked here. The
/// products work on two rows at once: two independent chains of carries, and one pass over the
/// accumulator for both.
enum Limbs {
  typealias Pointer = UnsafeMutablePointer<UInt64>

  /// Sets `count` limbs to zero.
  @inline(__always)
  static func clear(_ a: Pointer, _ count: Int) {
    a.update(repeating: 0, count: count)
  }

  /// `r = a`, over `count` limbs that do not overlap.
  @inline(__always)
  static func copy(_ r: Pointer, _ a: Pointer, _ count: Int) {
    r.update(from: a, count: count)
  }

  /// `r = a + b` over `count` limbs; gives the carry. `r` may be `a` or `b`.
  static func add(_ r: Pointer, _ a: Pointer, _ b: Pointer, _ count: Int) -> UInt64 {
    var carry: UInt64 = 0
    var i = 0
    while i < count {
      let sum = UInt128(a[i]) &+ UInt128(b[i]) &+ UInt128(carry)
      r[i] = UInt64(truncatingIfNeeded: sum)
      carry = UInt64(truncatingIfNeeded: sum >> 64)
      i &+= 1
    }
    return carry
  }

  /// `r = a - b` over `count` limbs; gives the borrow, 0 or 1. `r` may be `a` or `b`.
  static func subtract(_ r: Pointer, _ a: Pointer, _ b: Pointer, _ count: Int) -> UInt64 {
    var borrow: UInt64 = 0
    var i = 0
    while i < count {
      let difference = UInt128(a[i]) &- UInt128(b[i]) &- UInt128(borrow)
      r[i] = UInt64(truncatingIfNeeded: difference)
      borrow = UInt64(truncatingIfNeeded: difference >> 64) & 1
      i &+= 1
    }
    return borrow
  }

  /// `r = a << bits` over `count` limbs, bits 0 to 63; gives what goes out at the top. `r` may be
  /// `a`.
  static func shiftLeft(_ r: Pointer, _ a: Pointer, _ count: Int, bits: UInt64) -> UInt64 {
    var out: UInt64 = 0
    var i = 0
    while i < count {
      let limb = a[i]
      r[i] = limb &<< bits | out
      // In two steps, so that a count of 0 gives 0.
      out = (limb &>> 1) &>> (63 &- bits)
      i &+= 1
    }
    return out
  }

  /// `r = a >> bits` over `count` limbs, bits 0 to 63. `r` may be `a`, or below it.
  static func shiftRight(_ r: Pointer, _ a: Pointer, _ count: Int, bits: UInt64) {
    var i = 0
    while i < count {
      let above = i &+ 1 < count ? a[i &+ 1] : 0
      r[i] = a[i] &>> bits | (above &<< 1) &<< (63 &- bits)
      i &+= 1
    }
  }

  /// `r = r + a * b` over `count` limbs; gives the limb that goes out at the top.
  @inline(__always)
  static func multiplyAccumulate(_ r: Pointer, _ a: Pointer, _ count: Int, _ b: UInt64) -> UInt64 {
    var carry: UInt64 = 0
    var i = 0
    while i < count {
      (r[i], carry) = multiplyAdd(a[i], b, r[i], carry)
      i &+= 1
    }
    return carry
  }

  /// `r = r - a * b` over `count` limbs; gives the limb to take from the next one.
  @inline(__always)
  static func multiplySubtract(_ r: Pointer, _ a: Pointer, _ count: Int, _ b: UInt64) -> UInt64 {
    var carry: UInt64 = 0
    var i = 0
    while i < count {
      let (low, high) = multiplyAdd(a[i], b, carry, 0)
      let (difference, borrow) = r[i].subtractingReportingOverflow(low)
      r[i] = difference
      // high is at most 2^64 - 2 when low is not zero.
      carry = high &+ (borrow ? 1 : 0)
      i &+= 1
    }
    return carry
  }

  /// Two rows of a product at once: what they have in hand between columns.
  struct TwoRows: BitwiseCopyable {
    /// The rows' factors, the second one column further on.
    let factor0: UInt64
    let factor1: UInt64
    /// The limb of the column before, which meets the second factor.
    var previous: UInt64
    var carry0: UInt64
    var carry1: UInt64

    @inline(__always)
    init(
      _ factor0: UInt64, _ factor1: UInt64, previous: UInt64 = 0, carry0: UInt64 = 0,
      carry1: UInt64 = 0
    ) {
      self.factor0 = factor0
      self.factor1 = factor1
      self.previous = previous
      self.carry0 = carry0
      self.carry1 = carry1
    }

    /// Adds both rows' products with `limb` to one column.
    @inline(__always)
    mutating func step(_ column: Pointer, _ limb: UInt64) {
      let sum: UInt64
      (sum, carry0) = multiplyAdd(limb, factor0, column.pointee, carry0)
      (column.pointee, carry1) = multiplyAdd(previous, factor1, sum, carry1)
      previous = limb
    }

    /// `r = r + a * (factor1, factor0)` over the columns of `a`'s limbs `from ..< count`.
    @inline(__always)
    mutating func accumulate(_ r: Pointer, _ a: Pointer, from: Int, _ count: Int) {
      var j = from
      while j &+ 4 <= count {
        step(r + j, a[j])
        step(r + (j &+ 1), a[j &+ 1])
        step(r + (j &+ 2), a[j &+ 2])
        step(r + (j &+ 3), a[j &+ 3])
        j &+= 4
      }
      while j < count {
        step(r + j, a[j])
        j &+= 1
      }
    }

    /// The two limbs above the columns.
    @inline(__always)
    var top: (low: UInt64, high: UInt64) { multiplyAdd(previous, factor1, carry0, carry1) }
  }

  /// `r = a * b`: `aCount + bCount` limbs, neither count zero, apart from both.
  static func multiply(
    _ r: Pointer, _ a: Pointer, _ aCount: Int, _ b: Pointer, _ bCount: Int
  ) {
    clear(r, bCount)
    var i = 0
    if aCount & 1 != 0 {
      r[bCount] = multiplyAccumulate(r, b, bCount, a[0])
      i = 1
    }
    while i < aCount {
      var rows = TwoRows(a[i], a[i &+ 1])
      rows.accumulate(r + i, b, from: 0, bCount)
      (r[i &+ bCount], r[i &+ bCount &+ 1]) = rows.top
      i &+= 2
    }
  }

  /// `r = a * a`: `2 * count` limbs apart from `a`; `count` is even.
  static func square(_ r: Pointer, _ a: Pointer, _ count: Int) {
    // The products of different limbs, each once: rows i and i + 1 from column 2i + 1 on.
    clear(r, count &+ 1)
    var i = 0
    while i < count {
      let a0 = a[i]
      let a1 = a[i &+ 1]
      var rows = TwoRows(a0, a1)
      (r[2 &* i &+ 1], rows.carry0) = multiplyAdd(a0, a1, r[2 &* i &+ 1], 0)
      rows.accumulate(r + i, a, from: i &+ 2, count)
      (r[i &+ count], r[i &+ count &+ 1]) = rows.top
      i &+= 2
    }
    // Twice these, and the squares of the limbs on the diagonal.
    var out: UInt64 = 0
    var carry: UInt64 = 0
    i = 0
    while i < count {
      let low = r[2 &* i]
      let high = r[2 &* i &+ 1]
      let square = UInt128(a[i]) &* UInt128(a[i])
      let twice = UInt128(high &<< 1 | low &>> 63) << 64 | UInt128(low &<< 1 | out)
      out = high &>> 63
      // In two steps: twice + square may pass 2^128 by itself.
      let (sum, overflow) = twice.addingReportingOverflow(square)
      let (total, overflow2) = sum.addingReportingOverflow(UInt128(carry))
      r[2 &* i] = UInt64(truncatingIfNeeded: total)
      r[2 &* i &+ 1] = UInt64(truncatingIfNeeded: total >> 64)
      carry = (overflow ? 1 : 0) &+ (overflow2 ? 1 : 0)
      i &+= 1
    }
  }

  /// `r = a * b` modulo 2^(64 * count), apart from both.
  static func multiplyLow(_ r: Pointer, _ a: Pointer, _ b: Pointer, _ count: Int) {
    clear(r, count)
    var i = 0
    while i < count {
      var rows = TwoRows(a[i], i &+ 1 < count ? a[i &+ 1] : 0)
      rows.accumulate(r + i, b, from: 0, count &- i)
      i &+= 2
    }
  }

  /// Leaves the remainder of `u` (`uCount + 1` limbs, the top one below the divisor's) by
  /// `divisor` in its lower `count` limbs, and zeros above; `divisor` has `count >= 2` limbs and
  /// its top bit set, `uCount >= count` (Knuth, volume 2, section 4.3.1, algorithm D).
  static func reduce(_ u: Pointer, _ uCount: Int, by divisor: Pointer, _ count: Int) {
    let top = divisor[count &- 1]
    let next = divisor[count &- 2]
    let reciprocal = Reciprocal128(normalized: top, next)
    var j = uCount &- count
    while j >= 0 {
      let u2 = u[j &+ count]
      let u1 = u[j &+ count &- 1]
      // Where the first two limbs are equal the quotient is 2^64 - 1; see KnuthDivisor.step.
      let quotient =
        u2 == top && u1 == next
        ? UInt64.max : reciprocal.divide(u2, u1, u[j &+ count &- 2]).quotient
      let taken = multiplySubtract(u + j, divisor, count, quotient)
      if taken > u2 { _ = add(u + j, u + j, divisor, count) }
      u[j &+ count] = 0
      j &-= 1
    }
  }
}

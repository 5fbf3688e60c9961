// Operations from memory to memory, for the interpreter. A word passed by value goes through the
// machine's stack as vectors, and a vector load right after the limbs were stored has to wait for
// them (see `limbs` in Interpreter+Program.swift); these take pointers.
extension UInt256 {
  typealias Place = UnsafeMutablePointer<UInt256>

  /// Copies limb by limb, each written before the next is read, so that they are not joined.
  @inline(__always)
  static func copy(_ source: Place, to target: Place) {
    let from = UnsafeMutableRawPointer(source).assumingMemoryBound(to: UInt64.self)
    let to = UnsafeMutableRawPointer(target).assumingMemoryBound(to: UInt64.self)
    to[0] = from[0]
    to[1] = from[1]
    to[2] = from[2]
    to[3] = from[3]
  }

  /// DIV.
  @inline(__always)
  static func divide(_ a: Place, _ b: Place, into result: Place) {
    let x = a.pointee
    let y = b.pointee
    if x.fitsUInt64 && y.fitsUInt64 {
      result.pointee = UInt256(y.limb0 == 0 ? 0 : x.limb0 / y.limb0)
    } else {
      divideWide(a, b, result)
    }
  }

  @inline(never)
  private static func divideWide(_ a: Place, _ b: Place, _ result: Place) {
    result.pointee = divideInline(a.pointee, b.pointee).quotient
  }

  /// MOD.
  @inline(__always)
  static func remainder(_ a: Place, _ b: Place, into result: Place) {
    let x = a.pointee
    let y = b.pointee
    if x.fitsUInt64 && y.fitsUInt64 {
      result.pointee = UInt256(y.limb0 == 0 ? 0 : x.limb0 % y.limb0)
    } else {
      remainderWide(a, b, result)
    }
  }

  @inline(never)
  private static func remainderWide(_ a: Place, _ b: Place, _ result: Place) {
    result.pointee = divideInline(a.pointee, b.pointee).remainder
  }

  /// DIV by a prepared divisor.
  @inline(never)
  static func divide(_ a: Place, _ divisor: UnsafePointer<UInt64>, into result: Place) {
    result.pointee = ShortDivisor(divisor).divide(a.pointee).quotient
  }

  /// MOD by a prepared divisor.
  @inline(never)
  static func remainder(_ a: Place, _ divisor: UnsafePointer<UInt64>, into result: Place) {
    result.pointee = ShortDivisor(divisor).divide(a.pointee).remainder
  }

  /// SDIV by a prepared divisor, which is positive.
  @inline(never)
  static func signedDivide(_ a: Place, _ divisor: UnsafePointer<UInt64>, into result: Place) {
    let x = a.pointee
    let quotient = ShortDivisor(divisor).divide(x.magnitude).quotient
    result.pointee = x.isNegative ? quotient.negated : quotient
  }

  /// SDIV.
  @inline(never)
  static func signedDivide(_ a: Place, _ b: Place, into result: Place) {
    let x = a.pointee
    let y = b.pointee
    let u = x.magnitude
    let v = y.magnitude
    let quotient =
      u.fitsUInt64 && v.fitsUInt64
      ? UInt256(v.limb0 == 0 ? 0 : u.limb0 / v.limb0) : divideInline(u, v).quotient
    result.pointee = x.isNegative != y.isNegative ? quotient.negated : quotient
  }

  /// SMOD.
  @inline(never)
  static func signedRemainder(_ a: Place, _ b: Place, into result: Place) {
    let x = a.pointee
    let rest = divideInline(x.magnitude, b.pointee.magnitude).remainder
    result.pointee = x.isNegative ? rest.negated : rest
  }

  /// ADDMOD.
  @inline(never)
  static func addModulo(_ a: Place, _ b: Place, _ modulus: Place, into result: Place) {
    result.pointee = addModulo(a.pointee, b.pointee, modulus.pointee)
  }

  /// MULMOD, with the modulus before.
  @inline(never)
  static func multiplyModulo(
    _ a: Place, _ b: Place, _ modulus: Place, _ last: UnsafeMutablePointer<LastModulus>,
    into result: Place
  ) {
    let m = modulus.pointee
    if m.limb0 == UInt64.max && (m.limb1 & m.limb2 & m.limb3) == UInt64.max {
      multiplyModuloMaximum(a, b, into: result)
    } else if m.limb3 != 0 {
      result.pointee = last.pointee.multiply(a.pointee, b.pointee, m)
    } else {
      result.pointee = multiplyModulo(a.pointee, b.pointee, m)
    }
  }

  /// MULMOD with 2^256 - 1, by which Solidity's code finds a product's upper half.
  @inline(never)
  static func multiplyModuloMaximum(_ a: Place, _ b: Place, into result: Place) {
    let product = multiplyFullWidth(a.pointee, b.pointee)
    // 2^256 leaves 1. After a carry the sum is at most 2^256 - 2: adding it does not carry again.
    let (sum, carry) = addingReportingCarry(product.high, product.low)
    let value = sum &+ UInt256(carry ? 1 : 0)
    result.pointee = value == .max ? .zero : value
  }

  /// SHL.
  @inline(never)
  static func shiftLeft(_ a: Place, _ count: Place, into result: Place) {
    result.pointee = a.pointee << count.pointee.clampedToUInt64
  }

  /// SHR.
  @inline(never)
  static func shiftRight(_ a: Place, _ count: Place, into result: Place) {
    result.pointee = a.pointee >> count.pointee.clampedToUInt64
  }

  /// SAR.
  @inline(never)
  static func shiftRightArithmetic(_ a: Place, _ count: Place, into result: Place) {
    shiftRightArithmetic(a, count.pointee.clampedToUInt64, into: result)
  }

  /// SAR by a known count.
  @inline(never)
  static func shiftRightArithmetic(_ a: Place, _ count: UInt64, into result: Place) {
    let value = a.pointee
    let sign = UInt64(bitPattern: Int64(bitPattern: value.limb3) &>> 63)
    if count >= 256 {
      result.pointee = UInt256(sign, sign, sign, sign)
      return
    }
    let bits = count & 63
    let r3 = UInt64(bitPattern: Int64(bitPattern: value.limb3) &>> Int64(bits))
    let r2 = (value.limb2 &>> bits) | ((value.limb3 &<< 1) &<< (63 &- bits))
    let r1 = (value.limb1 &>> bits) | ((value.limb2 &<< 1) &<< (63 &- bits))
    let r0 = (value.limb0 &>> bits) | ((value.limb1 &<< 1) &<< (63 &- bits))
    switch count >> 6 {
    case 0: result.pointee = UInt256(r0, r1, r2, r3)
    case 1: result.pointee = UInt256(r1, r2, r3, sign)
    case 2: result.pointee = UInt256(r2, r3, sign, sign)
    default: result.pointee = UInt256(r3, sign, sign, sign)
    }
  }

  /// SIGNEXTEND.
  @inline(__always)
  func signExtend(fromByte byteIndex: UInt256, into result: Place) {
    if !byteIndex.fitsUInt64 || byteIndex.limb0 >= 31 {
      result.pointee = self
      return
    }
    // The limb with the sign is extended in place; those above it are filled.
    let index = byteIndex.limb0
    let shift = Int64(56 &- (index & 7) &* 8)
    func extended(_ limb: UInt64) -> UInt64 {
      UInt64(bitPattern: (Int64(bitPattern: limb) &<< shift) &>> shift)
    }
    func sign(_ limb: UInt64) -> UInt64 { UInt64(bitPattern: Int64(bitPattern: limb) &>> 63) }
    switch index >> 3 {
    case 0:
      let limb = extended(limb0)
      result.pointee = UInt256(limb, sign(limb), sign(limb), sign(limb))
    case 1:
      let limb = extended(limb1)
      result.pointee = UInt256(limb0, limb, sign(limb), sign(limb))
    case 2:
      let limb = extended(limb2)
      result.pointee = UInt256(limb0, limb1, limb, sign(limb))
    default:
      result.pointee = UInt256(limb0, limb1, limb2, extended(limb3))
    }
  }
}

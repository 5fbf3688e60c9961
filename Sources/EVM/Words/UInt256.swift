/// An unsigned 256-bit integer: the word of the EVM.
///
/// Four 64-bit limbs, least significant first. Arithmetic wraps modulo 2^256, as the EVM's does
/// (yellow paper, section 9.1).
@frozen
public struct UInt256: BitwiseCopyable, Equatable, Sendable {
  /// Bits 0 to 63.
  public var limb0: UInt64
  /// Bits 64 to 127.
  public var limb1: UInt64
  /// Bits 128 to 191.
  public var limb2: UInt64
  /// Bits 192 to 255.
  public var limb3: UInt64

  /// A word from its four limbs, least significant first.
  @inlinable @inline(__always)
  public init(_ limb0: UInt64, _ limb1: UInt64, _ limb2: UInt64, _ limb3: UInt64) {
    self.limb0 = limb0
    self.limb1 = limb1
    self.limb2 = limb2
    self.limb3 = limb3
  }

  /// A word with the value of a 64-bit integer.
  @inlinable @inline(__always)
  public init(_ value: UInt64) {
    self.init(value, 0, 0, 0)
  }

  /// One for true, zero for false.
  @inlinable @inline(__always)
  public init(_ condition: Bool) {
    self.init(condition ? 1 : 0, 0, 0, 0)
  }

  /// Zero.
  @inlinable @inline(__always)
  public static var zero: UInt256 { UInt256(0, 0, 0, 0) }

  /// One.
  @inlinable @inline(__always)
  public static var one: UInt256 { UInt256(1, 0, 0, 0) }

  /// 2^256 - 1.
  @inlinable @inline(__always)
  public static var max: UInt256 { UInt256(~0, ~0, ~0, ~0) }

  /// Whether the value is zero.
  @inlinable @inline(__always)
  public var isZero: Bool { (limb0 | limb1 | limb2 | limb3) == 0 }

  /// Whether the value fits in 64 bits.
  @inlinable @inline(__always)
  public var fitsUInt64: Bool { (limb1 | limb2 | limb3) == 0 }

  /// The most significant bit: the sign in two's complement.
  @inlinable @inline(__always)
  public var isNegative: Bool { limb3 >> 63 != 0 }

  /// The value when it fits in 64 bits, the largest 64-bit integer otherwise.
  @inlinable @inline(__always)
  public var clampedToUInt64: UInt64 { fitsUInt64 ? limb0 : UInt64.max }

  /// Zero bits above the most significant one; 256 for zero.
  @inlinable
  public var leadingZeroBitCount: Int {
    if limb3 != 0 { return limb3.leadingZeroBitCount }
    if limb2 != 0 { return 64 &+ limb2.leadingZeroBitCount }
    if limb1 != 0 { return 128 &+ limb1.leadingZeroBitCount }
    return 192 &+ limb0.leadingZeroBitCount
  }

  /// Bits needed to write the value; 0 for zero.
  @inlinable @inline(__always)
  public var bitWidth: Int { 256 &- leadingZeroBitCount }

  /// Bytes needed to write the value; 0 for zero.
  @inlinable @inline(__always)
  public var byteWidth: Int { (bitWidth &+ 7) >> 3 }

  @inlinable @inline(__always)
  public static func == (a: UInt256, b: UInt256) -> Bool {
    ((a.limb0 ^ b.limb0) | (a.limb1 ^ b.limb1) | (a.limb2 ^ b.limb2) | (a.limb3 ^ b.limb3)) == 0
  }
}

extension UInt256: Comparable {
  @inlinable @inline(__always)
  public static func < (a: UInt256, b: UInt256) -> Bool {
    subtractingReportingBorrow(a, b).borrow
  }
}

#if !hasFeature(Embedded)
  // The hasher asks the system for a random seed; bare machines have none.
  extension UInt256: Hashable {
    @inlinable
    public func hash(into hasher: inout Hasher) {
      hasher.combine(limb0)
      hasher.combine(limb1)
      hasher.combine(limb2)
      hasher.combine(limb3)
    }
  }
#endif

extension UInt256: ExpressibleByIntegerLiteral {
  @inlinable @inline(__always)
  public init(integerLiteral value: UInt64) {
    self.init(value)
  }
}

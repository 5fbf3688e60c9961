/// A 20-byte account address.
///
/// Kept as a 160-bit number, so that moving it to and from an EVM word costs nothing.
@frozen
public struct Address: BitwiseCopyable, Equatable, Sendable {
  /// Bytes 12 to 19.
  public var low: UInt64
  /// Bytes 4 to 11.
  public var middle: UInt64
  /// Bytes 0 to 3.
  public var high: UInt32

  /// The zero address.
  @inlinable @inline(__always)
  public static var zero: Address { Address(UInt256.zero) }

  /// The low 160 bits of a word.
  @inlinable @inline(__always)
  public init(_ word: UInt256) {
    low = word.limb0
    middle = word.limb1
    high = UInt32(truncatingIfNeeded: word.limb2)
  }

  /// The address with a small number, as the precompiles have.
  @inlinable @inline(__always)
  public init(number: UInt64) {
    self.init(UInt256(number))
  }

  /// Reads 20 bytes, at any alignment.
  @inlinable @inline(__always)
  public init(bytes: UnsafePointer<UInt8>) {
    let raw = UnsafeRawPointer(bytes)
    high = UInt32(bigEndian: raw.loadUnaligned(fromByteOffset: 0, as: UInt32.self))
    middle = UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 4, as: UInt64.self))
    low = UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 12, as: UInt64.self))
  }

  /// Writes 20 bytes, at any alignment.
  @inlinable @inline(__always)
  public func store(bytes: UnsafeMutablePointer<UInt8>) {
    let raw = UnsafeMutableRawPointer(bytes)
    raw.storeBytes(of: high.bigEndian, toByteOffset: 0, as: UInt32.self)
    raw.storeBytes(of: middle.bigEndian, toByteOffset: 4, as: UInt64.self)
    raw.storeBytes(of: low.bigEndian, toByteOffset: 12, as: UInt64.self)
  }

  /// The address as an EVM word: 12 zero bytes, then the address.
  @inlinable @inline(__always)
  public var word: UInt256 { UInt256(low, middle, UInt64(high), 0) }
}

#if !hasFeature(Embedded)
  // The hasher asks the system for a random seed; bare machines have none.
  extension Address: Hashable {}
#endif

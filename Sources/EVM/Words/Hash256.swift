/// A 32-byte hash, kept as the big-endian number that its bytes write.
@frozen
public struct Hash256: BitwiseCopyable, Equatable, Sendable {
  /// The hash as an EVM word.
  public var word: UInt256

  /// The hash that a word writes in big-endian bytes.
  @inlinable @inline(__always)
  public init(_ word: UInt256) {
    self.word = word
  }

  /// Reads 32 bytes, at any alignment.
  @inlinable @inline(__always)
  public init(bytes: UnsafePointer<UInt8>) {
    word = UInt256(bigEndian: bytes)
  }

  /// Writes 32 bytes, at any alignment.
  @inlinable @inline(__always)
  public func store(bytes: UnsafeMutablePointer<UInt8>) {
    word.store(bigEndian: bytes)
  }

  /// All zero bytes.
  @inlinable @inline(__always)
  public static var zero: Hash256 { Hash256(.zero) }
}

#if !hasFeature(Embedded)
  // The hasher asks the system for a random seed; bare machines have none.
  extension Hash256: Hashable {}
#endif

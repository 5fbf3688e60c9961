/// Eight bytes at a time, in the order of memory, at any alignment.
///
/// The host does that in one instruction. A device reads and writes four bytes at once only where the
/// address is a multiple of four, as most are in memory, in calldata behind the selector and in what is hashed;
/// of an access that it knows nothing about it makes one for each byte.
@usableFromInline
package enum ByteWords {
  /// Whether `load` and `store` can be used at an address; elsewhere bytes are moved one by one.
  @inlinable @inline(__always)
  package static func canReach(_ bytes: UnsafeRawPointer) -> Bool {
    #if NEEDLETAIL_DEVICE
      return UInt(bitPattern: bytes) & 3 == 0
    #else
      return true
    #endif
  }

  /// The eight bytes at `offset`, a multiple of four.
  @inlinable @inline(__always)
  package static func load(_ bytes: UnsafeRawPointer, _ offset: Int) -> UInt64 {
    #if NEEDLETAIL_DEVICE
      return loadHalves(bytes, offset)
    #else
      return bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    #endif
  }

  /// Writes eight bytes at `offset`, a multiple of four.
  @inlinable @inline(__always)
  package static func store(_ word: UInt64, _ bytes: UnsafeMutableRawPointer, _ offset: Int) {
    #if NEEDLETAIL_DEVICE
      storeHalves(word, bytes, offset)
    #else
      bytes.storeBytes(of: word, toByteOffset: offset, as: UInt64.self)
    #endif
  }

  /// The eight bytes at any offset of any address.
  @inlinable @inline(__always)
  package static func loadAnywhere(_ bytes: UnsafeRawPointer, _ offset: Int) -> UInt64 {
    canReach(bytes + offset) ? load(bytes, offset) : loadBytes(bytes, offset)
  }

  // Not inlined: the compiler would make one access of both, which fits the worse of them.
  @usableFromInline @inline(never)
  package static func loadBytes(_ bytes: UnsafeRawPointer, _ offset: Int) -> UInt64 {
    bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
  }

  /// `load` as a device does it, of an address that is a multiple of four.
  @inlinable @inline(__always)
  package static func loadHalves(_ bytes: UnsafeRawPointer, _ offset: Int) -> UInt64 {
    UInt64(bytes.load(fromByteOffset: offset, as: UInt32.self))
      | UInt64(bytes.load(fromByteOffset: offset &+ 4, as: UInt32.self)) << 32
  }

  /// `store` as a device does it, to an address that is a multiple of four.
  @inlinable @inline(__always)
  package static func storeHalves(_ word: UInt64, _ bytes: UnsafeMutableRawPointer, _ offset: Int) {
    let halves = (bytes + offset).assumingMemoryBound(to: UInt32.self)
    halves[0] = UInt32(truncatingIfNeeded: word)
    halves[1] = UInt32(truncatingIfNeeded: word >> 32)
  }
}

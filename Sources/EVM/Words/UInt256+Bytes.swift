extension UInt256 {
  /// Reads 32 big-endian bytes, at any alignment.
  @inlinable @inline(__always)
  public init(bigEndian bytes: UnsafePointer<UInt8>) {
    let raw = UnsafeRawPointer(bytes)
    if ByteWords.canReach(raw) {
      self.init(
        UInt64(bigEndian: ByteWords.load(raw, 24)), UInt64(bigEndian: ByteWords.load(raw, 16)),
        UInt64(bigEndian: ByteWords.load(raw, 8)), UInt64(bigEndian: ByteWords.load(raw, 0)))
    } else {
      self.init(bigEndianUnaligned: raw)
    }
  }

  @usableFromInline @inline(never)
  init(bigEndianUnaligned raw: UnsafeRawPointer) {
    self.init(
      UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 24, as: UInt64.self)),
      UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 16, as: UInt64.self)),
      UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
      UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 0, as: UInt64.self)))
  }

  /// Reads `count` big-endian bytes (0 to 32) as the low-order bytes of a word.
  @inlinable
  public init(bigEndian bytes: UnsafePointer<UInt8>, count: Int) {
    self = .zero
    var index = 0
    while index < count {
      // The byte's distance from the low end of the word.
      let position = count &- 1 &- index
      let shifted = UInt64(bytes[index]) << UInt64((position & 7) &* 8)
      switch position >> 3 {
      case 0: limb0 |= shifted
      case 1: limb1 |= shifted
      case 2: limb2 |= shifted
      default: limb3 |= shifted
      }
      index &+= 1
    }
  }

  /// Writes 32 big-endian bytes, at any alignment.
  @inlinable @inline(__always)
  public func store(bigEndian bytes: UnsafeMutablePointer<UInt8>) {
    let raw = UnsafeMutableRawPointer(bytes)
    if ByteWords.canReach(raw) {
      ByteWords.store(limb3.bigEndian, raw, 0)
      ByteWords.store(limb2.bigEndian, raw, 8)
      ByteWords.store(limb1.bigEndian, raw, 16)
      ByteWords.store(limb0.bigEndian, raw, 24)
    } else {
      storeUnaligned(bigEndian: raw)
    }
  }

  @usableFromInline @inline(never)
  func storeUnaligned(bigEndian raw: UnsafeMutableRawPointer) {
    raw.storeBytes(of: limb3.bigEndian, toByteOffset: 0, as: UInt64.self)
    raw.storeBytes(of: limb2.bigEndian, toByteOffset: 8, as: UInt64.self)
    raw.storeBytes(of: limb1.bigEndian, toByteOffset: 16, as: UInt64.self)
    raw.storeBytes(of: limb0.bigEndian, toByteOffset: 24, as: UInt64.self)
  }

  /// The byte at `index`, counted from the most significant (0) to the least (31).
  @inlinable @inline(__always)
  public func bigEndianByte(_ index: Int) -> UInt8 {
    let limb: UInt64
    switch index >> 3 {
    case 0: limb = limb3
    case 1: limb = limb2
    case 2: limb = limb1
    default: limb = limb0
    }
    return UInt8(truncatingIfNeeded: limb >> UInt64((7 &- (index & 7)) &* 8))
  }
}

extension BLS12381Fp {
  /// The element of a plain integer below `p`, given in limbs, least significant first; `nil` when
  /// it is `p` or more.
  init?(canonical limbs: BLS12381Fp) {
    if Self.subtractUnreduced(limbs, Self.modulus).borrow == 0 { return nil }
    self = limbs * Self.montgomerySquared
  }

  /// The plain integer below `p`, in limbs.
  var canonical: BLS12381Fp { self * BLS12381Fp(1, 0, 0, 0, 0, 0) }

  /// Reads 48 big-endian bytes; `nil` when the number is not below `p`.
  init?(bigEndian48 bytes: UnsafePointer<UInt8>) {
    self.init(canonical: Self.limbs(bigEndian48: bytes))
  }

  /// The limbs of 48 big-endian bytes.
  @inline(__always)
  static func limbs(bigEndian48 bytes: UnsafePointer<UInt8>) -> BLS12381Fp {
    let raw = UnsafeRawPointer(bytes)
    return BLS12381Fp(
      UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 40, as: UInt64.self)),
      UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 32, as: UInt64.self)),
      UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 24, as: UInt64.self)),
      UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 16, as: UInt64.self)),
      UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
      UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 0, as: UInt64.self)))
  }

  /// Reads the 64-byte form of EIP-2537: 16 zero bytes, then 48 big-endian bytes of a number below
  /// `p`; `nil` for anything else.
  init?(bigEndian64 bytes: UnsafePointer<UInt8>) {
    let raw = UnsafeRawPointer(bytes)
    let top =
      raw.loadUnaligned(fromByteOffset: 0, as: UInt64.self)
      | raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
    if top != 0 { return nil }
    self.init(bigEndian48: bytes + 16)
  }

  /// Writes the 64-byte form of EIP-2537.
  func store(bigEndian64 bytes: UnsafeMutablePointer<UInt8>) {
    let plain = canonical
    let raw = UnsafeMutableRawPointer(bytes)
    raw.storeBytes(of: 0, toByteOffset: 0, as: UInt64.self)
    raw.storeBytes(of: 0, toByteOffset: 8, as: UInt64.self)
    raw.storeBytes(of: plain.limb5.bigEndian, toByteOffset: 16, as: UInt64.self)
    raw.storeBytes(of: plain.limb4.bigEndian, toByteOffset: 24, as: UInt64.self)
    raw.storeBytes(of: plain.limb3.bigEndian, toByteOffset: 32, as: UInt64.self)
    raw.storeBytes(of: plain.limb2.bigEndian, toByteOffset: 40, as: UInt64.self)
    raw.storeBytes(of: plain.limb1.bigEndian, toByteOffset: 48, as: UInt64.self)
    raw.storeBytes(of: plain.limb0.bigEndian, toByteOffset: 56, as: UInt64.self)
  }

  /// The sign of RFC 9380, section 4.1: whether the plain integer is odd.
  var isOdd: Bool { canonical.limb0 & 1 != 0 }

  /// Whether the plain integer is above `(p-1)/2`: the sign of compressed points.
  var isLexicographicallyLargest: Bool {
    // (p-1)/2 - x borrows exactly when x is larger.
    Self.subtractUnreduced(
      BLS12381Fp(
        0xdcff_7fff_ffff_d555, 0x0f55_ffff_58a9_ffff, 0xb398_6950_7b58_7b12,
        0xb23b_a5c2_79c2_895f, 0x258d_d3db_21a5_d66b, 0x0d00_88f5_1cbf_f34d), canonical
    ).borrow != 0
  }
}

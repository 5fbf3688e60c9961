/// The byte forms of EIP-196 and EIP-197: coordinates are 32 big-endian bytes below p, (0, 0) is
/// infinity.
extension BN254 {
  /// Reads 64 bytes as a point of G1; `nil` when a coordinate is not below p or the point is not on
  /// the curve.
  static func decodeG1(_ bytes: UnsafePointer<UInt8>) -> G1Affine? {
    decodeG1(x: UInt256(bigEndian: bytes), y: UInt256(bigEndian: bytes + 32))
  }

  /// A point of G1 by its coordinates; `nil` as above.
  static func decodeG1(x: UInt256, y: UInt256) -> G1Affine? {
    guard let x = Fp(x), let y = Fp(y) else { return nil }
    let point = G1Affine(x: x, y: y)
    // The group has prime order, so every point of the curve is in G1.
    return point.isOnCurve(b: g1B) ? point : nil
  }

  /// Writes a point of G1 as 64 bytes.
  static func encode(_ point: G1Affine, to bytes: UnsafeMutablePointer<UInt8>) {
    point.x.canonical.store(bigEndian: bytes)
    point.y.canonical.store(bigEndian: bytes + 32)
  }

  /// Reads 128 bytes as a point of G2, each coordinate with its imaginary part first; `nil` when a
  /// part is not below p, or the point is not on the twist or not of order r.
  static func decodeG2(_ bytes: UnsafePointer<UInt8>) -> G2Affine? {
    guard let x1 = Fp(bigEndian: bytes), let x0 = Fp(bigEndian: bytes + 32),
      let y1 = Fp(bigEndian: bytes + 64), let y0 = Fp(bigEndian: bytes + 96)
    else { return nil }
    let point = G2Affine(x: Fp2(x0, x1), y: Fp2(y0, y1))
    return point.isOnCurve(b: g2B) && isInSubgroup(point) ? point : nil
  }

  /// The 32-byte word at `offset` of an input that continues with zeros.
  static func word(_ input: UnsafeBufferPointer<UInt8>, at offset: Int) -> UInt256 {
    guard let base = input.baseAddress, offset < input.count else { return .zero }
    let present = input.count &- offset
    if present >= 32 { return UInt256(bigEndian: base + offset) }
    // 1 to 31 bytes are there: they are the high-order ones.
    return UInt256(bigEndian: base + offset, count: present)
      << UInt64(truncatingIfNeeded: (32 &- present) &* 8)
  }
}

/// The byte forms of points: EIP-2537's, where all zeros is infinity, and the compressed form of
/// G1 that EIP-4844 uses.
extension BLS12381 {
  /// Bytes of a point of G1 in the form of EIP-2537.
  static var g1Size: Int { 128 }
  /// Bytes of a point of G2 in the form of EIP-2537.
  static var g2Size: Int { 256 }

  /// Reads 128 bytes, x then y, as a point of the curve; `nil` when a coordinate is not canonical
  /// or the point is not on the curve. It may be outside G1.
  static func decodeG1(_ bytes: UnsafePointer<UInt8>) -> G1Affine? {
    guard let x = Fp(bigEndian64: bytes), let y = Fp(bigEndian64: bytes + 64) else { return nil }
    let point = G1Affine(x: x, y: y)
    return point.isOnCurve(b: Fp.curveB) ? point : nil
  }

  /// Reads 256 bytes, x then y, as a point of the twist; `nil` when a coordinate is not canonical
  /// or the point is not on the twist. It may be outside G2.
  static func decodeG2(_ bytes: UnsafePointer<UInt8>) -> G2Affine? {
    guard let x = Fp2(bigEndian128: bytes), let y = Fp2(bigEndian128: bytes + 128) else {
      return nil
    }
    let point = G2Affine(x: x, y: y)
    return point.isOnCurve(b: Fp2.curveB) ? point : nil
  }

  /// Writes a point over `Fp` as 128 bytes.
  static func encode(_ point: G1Affine, to bytes: UnsafeMutablePointer<UInt8>) {
    point.x.store(bigEndian64: bytes)
    point.y.store(bigEndian64: bytes + 64)
  }

  /// Writes a point over `Fp2` as 256 bytes.
  static func encode(_ point: G2Affine, to bytes: UnsafeMutablePointer<UInt8>) {
    point.x.store(bigEndian128: bytes)
    point.y.store(bigEndian128: bytes + 128)
  }

  /// Reads a point of G1 from 48 compressed bytes: x with three flags on top (compressed, infinity,
  /// and the sign of y); `nil` when that is not canonical, no such point is on the curve, or it is
  /// outside G1.
  ///
  /// Source: the BLS12-381 serialisation of Zcash, as draft-irtf-cfrg-pairing-friendly-curves,
  /// appendix C, and the consensus specifications' `KeyValidate` without its rule on infinity
  /// (EIP-4844's `validate_kzg_g1`).
  static func decodeCompressedG1(_ bytes: UnsafePointer<UInt8>) -> G1Affine? {
    var limbs = Fp.limbs(bigEndian48: bytes)
    let flags = limbs.limb5 >> 61
    limbs.limb5 &= ~0 >> 3
    if flags & 0b100 == 0 { return nil }
    if flags & 0b010 != 0 {
      return flags & 0b001 == 0 && limbs.isZero ? .infinity : nil
    }
    guard let x = Fp(canonical: limbs),
      let root = (x.squared * x + Fp.curveB).squareRoot
    else { return nil }
    let y = root.isLexicographicallyLargest == (flags & 0b001 != 0) ? root : -root
    let point = G1Affine(x: x, y: y)
    return isInSubgroup(point) ? point : nil
  }
}

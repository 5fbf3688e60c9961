extension Secp256k1 {
  /// The address that signed a hash.
  ///
  /// - Parameters:
  ///   - hash: the signed hash; any 256-bit number.
  ///   - r: the signature's first half; also the x coordinate of the nonce point. The form with
  ///     r + n, which other chains' recovery identifiers 2 and 3 name, does not exist here.
  ///   - s: the second half. High values are taken too: whoever must refuse them checks
  ///     `halfOrder` (EIP-2).
  ///   - yParity: 1 where the nonce point's y is odd, else 0; only the lowest bit counts.
  /// - Returns: `nil` where r or s is zero or not below the order, no point has r as its x, or the
  ///   key would be the point at infinity.
  public static func recover(hash: Hash256, r: UInt256, s: UInt256, yParity: UInt8) -> Address? {
    guard let key = recoverPublicKey(hash: hash, r: r, s: s, yParity: yParity) else { return nil }
    return address(x: key.x, y: key.y)
  }

  /// The public key that signed a hash; see `recover`. Source: SEC 1, version 2.0, section 4.1.6.
  public static func recoverPublicKey(hash: Hash256, r: UInt256, s: UInt256, yParity: UInt8)
    -> (x: UInt256, y: UInt256)?
  {
    if !isInRange(r) { return nil }
    let key = keyPoint(
      hash: hash, r: r, s: s, yParity: yParity,
      inverse: Secp256k1Scalar(reducing: r).inverseInVariableTime)
    if key.isInfinity { return nil }
    let affine = key.affine
    return (affine.x.canonical, affine.y.canonical)
  }

  /// Whether a half of a signature is from 1 to the order - 1.
  @inline(__always)
  package static func isInRange(_ half: UInt256) -> Bool { !half.isZero && half < order }

  /// The public key as a point, given 1 / r modulo the order, for r in range; infinity where there
  /// is none.
  static func keyPoint(
    hash: Hash256, r: UInt256, s: UInt256, yParity: UInt8, inverse: Secp256k1Scalar
  ) -> Secp256k1JacobianPoint {
    if !isInRange(s) { return .infinity }
    guard
      let point = Secp256k1AffinePoint.decompress(
        x: Secp256k1Field(r), isOdd: yParity & 1 != 0)
    else { return .infinity }
    // Q = (s R - z G) / r.
    return .combination(
      generator: (Secp256k1Scalar(reducing: hash.word) * inverse).negated,
      point: point, Secp256k1Scalar(reducing: s) * inverse)
  }

  /// Whether (r, s) is a signature of a hash by the public key (x, y).
  ///
  /// False where r or s is zero or not below the order, or (x, y) is no point of the curve. High
  /// values of s are taken too. Source: SEC 1, version 2.0, section 4.1.4.
  public static func verify(hash: Hash256, r: UInt256, s: UInt256, x: UInt256, y: UInt256) -> Bool {
    if !isInRange(r) || !isInRange(s) { return false }
    if x >= Secp256k1Field.modulus || y >= Secp256k1Field.modulus { return false }
    let key = Secp256k1AffinePoint(x: Secp256k1Field(x), y: Secp256k1Field(y))
    if !key.isOnCurve { return false }
    let inverse = Secp256k1Scalar(reducing: s).inverseInVariableTime
    let nonce = Secp256k1JacobianPoint.combination(
      generator: Secp256k1Scalar(reducing: hash.word) * inverse,
      point: key, Secp256k1Scalar(reducing: r) * inverse)
    if nonce.isInfinity { return false }
    // The nonce point's x, which is below p, has to be r modulo n: it is r or r + n.
    let scale = nonce.z.squared
    if Secp256k1Field(r) * scale == nonce.x { return true }
    let (second, carry) = UInt256.addingReportingCarry(r, order)
    if carry || second >= Secp256k1Field.modulus { return false }
    return Secp256k1Field(second) * scale == nonce.x
  }
}

/// ECDSA over P-256 (secp256r1): what passkeys and secure hardware sign with.
public enum P256 {
  /// Whether (r, s) is a signature of a hash by the public key (x, y), in variable time.
  ///
  /// False unless 0 < r, s < n and (x, y) is a point of the curve with coordinates below p. High
  /// values of s are taken. Sources: FIPS 186-5, section 6.4.2; EIP-7951.
  public static func verify(hash: Hash256, r: UInt256, s: UInt256, x: UInt256, y: UInt256) -> Bool {
    let order = P256ScalarParameters.modulus
    if r.isZero || s.isZero || r >= order || s >= order { return false }
    guard let keyX = P256Field(x), let keyY = P256Field(y) else { return false }
    let key = P256AffinePoint(x: keyX, y: keyY)
    if !key.isOnCurve { return false }
    // A Montgomery product with one factor in Montgomery form is the plain product.
    let inverse = P256Scalar(reducing: s).inverse.montgomery
    let nonce = P256JacobianPoint.combination(
      generator: P256Scalar.product(hash.word, inverse),
      point: key, P256Scalar.product(r, inverse))
    if nonce.isInfinity { return false }
    // The nonce point's x, which is below p, has to be r modulo n: it is r or r + n.
    let zz = nonce.z.squared
    if P256Field(reducing: r) * zz == nonce.x { return true }
    let (second, carry) = UInt256.addingReportingCarry(r, order)
    guard !carry, let candidate = P256Field(second) else { return false }
    return candidate * zz == nonce.x
  }
}

extension Secp256k1 {
  /// A signature of a hash: deterministic (RFC 6979), with `s` in the lower half (EIP-2).
  ///
  /// Takes constant time: no branch and no index depends on the secret or on the nonce, apart from
  /// candidates that are refused with a probability below 2^-126.
  ///
  /// - Parameters:
  ///   - hash: what is signed; any 256-bit number.
  ///   - secret: the secret key.
  /// - Returns: r, s, and 1 where the nonce point's y is odd, else 0; `nil` unless
  ///   0 < secret < order.
  public static func sign(hash: Hash256, secret: UInt256)
    -> (r: UInt256, s: UInt256, yParity: UInt8)?
  {
    if secret.isZero || secret >= order { return nil }
    let key = Secp256k1Scalar(reducing: secret)
    let message = Secp256k1Scalar(reducing: hash.word)
    var nonces = Secp256k1Nonce(secret: secret, hash: hash)
    while true {
      let nonce = nonces.next()
      let point = Secp256k1CompletePoint.generatorMultiple(nonce).affine
      let x = point.x.canonical
      let r = Secp256k1Scalar(reducing: x)
      let s = nonce.inverse * (message + r * key)
      // A point with x >= n could not be told from the one with x - n by a parity alone.
      if r.isZero || s.isZero || x >= order {
        nonces.advance()
        continue
      }
      // n - s goes with the negated point.
      let isHigh = UInt256.subtractingWithBorrow(halfOrder, s.value).borrow
      let low = UInt256.select(mask: 0 &- isHigh, s.negated.value, s.value)
      let parity = (point.y.canonical.limb0 & 1) ^ isHigh
      return (r.value, low, UInt8(truncatingIfNeeded: parity))
    }
  }
}

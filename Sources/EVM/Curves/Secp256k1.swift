/// ECDSA over secp256k1: what signs Ethereum transactions (yellow paper, appendix F).
public enum Secp256k1 {
  /// The order of the base point: `r` and `s` of a signature are from 1 to `order - 1`.
  @inline(__always)
  public static var order: UInt256 { Secp256k1Scalar.order }

  /// The largest `s` that transactions may have since Homestead (EIP-2): half the order.
  @inline(__always)
  public static var halfOrder: UInt256 { Secp256k1Scalar.halfOrder }

  /// The public key of a secret key, in constant time; `nil` unless 0 < secret < order.
  public static func publicKey(of secret: UInt256) -> (x: UInt256, y: UInt256)? {
    if secret.isZero || secret >= order { return nil }
    let point = Secp256k1CompletePoint.generatorMultiple(Secp256k1Scalar(reducing: secret)).affine
    return (point.x.canonical, point.y.canonical)
  }

  /// The address of a secret key, in constant time; `nil` unless 0 < secret < order.
  public static func address(of secret: UInt256) -> Address? {
    guard let key = publicKey(of: secret) else { return nil }
    return address(x: key.x, y: key.y)
  }

  /// The address of a public key: the last 20 bytes of the Keccak-256 hash of x and y.
  public static func address(x: UInt256, y: UInt256) -> Address {
    var bytes = InlineArray<64, UInt8>(repeating: 0)
    return withUnsafeMutablePointer(to: &bytes) { pointer in
      pointer.withMemoryRebound(to: UInt8.self, capacity: 64) { bytes in
        x.store(bigEndian: bytes)
        y.store(bigEndian: bytes + 32)
        return Address(Keccak256.hash(UnsafeBufferPointer(start: bytes, count: 64)).word)
      }
    }
  }
}

/// The nonces of a signature, which follow from the secret key and the hash: the generator of
/// RFC 6979, section 3.2, with HMAC-SHA-256 and without extra data.
///
/// Nothing here branches on the secret or on its hashes, except that a nonce that is zero or not
/// below the order is skipped, as the RFC asks: one in 2^127.
struct Secp256k1Nonce: BitwiseCopyable {
  /// K of the RFC.
  private var key: UInt256
  /// V of the RFC.
  private var value: UInt256

  /// The sequence for a secret key (from 1 to the order - 1) and a hash.
  init(secret: UInt256, hash: Hash256) {
    // The RFC's bits2octets: the hash modulo n.
    let reduced = Secp256k1Scalar(reducing: hash.word).value
    key = .zero
    value = UInt256(
      0x0101_0101_0101_0101, 0x0101_0101_0101_0101, 0x0101_0101_0101_0101,
      0x0101_0101_0101_0101)
    for separator in 0..<2 as Range<UInt8> {
      key = Self.authenticate(key, value, separator, secret, reduced)
      value = Self.authenticate(key, value)
    }
  }

  /// The next candidate that is a scalar: from 1 to the order - 1.
  mutating func next() -> Secp256k1Scalar {
    while true {
      value = Self.authenticate(key, value)
      let candidate = value
      if !candidate.isZero && candidate < Secp256k1Scalar.order {
        return Secp256k1Scalar(reducing: candidate)
      }
      advance()
    }
  }

  /// Steps past a candidate that was refused.
  mutating func advance() {
    var message = Message()
    message.append(value)
    message.append(0 as UInt8)
    key = message.authenticated(by: key)
    value = Self.authenticate(key, value)
  }

  private static func authenticate(_ key: UInt256, _ value: UInt256) -> UInt256 {
    var message = Message()
    message.append(value)
    return message.authenticated(by: key)
  }

  private static func authenticate(
    _ key: UInt256, _ value: UInt256, _ separator: UInt8, _ secret: UInt256, _ hash: UInt256
  ) -> UInt256 {
    var message = Message()
    message.append(value)
    message.append(separator)
    message.append(secret)
    message.append(hash)
    return message.authenticated(by: key)
  }

  /// A message of at most 97 bytes, with room for a block of key before it.
  private struct Message {
    /// Bytes of a block of SHA-256.
    private static var block: Int { 64 }

    private var bytes = InlineArray<168, UInt8>(repeating: 0)
    private var count = Message.block

    mutating func append(_ word: UInt256) {
      let start = count
      withBytes { word.store(bigEndian: $0 + start) }
      count &+= 32
    }

    mutating func append(_ byte: UInt8) {
      let start = count
      withBytes { $0[start] = byte }
      count &+= 1
    }

    /// HMAC-SHA-256 of the message (RFC 2104) with a key of 32 bytes.
    mutating func authenticated(by key: UInt256) -> UInt256 {
      let length = count
      return withBytes { bytes in
        Self.storeKey(key, padding: 0x3636_3636_3636_3636, at: bytes)
        let inner = SHA256.hash(UnsafeRawPointer(bytes), count: length)
        Self.storeKey(key, padding: 0x5c5c_5c5c_5c5c_5c5c, at: bytes)
        inner.store(bytes: bytes + Self.block)
        return SHA256.hash(UnsafeRawPointer(bytes), count: Self.block &+ 32).word
      }
    }

    /// Writes the key and zeros, one block, with the padding byte on all of it.
    @inline(__always)
    private static func storeKey(
      _ key: UInt256, padding: UInt64, at bytes: UnsafeMutablePointer<UInt8>
    ) {
      let mask = UInt256(padding, padding, padding, padding)
      (key ^ mask).store(bigEndian: bytes)
      mask.store(bigEndian: bytes + 32)
    }

    /// All 168 bytes, of which a block and the longest message need 161.
    @inline(__always)
    private mutating func withBytes<Result>(
      _ body: (UnsafeMutablePointer<UInt8>) -> Result
    ) -> Result {
      withUnsafeMutablePointer(to: &bytes) { pointer in
        pointer.withMemoryRebound(to: UInt8.self, capacity: 168, body)
      }
    }
  }
}

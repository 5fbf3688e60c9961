package import EVM
import Ethereum

/// The key that a sequencer signs its blocks with.
package struct FeedSigner: Sendable {
  /// Whose key it is.
  package let address: Address
  private let secret: UInt256

  /// The signer of a secret key; `nil` for a number that is no key.
  package init?(secret: UInt256) {
    guard let signature = Secp256k1.sign(hash: .emptyCode, secret: secret),
      let address = Secp256k1.recover(
        hash: .emptyCode, r: signature.r, s: signature.s, yParity: signature.yParity)
    else { return nil }
    self.address = address
    self.secret = secret
  }

  /// A signer of a key that nobody knows.
  package static func random() -> FeedSigner {
    while true {
      let secret = UInt256(
        .random(in: 0...UInt64.max), .random(in: 0...UInt64.max), .random(in: 0...UInt64.max),
        .random(in: 0...UInt64.max))
      if let signer = FeedSigner(secret: secret) { return signer }
    }
  }

  /// The key in hexadecimal, as a file holds it.
  package var text: String { "\(Hash256(secret))\n" }

  /// Signs what the feed says of a chain.
  func sign(_ statement: FeedStatement, chainID: UInt64) -> [UInt8] {
    guard let made = Secp256k1.sign(hash: statement.digest(chainID: chainID), secret: secret) else {
      preconditionFailure("the key has signed before")
    }
    return made.r.bytes + made.s.bytes + [made.yParity]
  }
}

/// What a sequencer signs: that a block is the next one, that the chain goes back to one, or what part of
/// a block in the making is.
struct FeedStatement: Equatable {
  enum Kind: UInt8 { case block = 1, rewind = 2, part = 3 }
  var kind: Kind
  var number: UInt64
  var hash: Hash256

  /// Keccak-256 of `"\x19Needletail feed:\n"`, the chain in 32 bytes, the kind in one, the block's number
  /// in 8 and its hash: it can be neither a transaction nor a message of `eth_sign`.
  func digest(chainID: UInt64) -> Hash256 {
    var bytes = [UInt8]("\u{19}Needletail feed:\n".utf8)
    bytes += UInt256(chainID).bytes
    bytes.append(kind.rawValue)
    bytes += UInt256(number).bytes.suffix(8)
    bytes += hash.bytes
    return Keccak256.hash(bytes)
  }

  /// Who signed it; `nil` for no signature.
  func signer(_ signature: [UInt8], chainID: UInt64) -> Address? {
    guard signature.count == 65, signature[64] <= 1 else { return nil }
    let (r, s) = signature.withUnsafeBufferPointer {
      (UInt256(bigEndian: $0.baseAddress!), UInt256(bigEndian: $0.baseAddress! + 32))
    }
    if s > Secp256k1.halfOrder { return nil }
    return Secp256k1.recover(
      hash: digest(chainID: chainID), r: r, s: s, yParity: signature[64])
  }
}

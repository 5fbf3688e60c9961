public import EVM

extension Transaction {
  /// The hash that names the transaction.
  public var hash: Hash256 { Keccak256.hash(encoded) }

  /// The hash that the sender signs.
  public var signingHash: Hash256 { Keccak256.hash(signingPayload) }

  /// The account that signed the transaction.
  ///
  /// `requiresLowS` refuses the larger of the two `s` that sign the same (EIP-2): true for every
  /// fork but Frontier. Typed transactions always refuse it.
  public func recoverSender(requiresLowS: Bool = true) throws(FormatError) -> Address {
    let limit =
      requiresLowS || type != .legacy
      ? Secp256k1.halfOrder : Secp256k1.order &- .one
    guard !signature.r.isZero, signature.r < Secp256k1.order else {
      throw FormatError(.invalidSignatureValue, "r is not from 1 to n - 1", field: "r")
    }
    guard !signature.s.isZero, signature.s <= limit else {
      throw FormatError(.invalidSignatureValue, "s is zero or too large", field: "s")
    }
    let sender = Secp256k1.recover(
      hash: signingHash, r: signature.r, s: signature.s, yParity: signature.yParity ? 1 : 0)
    guard let sender else {
      throw FormatError(.unrecoverableSignature, "no key gives this signature", field: "r")
    }
    return sender
  }
}

extension Authorization {
  /// The hash that the account signs.
  public var signingHash: Hash256 { Keccak256.hash(signingPayload) }

  /// The account that signed the authorization; `nil` when the parity is no bit, `s` is the larger
  /// of the two, or no key gives the signature (EIP-7702).
  public func recoverAuthority() -> Address? {
    guard yParity <= 1, s <= Secp256k1.halfOrder else { return nil }
    return Secp256k1.recover(hash: signingHash, r: r, s: s, yParity: yParity)
  }
}

public import EVM

extension Transaction {
  /// The hash that names the transaction.
  public var hash: Hash256 { Keccak256.hash(encoded) }

  /// The hash that the sender signs.
  public var signingHash: Hash256 { Keccak256.hash(signingPayload) }

  /// The account that signed the transaction, when its chain is this one and the fork takes the
  /// form of its signature: low `s` from Homestead on (EIP-2), a chain in `v` from Spurious Dragon
  /// on (EIP-155). A legacy transaction without a chain is good for every chain.
  public func recoverSender(fork: Fork, chainID: UInt64) throws(FormatError) -> Address {
    if let ours = self.chainID {
      if type == .legacy, fork < .spuriousDragon {
        throw FormatError(.invalidChainID, "v names a chain before EIP-155", field: "v")
      }
      guard ours == chainID else {
        throw FormatError(
          .invalidChainID, "the transaction is for chain \(ours), not \(chainID)",
          field: type == .legacy ? "v" : "chainId")
      }
    }
    return try recoverSender(requiresLowS: fork >= .homestead)
  }

  /// The account that signed the transaction, for whatever chain it is.
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

extension Transaction {
  /// Signs the transaction with a secret key; an error for a number that is no key.
  public mutating func sign(secretKey: UInt256) throws(FormatError) {
    guard let made = Secp256k1.sign(hash: signingHash, secret: secretKey) else {
      throw FormatError(.valueOutOfRange, "it is no secret key", field: "secretKey")
    }
    signature = Signature(yParity: made.yParity == 1, r: made.r, s: made.s)
  }
}

extension Authorization {
  /// Signs the authorization with a secret key; an error for a number that is no key.
  public mutating func sign(secretKey: UInt256) throws(FormatError) {
    guard let made = Secp256k1.sign(hash: signingHash, secret: secretKey) else {
      throw FormatError(.valueOutOfRange, "it is no secret key", field: "secretKey")
    }
    (r, s, yParity) = (made.r, made.s, made.yParity)
  }

  /// The hash that the account signs.
  public var signingHash: Hash256 { Keccak256.hash(signingPayload) }

  /// The account that signed the authorization; `nil` when the parity is no bit, `s` is the larger
  /// of the two, or no key gives the signature (EIP-7702).
  public func recoverAuthority() -> Address? {
    guard yParity <= 1, s <= Secp256k1.halfOrder else { return nil }
    return Secp256k1.recover(hash: signingHash, r: r, s: s, yParity: yParity)
  }
}

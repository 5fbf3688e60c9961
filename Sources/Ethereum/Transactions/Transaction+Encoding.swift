public import EVM

extension Transaction {
  /// The bytes that a transaction's hash and the transactions trie are made of: RLP for a legacy
  /// one, else the type's byte and RLP.
  public var encoded: [UInt8] { encoding(signed: true) }

  /// The bytes whose hash the sender signs.
  public var signingPayload: [UInt8] { encoding(signed: false) }

  /// Writes the transaction as it stands in a block's list.
  package func encode(blockItem encoder: inout RLPEncoder) {
    if type == .legacy { encoder.append(encoded: encoded) } else { encoder.append(encoded) }
  }

  /// `v` of the signature: 27 or 28, `35 + 2 * chainID` and one more, or the parity of a typed one.
  public var v: UInt256 {
    let parity: UInt64 = signature.yParity ? 1 : 0
    guard type == .legacy else { return UInt256(parity) }
    guard let chainID else { return UInt256(27 + parity) }
    return (UInt256(chainID) << 1) &+ UInt256(35 + parity)
  }

  private func encoding(signed: Bool) -> [UInt8] {
    var encoder = RLPEncoder(capacity: data.count + 256 + accessList.count * 64)
    if type == .legacy {
      encoder.list { encodeLegacy(into: &$0, signed: signed) }
      return encoder.bytes
    }
    // The list's header must not move the type's byte: it goes in first and stays in front.
    encoder.bytes.append(type.rawValue)
    encoder.list { encodeTyped(into: &$0, signed: signed) }
    return encoder.bytes
  }

  private func encodeLegacy(into encoder: inout RLPEncoder, signed: Bool) {
    encoder.append(nonce)
    encoder.append(gasPrice)
    encoder.append(gasLimit)
    encoder.append(to)
    encoder.append(value)
    encoder.append(data)
    if signed {
      encoder.append(v)
      encoder.append(signature.r)
      encoder.append(signature.s)
    } else if let chainID {
      encoder.append(chainID)
      encoder.append(UInt64(0))
      encoder.append(UInt64(0))
    }
  }

  private func encodeTyped(into encoder: inout RLPEncoder, signed: Bool) {
    encoder.append(chainID ?? 0)
    encoder.append(nonce)
    if type == .accessList {
      encoder.append(gasPrice)
    } else {
      encoder.append(maxPriorityFeePerGas)
      encoder.append(maxFeePerGas)
    }
    encoder.append(gasLimit)
    encoder.append(to)
    encoder.append(value)
    encoder.append(data)
    encoder.list { encoder in
      for entry in accessList {
        encoder.list { encoder in
          encoder.append(entry.address)
          encoder.list { encoder in
            for key in entry.storageKeys { encoder.append(Hash256(key)) }
          }
        }
      }
    }
    if type == .blob {
      encoder.append(maxFeePerBlobGas)
      encoder.list { encoder in
        for hash in blobVersionedHashes { encoder.append(hash) }
      }
    }
    if type == .setCode {
      encoder.list { encoder in
        for authorization in authorizationList { authorization.encode(into: &encoder) }
      }
    }
    if signed {
      encoder.append(UInt64(signature.yParity ? 1 : 0))
      encoder.append(signature.r)
      encoder.append(signature.s)
    }
  }
}

extension Authorization {
  package func encode(into encoder: inout RLPEncoder) {
    encoder.list { encoder in
      encoder.append(chainID)
      encoder.append(address)
      encoder.append(nonce)
      encoder.append(UInt64(yParity))
      encoder.append(r)
      encoder.append(s)
    }
  }

  /// The bytes whose hash the account signs: 0x05 and RLP of chain, address and nonce (EIP-7702).
  public var signingPayload: [UInt8] {
    var encoder = RLPEncoder(capacity: 64)
    encoder.bytes.append(0x05)
    encoder.list { encoder in
      encoder.append(chainID)
      encoder.append(address)
      encoder.append(nonce)
    }
    return encoder.bytes
  }
}

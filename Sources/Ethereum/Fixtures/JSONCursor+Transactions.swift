public import EVM

/// A transaction as JSON writes it, with what the writer says of it.
public struct DescribedTransaction: Hashable, Sendable {
  /// The transaction.
  public var transaction: Transaction
  /// `from` or `sender`; also the address of `secretKey`. `nil` when only the signature tells it.
  public var sender: Address?
  /// `hash`.
  public var hash: Hash256?
  /// `secretKey`: the transaction is to be signed with it.
  public var secretKey: UInt256?
  /// Whether `r`, `s` and a parity are there, or the transaction was signed with `secretKey`.
  public var isSigned: Bool
  /// `protected`: whether a legacy transaction is to be signed for the chain (EIP-155).
  public var isProtected: Bool

  /// Signs the transaction with `secretKey`, where there is one and no signature, and takes the
  /// sender from it.
  public mutating func sign(chainID: UInt64) throws(FormatError) {
    guard let secretKey, !isSigned else { return }
    if transaction.type != .legacy || isProtected {
      transaction.chainID = transaction.chainID ?? chainID
    } else {
      transaction.chainID = nil
    }
    try transaction.sign(secretKey: secretKey)
    isSigned = true
    sender = sender ?? Secp256k1.address(of: secretKey)
  }
}

extension JSONCursor {
  /// A transaction in the names of the JSON-RPC interface, the tests and the transition tool:
  /// `gas` or `gasLimit`, `input` or `data`, `from` or `sender`.
  package mutating func describedTransaction() throws(FormatError) -> DescribedTransaction {
    var transaction = Transaction()
    var type: UInt64?
    var gasPrice: UInt256?
    var maxFee: UInt256?
    var priorityFee: UInt256?
    var hasBlobs = false
    var hasAuthorizations = false
    var hasAccessList = false
    var v: UInt256?
    var parity: UInt256?
    var result = DescribedTransaction(
      transaction: transaction, isSigned: false, isProtected: true)
    var hasR = false
    var hasS = false
    try beginObject()
    while let key = try nextKey() {
      if try skipNull() { continue }
      switch key {
      case "type": type = try uint64()
      case "chainId": transaction.chainID = try uint64()
      case "nonce": transaction.nonce = try uint64()
      case "gasPrice": gasPrice = try uint256()
      case "maxFeePerGas": maxFee = try uint256()
      case "maxPriorityFeePerGas": priorityFee = try uint256()
      case "gas", "gasLimit": transaction.gasLimit = try uint64()
      case "to": transaction.to = try optionalAddress()
      case "value": transaction.value = try uint256()
      case "input", "data": transaction.data = try hexBytes()
      case "accessList":
        hasAccessList = true
        transaction.accessList = try accessList()
      case "maxFeePerBlobGas":
        hasBlobs = true
        transaction.maxFeePerBlobGas = try uint256()
      case "blobVersionedHashes":
        hasBlobs = true
        transaction.blobVersionedHashes = try array { (cursor) throws(FormatError) in
          try cursor.hash()
        }
      case "authorizationList":
        hasAuthorizations = true
        transaction.authorizationList = try authorizationList()
      case "v": v = try uint256()
      case "yParity": parity = try uint256()
      case "r":
        hasR = true
        transaction.signature.r = try uint256()
      case "s":
        hasS = true
        transaction.signature.s = try uint256()
      case "from", "sender": result.sender = try optionalAddress()
      case "hash": result.hash = try hash()
      case "secretKey": result.secretKey = try uint256()
      case "protected": result.isProtected = try boolean()
      default: try skipValue()
      }
    }
    if let type {
      guard let known = UInt8(exactly: type).flatMap({ TransactionType(rawValue: $0) }) else {
        throw failure(ofObject: .unknownTransactionType, "no transaction has the type \(type)")
      }
      transaction.type = known
    } else if hasAuthorizations {
      transaction.type = .setCode
    } else if hasBlobs {
      transaction.type = .blob
    } else if maxFee != nil || priorityFee != nil {
      transaction.type = .dynamicFee
    } else if hasAccessList {
      transaction.type = .accessList
    }
    if transaction.type.rawValue >= 2 {
      transaction.maxFeePerGas = try required(maxFee ?? gasPrice, "maxFeePerGas")
      transaction.maxPriorityFeePerGas = priorityFee ?? transaction.maxFeePerGas
    } else {
      transaction.gasPrice = try required(gasPrice, "gasPrice")
    }
    result.isSigned = hasR && hasS && (v != nil || parity != nil)
    if transaction.type == .legacy {
      if result.isSigned, let v, !(v.isZero && transaction.signature.r.isZero) {
        do throws(FormatError) {
          try transaction.setLegacyV(v)
        } catch {
          throw failure(ofObject: error.code, error.reason)
        }
      } else {
        result.isSigned = false
      }
    } else if let parity = parity ?? v {
      guard parity <= .one else {
        throw failure(ofObject: .invalidYParity, "the parity is neither 0 nor 1")
      }
      transaction.signature.yParity = !parity.isZero
    }
    result.transaction = transaction
    return result
  }

  /// An object of block numbers, in decimal or hexadecimal, and hashes.
  package mutating func blockHashes() throws(FormatError) -> [UInt64: Hash256] {
    var hashes: [UInt64: Hash256] = [:]
    try beginObject()
    while let key = try nextKey() {
      let digits = key.rawBytes
      let number =
        Hexadecimal.withoutPrefix(digits).flatMap { UInt256(hexadecimalDigits: $0) }
        ?? UInt256(decimalDigits: digits)
      guard let number, number.fitsUInt64 else {
        throw failure(.malformedNumber, "the key should be a block number", at: offset(of: key))
      }
      hashes[number.limb0] = try hash()
    }
    return hashes
  }
}

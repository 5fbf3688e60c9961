extension FormatError {
  /// The names that the public test suites have for this error in a transaction or a block, as the
  /// part of `TransactionException.NAME` or `BlockException.NAME` behind the dot; empty where they
  /// have none.
  public var testNames: [String] {
    switch code {
    case .leadingZeros:
      let names = Self.leadingZeroNames[field].map { ["RLP_LEADING_ZEROS_" + $0] } ?? []
      // A number can be too long because of its zeros.
      return names + (Self.overflowNames[field] ?? [])
    case .nonCanonicalByte:
      return ["RLP_LEADING_ZEROS_NONCE_SIZE", "RLP_ERROR_SIZE"]
    case .nonCanonicalLength: return ["RLP_LEADING_ZEROS_DATA_SIZE", "RLP_ERROR_SIZE"]
    case .trailingBytes: return ["RLP_ERROR_SIZE"]
    case .truncated: return ["RLP_ERROR_EOF", "RLP_ERROR_SIZE"]
    case .tooManyItems: return ["RLP_TOO_MANY_ELEMENTS"]
    case .tooFewItems: return ["RLP_TOO_FEW_ELEMENTS"]
    case .unknownTransactionType: return ["TYPE_NOT_SUPPORTED"]
    case .unsupportedTransactionType:
      return ["TYPE_NOT_SUPPORTED", "TYPE_\(field)_TX_PRE_FORK"]
    case .invalidChainID: return ["INVALID_CHAINID", "INVALID_SIGNATURE_VRS"]
    case .invalidSignatureValue, .invalidYParity: return ["INVALID_SIGNATURE_VRS"]
    case .unrecoverableSignature: return ["EC_RECOVERY_FAIL", "INVALID_SIGNATURE_VRS"]
    case .blobTransactionWithoutRecipient: return ["TYPE_3_TX_CONTRACT_CREATION"]
    case .setCodeTransactionWithoutRecipient: return ["TYPE_4_TX_CONTRACT_CREATION"]
    case .tooShort, .tooLong:
      let size = code == .tooLong ? "TOO_LONG" : "TOO_SHORT"
      switch field {
      case "to": return ["ADDRESS_" + size]
      case "address", "coinbase": return ["RLP_INVALID_ADDRESS"]
      case "accessList.address": return ["RLP_INVALID_ACCESS_LIST_ADDRESS_" + size]
      case "accessList.storageKeys": return ["RLP_INVALID_ACCESS_LIST_STORAGE_" + size]
      default: return isInAuthorization ? ["TYPE_4_INVALID_AUTHORIZATION_FORMAT"] : []
      }
    case .valueOutOfRange:
      if isInAuthorization { return ["TYPE_4_INVALID_AUTHORIZATION_FORMAT"] }
      let names = Self.overflowNames[field] ?? []
      return Self.blockFields.contains(field) ? names + ["RLP_INVALID_FIELD_OVERFLOW_64"] : names
    case .unexpectedKind where field == "withdrawals": return ["RLP_WITHDRAWALS_NOT_READ"]
    case .unexpectedKind:
      return Self.kindNames[field].map { ["RLP_INVALID_" + $0] }
        ?? (isInAuthorization ? ["TYPE_4_INVALID_AUTHORIZATION_FORMAT"] : [])
    default: return []
    }
  }

  private var isInAuthorization: Bool { field.hasPrefix("authorization") }

  private static let leadingZeroNames = [
    "nonce": "NONCE", "gasPrice": "GASPRICE", "maxFeePerGas": "BASEFEE",
    "maxPriorityFeePerGas": "PRIORITY_FEE", "gasLimit": "GASLIMIT", "value": "VALUE", "v": "V",
    "yParity": "V", "r": "R", "s": "S",
  ]

  private static let overflowNames = [
    "nonce": ["NONCE_OVERFLOW", "NONCE_TOO_BIG", "NONCE_IS_MAX"],
    "gasPrice": ["GASPRICE_OVERFLOW", "GASLIMIT_PRICE_PRODUCT_OVERFLOW"],
    "gasLimit": ["GASLIMIT_OVERFLOW", "GAS_ALLOWANCE_EXCEEDED"],
    "value": ["VALUE_OVERFLOW", "INSUFFICIENT_ACCOUNT_FUNDS"],
    "maxPriorityFeePerGas": ["PRIORITY_OVERFLOW"], "maxFeePerGas": ["GASPRICE_OVERFLOW"],
    "r": ["INVALID_SIGNATURE_VRS"], "s": ["INVALID_SIGNATURE_VRS"],
    "v": ["INVALID_SIGNATURE_VRS", "INVALID_CHAINID"], "chainId": ["INVALID_CHAINID"],
  ]

  /// Fields of headers and withdrawals that have 64 bits.
  private static let blockFields: Set = [
    "number", "gasLimit", "gasUsed", "timestamp", "blobGasUsed", "excessBlobGas", "slotNumber",
    "index", "validatorIndex", "amount",
  ]

  private static let kindNames = [
    "nonce": "NONCE", "gasPrice": "GASPRICE", "gasLimit": "GASLIMIT", "to": "TO",
    "value": "VALUE", "data": "DATA", "v": "SIGNATURE_V", "yParity": "SIGNATURE_V",
    "r": "SIGNATURE_R", "s": "SIGNATURE_S", "maxFeePerGas": "MAX_FEE_PER_GAS",
    "maxPriorityFeePerGas": "MAX_PRIORITY_FEE_PER_GAS",
  ]
}

public import EVM

extension ExecutionStatus {
  /// How a frame ended, for people.
  public var words: String {
    switch self {
    case .stopped, .returned, .selfDestructed: "success"
    case .reverted: "reverted"
    case .outOfGas: "out of gas"
    case .stackUnderflow: "stack underflow"
    case .stackOverflow: "stack overflow"
    case .invalidJump: "jump to a place that is no destination"
    case .undefinedOpcode: "undefined opcode"
    case .staticViolation: "a change in a static call"
    case .returnDataOutOfBounds: "read beyond the return data"
    case .addressCollision: "the new contract's address is taken"
    case .codeTooLarge: "the deployed code is too long"
    case .invalidCodePrefix: "the deployed code begins with 0xef"
    case .initCodeTooLarge: "the initialisation code is too long"
    case .precompileFailure: "a precompile failed"
    case .workspaceExhausted: "the workspace is too small"
    case .stateUnavailable: "the state could not be read"
    case .precompileUnavailable: "a precompile is not at hand"
    case .timeExhausted: "the time is over"
    }
  }
}

extension TransactionError {
  /// What to tell the user.
  public var message: String {
    switch self {
    case .typeNotSupported: "the fork does not have this type of transaction"
    case .gasAllowanceExceeded: "the gas limit is above what the block has left"
    case .gasLimitExceedsMaximum: "the gas limit is above the most that a transaction may have"
    case .intrinsicGasTooLow: "the gas limit is below the transaction's intrinsic gas"
    case .gasBelowFloor: "the gas limit is below the floor price of the data"
    case .initCodeTooLarge: "the initialisation code is too long"
    case .nonceTooLow: "the nonce is below the sender's"
    case .nonceTooHigh: "the nonce is above the sender's"
    case .nonceIsMaximum: "the nonce is 2^64 - 1"
    case .insufficientFunds: "the sender can not pay for the gas, the blobs and the value"
    case .senderNotExternallyOwned: "the sender is a contract"
    case .maxFeeBelowBaseFee: "the fee cap is below the block's base fee"
    case .priorityFeeAboveMaxFee: "the priority fee is above the fee cap"
    case .maxBlobFeeBelowBlobBaseFee: "the blob fee cap is below the block's blob base fee"
    case .noBlobs: "a blob transaction has no blobs"
    case .tooManyBlobs: "more blobs than a transaction may carry"
    case .blobAllowanceExceeded: "more blobs than the block has left"
    case .invalidBlobVersion: "a blob's versioned hash has an unknown version"
    case .blobCreation: "a blob transaction can not create a contract"
    case .noAuthorizations: "a set-code transaction has no authorisations"
    case .setCodeCreation: "a set-code transaction can not create a contract"
    }
  }

  /// The names that the execution spec tests have for it; alternatives that mean the same here.
  public var testNames: [String] {
    switch self {
    case .typeNotSupported:
      [
        "TYPE_1_TX_PRE_FORK", "TYPE_2_TX_PRE_FORK", "TYPE_3_TX_PRE_FORK", "TYPE_4_TX_PRE_FORK",
        "TYPE_NOT_SUPPORTED",
      ]
    case .gasAllowanceExceeded: ["GAS_ALLOWANCE_EXCEEDED"]
    case .gasLimitExceedsMaximum: ["GAS_LIMIT_EXCEEDS_MAXIMUM"]
    case .intrinsicGasTooLow: ["INTRINSIC_GAS_TOO_LOW"]
    case .gasBelowFloor: ["INTRINSIC_GAS_BELOW_FLOOR_GAS_COST", "INTRINSIC_GAS_TOO_LOW"]
    case .initCodeTooLarge: ["INITCODE_SIZE_EXCEEDED"]
    case .nonceTooLow: ["NONCE_MISMATCH_TOO_LOW"]
    case .nonceTooHigh: ["NONCE_MISMATCH_TOO_HIGH"]
    case .nonceIsMaximum: ["NONCE_IS_MAX"]
    case .insufficientFunds: ["INSUFFICIENT_ACCOUNT_FUNDS", "GASLIMIT_PRICE_PRODUCT_OVERFLOW"]
    case .senderNotExternallyOwned: ["SENDER_NOT_EOA"]
    case .maxFeeBelowBaseFee: ["INSUFFICIENT_MAX_FEE_PER_GAS"]
    case .priorityFeeAboveMaxFee: ["PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS"]
    case .maxBlobFeeBelowBlobBaseFee: ["INSUFFICIENT_MAX_FEE_PER_BLOB_GAS"]
    case .noBlobs: ["TYPE_3_TX_ZERO_BLOBS"]
    case .tooManyBlobs:
      ["TYPE_3_TX_BLOB_COUNT_EXCEEDED", "TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED"]
    case .blobAllowanceExceeded:
      ["TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED", "TYPE_3_TX_BLOB_COUNT_EXCEEDED"]
    case .invalidBlobVersion: ["TYPE_3_TX_INVALID_BLOB_VERSIONED_HASH"]
    case .blobCreation: ["TYPE_3_TX_CONTRACT_CREATION"]
    case .noAuthorizations: ["TYPE_4_EMPTY_AUTHORIZATION_LIST"]
    case .setCodeCreation: ["TYPE_4_TX_CONTRACT_CREATION"]
    }
  }
}

extension TransactionError {
  /// The words of go-ethereum, which clients, fillers and fuzzers look for.
  package var gethWords: String {
    switch self {
    case .typeNotSupported: "transaction type not supported"
    case .gasAllowanceExceeded: "gas limit reached"
    case .gasLimitExceedsMaximum: "transaction gas limit too high"
    case .intrinsicGasTooLow: "intrinsic gas too low"
    case .gasBelowFloor: "insufficient gas for floor data gas cost"
    case .initCodeTooLarge: "max initcode size exceeded"
    case .nonceTooLow: "nonce too low"
    case .nonceTooHigh: "nonce too high"
    case .nonceIsMaximum: "nonce has max value"
    case .insufficientFunds: "insufficient funds for gas * price + value"
    case .senderNotExternallyOwned: "sender not an eoa"
    case .maxFeeBelowBaseFee: "max fee per gas less than block base fee"
    case .priorityFeeAboveMaxFee: "max priority fee per gas higher than max fee per gas"
    case .maxBlobFeeBelowBlobBaseFee: "max fee per blob gas less than block blob gas fee"
    case .noBlobs: "blob transaction missing blob hashes"
    case .tooManyBlobs: "blob transaction has too many blobs"
    case .blobAllowanceExceeded: "blob gas limit reached"
    case .invalidBlobVersion: "blob has invalid hash version"
    case .blobCreation: "blob transaction of type create"
    case .noAuthorizations: "EIP-7702 transaction with empty auth list"
    case .setCodeCreation: "EIP-7702 transaction cannot be used to create contract"
    }
  }
}

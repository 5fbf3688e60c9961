/// Why a transaction can not be in a block: it has no effect, not even on its sender's nonce.
@frozen
public enum TransactionError: UInt8, BitwiseCopyable, Equatable, Sendable, CaseIterable {
  /// The fork does not have this type of transaction.
  case typeNotSupported
  /// More gas than the block has left.
  case gasAllowanceExceeded
  /// More gas than a transaction may have (EIP-7825).
  case gasLimitExceedsMaximum
  /// Less gas than the transaction costs before it runs (yellow paper, section 6.2).
  case intrinsicGasTooLow
  /// Less gas than the data's floor price (EIP-7623).
  case gasBelowFloor
  /// Longer initialisation code than allowed (EIP-3860).
  case initCodeTooLarge
  /// The nonce is the sender's past.
  case nonceTooLow
  /// The nonce is the sender's future.
  case nonceTooHigh
  /// The nonce is 2^64 - 1 (EIP-2681).
  case nonceIsMaximum
  /// The sender can not pay for the gas, the blobs and the value.
  case insufficientFunds
  /// The sender has code that is not a delegation (EIP-3607).
  case senderNotExternallyOwned
  /// The fee cap is below the block's base fee (EIP-1559).
  case maxFeeBelowBaseFee
  /// The priority fee is above the fee cap (EIP-1559).
  case priorityFeeAboveMaxFee
  /// The blob fee cap is below the block's (EIP-4844).
  case maxBlobFeeBelowBlobBaseFee
  /// A blob transaction without blobs.
  case noBlobs
  /// More blobs than a transaction may carry.
  case tooManyBlobs
  /// More blobs than the block has left.
  case blobAllowanceExceeded
  /// A versioned hash with an unknown version.
  case invalidBlobVersion
  /// A blob transaction that creates a contract.
  case blobCreation
  /// A set-code transaction without authorisations (EIP-7702).
  case noAuthorizations
  /// A set-code transaction that creates a contract.
  case setCodeCreation
}

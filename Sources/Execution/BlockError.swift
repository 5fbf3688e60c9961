import EVM
import Ethereum

/// Why a block is not accepted.
public struct BlockError: Error, Sendable, CustomStringConvertible {
  /// The rule that the block breaks.
  public enum Code: String, Sendable, CaseIterable {
    case malformed
    case unknownParent
    case tooLarge
    case invalidNumber
    case invalidTimestamp
    case invalidGasLimit
    case gasUsedAboveLimit
    case extraDataTooLong
    case invalidExtraData
    case unexpectedFields
    case invalidBaseFee
    case invalidDifficulty
    case invalidProofOfStakeFields
    case invalidExcessBlobGas
    case invalidBlobGasUsed
    case invalidOmmersHash
    case invalidOmmers
    case invalidTransactionsRoot
    case invalidWithdrawalsRoot
    case invalidTransaction
    case invalidGasUsed
    case invalidReceiptsRoot
    case invalidLogsBloom
    case invalidStateRoot
    case invalidRequests
    case systemContract
    case invalidDeposit
    case invalidAccessList
    case accessListTooLong
    case resources
  }

  /// The rule that the block breaks.
  public var code: Code
  /// What differs.
  public var message: String
  /// Names of the execution spec tests for it, where the code alone does not tell.
  public var transactionNames: [String]

  /// An error from its parts.
  public init(_ code: Code, _ message: String, transactionNames: [String] = []) {
    self.code = code
    self.message = message
    self.transactionNames = transactionNames
  }

  public var description: String { message }

  /// The names that the execution spec tests have for it.
  public var testNames: [String] {
    switch code {
    case .malformed: ["RLP_STRUCTURES_ENCODING", "INCORRECT_BLOCK_FORMAT"] + transactionNames
    case .unknownParent: ["UNKNOWN_PARENT", "UNKNOWN_PARENT_ZERO", "INVALID_BLOCK_HASH"]
    case .tooLarge: ["RLP_BLOCK_LIMIT_EXCEEDED"]
    case .invalidNumber: ["INVALID_BLOCK_NUMBER"]
    case .invalidTimestamp: ["INVALID_BLOCK_TIMESTAMP_OLDER_THAN_PARENT"]
    case .invalidGasLimit: ["INVALID_GASLIMIT", "GASLIMIT_TOO_BIG"]
    case .gasUsedAboveLimit: ["INVALID_GAS_USED_ABOVE_LIMIT", "GAS_USED_OVERFLOW"]
    case .extraDataTooLong: ["EXTRA_DATA_TOO_BIG"]
    case .invalidExtraData: ["EXTRA_DATA_INVALID_DAO"]
    case .unexpectedFields: ["INCORRECT_BLOCK_FORMAT"]
    case .invalidBaseFee: ["INVALID_BASEFEE_PER_GAS"]
    case .invalidDifficulty:
      [
        "INVALID_DIFFICULTY", "IMPORT_IMPOSSIBLE_DIFFICULTY_OVER_PARIS",
        "IMPORT_IMPOSSIBLE_LEGACY",
      ]
    case .invalidProofOfStakeFields:
      [
        "IMPORT_IMPOSSIBLE_DIFFICULTY_OVER_PARIS", "IMPORT_IMPOSSIBLE_UNCLES_OVER_PARIS",
        "INVALID_DIFFICULTY",
      ]
    case .invalidExcessBlobGas: ["INCORRECT_EXCESS_BLOB_GAS"]
    case .invalidBlobGasUsed: ["INCORRECT_BLOB_GAS_USED", "BLOB_GAS_USED_ABOVE_LIMIT"]
    case .invalidOmmersHash: ["INVALID_UNCLES_HASH"]
    case .invalidOmmers:
      [
        "TOO_MANY_UNCLES", "UNCLE_IN_CHAIN", "UNCLE_IS_ANCESTOR", "UNCLE_IS_BROTHER",
        "UNCLE_PARENT_INCORRECT", "UNCLE_UNKNOWN_PARENT",
      ]
    case .invalidTransactionsRoot: ["INVALID_TRANSACTIONS_ROOT"]
    case .invalidWithdrawalsRoot: ["INVALID_WITHDRAWALS_ROOT"]
    case .invalidTransaction: transactionNames
    case .invalidGasUsed: ["INVALID_GAS_USED"]
    case .invalidReceiptsRoot: ["INVALID_RECEIPTS_ROOT"]
    case .invalidLogsBloom: ["INVALID_LOG_BLOOM"]
    case .invalidStateRoot: ["INVALID_STATE_ROOT"]
    case .invalidRequests: ["INVALID_REQUESTS"]
    case .systemContract: ["SYSTEM_CONTRACT_EMPTY", "SYSTEM_CONTRACT_CALL_FAILED"]
    case .invalidDeposit: ["INVALID_DEPOSIT_EVENT_LAYOUT"]
    case .invalidAccessList: ["INVALID_BLOCK_ACCESS_LIST"]
    case .accessListTooLong: ["BLOCK_ACCESS_LIST_GAS_LIMIT_EXCEEDED"]
    case .resources: []
    }
  }

  /// An error that names a field of the header, what it should be and what it is.
  static func field<Value: Equatable>(
    _ code: Code, _ name: String, expected: Value, got: Value
  ) -> BlockError {
    BlockError(code, "\(name): expected \(expected), got \(got)")
  }
}

public import EVM

/// The block that a state test's transaction stands in.
public struct TestEnvironment: Hashable, Sendable {
  /// `currentCoinbase`.
  public var coinbase = Address.zero
  /// `currentGasLimit`.
  public var gasLimit: UInt64 = 0
  /// `currentNumber`.
  public var number: UInt64 = 0
  /// `currentTimestamp`, in seconds.
  public var timestamp: UInt64 = 0
  /// `currentDifficulty`; `nil` when the test has none.
  public var difficulty: UInt256?
  /// `currentRandom`; `nil` when the test has none.
  public var prevRandao: Hash256?
  /// `currentBaseFee`, in wei; `nil` when the test has none.
  public var baseFeePerGas: UInt256?
  /// `currentExcessBlobGas`; `nil` when the test has none.
  public var excessBlobGas: UInt64?
  /// `currentBlobGasUsed`; `nil` when the test has none.
  public var blobGasUsed: UInt64?
  /// `previousHash`; `nil` when the test has none.
  public var previousHash: Hash256?
  /// `currentBeaconRoot` or `parentBeaconBlockRoot`; `nil` when the test has none.
  public var parentBeaconBlockRoot: Hash256?
  /// `slotNumber`; `nil` when the test has none.
  public var slotNumber: UInt64?
  /// `blockHashes` by block number; empty when the test has none.
  public var blockHashes: [UInt64: Hash256] = [:]

  /// An environment of zeros; the fields are then set one by one.
  public init() {}

  package init(from cursor: inout JSONCursor) throws(FormatError) {
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      if try cursor.skipNull() { continue }
      switch key {
      case "currentCoinbase": coinbase = try cursor.address()
      case "currentGasLimit": gasLimit = try cursor.uint64()
      case "currentNumber": number = try cursor.uint64()
      case "currentTimestamp": timestamp = try cursor.uint64()
      case "currentDifficulty": difficulty = try cursor.uint256()
      case "currentRandom": prevRandao = Hash256(try cursor.uint256())
      case "currentBaseFee": baseFeePerGas = try cursor.uint256()
      case "currentExcessBlobGas": excessBlobGas = try cursor.uint64()
      case "currentBlobGasUsed": blobGasUsed = try cursor.uint64()
      case "previousHash": previousHash = Hash256(try cursor.uint256())
      case "currentBeaconRoot", "parentBeaconBlockRoot":
        parentBeaconBlockRoot = Hash256(try cursor.uint256())
      case "currentSlotNumber", "slotNumber": slotNumber = try cursor.uint64()
      case "blockHashes": blockHashes = try cursor.blockHashes()
      default: try cursor.skipValue()
      }
    }
  }
}

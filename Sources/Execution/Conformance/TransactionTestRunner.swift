public import EVM
public import Ethereum

/// Runs cases in the transaction-test format: bytes, and whether they are a transaction that a fork
/// could take, whoever sends it and whatever the block.
public struct TransactionTestRunner: Sendable {
  /// Runs only results of these forks; `nil` runs all.
  public var forks: Set<Fork>?
  /// The chain that signatures have to be for.
  public var chainID: UInt64 = 1

  /// A runner of all forks.
  public init() {}

  /// What a fork makes of a transaction that is valid.
  public struct Validated: Sendable {
    /// The transaction.
    public var transaction: Transaction
    /// Who signed it.
    public var sender: Address
    /// What it costs before it runs, in gas.
    public var intrinsicGas: UInt64
  }

  /// Why bytes are no valid transaction.
  public enum Refusal: Error, CustomStringConvertible {
    /// What they write is none, or its signature is not valid.
    case format(FormatError)
    /// It is one that no block can have.
    case transaction(TransactionError)
    /// Gas times price passes 2^256.
    case feeOverflow

    public var description: String {
      switch self {
      case .format(let error): error.description
      case .transaction(let error): error.message
      case .feeOverflow: "gas limit times price is 2^256 or more"
      }
    }
  }

  /// Runs a test, once for each fork that it names.
  public func run(_ test: TransactionTest) -> [CaseResult] {
    var results: [CaseResult] = []
    for (fork, expected) in test.results where forks?.contains(fork) ?? true {
      var comparison = Comparison()
      do throws(Refusal) {
        let got = try validate(test.transactionBytes, fork: fork)
        switch expected {
        case .valid(let hash, let sender, let gas):
          comparison.check("hash", expected: hash, got: got.transaction.hash)
          comparison.check("sender", expected: sender, got: got.sender)
          comparison.check("intrinsic gas", expected: gas, got: got.intrinsicGas)
        case .exception(let names):
          comparison.fail(
            "expected the exception \(names.joined(separator: " or ")), got a valid transaction")
        }
      } catch {
        switch expected {
        case .valid: comparison.fail("expected a valid transaction, got: \(error)")
        case .exception(let names):
          if !fits(error, test, names, fork) {
            comparison.check(
              "exception", expected: names.joined(separator: " or "), got: "\(error)")
          }
        }
      }
      results.append(
        CaseResult(name: "\(test.name)[\(fork.name)]", failures: comparison.failures))
    }
    for name in test.unknownForks where forks == nil {
      results.append(CaseResult(name: "\(test.name)[\(name)]", skipped: "unknown fork \(name)"))
    }
    return results
  }

  /// Reads bytes as a transaction, and checks all that can be checked without state and block.
  public func validate(_ bytes: [UInt8], fork: Fork) throws(Refusal) -> Validated {
    let transaction: Transaction
    let sender: Address
    do throws(FormatError) {
      transaction = try Transaction(decoding: bytes, fork: fork)
      sender = try transaction.recoverSender(fork: fork, chainID: chainID)
    } catch {
      throw .format(error)
    }
    let schedule = GasSchedule(fork)
    let costs = PreparedTransaction(transaction, sender: sender).withMessage {
      // There is no block: a byte of new state costs the least (EIP-8037).
      IntrinsicGas($0, schedule, blockGasLimit: 0)
    }
    if let error = Self.fault(transaction, costs, schedule) { throw .transaction(error) }
    // EIP-2681 and the fee's width hold for every fork's tests.
    let fee = UInt256.multiplyFullWidth(
      UInt256(transaction.gasLimit), transaction.maxFeePerGas)
    if !fee.high.isZero { throw .feeOverflow }
    return Validated(
      transaction: transaction, sender: sender,
      intrinsicGas: UInt64(max(costs.intrinsic, costs.floor)))
  }

  private static func fault(
    _ transaction: Transaction, _ costs: IntrinsicGas, _ schedule: GasSchedule
  ) -> TransactionError? {
    if transaction.nonce == .max { return .nonceIsMaximum }
    if transaction.createsContract, transaction.data.count > schedule.initCodeSizeLimit {
      return .initCodeTooLarge
    }
    let limited =
      schedule.fork < .amsterdam
      ? transaction.gasLimit : UInt64(max(costs.regular, costs.floor))
    if limited > schedule.transactionGasLimit { return .gasLimitExceedsMaximum }
    let gas = Int64(clamping: transaction.gasLimit)
    if gas < costs.intrinsic { return .intrinsicGasTooLow }
    if gas < costs.floor { return .gasBelowFloor }
    if transaction.maxPriorityFeePerGas > transaction.maxFeePerGas {
      return .priorityFeeAboveMaxFee
    }
    if transaction.type == .blob {
      let hashes = transaction.blobVersionedHashes
      if hashes.isEmpty { return .noBlobs }
      if hashes.count > schedule.transactionBlobLimit { return .tooManyBlobs }
      if hashes.contains(where: { $0.word.bigEndianByte(0) != 1 }) { return .invalidBlobVersion }
    }
    if transaction.type == .setCode, transaction.authorizationList.isEmpty {
      return .noAuthorizations
    }
    return nil
  }

  private func fits(
    _ refusal: Refusal, _ test: TransactionTest, _ names: [String], _ fork: Fork
  ) -> Bool {
    switch refusal {
    case .format(let error): test.expects(error, exceptions: names, fork: fork)
    case .transaction(.nonceIsMaximum):
      ExceptionNames.match(expected: names, got: ["NONCE_TOO_BIG", "NONCE_IS_MAX"])
    case .transaction(let error): ExceptionNames.match(expected: names, got: error.testNames)
    case .feeOverflow:
      ExceptionNames.match(expected: names, got: ["GASLIMIT_PRICE_PRODUCT_OVERFLOW"])
    }
  }
}

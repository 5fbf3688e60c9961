public import EVM
public import Ethereum

/// Runs cases in the state-test format: one transaction on a pre-state, for several forks and
/// several choices of data, gas and value.
public final class StateTestRunner {
  /// Runs only cases of these forks; `nil` runs all.
  public var forks: Set<Fork>?

  private let executor = SerialExecutor()

  /// A runner with an executor of its own.
  public init() {
    executor.fallbackBlockHash = Self.blockHash
  }

  /// One transaction of a state test, executed.
  public struct Run {
    /// The case's name with fork and indexes.
    public var name: String
    /// The rules.
    public var fork: Fork
    /// The state afterwards.
    public var state: WorldState
    /// The outcome; `nil` when the transaction was not valid.
    public var outcome: BlockOutcome?
    /// Why the transaction was not valid.
    public var error: InvalidTransaction?
    /// What the file expects.
    public var post: StateTest.Post

    /// A run of a test that has not come to anything yet.
    package init(_ test: StateTest, _ post: StateTest.Post, _ fork: Fork, pre: WorldState) {
      name = StateTestRunner.name(test, fork, post.indexes)
      self.fork = fork
      state = pre
      self.post = post
    }
  }

  /// Why a transaction of a test is not valid.
  public enum InvalidTransaction: Sendable, CustomStringConvertible {
    case format(FormatError)
    case transaction(TransactionError, TransactionType)

    public var description: String {
      switch self {
      case .format(let error): error.description
      case .transaction(let error, _): error.message
      }
    }

    /// The names that the execution spec tests have for it.
    var testNames: [String] {
      switch self {
      case .format(let error): error.testNames
      case .transaction(.typeNotSupported, let type):
        ["TYPE_\(type.rawValue)_TX_PRE_FORK", "TYPE_NOT_SUPPORTED"]
      case .transaction(let error, _): error.testNames
      }
    }
  }

  /// Runs every transaction of a test and compares with what it expects.
  public func run(_ test: StateTest) -> [CaseResult] {
    var results: [CaseResult] = []
    let codes = CodeStore()
    let pre = WorldState(test.pre, codes: codes)
    for (fork, posts) in test.post where forks?.contains(fork) ?? true {
      for post in posts {
        do throws(ExecutionError) {
          results.append(Self.result(of: try execute(test, post, fork, pre: pre), in: test))
        } catch {
          results.append(
            CaseResult(
              name: Self.name(test, fork, post.indexes), failures: [error.description]))
        }
      }
    }
    if forks == nil { results += Self.skipped(test) }
    return results
  }

  /// Executes one transaction of a test.
  public func execute(
    _ test: StateTest, _ post: StateTest.Post, _ fork: Fork, pre: WorldState
  ) throws(ExecutionError) -> Run {
    try execute(test, post, fork, pre: pre) { (block, state) throws(ExecutionError) in
      try executor.execute(block, on: &state)
    }
  }

  /// Executes one transaction of a test in a way of the caller's.
  func execute(
    _ test: StateTest, _ post: StateTest.Post, _ fork: Fork, pre: WorldState,
    by way: (PreparedBlock, inout WorldState) throws(ExecutionError) -> BlockOutcome
  ) throws(ExecutionError) -> Run {
    var run = Run(test, post, fork, pre: pre)
    let prepared: PreparedTransaction
    do throws(FormatError) {
      prepared = try Self.prepare(test, post)
    } catch {
      run.error = .format(error)
      return run
    }
    var block = Self.block(test, fork)
    block.transactions = [prepared]
    var state = pre
    let outcome = try way(block, &state)
    if let (_, error) = outcome.rejected.first {
      run.error = .transaction(error, prepared.transaction.type)
    } else {
      run.outcome = outcome
      run.state = state
    }
    return run
  }

  /// The transaction of a case with its sender.
  package static func prepare(_ test: StateTest, _ post: StateTest.Post) throws(FormatError)
    -> PreparedTransaction
  {
    PreparedTransaction(
      try test.transaction.transaction(at: post.indexes), sender: try test.transaction.senderAddress
    )
  }

  /// The forks of a test that are not known, as cases that were not run.
  package static func skipped(_ test: StateTest) -> [CaseResult] {
    test.unknownForks.map {
      CaseResult(name: "\(test.name)[\($0)]", skipped: "unknown fork \($0)")
    }
  }

  /// What came of a run of a test.
  package static func result(of given: Run, in test: StateTest) -> CaseResult {
    var run = given
    if run.error != nil, run.fork < .spuriousDragon, run.post.state == nil {
      // The older suites, which give no accounts, were filled by geth with a reward of nothing
      // for the coinbase after a rejected transaction too: the account comes to be.
      run.state.credit(test.environment.coinbase, wei: .zero, deletesEmpty: false)
    }
    return compare(&run)
  }

  /// Compares a run with what the file expects of it.
  static func compare(_ run: inout Run) -> CaseResult {
    var comparison = Comparison()
    if run.post.expectedExceptions.isEmpty {
      if let error = run.error { comparison.fail("the transaction is not valid: \(error)") }
    } else if let error = run.error {
      if !ExceptionNames.match(expected: run.post.expectedExceptions, got: error.testNames) {
        comparison.check(
          "exception", expected: run.post.expectedExceptions.joined(separator: " or "),
          got: "\(error.testNames.first ?? "?") (\(error))")
      }
    } else {
      comparison.fail(
        "expected the exception \(run.post.expectedExceptions.joined(separator: " or "))"
          + ", got a valid transaction")
    }
    if let expected = run.post.state, let got = Optional(run.state.allocation), expected != got {
      for difference in expected.differences(from: got) { comparison.fail(difference) }
    }
    comparison.check("state root", expected: run.post.stateRoot, got: run.state.stateRoot())
    comparison.check(
      "logs hash", expected: run.post.logsHash,
      got: Log.hash(of: run.outcome?.receipts.first?.logs ?? []))
    return CaseResult(
      name: run.name, failures: comparison.failures, gasUsed: run.outcome?.gasUsed ?? 0)
  }

  /// The name of a case with its fork and indexes.
  package static func name(_ test: StateTest, _ fork: Fork, _ indexes: StateTest.Indexes)
    -> String
  {
    "\(test.name)[\(fork.name) d\(indexes.data) g\(indexes.gas) v\(indexes.value)]"
  }

  /// The block that a test's transaction stands in.
  package static func block(_ test: StateTest, _ fork: Fork) -> PreparedBlock {
    block(
      test.environment, fork: fork, chainID: test.transaction.chainID,
      blobSchedule: test.blobSchedule)
  }

  /// A block of transactions alone: no system calls, no rewards.
  static func block(
    _ given: TestEnvironment, fork: Fork, chainID: UInt64, blobSchedule: BlobSchedule
  ) -> PreparedBlock {
    var environment = BlockEnvironment(
      chainID: UInt256(chainID), number: given.number,
      timestamp: given.timestamp, gasLimit: given.gasLimit, coinbase: given.coinbase)
    environment.prevRandao =
      fork >= .paris
      ? given.prevRandao?.word ?? given.difficulty ?? .zero : given.difficulty ?? .zero
    if fork >= .london { environment.baseFeePerGas = given.baseFeePerGas ?? UInt256(10) }
    var block = PreparedBlock(fork: fork, environment: environment)
    if fork >= .cancun, let parameters = blobSchedule[fork] {
      block.environment.blobBaseFee = BlobGas.baseFee(
        excess: given.excessBlobGas ?? 0, parameters: parameters)
      block.maxBlobs = Int(clamping: parameters.max)
    }
    block.blockHashes = given.blockHashes
    block.callsSystemContracts = false
    block.invalidTransactions = .reject
    // A reward of nothing still touches the coinbase, as geth's and evmone's runners do.
    return block
  }

  /// The convention of state tests: the hash of block n is that of its number in decimal digits.
  package static func blockHash(_ number: UInt64) -> Hash256? {
    Keccak256.hash([UInt8](String(number).utf8))
  }
}

extension StateTest.TransactionForms {
  /// The sender, given or by its key.
  var senderAddress: Address {
    get throws(FormatError) {
      if let sender { return sender }
      guard let secretKey else {
        throw FormatError(.missingField, "neither sender nor secretKey", field: "sender")
      }
      guard let address = Secp256k1.address(of: secretKey) else {
        throw FormatError(.valueOutOfRange, "it is no secret key", field: "secretKey")
      }
      return address
    }
  }
}

extension Allocation {
  /// What differs between the expected accounts and others, in words; at most 20 lines.
  func differences(from got: Allocation) -> [String] {
    var lines: [String] = []
    let addresses = Set(accounts.keys).union(got.accounts.keys).sorted()
    for address in addresses {
      if lines.count >= 20 {
        lines.append("and more")
        break
      }
      switch (accounts[address], got.accounts[address]) {
      case (let expected?, let other?):
        var comparison = Comparison()
        comparison.check("\(address) nonce", expected: expected.nonce, got: other.nonce)
        comparison.check("\(address) balance", expected: expected.balance, got: other.balance)
        comparison.check("\(address) code", expected: expected.code, got: other.code) {
          Hexadecimal.string($0)
        }
        for slot in Set(expected.storage.keys).union(other.storage.keys).sorted() {
          comparison.check(
            "\(address) storage[\(slot)]", expected: expected.storage[slot] ?? .zero,
            got: other.storage[slot] ?? .zero)
        }
        lines.append(contentsOf: comparison.failures.prefix(20 - lines.count))
      case (.some, nil): lines.append("\(address): expected to exist, got no account")
      case (nil, .some): lines.append("\(address): expected no account, got one")
      case (nil, nil): break
      }
    }
    return lines
  }
}

public import EVM
public import Ethereum

/// Runs cases in the blockchain-test format: imports blocks, valid and invalid ones, and compares
/// the head and its state.
public struct BlockchainTestRunner {
  /// Runs only cases whose network's last fork is one of these; `nil` runs all.
  public var forks: Set<Fork>?

  /// Whether blocks are imported with the access list that the test gives, where it gives one: else
  /// only their header says what the list should be (EIP-7928).
  public var usesAccessLists = true

  /// Executes the blocks of all chains.
  private let executor: any BlockExecutor

  /// A runner with an executor.
  public init(executor: any BlockExecutor = SerialExecutor()) { self.executor = executor }

  /// Runs a test.
  public func run(_ test: BlockchainTest) -> CaseResult? {
    guard let schedule = test.schedule else {
      return CaseResult(name: test.name, skipped: "unknown network \(test.network)")
    }
    if let forks, let last = schedule.activations.last?.fork, !forks.contains(last) { return nil }
    var comparison = Comparison()
    var state = WorldState(test.pre)
    let root = state.stateRoot()
    comparison.check(
      "genesis state root", expected: test.genesisHeader.stateRoot, got: root)
    if let expected = test.genesisHash {
      comparison.check("genesis hash", expected: expected, got: test.genesisHeader.hash)
    }
    let chain = Chain(
      genesis: test.genesisHeader, state: state,
      rules: ChainRules(schedule: schedule, blobSchedule: test.blobSchedule), executor: executor)
    var gasUsed: UInt64 = 0
    for (index, block) in test.blocks.enumerated() {
      do throws(BlockError) {
        gasUsed &+=
          try chain.importBlock(
            rlp: block.rlp, accessList: usesAccessLists ? block.accessList?.encoded : nil
          ).gasUsed
        if !block.isValid {
          comparison.fail(
            "block \(index): expected \(block.expectedExceptions), but it was accepted")
        }
      } catch {
        if block.isValid {
          comparison.fail("block \(index): \(error)")
        } else if !block.expectedExceptions.isEmpty,
          // The older suites, whose names have no dot, put blocks with a bad transaction together
          // without it: the roots are wrong as well, so that any reason will do.
          block.expectedExceptions.allSatisfy({ $0.contains(".") }),
          !ExceptionNames.match(expected: block.expectedExceptions, got: error.testNames)
        {
          comparison.check(
            "block \(index)", expected: block.expectedExceptions.joined(separator: " or "),
            got: "\(error.testNames.first ?? error.code.rawValue) (\(error))")
        }
      }
    }
    comparison.check("head", expected: test.lastBlockHash, got: chain.head)
    switch test.postState {
    case .accounts(let expected):
      let got = chain.headState.allocation
      if expected != got {
        for difference in expected.differences(from: got) { comparison.fail(difference) }
      }
    case .root(let expected):
      comparison.check("state root", expected: expected, got: chain.headHeader.stateRoot)
    case nil: break
    }
    return CaseResult(name: test.name, failures: comparison.failures, gasUsed: gasUsed)
  }
}

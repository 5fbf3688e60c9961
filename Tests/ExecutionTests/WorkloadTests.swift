import EVM
import Ethereum
import Foundation
import Testing

@testable import Execution

/// Full transactions of a token and of Uniswap V3 give what they must, where their byte code is.
@Suite struct WorkloadTests {
  /// The folder of the public fixtures; `nil` without them.
  static let folder: String? = {
    let root =
      ProcessInfo.processInfo.environment["NEEDLETAIL_FIXTURES"]
      ?? FileManager.default.currentDirectoryPath + "/.fixtures"
    return FileManager.default.fileExists(atPath: root + "/contracts/ERC20Token.hex")
      ? root + "/contracts" : nil
  }()

  private static func code(_ name: String) throws -> [UInt8] {
    let text = try String(contentsOfFile: "\(folder!)/\(name).hex", encoding: .utf8)
    return Hexadecimal.bytes(unprefixed: text.trimmingCharacters(in: .whitespacesAndNewlines))!
  }

  private static func contracts() throws -> SwapContracts {
    SwapContracts(
      token: try code("ERC20Token"), wrappedEther: try code("WETH9"),
      factory: try code("UniswapV3Factory"), pool: try code("UniswapV3Pool"),
      router: try code("SwapRouter"), singleSwap: try code("SingleSwap"))
  }

  private func run(_ workload: TransactionWorkload) throws -> (BlockOutcome, WorldState) {
    var state = WorldState(workload.allocation)
    let outcome = try SerialExecutor().execute(workload.block, on: &state)
    return (outcome, state)
  }

  @Test(.enabled("needs the fixtures' contracts") { folder != nil })
  func transfersOfATokenGiveWhatTheyMust() throws {
    let workload = TransactionWorkload.tokenTransfers(
      code: try Self.code("ERC20Token"), people: 50, rounds: 3)
    let (outcome, state) = try run(workload)
    #expect(workload.failures(outcome, state) == [])
    #expect(outcome.transactions.count == 150)
  }

  @Test(.enabled("needs the fixtures' contracts") { folder != nil })
  func swapsGiveWhatTheyMust() throws {
    for (clusters, people, rounds) in [(1, 10, 4), (40, 1, 1), (2, 3, 4)] {
      let workload = TransactionWorkload.swaps(
        try Self.contracts(), clusters: clusters, people: people, rounds: rounds)
      #expect((workload.receiptsRoot != nil) == (people != 3))
      let (outcome, state) = try run(workload)
      #expect(workload.failures(outcome, state) == [])
    }
  }

  @Test(.enabled("needs the fixtures' contracts") { folder != nil })
  func whatIsWrongIsFound() throws {
    let workload = TransactionWorkload.tokenTransfers(
      code: try Self.code("ERC20Token"), people: 4)
    let (outcome, state) = try run(workload)
    var other = outcome
    other.transactions[1].gasUsed += 1
    // The gas, and what the sender has left.
    #expect(workload.failures(other, state).count == 2)
    other = outcome
    other.receipts[2].logs = []
    #expect(workload.failures(other, state).count == 1)
    other.transactions.removeLast()
    #expect(workload.failures(other, state) == ["3 of 4 transactions were executed"])
    // Two people gave and got: four slots differ.
    #expect(workload.failures(outcome, WorldState(workload.allocation)).count >= 4)
    #expect(
      SwapContracts.replace([("0203", [8, 9])], in: [1, 2, 3, 2, 2, 3, 2]) == [1, 8, 9, 2, 8, 9, 2])
  }
}

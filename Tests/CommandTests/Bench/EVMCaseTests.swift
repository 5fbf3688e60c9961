import EVM
import Ethereum
import Foundation
import TestSupport
import Testing

@testable import needletail

@Suite struct EVMCaseTests {
  private static let pre = """
    "pre": {"0x1000000000000000000000000000000000000001": {"balance": "0xffffff", "code": "0x",
      "nonce": "0x0", "storage": {}},
    "0x2000000000000000000000000000000000000002": {"balance": "0x0", "code": "0x602a5f5260205ff3",
      "nonce": "0x1", "storage": {"0x1": "0x2"}}}
    """
  private static let environment = """
    "env": {"currentCoinbase": "0x0000000000000000000000000000000000000000",
      "currentGasLimit": "0x8000000000000000", "currentNumber": "0x5", "currentTimestamp": "0x6",
      "currentBaseFee": "0x7"}
    """
  /// Without PUSH0: the rules are London's.
  private static let london = """
    {"square": {"_info": {"comment": "", "labels": {"0": "small", "1": "large"}},
      "env": {"currentCoinbase": "0x0000000000000000000000000000000000000000",
        "currentGasLimit": "0x7fffffff", "currentNumber": "0x1", "currentTimestamp": "0x1",
        "currentDifficulty": "0x1", "currentBaseFee": "0x1"},
      "pre": {"0x1000000000000000000000000000000000000001": {"balance": "0xffffff", "code": "0x",
        "nonce": "0x0", "storage": {}},
        "0x2000000000000000000000000000000000000002": {"balance": "0x0",
        "code": "0x6000358002600052602060006000f3", "nonce": "0x1", "storage": {}}},
      "post": {"London": [
        {"hash": "0x\(String(repeating: "0", count: 64))",
         "indexes": {"data": 1, "gas": 0, "value": 0},
         "logs": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"}]},
      "transaction": {"data": ["0x01", "0x02"], "gasLimit": ["0x10000"], "gasPrice": "0x1",
        "nonce": "0x0", "sender": "0x1000000000000000000000000000000000000001",
        "to": "0x2000000000000000000000000000000000000002", "value": ["0x0"]}}}
    """
  private static let sender = "0x1000000000000000000000000000000000000001"
  private static let contract = "0x2000000000000000000000000000000000000002"

  private static func list(_ transactions: [String]) -> String {
    "{\"answer\": {\(environment), \(pre), \"transaction\": ["
      + transactions.joined(separator: ",") + "]}}"
  }

  private static func transaction(_ data: String) -> String {
    """
    {"data": "\(data)", "gasLimit": "0x8000000000000000", "gasPrice": "0x3", "nonce": "0x0",
     "sender": "\(sender)", "to": "\(contract)", "value": "0x0"}
    """
  }

  private func withFile<Result>(_ text: String, _ body: (String) throws -> Result) throws -> Result
  {
    let command = try Command()
    defer { command.remove() }
    try command.write(text, to: "cases.json")
    return try body(command.folder.appendingPathComponent("cases.json").path)
  }

  @Test func aListOfTransactionsRunsUnderTheNewestRules() throws {
    let cases = try withFile(Self.list([Self.transaction("0x0102")])) {
      try EVMCase.transactionLists(path: $0, suite: "revmc")
    }
    let entry = try #require(cases.first)
    #expect(cases.count == 1)
    #expect(entry.fullName == "revmc/answer")
    #expect(entry.fork == .osaka)
    #expect(entry.environment.number == 5)
    #expect(entry.environment.baseFeePerGas == UInt256(7))
    #expect(entry.gas == UInt64(Int64.max), "gas is counted in 63 bits")
    #expect(entry.gasPrice == UInt256(3))
    #expect(entry.data == [1, 2])
    #expect(entry.stateTest == nil)

    // PUSH1 42 and PUSH0 in two ways: 3 + 2 + 3 + 3 (memory) + 3 + 2.
    let machine = try CaseMachine(entry)
    let outcome = try machine.outcome()
    #expect(outcome.output == [UInt8](repeating: 0, count: 31) + [42])
    #expect(outcome.gas == 16)
    #expect(machine.operationCount() == 6)
    machine.withWork { $0(3) }
    #expect(try machine.outcome() == outcome, "each run begins from the same state")
  }

  @Test func severalTransactionsAreNumbered() throws {
    let cases = try withFile(Self.list([Self.transaction("0x"), Self.transaction("0x01")])) {
      try EVMCase.transactionLists(path: $0, suite: "revmc")
    }
    #expect(cases.map(\.name) == ["answer/0", "answer/1"])
  }

  @Test func aStateTestIsNamedByItsLabels() throws {
    let cases = try withFile(Self.london) { try EVMCase.stateTests(path: $0, suite: "main") }
    let entry = try #require(cases.first)
    #expect(cases.count == 1)
    #expect(entry.fullName == "main/square/large")
    #expect(entry.fork == .london)
    #expect(entry.data == [2])
    #expect(entry.environment.prevRandao == UInt256(1), "the difficulty, before Paris")
    #expect(entry.stateTest?.post.count == 1)
  }

  @Test func aWrongResultIsNotTimed() throws {
    let cases = try withFile(Self.london) { try EVMCase.stateTests(path: $0, suite: "main") }
    let faults = BenchEVMCommand.faults(cases[0], try CaseMachine(cases[0]).outcome())
    #expect(faults.contains { $0.hasPrefix("no outcome is known") })
    #expect(faults.contains { $0.hasPrefix("state root: expected 0x00") }, "\(faults)")
  }

  @Test func storageIsThereInEveryRun() throws {
    // Adds one to slot 1 and returns it.
    let text = Self.list([Self.transaction("0x")]).replacingOccurrences(
      of: "602a5f5260205ff3", with: "6001546001018060015560005260205ff3")
    let cases = try withFile(text) { try EVMCase.transactionLists(path: $0, suite: "revmc") }
    let machine = try CaseMachine(cases[0])
    for _ in 0..<3 {
      #expect(try machine.outcome().output.last == 3)
      machine.withWork { $0(2) }
    }
  }

  @Test func badFilesAreRefusedWithTheirName() throws {
    for text in ["[]", "{\"a\": {}}", Self.list(["{}"])] {
      try withFile(text) { path in
        let error = #expect(throws: FormatError.self) {
          try EVMCase.transactionLists(path: path, suite: "revmc")
        }
        #expect(error?.file == path)
      }
    }
  }

  @Test(
    .enabled(
      if: Fixtures.has("evm-benchmarks/main") && Fixtures.has("contracts/revmc"), Fixtures.missing))
  func thePublicCasesGiveWhatIsKnown() throws {
    let cases = try EVMSuite.cases(fixtures: Fixtures.folder.path)
    #expect(Set(cases.map(\.fullName)).isSuperset(of: KnownOutcome.table.keys))
    for entry in cases {
      let faults = BenchEVMCommand.faults(entry, try CaseMachine(entry).outcome())
      #expect(faults.isEmpty, "\(entry.fullName): \(faults)")
    }
  }
}

import EVM
import Ethereum
import Execution
import Foundation
import Testing

struct InputRunnerTests {
  private static let example = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Examples/batches/transfers.json").path

  private func reports(path: String) throws -> [RunReport] {
    var reports: [RunReport] = []
    try InputRunner().run(path: path) { (report) throws(FormatError) in reports.append(report) }
    return reports
  }

  private func reports(file text: String) throws -> [RunReport] {
    let path = NSTemporaryDirectory() + "needletail-\(UUID()).json"
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try reports(path: path)
  }

  @Test func theExampleGivesWhatItExpects() throws {
    let report = try #require(reports(path: Self.example).first)
    #expect(report.passed, "\(report.failures)")
    #expect(report.rows.count == 48)
    #expect(report.gasUsed == 1_297_728)
  }

  @Test func aDifferenceNamesFieldExpectedAndGot() throws {
    let text = Runs.call([("0x00000000000000000000000000000000000000c0", "0x00")])
      .replacingOccurrences(
        of: "\"fork\"",
        with: "\"expect\": {\"gasUsed\": 21001, \"statuses\": [false]}, \"fork\"")
    let report = try #require(Runs.reports(text).first)
    #expect(
      report.failures == [
        "gas used: expected 21001, got 21000",
        "transaction 0 status: expected failure, got success",
      ])
  }

  @Test func anInvalidTransactionIsAFailureUnlessExpected() throws {
    let text = Runs.call([("0x00000000000000000000000000000000000000c0", "0x00")], gas: 20_000)
    let report = try #require(Runs.reports(text).first)
    #expect(report.failures.count == 1)
    #expect(report.rows[0].rejection != nil)
    #expect(report.gasUsed == 0)
    let expected = text.replacingOccurrences(
      of: "\"fork\"", with: "\"expect\": {\"rejected\": [0]}, \"fork\"")
    #expect(try #require(Runs.reports(expected).first).passed)
  }

  @Test func aBatchNeedsNoName() throws {
    let named = Runs.call([("0x00000000000000000000000000000000000000c0", "0x00")])
    let inner = named.dropFirst("{\"call\": ".count).dropLast()
    #expect(try reports(file: String(inner)).first?.gasUsed == 21_000)
    #expect(try reports(file: named).first?.name == "call")
  }

  @Test func theUsersForkWins() throws {
    // PUSH0 came with Shanghai.
    let text = Runs.call([("0x00000000000000000000000000000000000000c0", "0x5f00")])
    #expect(try Runs.reports(text).first?.rows[0].outcome?.status == .stopped)
    #expect(
      try Runs.reports(text, fork: .london).first?.rows[0].outcome?.status == .undefinedOpcode)
  }

  @Test(arguments: [
    ("{}", "neither a state test nor a batch"), ("[]", "an object should stand here"),
    ("", "the text ends where a value should be"),
    ("{\"a\": {\"blocks\": [], \"genesisBlockHeader\": {}}}", "needletail blocktest"),
    ("{\"a\": {\"txbytes\": \"0x\", \"result\": {}}}", "needletail transactiontest"),
    ("{\"alloc\": {}, \"gasLimit\": 1}", "genesis"),
    ("{\"a\": {\"transactions\": [], \"env\": {}}}", "the field pre is missing"),
    ("{\"a\": {\"transactions\": [], \"env\": {}, \"pre\": {}}}", "names no fork"),
    ("{\"a\": {\"fork\": \"Osakka\", \"transactions\": []}}", "no fork has the name Osakka"),
    ("{\"a\": {\"fork\": \"Osaka\", \"transactions\": [], \"gass\": 1}}", "no field gass"),
    ("{\"a\": {\"fork\": \"Osaka\", \"transactions\": [], \"expect\": {\"x\": 1}}}", "called x"),
  ])
  func aFileThatCanNotBeRunSaysWhy(text: String, reason: String) throws {
    let error = try #require(throws: FormatError.self) { _ = try reports(file: text) }
    #expect(error.description.contains(reason), "\(error)")
    #expect(error.file.contains("needletail-"))
  }

  @Test func aFolderWithoutABlockIsRefused() throws {
    let error = try #require(throws: FormatError.self) {
      _ = try reports(path: NSTemporaryDirectory())
    }
    #expect(error.description.contains("block.json"))
  }

  @Test func codeRunsOnItsOwn() throws {
    let runner = InputRunner()
    let report = runner.run(
      code: [0x5F, 0x35, 0x5F, 0x52, 0x60, 0x20, 0x5F, 0xF3], input: [7], gas: 100)
    #expect(report.rows[0].outcome?.output.first == 7)
    #expect(report.passed)
    #expect(
      runner.run(code: [0x5F, 0x56], input: [], gas: 1000).rows[0].outcome?.status
        == .invalidJump)
  }
}

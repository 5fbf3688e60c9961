import EVM
import Ethereum
import Testing

@testable import needletail

@Suite struct PeerTests {
  private func answer(_ line: String) throws -> PeerAnswer {
    try PeerAnswer(line: Array(line.utf8))
  }

  @Test func anAnswerHasResultAndModes() throws {
    let answer = try answer(
      """
      {"peer":"evmone 0.23.0","status":"success","gas":3179,"refund":0,"output":"0x0102","modes":[\
      {"name":"baseline","median":1900.5,"lowest":1.8e3,"spread":0.02,"analysis":600},\
      {"name":"advanced","median":1700,"lowest":1650.0,"spread":0.1}]}

      """)
    #expect(answer.peer == "evmone 0.23.0")
    #expect(answer.error == nil)
    #expect(answer.isSuccess)
    #expect(answer.gas == 3179)
    #expect(answer.output == [1, 2])
    #expect(answer.modes.map(\.name) == ["baseline", "advanced"])
    #expect(answer.modes[0].lowest == 1800)
    #expect(answer.modes[0].analysis == 600)
    #expect(answer.best?.name == "advanced", "the quickest counts, not the first")
  }

  @Test func theQuickestBuildCounts() throws {
    func build(_ median: Int, gas: Int = 5) throws -> PeerAnswer {
      try answer(
        "{\"status\":\"success\",\"gas\":\(gas),\"output\":\"0x\",\"modes\":[{\"name\":\"m\",\"median\":\(median)}]}"
      )
    }
    let both = PeerAnswer(builds: [("/a/gcc", try build(7)), ("/a/clang", try build(6))])
    #expect(both.modes.map(\.name) == ["m (gcc)", "m (clang)"])
    #expect(both.best?.median == 6)
    #expect(both.gas == 5)
    let differing = PeerAnswer(builds: [("x", try build(7)), ("y", try build(6, gas: 4))])
    #expect(differing.error == "y: another result than x")
    let failing = PeerAnswer(builds: [("x", try build(7)), ("y", PeerAnswer(error: "no"))])
    #expect(failing.error == "y: no")
  }

  @Test func anErrorIsAnAnswer() throws {
    let answer = try answer("{\"error\":\"the runner's host has no BLOCKHASH\"}")
    #expect(answer.error == "the runner's host has no BLOCKHASH")
    #expect(answer.best == nil)
  }

  @Test(arguments: [
    "", "nonsense", "{}", "{\"status\":\"success\",\"gas\":1,\"output\":\"0x\",\"modes\":[]}",
    "{\"modes\":[{\"name\":\"a\",\"median\":0}]}", "{\"modes\":[{\"median\":1}]}",
    "{\"output\":\"0x1\",\"modes\":[{\"name\":\"a\",\"median\":1}]}",
    "{\"error\":\"a\"} and more",
  ])
  func whatIsNoAnswerIsRefused(line: String) {
    #expect(throws: FormatError.self) { try answer(line) }
  }

  @Test(arguments: [
    "geth", "evmone", "evmone=/nonexistent", "evmone=", "pyrevm=/usr/bin/python3", "",
  ])
  func wrongPeersAreRefused(argument: String) {
    #expect(throws: (any Error).self) { try Peer(argument: argument) }
  }

  @Test func aCaseIsWrittenInLines() {
    var entry = EVMCase(
      suite: "s", name: "n", work: .messageCall, fork: .osaka,
      environment: BlockEnvironment(number: 7, timestamp: 8, gasLimit: .max), pre: Allocation(),
      sender: Address(number: 1), recipient: Address(number: 2), gas: 5, data: [0xab])
    entry.pre.accounts[Address(number: 2)] = .init(
      nonce: 3, balance: UInt256(4), code: [0x60, 0x00],
      storage: [UInt256(9): UInt256(10), UInt256(1): UInt256(2)])
    let lines = PeerCase(entry, fork: .cancun, gas: .max, seconds: 0.25).text
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    #expect(lines.last == "")
    #expect(lines[0] == "fork Cancun")
    #expect(lines[1] == "seconds 0.25")
    #expect(lines[2] == "gas 9223372036854775807", "the peers count gas in 63 bits")
    #expect(lines.contains("to 0x0000000000000000000000000000000000000002"))
    #expect(lines.contains("input 0xab"))
    #expect(lines.contains("number 7"))
    #expect(lines.contains("gasLimit 9223372036854775807"))
    func word(_ digit: String) -> String { "0x" + String(repeating: "0", count: 63) + digit }
    let account = "0x0000000000000000000000000000000000000002"
    #expect(
      lines.suffix(4) == [
        "account \(account) \(word("4")) 3 0x6000", "slot \(account) \(word("1")) \(word("2"))",
        "slot \(account) \(word("9")) \(word("a"))", "",
      ])
  }
}

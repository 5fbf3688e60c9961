import EVM
import Ethereum
import Execution
import Foundation
import Testing

@testable import Node

@Suite struct PoolJournalTests {
  private func record(_ number: Int) -> PoolJournal.Record {
    PoolJournal.Record(
      envelope: [UInt8](repeating: UInt8(number), count: 20 + number), isLocal: number % 2 == 0)
  }

  @Test func entriesSurviveAndTornTailsAreCut() throws {
    let path = NSTemporaryDirectory() + "needletail-journal-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let journal = PoolJournal(path: path)
    #expect(journal.records().isEmpty)
    journal.rewrite { [record(1)] }
    for number in 2...5 { #expect(!journal.append([record(number)], liveBytes: 0)) }
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    #expect(
      PoolJournal(path: path).records().map(\.envelope) == (1...5).map { record($0).envelope })
    #expect(PoolJournal(path: path).records().map(\.isLocal) == [false, true, false, true, false])
    for cut in (whole.count - 33)..<whole.count {
      try whole[..<cut].write(to: URL(fileURLWithPath: path))
      #expect(PoolJournal(path: path).records().count == 4)
    }
    for flip in (whole.count - 34)..<whole.count {
      var damaged = whole
      damaged[flip] ^= 4
      try damaged.write(to: URL(fileURLWithPath: path))
      #expect(PoolJournal(path: path).records().count == 4, "byte \(flip)")
    }
  }

  @Test func whatWaitsIsThereAfterARestart() throws {
    let node = try TestNode()
    node.sequencer.mode = .onDemand
    let journal = PoolJournal(path: node.folder + "/pool.journal")
    #expect(try node.pool.restore(from: journal, chain: node.chain) == 0)
    let sender = DevelopmentAccounts.standard.addresses[0]
    for value in 1...3 {
      _ = node.call(
        "eth_sendTransaction",
        #"[{"from":"\#(sender)","to":"\#(sender)","value":"0x\#(value)","gas":"0x5208"}]"#)
    }
    #expect(node.pool.count == 3)
    let again = TransactionPool()
    let file = PoolJournal(path: node.folder + "/pool.journal")
    #expect(try again.restore(from: file, chain: node.chain) == 3)
    #expect(again.entries.map(\.hash) == node.pool.entries.map(\.hash))
    // What is in a block by then does not wait again.
    try node.sequencer.mine()
    #expect(node.pool.count == 0)
    #expect(
      try TransactionPool().restore(
        from: PoolJournal(path: node.folder + "/pool.journal"), chain: node.chain) == 0)
  }
}

@Suite struct QuickAnswerTests {
  /// What is answered at once is what is answered otherwise.
  @Test func quickAnswersAreTheOthers() throws {
    let node = try TestNode()
    let sender = DevelopmentAccounts.standard.addresses[0]
    func request(_ method: String, _ parameters: String) -> [UInt8] {
      [UInt8](#"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":\#(parameters)}"#.utf8)
    }
    let quick = [
      request("eth_getBalance", #"["\#(sender)","latest"]"#),
      request("eth_getBalance", #"["\#(sender)"]"#),
      request("eth_getBalance", #"["0x12"]"#),
      request("eth_getTransactionCount", #"["\#(sender)","pending"]"#),
      request("eth_getStorageAt", #"["\#(sender)","0x0","latest"]"#),
      request("eth_call", #"[{"to":"\#(sender)","data":"0x1234"}]"#), request("eth_call", "[{}]"),
      // PUSH0 PUSH0 REVERT
      request("eth_call", #"[{"data":"0x5f5ffd"},"latest"]"#),
      request("eth_blockNumber", "[]"), request("eth_chainId", "[]"),
    ]
    for body in quick {
      try body.withUnsafeBufferPointer {
        let answer = try #require(node.service.quickAnswer(to: $0, access: .development))
        #expect(answer == node.service.respond(to: $0, access: .development))
      }
    }
    var slow = [
      request("eth_getBalance", #"["\#(sender)","0x0"]"#), request("eth_call", #"[{},"0x0"]"#),
      // The block in the making may have to be made.
      request("eth_getBalance", #"["\#(sender)","pending"]"#),
      request("eth_call", #"[{},"pending"]"#),
      request("debug_traceBlockByNumber", #"["eth_blockNumber"]"#), [UInt8]("{".utf8),
      [UInt8](#"[{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}]"#.utf8),
      [UInt8](#"{"params":{"method":"eth_chainId"},"method":"debug_traceCall","id":1}"#.utf8),
      [UInt8](#"{"method":"eth_chainId"#.utf8),
    ]
    // JUMPDEST PUSH0 JUMP: until the gas is gone, and not on the connection's thread.
    slow.append(request("eth_call", #"[{"data":"0x5b5f56"},"latest"]"#))
    for body in slow {
      body.withUnsafeBufferPointer {
        #expect(node.service.quickAnswer(to: $0, access: .development) == nil)
      }
    }
  }
}

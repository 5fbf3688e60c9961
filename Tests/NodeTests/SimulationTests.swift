import EVM
import Ethereum
import Execution
import Foundation
import Storage
import Testing

@testable import Node

/// Simulated blocks are what a sequencer makes of the same transactions.
@Suite struct SimulationTests {
  /// A chain that begins with Amsterdam.
  private static let amsterdam = Array(
    String(
      decoding: DevelopmentGenesis.file(chainID: 1337, accounts: .standard, time: 1_000_000),
      as: UTF8.self
    ).replacingOccurrences(
      of: "\"osakaTime\": 0", with: "\"osakaTime\": 0, \"amsterdamTime\": 0"
    ).utf8)

  /// The transactions of two blocks: transfers to accounts that are there and that are not, and a counter
  /// that is made, called, and called with too little gas for a new slot. Each as the parts of a call.
  private static func calls(_ counter: Address) -> [[[String: String]]] {
    let addresses = DevelopmentAccounts.standard.addresses
    // Adds one to the slot that the input names: `PUSH1 1, PUSH0, CALLDATALOAD, SLOAD, ADD, PUSH0,
    // CALLDATALOAD, SSTORE`, and its creation.
    let code = "0x6860015f3554015f3555" + "5f526009" + "6017f3"
    let slot = "0x" + String(repeating: "0", count: 63)
    func call(_ sender: Int, _ nonce: Int, _ rest: [String: String]) -> [String: String] {
      [
        "from": "\(addresses[sender])", "nonce": "0x\(nonce)",
        "maxFeePerGas": "0xe8d4a51000", "maxPriorityFeePerGas": "0x3b9aca0\(9 - sender)",
      ].merging(rest) { $1 }
    }
    return [
      [
        call(0, 0, ["input": code, "gas": "0x7a120", "value": "0x0"]),
        call(1, 0, ["to": "\(addresses[2])", "gas": "0x5208", "value": "0x5"]),
        call(2, 0, ["to": "\(Address(number: 0xabcde))", "gas": "0x7a120", "value": "0x7"]),
      ],
      [
        call(1, 1, ["to": "\(counter)", "input": slot + "1", "gas": "0x7a120", "value": "0x0"]),
        call(2, 1, ["to": "\(counter)", "input": slot + "1", "gas": "0x7a120", "value": "0x0"]),
        call(3, 0, ["to": "\(counter)", "input": slot + "2", "gas": "0x6000", "value": "0x0"]),
      ],
    ]
  }

  private func object(_ text: String) throws -> [String: Any] {
    let value = try JSONSerialization.jsonObject(with: Data(text.utf8))
    return try #require((value as? [String: Any])?["result"] as? [String: Any], "\(text)")
  }

  private func mine(_ node: TestNode, _ calls: [[String: String]]) throws -> [String: Any] {
    let accounts = DevelopmentAccounts.standard
    func number(_ call: [String: String], _ name: String) -> UInt64 {
      UInt64(call[name]!.dropFirst(2), radix: 16)!
    }
    for call in calls {
      let sender = try #require(Address(hexadecimal: call["from"]!))
      var transaction = Transaction(
        type: .dynamicFee, chainID: 1337, nonce: number(call, "nonce"),
        maxFeePerGas: UInt256(number(call, "maxFeePerGas")),
        maxPriorityFeePerGas: UInt256(number(call, "maxPriorityFeePerGas")),
        gasLimit: number(call, "gas"), to: call["to"].flatMap { Address(hexadecimal: $0) },
        value: UInt256(number(call, "value")))
      transaction.data = call["input"].flatMap { Hexadecimal.bytes($0) } ?? []
      try transaction.sign(secretKey: try #require(accounts.key(of: sender)))
      for result in node.service.intake.take([transaction.encoded]) { _ = try result.get() }
    }
    try node.sequencer.mine()
    return try object(node.call("eth_getBlockByNumber", #"["latest",false]"#))
  }

  @Test(arguments: [true, false]) func simulatedBlocksAreThoseOfTheSequencer(isAmsterdam: Bool)
    throws
  {
    let node = try TestNode(genesis: isAmsterdam ? Self.amsterdam : nil)
    node.sequencer.mode = .onDemand
    let creator = DevelopmentAccounts.standard.addresses[0]
    // By the hash of the creator and the nonce 0 in RLP.
    let hash = Keccak256.hash([0xd6, 0x94] + creator.bytes + [0x80])
    let counter = try #require(Address(hexadecimal: "0x" + "\(hash)".suffix(40)))
    let calls = Self.calls(counter)
    let blocks = try calls.map { try mine(node, $0) }
    for (block, calls) in zip(blocks, calls) {
      #expect((block["transactions"] as? [Any])?.count == calls.count)
      #expect((block["blockAccessListHash"] != nil) == isAmsterdam)
    }
    var statuses: [[String?]] = []
    for (number, (made, calls)) in zip(blocks, calls).enumerated() {
      let block: [String: Any] = [
        "blockOverrides": [
          "time": made["timestamp"], "feeRecipient": made["miner"],
          "prevRandao": made["mixHash"], "gasLimit": made["gasLimit"],
        ].compactMapValues { $0 }, "calls": calls,
      ]
      let request: [String: Any] = ["blockStateCalls": [block], "validation": true]
      let text = String(
        decoding: try JSONSerialization.data(withJSONObject: request), as: UTF8.self)
      let answer = node.call("eth_simulateV1", "[\(text),\"0x\(number)\"]")
      let value = try JSONSerialization.jsonObject(with: Data(answer.utf8))
      let simulated = try #require(
        (value as? [String: Any])?["result"] as? [[String: Any]], "\(answer)")
      #expect(simulated.count == 1)
      // Nobody signed what was simulated, so the transactions' root and the hash differ.
      for name in [
        "number", "parentHash", "timestamp", "gasUsed", "baseFeePerGas", "stateRoot",
        "receiptsRoot", "logsBloom", "requestsHash", "blockAccessListHash", "slotNumber",
      ] {
        #expect(
          made[name] as? String == simulated[0][name] as? String, "block \(number + 1): \(name)")
      }
      statuses.append(
        (simulated[0]["calls"] as? [[String: Any]] ?? []).map { $0["status"] as? String })
    }
    #expect(statuses == [["0x1", "0x1", "0x1"], ["0x1", "0x1", "0x0"]])
  }

  /// From Amsterdam on a block counts new state on its own, and what is left for a call is what both
  /// leave: a contract with a slot takes 95,840 of it; before, all that it takes is less than 85,000.
  @Test(arguments: [true, false]) func newStateCountsAgainstTheBlocksLimit(isAmsterdam: Bool) throws
  {
    let node = try TestNode(genesis: isAmsterdam ? Self.amsterdam : nil)
    let from = DevelopmentAccounts.standard.addresses[0]
    // `PUSH1 1, PUSH0, SSTORE`
    let call = #"{"from":"\#(from)","input":"0x60015f55"}"#
    let large = #"{"from":"\#(from)","to":"\#(from)","gas":"0x3923af8"}"#
    let answer = node.call(
      "eth_simulateV1", #"[{"blockStateCalls":[{"calls":[\#(call),\#(large)]}]},"latest"]"#)
    #expect(answer.contains("-38015") == isAmsterdam, "\(answer)")
    #expect(answer.contains("result") != isAmsterdam, "\(answer)")
  }
}

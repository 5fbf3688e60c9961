import Foundation
import Testing

/// `t8n` as fillers call it. Execution itself is compared elsewhere.
@Suite struct TransitionToolTests {
  private let environment = """
    {"currentCoinbase": "0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "currentDifficulty": "0x20000", "currentGasLimit": "0x750a163df65e8a",
     "currentNumber": "1", "currentTimestamp": "1000",
     "ommers": [{"delta": 1, "address": "0xbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"},
                {"delta": 2, "address": "0xcccccccccccccccccccccccccccccccccccccccc"}]}
    """

  /// A folder with the three inputs.
  private func command(
    alloc: String = "{}", environment: String? = nil, transactions: String = "[]"
  ) throws -> Command {
    let command = try Command()
    try command.write(alloc, to: "alloc.json")
    try command.write(environment ?? self.environment, to: "env.json")
    try command.write(transactions, to: "txs.json")
    return command
  }

  private func object(_ text: String?) throws -> [String: Any] {
    try #require(
      try JSONSerialization.jsonObject(with: Data((text ?? "").utf8)) as? [String: Any])
  }

  /// The example of go-ethereum's `cmd/evm/README.md`, "About Ommers".
  @Test func paysOmmersAsInTheReadmeOfGoEthereum() throws {
    let command = try command()
    defer { command.remove() }
    let output = try command.run(["t8n", "--state.fork=Berlin", "--state.reward=128"])
    #expect(output.status == 0, "\(output.standardError)")
    let alloc = try object(command.read("alloc.json"))
    let balances = alloc.mapValues { ($0 as? [String: Any])?["balance"] as? String }
    #expect(
      balances == [
        "0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": "0x88",
        "0xbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb": "0x70",
        "0xcccccccccccccccccccccccccccccccccccccccc": "0x60",
      ])
  }

  /// The first example of go-ethereum's README: the second transaction repeats the first one's nonce.
  @Test func signsAndRejectsAndGivesTheBodyBack() throws {
    let sender = "0x8a8eafb1cf62bfbeb1741769dae1a9dd47996192"
    let transaction = """
      {"gas": "0x5208", "gasPrice": "0x2", "input": "0x", "nonce": "0x0",
       "secretKey": "0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318",
       "to": "\(sender)", "value": "0x1", "v": "0x0", "r": "0x0", "s": "0x0"}
      """
    let command = try command(
      // The account of the key.
      alloc: #"{"0x2c7536e3605d9c16a7a3d7b1898e529396a65c23": {"balance": "0x5f5e100"}}"#,
      transactions: "[\(transaction), \(transaction)]")
    defer { command.remove() }
    let first = try command.run([
      "t8n", "--state.fork=Berlin", "--state.reward=-1", "--output.result=stdout",
      "--output.alloc=stdout", "--output.body=signed.rlp",
    ])
    #expect(first.status == 0, "\(first.standardError)")
    let parts = try object(first.standardOutput)
    let result = try #require(parts["result"] as? [String: Any])
    let receipts = try #require(result["receipts"] as? [[String: Any]])
    #expect(receipts.map { $0["status"] as? String } == ["0x1"])
    #expect(result["gasUsed"] as? String == "0x5208")
    let rejected = try #require(result["rejected"] as? [[String: Any]])
    #expect(rejected.map { $0["index"] as? Int } == [1])
    #expect((rejected.first?["error"] as? String)?.hasPrefix("nonce too low") == true)

    // The body is an input again and gives the same.
    let second = try command.run([
      "t8n", "--state.fork=Berlin", "--state.reward=-1", "--input.txs=signed.rlp",
      "--output.result=stdout", "--output.alloc=stdout",
    ])
    #expect(second.standardOutput == first.standardOutput)

    // So does everything on standard input.
    let body = try #require(command.read("signed.rlp"))
    let alloc = try #require(command.read("alloc.json"))
    let third = try command.run(
      [
        "t8n", "--state.fork=Berlin", "--state.reward=-1", "--input.alloc=stdin",
        "--input.env=stdin", "--input.txs=stdin", "--output.result=stdout",
        "--output.alloc=stdout",
      ],
      standardInput: "{\"alloc\": \(alloc), \"env\": \(environment), \"txsRlp\": \(body)}")
    #expect(third.standardOutput == first.standardOutput, "\(third.standardError)")
  }

  /// From Amsterdam on the result has the block's access list (EIP-7928): every account that the block
  /// touches is in it, and its hash is that of its bytes.
  @Test func writesTheAccessListOfAnAmsterdamBlock() throws {
    let sender = "2c7536e3605d9c16a7a3d7b1898e529396a65c23"
    let recipient = "00000000000000000000000000000000000000cc"
    let coinbase = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    let withdrawalRequests = "00000961ef480eb55e80d19ad83579a64c007002"
    let consolidationRequests = "0000bbddc7ce488642fb579f8b00f3a590007251"
    let command = try command(
      alloc: """
        {"0x\(sender)": {"balance": "0x5f5e100"},
         "0x\(withdrawalRequests)": {"balance": "0x0", "code": "0x00"},
         "0x\(consolidationRequests)": {"balance": "0x0", "code": "0x00"}}
        """,
      environment: """
        {"currentCoinbase": "0x\(coinbase)", "currentGasLimit": "0x1c9c380", "currentNumber": "1",
         "currentTimestamp": "1000", "currentRandom": "0x0", "currentBaseFee": "0x1",
         "withdrawals": [], "parentBeaconBlockRoot":
           "0x0000000000000000000000000000000000000000000000000000000000000000",
         "currentExcessBlobGas": "0x0", "slotNumber": "0x1", "blockHashes": {"0":
           "0x0000000000000000000000000000000000000000000000000000000000000001"}}
        """,
      transactions: """
        [{"gas": "0x10000", "gasPrice": "0x2", "input": "0x", "nonce": "0x0",
          "secretKey": "0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318",
          "to": "0x\(recipient)", "value": "0x1"}]
        """)
    defer { command.remove() }
    let output = try command.run([
      "t8n", "--state.fork=Amsterdam", "--output.result=stdout", "--output.alloc=alloc-after.json",
    ])
    #expect(output.status == 0, "\(output.standardError)")
    let parts = try object(output.standardOutput)
    let result = try #require(parts["result"] as? [String: Any])
    #expect((result["rejected"] as? [Any])?.isEmpty == true)
    #expect(result["blockException"] == nil)
    let list = try #require(result["blockAccessList"] as? String)
    for account in [sender, recipient, coinbase, withdrawalRequests, consolidationRequests] {
      #expect(list.contains(account), "\(account)")
    }
    let hash = try command.run(["keccak", list])
    #expect(
      hash.standardOutput.contains(try #require(result["blockAccessListHash"] as? String)),
      "\(hash.standardOutput) \(hash.standardError)")

    let before = try command.run([
      "t8n", "--state.fork=Osaka", "--output.result=stdout", "--output.alloc=alloc-after.json",
    ])
    #expect(before.status == 0 && !before.standardOutput.contains("blockAccessList"))
  }

  @Test func writesATraceForEachExecutedTransaction() throws {
    let command = try command(
      alloc: """
        {"0x2c7536e3605d9c16a7a3d7b1898e529396a65c23": {"balance": "0x5f5e100"},
         "0x00000000000000000000000000000000000000cc": {"balance": "0x0", "code": "0x60016002015000"}}
        """,
      transactions: """
        [{"gas": "0x6000", "gasPrice": "0x2", "input": "0x", "nonce": "0x0",
          "secretKey": "0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318",
          "to": "0x00000000000000000000000000000000000000cc", "value": "0x0"}]
        """)
    defer { command.remove() }
    let output = try command.run([
      "t8n", "--state.fork=Berlin", "--trace", "--output.basedir=out",
    ])
    #expect(output.status == 0, "\(output.standardError)")
    let files = try FileManager.default.contentsOfDirectory(
      atPath: command.folder.appendingPathComponent("out").path)
    let name = try #require(files.first { $0.hasPrefix("trace-0-0x") && $0.hasSuffix(".jsonl") })
    let lines = try #require(command.read("out/" + name)).split(separator: "\n")
    #expect(lines.count == 6)
    let add = try object(String(lines[2]))
    #expect(add["opName"] as? String == "ADD")
    #expect(add["gasCost"] as? String == "0x3")
    #expect(add["stack"] as? [String] == ["0x1", "0x2"])
    #expect(add["depth"] as? Int == 1)
    let summary = try object(String(lines[5]))
    // 3 + 3 + 3 + 2, without the transaction's own 21,000.
    #expect(summary["gasUsed"] as? String == "0xb")
  }

  @Test(arguments: [
    (["--state.fork=Nope"], 3), (["--state.fork=Shanghai"], 3), (["--input.env=none.json"], 11),
    (["--input.env=bad.json"], 10), (["--input.txs=bad.rlp", "--state.fork=Berlin"], 12),
    (["--state.fork=Berlin", "--output.basedir=/proc/none"], 11),
  ])
  func exitsWithTheStatusOfGoEthereum(arguments: [String], status: Int) throws {
    let command = try command()
    defer { command.remove() }
    try command.write("{", to: "bad.json")
    try command.write("\"0xc3\"", to: "bad.rlp")
    let output = try command.run(["t8n"] + arguments)
    #expect(output.status == status)
    #expect(output.standardError.hasPrefix("ERROR(\(status)): "))
    #expect(output.standardOutput.isEmpty)
    #expect(command.read("result.json") == nil)
  }

  @Test func aBlockHashThatIsNotGivenIsItsOwnError() throws {
    let command = try command(
      alloc: """
        {"0x2c7536e3605d9c16a7a3d7b1898e529396a65c23": {"balance": "0x5f5e100"},
         "0x00000000000000000000000000000000000000cc": {"balance": "0x0", "code": "0x600040"}}
        """,
      transactions: """
        [{"gas": "0x6000", "gasPrice": "0x2", "input": "0x", "nonce": "0x0",
          "secretKey": "0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318",
          "to": "0x00000000000000000000000000000000000000cc", "value": "0x0"}]
        """)
    defer { command.remove() }
    let output = try command.run(["t8n", "--state.fork=Berlin"])
    #expect(output.status == 4, "\(output.standardError)")
    #expect(command.read("result.json") == nil)
  }
}

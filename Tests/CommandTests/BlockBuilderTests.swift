import Ethereum
import Testing

/// `b11r`: header and body in, RLP and hash out.
@Suite struct BlockBuilderTests {
  private let header = """
    {"parentHash": "0x1111111111111111111111111111111111111111111111111111111111111111",
     "miner": "0x00000000000000000000000000000000000000aa",
     "stateRoot": "0x2222222222222222222222222222222222222222222222222222222222222222",
     "number": "0x1", "gasLimit": "0x5208", "timestamp": "0x64", "extraData": "0x42",
     "nonce": "0x0000000000000007"}
    """

  private func build(_ input: String, _ arguments: [String]) throws -> Command.Output {
    let command = try Command()
    defer { command.remove() }
    return try command.run(["b11r"] + arguments, standardInput: input)
  }

  @Test func buildsWhatTheBlockCoderReads() throws {
    let output = try build(
      "{\"header\": \(header), \"txs\": \"0xc0\", \"ommers\": []}",
      [
        "--input.header=stdin", "--input.txs=stdin", "--input.ommers=stdin",
        "--output.block=stdout",
      ])
    #expect(output.status == 0, "\(output.standardError)")
    let quoted = output.standardOutput.split(separator: "\"").map(String.init)
    let start = try #require(quoted.firstIndex(of: "rlp"))
    let bytes = try #require(Hexadecimal.bytes(quoted[start + 2]))
    let block = try Block(decoding: bytes)
    #expect(block.header.number == 1)
    #expect(block.header.gasLimit == 21_000)
    #expect(block.header.extraData == [0x42])
    #expect(block.header.nonce == 7)
    #expect(block.header.ommersHash == BlockHeader.emptyOmmersHash)
    #expect(block.transactions.isEmpty)
    #expect(quoted.contains(block.hash.description))
  }

  @Test(arguments: [
    ("{}", 10), ("{\"header\": {\"number\": \"0x1\"}, \"txs\": \"0xc0\"}", 10), ("[", 10),
  ])
  func refusesWhatIsNoInput(input: String, status: Int) throws {
    let output = try build(
      input, ["--input.header=stdin", "--input.txs=stdin", "--output.block=stdout"])
    #expect(output.status == status)
    #expect(output.standardOutput.isEmpty)
  }

  @Test func refusesRLPThatIsNone() throws {
    let output = try build(
      "{\"header\": \(header), \"txs\": \"0xc3\"}",
      ["--input.header=stdin", "--input.txs=stdin", "--output.block=stdout"])
    #expect(output.status == 12)
  }

  @Test(arguments: [["--seal.ethash"], ["--seal.clique=clique.json"]])
  func saysThatItDoesNotSeal(arguments: [String]) throws {
    let output = try build("", arguments)
    #expect(output.status == 3)
    #expect(output.standardError.contains("sealing is not supported"))
  }
}

import Foundation
import Testing

/// The exit status, and one line on standard error where something is wrong.
@Suite struct ExitStatusTests {
  private static let example = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Examples/batches/transfers.json").path

  private func run(_ arguments: [String]) throws -> Command.Output {
    let command = try Command()
    defer { command.remove() }
    return try command.run(arguments)
  }

  @Test func fineIsZero() throws {
    let output = try run(["run", Self.example])
    #expect(output.status == 0)
    #expect(output.standardError.isEmpty)
    #expect(output.standardOutput.contains("48 transactions: 45 succeeded, 3 failed, 0 rejected"))
    #expect(!output.standardOutput.contains("\u{1B}"), "colours without a terminal")
    for arguments in [[], ["--version"], ["help", "run"]] {
      #expect(try run(arguments).status == 0)
    }
  }

  @Test(arguments: [
    ["run", "--bogus", "x"], ["run"], ["run", "/nonexistent.json"], ["run", "/"],
    ["run", "/dev/null"], ["run", "x.json", "--fork", "Osakka"], ["nosuchcommand"],
    ["statetest", "/nonexistent"], ["keccak"], ["keccak", "0x1"], ["rlp", "0xc8"],
    ["rlp", "--encode", "[\"0x1\"]"], ["disassemble", "0xzz"],
    ["trace", "--code", "0x00", "--gas", "99999999999999999999"],
    ["bench", "crypto", "--case", "nothing has this name"], ["bench", "crypto", "--samples", "0"],
    ["signer", "address", "0x0"], ["signer", "recover", "0x02"],
    ["bench", "evm", "--fixtures", "/nonexistent"], ["bench", "evm", "--seconds", "0"],
    ["bench", "evm", "--fixtures", "/nonexistent", "--against", "geth"],
    ["statetest", "/nonexistent", "--device", "cuda"], ["statetest", "x", "--strict"],
    ["statetest", "x", "--device", "cuda:99"], ["statetest", "x", "--device", "tpu"],
    ["statetest", "x", "--gas-ceiling", "1"],
    ["statetest", "x", "--launch-budget", "1"],
    ["statetest", "x", "--device", "cuda", "--launch-budget", "0"],
    ["statetest", "x", "--device", "cuda", "--gas-ceiling", "0"],
  ])
  func badUsageOrInputIsTwo(arguments: [String]) throws {
    let output = try run(arguments)
    #expect(output.status == 2, "\(output.standardError)")
    #expect(!output.standardError.isEmpty)
    #expect(output.standardOutput.isEmpty)
  }

  @Test(arguments: [
    (
      ["blocktest", example, "--executor", "parallel"], "--executor parallel is of the CPU's cores"
    ),
    (["run", example, "--executor", "parallel"], "--executor parallel is of the CPU's cores"),
    (["run", example, "--profile"], "--profile follows each step"),
    (["run", example, "--trace", "-"], "--trace follows each step"),
  ])
  func whatADeviceDoesNotDoIsRefused(arguments: [String], reason: String) throws {
    let output = try run(arguments + ["--device", "cuda"])
    #expect(output.status == 2)
    #expect(output.standardError.contains(reason))
    #expect(output.standardOutput.isEmpty)
  }

  /// No device is in use where tests run, as `--device cpu` shows.
  @Test func autoIsTheCPUWhereThereIsNoDevice() throws {
    let output = try run(["run", Self.example, "--device", "auto"])
    #expect(output.status == 0)
    #expect(output.standardError.contains("--device auto: the CPU"))
  }

  @Test func benchCryptoTimesWhatItHasChecked() throws {
    let output = try run(["bench", "crypto", "--case", "keccak256/32", "--samples", "1", "--json"])
    #expect(output.status == 0, "\(output.standardError)")
    #expect(output.standardOutput.contains("\"case\":\"keccak256/32\",\"group\":\"hash\""))
    #expect(output.standardOutput.contains("\"nanoseconds\":"))
    #expect(output.standardOutput.split(separator: "\n").count == 1)
  }

  @Test func aDifferenceIsOne() throws {
    let command = try Command()
    defer { command.remove() }
    let text = try String(contentsOfFile: Self.example, encoding: .utf8)
    try command.write(text.replacingOccurrences(of: "1297728", with: "1297729"), to: "batch.json")
    let output = try command.run(["run", "batch.json"])
    #expect(output.status == 1)
    #expect(output.standardOutput.contains("gas used: expected 1297729, got 1297728"))
  }

  @Test func anOutputFileIsWholeOrNotThere() throws {
    let command = try Command()
    defer { command.remove() }
    let full = try command.run(["run", Self.example, "--output", "/dev/full"])
    #expect(full.status == 2)
    #expect(full.standardError.contains("No space left"))
    // The second input can not be read.
    let cut = try command.run(["run", Self.example, "/nonexistent.json", "--output", "out.json"])
    #expect(cut.status == 2)
    let names = try FileManager.default.contentsOfDirectory(atPath: command.folder.path)
    #expect(!names.contains { $0.hasPrefix("out.json") }, "\(names)")

    #expect(try command.run(["run", Self.example, "--output", "out.json"]).status == 0)
    let text = try #require(command.read("out.json"))
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    let results = try #require(object?["results"] as? [[String: Any]])
    #expect(results.count == 1)
    #expect((results[0]["receipts"] as? [Any])?.count == 48)
    #expect((results[0]["alloc"] as? [String: Any])?.isEmpty == false)
  }

  @Test func smallCommandsSayWhatTheyShould() throws {
    #expect(
      try run(["keccak", "--text", "transfer(address,uint256)"]).standardOutput
        == "0xa9059cbb2ab09eb219583f4a59a5d0623ade346d962bcd4e46b11da047c9049b\n")
    #expect(
      try run(["rlp", "0xc883646f6783636174"]).standardOutput
        == "[\n  \"0x646f67\",\n  \"0x636174\"\n]\n")
    #expect(
      try run(["rlp", "--encode", "[\"0x646f67\", [\"0x\"]]"]).standardOutput
        == "0xc683646f67c180\n")
    // The account of EIP-155's example.
    #expect(
      try run(["signer", "address", "0x" + String(repeating: "46", count: 32)]).standardOutput
        == "0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f\n")
    #expect(
      try run(["disassemble", "0x60015f"]).standardOutput
        == "000000  60  PUSH1 0x01\n000002  5f  PUSH0\n")
    let trace = try run(["trace", "--code", "0x5f00", "--gas", "100"]).standardOutput
    #expect(trace.hasSuffix("{\"output\":\"\",\"gasUsed\":\"0x2\"}\n"))
  }
}

import Foundation
import Testing

/// The command as a shell sees it: exit status, and one line on standard error.
struct ExitStatusTests {
  /// The command, built beside the tests.
  private static let command: URL? = {
    let folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    let url = folder.appendingPathComponent("needletail")
    return FileManager.default.isExecutableFile(atPath: url.path) ? url : nil
  }()

  private static let example = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Examples/batches/transfers.json").path

  private struct Outcome {
    var status: Int32
    var output: String
    var errors: String
  }

  private func run(_ arguments: [String], output: String? = nil) throws -> Outcome {
    let process = Process()
    let command: URL = try #require(Self.command)
    process.executableURL = command
    process.arguments = arguments
    let out = Pipe()
    let errors = Pipe()
    if let output {
      process.standardOutput = FileHandle(forWritingAtPath: output)
    } else {
      process.standardOutput = out
    }
    process.standardError = errors
    try process.run()
    let text = output == nil ? out.fileHandleForReading.readDataToEndOfFile() : Data()
    let words = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Outcome(
      status: process.terminationStatus, output: String(decoding: text, as: UTF8.self),
      errors: String(decoding: words, as: UTF8.self))
  }

  @Test(.enabled(if: Self.command != nil, "the command is not built beside the tests"))
  func fineIsZero() throws {
    let outcome = try run(["run", Self.example])
    #expect(outcome.status == 0)
    #expect(outcome.errors.isEmpty)
    #expect(outcome.output.contains("48 transactions: 45 succeeded, 3 failed, 0 rejected"))
    #expect(!outcome.output.contains("\u{1B}"), "colours without a terminal")
    #expect(try run(["--version"]).status == 0)
    #expect(try run(["help", "run"]).status == 0)
  }

  @Test(
    .enabled(if: Self.command != nil, "the command is not built beside the tests"),
    arguments: [
      [], ["run", "--bogus", "x"], ["run", "/nonexistent.json"], ["run", "/"],
      ["run", "/dev/null"],
      ["run", "x.json", "--fork", "Osakka"], ["nosuchcommand"], ["statetest", "/nonexistent"],
      ["keccak"], ["keccak", "0x1"], ["rlp", "0xc8"], ["rlp", "--encode", "[\"0x1\"]"],
      ["disassemble", "0xzz"], ["trace", "--code", "0x00", "--gas", "99999999999999999999"],
      ["signer", "address", "0x0"], ["signer", "recover", "0x02"],
    ])
  func badUsageOrInputIsTwo(arguments: [String]) throws {
    let outcome = try run(arguments)
    if arguments.isEmpty {
      // Without arguments there is help.
      #expect(outcome.status == 0)
      return
    }
    #expect(outcome.status == 2, "\(outcome.errors)")
    #expect(!outcome.errors.isEmpty)
    #expect(outcome.output.isEmpty)
  }

  @Test(.enabled(if: Self.command != nil, "the command is not built beside the tests"))
  func aDifferenceIsOne() throws {
    let path = NSTemporaryDirectory() + "needletail-\(UUID()).json"
    let text = try String(contentsOfFile: Self.example, encoding: .utf8)
      .replacingOccurrences(of: "1297728", with: "1297729")
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    let outcome = try run(["run", path])
    #expect(outcome.status == 1)
    #expect(outcome.output.contains("gas used: expected 1297729, got 1297728"))
  }

  @Test(.enabled(if: Self.command != nil, "the command is not built beside the tests"))
  func aFullDiskIsAnErrorAndLeavesNoPartOfAFile() throws {
    let outcome = try run(["run", Self.example], output: "/dev/full")
    #expect(outcome.status == 2)
    #expect(outcome.errors.contains("No space left"))
    #expect(try run(["run", Self.example, "--output", "/dev/full"]).status == 2)
    // An input that fails half way: the output file does not appear.
    let path = NSTemporaryDirectory() + "needletail-\(UUID()).json"
    #expect(try run(["run", Self.example, "/nonexistent.json", "--output", path]).status == 2)
    let folder = try FileManager.default.contentsOfDirectory(atPath: NSTemporaryDirectory())
    #expect(!folder.contains { path.hasSuffix($0) || $0.hasSuffix(".partial") })
  }

  @Test(.enabled(if: Self.command != nil, "the command is not built beside the tests"))
  func theOutputFileIsWhole() throws {
    let path = NSTemporaryDirectory() + "needletail-\(UUID()).json"
    defer { try? FileManager.default.removeItem(atPath: path) }
    #expect(try run(["run", Self.example, "--output", path]).status == 0)
    let object = try JSONSerialization.jsonObject(
      with: Data(contentsOf: URL(fileURLWithPath: path)))
    let results = try #require((object as? [String: Any])?["results"] as? [[String: Any]])
    #expect(results.count == 1)
    #expect((results[0]["receipts"] as? [Any])?.count == 48)
    #expect((results[0]["alloc"] as? [String: Any])?.isEmpty == false)
  }
}

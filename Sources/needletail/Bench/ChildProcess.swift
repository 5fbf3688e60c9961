import Ethereum
import Foundation

/// A program that is run to its end.
enum ChildProcess {
  /// What a program wrote to standard output; it gets `input` on standard input and shares standard
  /// error. An error tells the program's exit status.
  static func output(of command: [String], input: [UInt8]) throws -> [UInt8] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: command[0])
    process.arguments = Array(command.dropFirst())
    // A file, not a pipe: nothing blocks however long the input is.
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("needletail-\(UUID().uuidString)")
    try Data(input).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let output = Pipe()
    process.standardInput = try FileHandle(forReadingFrom: file)
    process.standardOutput = output
    try process.run()
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw FormatError(
        .unreadableFile, "ended with status \(process.terminationStatus)", file: command[0])
    }
    return [UInt8](bytes)
  }
}

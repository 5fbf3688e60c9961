import Foundation

/// Runs the built `needletail` command as a user does.
struct Command {
  /// What a run gave.
  struct Output {
    var status: Int
    var standardOutput: String
    var standardError: String
  }

  /// A folder of the test's own; it goes with the test.
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("needletail-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  /// Removes the folder.
  func remove() { try? FileManager.default.removeItem(at: folder) }

  /// Writes a file of the folder.
  func write(_ text: String, to name: String) throws {
    try Data(text.utf8).write(to: folder.appendingPathComponent(name))
  }

  /// Reads a file of the folder; `nil` when it is not there.
  func read(_ name: String) -> String? {
    try? String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
  }

  /// Runs the command in the folder, with some variables beside those of the tests' own environment.
  func run(
    _ arguments: [String], standardInput: String = "", environment: [String: String] = [:]
  ) throws -> Output {
    let process = Process()
    // The command lies beside the tests.
    process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
      .deletingLastPathComponent().appendingPathComponent("needletail")
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    // Files, not pipes: nothing blocks however long the texts are.
    try write(standardInput, to: ".stdin")
    for name in [".stdout", ".stderr"] { try write("", to: name) }
    process.standardInput = try FileHandle(
      forReadingFrom: folder.appendingPathComponent(".stdin"))
    process.standardOutput = try FileHandle(
      forWritingTo: folder.appendingPathComponent(".stdout"))
    process.standardError = try FileHandle(
      forWritingTo: folder.appendingPathComponent(".stderr"))
    try process.run()
    process.waitUntilExit()
    return Output(
      status: Int(process.terminationStatus), standardOutput: read(".stdout") ?? "",
      standardError: read(".stderr") ?? "")
  }
}

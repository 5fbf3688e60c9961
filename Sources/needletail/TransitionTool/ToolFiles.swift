import ArgumentParser
import EVM
import Ethereum
import Foundation

/// Reading and writing as the transition tool and the block builder do it: files, stdin, stdout.
enum ToolFiles {
  /// The name that means standard input.
  static let standardInput = "stdin"

  /// What `body` reads from the JSON in a file, or in standard input for the path `stdin`.
  static func readJSON<Value>(
    _ path: String, _ body: (inout JSONCursor) throws(FormatError) -> Value
  ) throws(ToolFailure) -> Value {
    let isStandardInput = path == standardInput
    do throws(FormatError) {
      let file = try FileBytes(path: isStandardInput ? "/dev/stdin" : path)
      var cursor = JSONCursor(file.buffer)
      let value: Value
      do throws(FormatError) {
        value = try body(&cursor)
        try cursor.finish()
      } catch {
        throw error.inFile(path)
      }
      return value
    } catch {
      throw ToolFailure(error.code == .unreadableFile ? .io : .json, error.description)
    }
  }

  /// Writes a whole file, in the folder `folder` unless that is empty: beside it first, then
  /// renamed, so that no partial file is left.
  static func write(_ bytes: [UInt8], to name: String, in folder: String) throws(ToolFailure) {
    let path = folder.isEmpty || name.hasPrefix("/") ? name : folder + "/" + name
    do {
      try Data(bytes).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw ToolFailure(.io, "\(path): can not write: \(error.localizedDescription)")
    }
  }

  /// Makes the output folder where it is missing.
  static func createFolder(_ folder: String) throws(ToolFailure) {
    if folder.isEmpty { return }
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw ToolFailure(.io, "\(folder): can not create: \(error.localizedDescription)")
    }
  }

  /// Writes to a stream of the process.
  static func write(_ bytes: [UInt8], to stream: FileHandle) throws(ToolFailure) {
    do {
      try stream.write(contentsOf: Data(bytes + [0x0A]))
    } catch {
      throw ToolFailure(.io, "can not write the output: \(error.localizedDescription)")
    }
  }

  /// Runs a tool; a failure goes to standard error as `ERROR(code): message` and becomes the exit
  /// status.
  static func exiting(_ body: () throws(ToolFailure) -> Void) throws {
    do throws(ToolFailure) {
      try body()
    } catch {
      let line = "ERROR(\(error.code.rawValue)): \(error.message)\n"
      try? FileHandle.standardError.write(contentsOf: Data(line.utf8))
      throw ExitCode(error.code.rawValue)
    }
  }
}

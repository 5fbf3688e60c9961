import Ethereum
import Foundation
import Synchronization

/// The node's log: lines for people, or objects of JSON, on standard error.
package final class NodeLog: Sendable {
  /// How much a line matters.
  package enum Level: String, Sendable, CaseIterable, Comparable {
    case debug, info, warning, error

    package static func < (a: Level, b: Level) -> Bool {
      (allCases.firstIndex(of: a) ?? 0) < (allCases.firstIndex(of: b) ?? 0)
    }
  }

  /// How lines are written.
  package enum Format: String, Sendable, CaseIterable { case text, json }

  private let level: Level
  private let format: Format
  private let write: @Sendable (String) -> Void
  private let lock = Mutex(())

  /// A log of lines that matter so much.
  package init(
    level: Level = .info, format: Format = .text,
    write: @escaping @Sendable (String) -> Void = {
      FileHandle.standardError.write(Data(($0 + "\n").utf8))
    }
  ) {
    self.level = level
    self.format = format
    self.write = write
  }

  /// Writes a line with fields.
  package func note(_ level: Level, _ message: String, _ fields: [(String, String)] = []) {
    if level < self.level { return }
    let time = Date().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    let line: String
    switch format {
    case .text:
      line =
        "\(time) \(level.rawValue) \(message)"
        + fields.map { " \($0.0)=\($0.1)" }.joined()
    case .json:
      var writer = JSONWriter()
      writer.object { writer in
        writer.member("time", time)
        writer.member("level", level.rawValue)
        writer.member("message", message)
        for (name, value) in fields { writer.member(name, value) }
      }
      line = writer.text
    }
    lock.withLock { _ in write(line) }
  }
}

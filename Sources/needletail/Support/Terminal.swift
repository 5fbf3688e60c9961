import Foundation

/// Colours and progress, only where a person looks.
enum Terminal {
  /// Whether standard error is a terminal.
  static let isInteractive = isatty(STDERR_FILENO) == 1
  /// Whether standard output is a terminal that wants colours.
  static let hasColors =
    isatty(STDOUT_FILENO) == 1 && ProcessInfo.processInfo.environment["NO_COLOR"] == nil

  /// Text in red, green or bold where there are colours.
  static func red(_ text: String) -> String { hasColors ? "\u{1B}[31m\(text)\u{1B}[0m" : text }
  static func green(_ text: String) -> String { hasColors ? "\u{1B}[32m\(text)\u{1B}[0m" : text }
  static func bold(_ text: String) -> String { hasColors ? "\u{1B}[1m\(text)\u{1B}[0m" : text }

  /// Writes a line to standard error.
  static func note(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
  }

  /// Redraws the progress bar on standard error.
  static func progress(done: Int, of total: Int, _ label: String) {
    guard isInteractive, total > 0 else { return }
    let width = 30
    let filled = done * width / total
    let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
    FileHandle.standardError.write(Data("\r[\(bar)] \(done)/\(total) \(label)\u{1B}[K".utf8))
  }

  /// Removes the progress bar.
  static func clearProgress() {
    if isInteractive { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
  }
}

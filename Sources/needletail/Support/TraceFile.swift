import EVM
import Ethereum
import Execution

/// A file that tracers write lines into.
final class TraceFile {
  /// The file.
  let file: OutputFile
  /// The first fault in writing: tracers can not throw.
  private(set) var error: FormatError?
  private let options: JSONTracer.Options

  /// Traces into a file.
  init(_ file: OutputFile, options: JSONTracer.Options = JSONTracer.Options()) {
    self.file = file
    self.options = options
  }

  /// A tracer of a case under these rules.
  func tracer(_ fork: Fork) -> JSONTracer {
    JSONTracer(fork: fork, options: options) { [self] lines in
      if error != nil { return }
      do throws(FormatError) { try file.write(lines) } catch { self.error = error }
    }
  }
}

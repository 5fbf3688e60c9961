import EVM
import Ethereum
import Execution

/// Hands events to a tracer until its time is over. What runs is ended by its gas; the trace is an
/// error then.
final class TimedTracer: TransactionTracer {
  private let tracer: any TransactionTracer
  private let deadline: ContinuousClock.Instant
  private var steps = 0
  private(set) var isLate = false

  init(_ tracer: any TransactionTracer, until deadline: ContinuousClock.Instant) {
    self.tracer = tracer
    self.deadline = deadline
  }

  func willRun(transaction index: Int?) { tracer.willRun(transaction: index) }
  func begin() { tracer.begin() }

  func handle(_ event: TraceEvent) {
    steps &+= 1
    if steps & 1023 == 0, !isLate, ContinuousClock.now >= deadline { isLate = true }
    if !isLate { tracer.handle(event) }
  }

  func end(_ result: TransactionResult, output: UnsafeBufferPointer<UInt8>) {
    if !isLate { tracer.end(result, output: output) }
  }

  /// Throws when the time was over before the end.
  func check() throws(RPCError) {
    if isLate { throw .server("execution timeout: the trace takes longer than `timeout` allows") }
  }

  /// The time that options allow: five seconds unless `timeout` says otherwise, in the words of Go's
  /// durations, such as "300ms", "10s" or "1m30s". Two minutes at most.
  static func deadline(_ options: JSONValue?) throws(RPCError) -> ContinuousClock.Instant {
    guard let text = try options?["timeout"]?.text() else { return .now + .seconds(5) }
    guard let duration = duration(text), duration > .zero else {
      throw .invalidParameters("timeout: \(text.prefix(40)) is no duration, such as \"10s\"")
    }
    return .now + min(duration, .seconds(120))
  }

  static func duration(_ text: String) -> Duration? {
    let units = ["ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600]
    var rest = Substring(text)
    var seconds = 0.0
    if rest.isEmpty { return nil }
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
      rest = rest.dropFirst(digits.count)
      let unit = rest.prefix { !($0.isASCII && ($0.isNumber || $0 == ".")) }
      rest = rest.dropFirst(unit.count)
      guard let value = Double(digits), let factor = units[String(unit)] else { return nil }
      seconds += value * factor
    }
    return seconds.isFinite && seconds < 1e6 ? .seconds(seconds) : nil
  }
}

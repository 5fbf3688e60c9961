import EVM

/// What came of one case of a public test suite.
public struct CaseResult: Sendable {
  /// The case's name in its file, with its fork and indexes.
  public var name: String
  /// What differs, expected and got; empty when the case passed.
  public var failures: [String]
  /// Why the case was not run.
  public var skipped: String?
  /// Gas used, for rates.
  public var gasUsed: UInt64 = 0

  /// A result from its parts.
  public init(name: String, failures: [String] = [], skipped: String? = nil, gasUsed: UInt64 = 0) {
    self.name = name
    self.failures = failures
    self.skipped = skipped
    self.gasUsed = gasUsed
  }

  /// Whether the case ran and nothing differed.
  public var passed: Bool { failures.isEmpty && skipped == nil }
}

/// Compares values and words the difference.
struct Comparison {
  private(set) var failures: [String] = []

  /// Notes a difference in `field`.
  mutating func check<Value: Equatable>(
    _ field: String, expected: Value, got: Value,
    _ text: (Value) -> String = { String(describing: $0) }
  ) {
    if expected != got {
      failures.append("\(field): expected \(text(expected)), got \(text(got))")
    }
  }

  /// Notes a fault that is no comparison.
  mutating func fail(_ message: String) { failures.append(message) }
}

/// A call with what was spent in it, and the calls that it made.
public struct CallProfile: Sendable {
  /// What is called, in words.
  public var label: String
  /// What was spent on itself.
  public var rows: [ProfileRow]
  /// The calls that it made.
  public var children: [CallProfile]

  /// Gas with all calls below.
  public var gas: Int64 {
    children.reduce(rows.reduce(0) { $0 + $1.gas }) { $0 + $1.gas }
  }

  /// Nanoseconds on host and device with all calls below.
  public var nanoseconds: UInt64 {
    children.reduce(rows.reduce(0) { $0 + $1.nanoseconds }) {
      $0 + $1.nanoseconds
    }
  }

  /// What a flame graph draws.
  public enum Weight: String, Sendable, CaseIterable {
    case gas
    case nanoseconds

    /// The weight of a row; nothing negative.
    public func of(_ row: ProfileRow) -> UInt64 {
      switch self {
      case .gas: UInt64(max(0, row.gas))
      case .nanoseconds: row.nanoseconds
      }
    }

    /// The weight of a call with all below.
    public func of(_ call: CallProfile) -> UInt64 {
      call.children.reduce(call.rows.reduce(0) { $0 + of($1) }) { $0 + of($1) }
    }
  }

  /// Folded stacks, as flame-graph tools read them: frames from the outermost on with semicolons
  /// between them, a space, and the weight.
  public func foldedStacks(_ weight: Weight) -> [String] {
    var lines: [String] = []
    fold(weight, below: "", into: &lines)
    return lines
  }

  // As deep as calls can be nested: 1,024.
  private func fold(_ weight: Weight, below path: String, into lines: inout [String]) {
    let path = path + label.replacing(";", with: ",")
    for row in rows where weight.of(row) > 0 {
      lines.append("\(path);\(row.bucket.name) \(weight.of(row))")
    }
    for child in children { child.fold(weight, below: path + ";", into: &lines) }
  }
}

import EVM
import Ethereum
import Foundation

/// A case with its times, after its result was checked.
struct EVMResult {
  let entry: EVMCase
  let outcome: CaseMachine.Outcome
  /// Opcodes executed.
  let operations: Int
  let own: Measurement
  /// What is done once for the called code.
  let analysis: Measurement
  /// In the order of `--against`.
  let answers: [(kind: Peer.Kind, answer: PeerAnswer)]

  /// Gas a second.
  var gasRate: Double { Double(outcome.gas) / own.nanoseconds * 1e9 }

  /// Nanoseconds an opcode.
  var nanosecondsPerOperation: Double { own.nanoseconds / Double(max(1, operations)) }

  /// Our time over a peer's quickest; `nil` where the peer has none.
  func ratio(to kind: Peer.Kind) -> Double? {
    guard let answer = answers.first(where: { $0.kind == kind })?.answer,
      answer.error == nil, let best = answer.best
    else { return nil }
    return own.nanoseconds / best.median
  }

  // MARK: Table

  /// The table's columns.
  static func columns(_ peers: [Peer.Kind]) -> [(title: String, alignment: TextTable.Alignment)] {
    var columns: [(title: String, alignment: TextTable.Alignment)] = [
      ("case", .left), ("time", .right), ("spread", .right), ("Mgas/s", .right),
      ("operations", .right), ("ns/op", .right), ("analysis", .right),
    ]
    for peer in peers {
      columns += [(peer.rawValue, .right), ("ratio", .right), ("by", .left)]
    }
    return columns
  }

  /// The row.
  var cells: [String] {
    var cells = [
      entry.fullName, Self.time(own.nanoseconds), String(format: "%.1f %%", own.spread * 100),
      String(format: "%.0f", gasRate / 1e6), Text.gas(operations),
      String(format: "%.2f", nanosecondsPerOperation), Self.time(analysis.nanoseconds),
    ]
    for (kind, answer) in answers {
      if let best = answer.best, let ratio = ratio(to: kind) {
        cells += [Self.time(best.median), String(format: "%.2f", ratio), best.name]
      } else {
        cells += ["-", "", ""]
      }
    }
    return cells
  }

  /// Why peers have no times.
  var notes: [String] {
    answers.compactMap { kind, answer in
      answer.error.map { "\(entry.fullName): no time of \(kind): \($0)" }
    }
  }

  /// Nanoseconds as people read them.
  static func time(_ nanoseconds: Double) -> String {
    if nanoseconds < 1e3 { return String(format: "%.0f ns", nanoseconds) }
    if nanoseconds < 1e6 { return String(format: "%.2f us", nanoseconds / 1e3) }
    return String(format: "%.2f ms", nanoseconds / 1e6)
  }

  // MARK: JSON

  /// Writes it as an object.
  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("case", entry.fullName)
      writer.member("fork", entry.fork.name)
      writer.member("gas", outcome.gas)
      writer.member("outputHash", Keccak256.hash(outcome.output))
      writer.member("operations", operations)
      Self.write([("nanoseconds", own.nanoseconds), ("lowest", own.lowest)], to: &writer)
      Self.write([("spread", own.spread)], to: &writer)
      writer.member("samples", own.samples)
      Self.write(
        [
          ("gasPerSecond", gasRate), ("nanosecondsPerOperation", nanosecondsPerOperation),
          ("analysisNanoseconds", analysis.nanoseconds),
        ], to: &writer)
      for (kind, answer) in answers {
        writer.key(kind.rawValue)
        writer.object { writer in
          if let error = answer.error {
            writer.member("error", error)
            return
          }
          writer.member("version", answer.peer)
          if let ratio = ratio(to: kind) { Self.write([("ratio", ratio)], to: &writer) }
          writer.key("modes")
          writer.array { writer in
            for mode in answer.modes {
              writer.object { writer in
                writer.member("name", mode.name)
                Self.write(
                  [
                    ("nanoseconds", mode.median), ("lowest", mode.lowest),
                    ("spread", mode.spread), ("analysisNanoseconds", mode.analysis),
                  ], to: &writer)
              }
            }
          }
        }
      }
    }
  }

  private static func write(_ numbers: [(String, Double)], to writer: inout JSONWriter) {
    for (name, number) in numbers {
      writer.key(name)
      writer.value(number)
    }
  }
}

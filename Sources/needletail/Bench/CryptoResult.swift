import Ethereum
import Foundation

/// A case with its times, after its output was checked.
struct CryptoResult {
  let entry: CryptoCase
  let own: Measurement
  let peer: Measurement?

  /// Own time over the other library's.
  var ratio: Double? { peer.map { own.nanoseconds / $0.nanoseconds } }

  /// Whether the target is kept; `nil` where there is none or nothing to compare with.
  var isInTarget: Bool? {
    switch entry.target {
    case .time(let limit): own.nanoseconds <= limit
    case .ratio(let limit): ratio.map { $0 <= limit }
    case nil: nil
    }
  }

  /// Bytes a second.
  var byteRate: Double? { entry.bytes.map { Double($0) / own.nanoseconds * 1e9 } }

  /// Gas a second.
  var gasRate: Double? { entry.gas.map { Double($0) / own.nanoseconds * 1e9 } }

  // MARK: Table

  /// The table's columns.
  static let columns: [(title: String, alignment: TextTable.Alignment)] = [
    ("case", .left), ("time", .right), ("spread", .right), ("rate", .right), ("Mgas/s", .right),
    ("beside it", .left), ("its time", .right), ("ratio", .right), ("target", .left),
  ]

  /// The row.
  var cells: [String] {
    var library = ""
    switch entry.peer {
    case .present(let name, _, _): library = name
    case .absent(let name, let install): library = "no \(name): \(install)"
    case nil: break
    }
    return [
      "\(entry.group.rawValue) \(entry.name)", Self.time(own.nanoseconds),
      String(format: "%.1f %%", own.spread * 100),
      byteRate.map { String(format: "%.0f MB/s", $0 / 1e6) }
        ?? Self.operations(1e9 / own.nanoseconds),
      gasRate.map { String(format: "%.0f", $0 / 1e6) } ?? "", library,
      peer.map { Self.time($0.nanoseconds) } ?? "",
      ratio.map { String(format: "%.2f", $0) } ?? "", targetText,
    ]
  }

  /// The target and whether it is kept.
  private var targetText: String {
    let limit: String
    switch entry.target {
    case .time(let nanoseconds): limit = "<= " + Self.time(nanoseconds)
    case .ratio(let ratio): limit = String(format: "<= %.1fx", ratio)
    case nil: return ""
    }
    return isInTarget.map { limit + ($0 ? " kept" : " MISSED") } ?? limit
  }

  private static func time(_ nanoseconds: Double) -> String {
    if nanoseconds < 1e3 { return String(format: "%.1f ns", nanoseconds) }
    if nanoseconds < 1e6 { return String(format: "%.2f us", nanoseconds / 1e3) }
    return String(format: "%.3f ms", nanoseconds / 1e6)
  }

  private static func operations(_ rate: Double) -> String {
    rate < 1e4 ? String(format: "%.0f/s", rate) : String(format: "%.1f k/s", rate / 1e3)
  }

  // MARK: JSON

  /// Writes it as an object.
  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("case", entry.name)
      writer.member("group", entry.group.rawValue)
      writer.key("nanoseconds")
      writer.value(own.nanoseconds)
      writer.key("spread")
      writer.value(own.spread)
      writer.member("samples", own.samples)
      if let gas = entry.gas { writer.member("gas", gas) }
      if let bytes = entry.bytes { writer.member("bytes", bytes) }
      if let rate = byteRate {
        writer.key("bytesPerSecond")
        writer.value(rate)
      }
      if let rate = gasRate {
        writer.key("gasPerSecond")
        writer.value(rate)
      }
      switch entry.peer {
      case .present(let library, _, _): writer.member("library", library)
      case .absent(let library, let install):
        writer.member("missingLibrary", library)
        writer.member("install", install)
      case nil: break
      }
      if let peer, let ratio {
        writer.key("libraryNanoseconds")
        writer.value(peer.nanoseconds)
        writer.key("librarySpread")
        writer.value(peer.spread)
        writer.key("ratio")
        writer.value(ratio)
      }
      switch entry.target {
      case .time(let limit):
        writer.key("targetNanoseconds")
        writer.value(limit)
      case .ratio(let limit):
        writer.key("targetRatio")
        writer.value(limit)
      case nil: break
      }
      if let isInTarget { writer.member("isInTarget", isInTarget) }
    }
  }
}

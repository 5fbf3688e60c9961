import Ethereum
import Foundation
import GPU

/// What `bench gpu` measured of a case.
struct GPUResult {
  let name: String
  let count: Int
  /// Gas of all transactions.
  let gas: UInt64
  let lanes: Int
  /// Seconds in kernels, and from host columns to host columns; medians.
  let kernelSeconds: Double
  let wholeSeconds: Double
  /// Transactions a second of the host's cores.
  let hostRate: Double
  let hostThreads: Int
  let statistics: BatchStatistics
  /// Bytes of the device's memory that are not free.
  let memoryInUse: Int
  let faults: [String]

  var kernelRate: Double { Double(count) / kernelSeconds }
  var wholeRate: Double { Double(count) / wholeSeconds }

  static let columns: [(title: String, alignment: TextTable.Alignment)] = [
    ("case", .left), ("transactions", .right), ("kernel", .right), ("end to end", .right),
    ("host", .right), ("kernel/host", .right), ("end/host", .right), ("Ggas/s", .right),
    ("launches", .right), ("re-runs", .right), ("moved", .right), ("memory", .right),
  ]

  var cells: [String] {
    let again = statistics.rerunsOnDevice.values.reduce(0, +)
    return [
      name, Text.gas(count), Self.rate(kernelRate), Self.rate(wholeRate), Self.rate(hostRate),
      String(format: "%.1f", kernelRate / hostRate),
      String(format: "%.1f", wholeRate / hostRate),
      String(format: "%.1f", Double(gas) / kernelSeconds / 1e9), "\(statistics.launches)",
      "\(again) + \(statistics.hostReruns)",
      Self.bytes(statistics.bytesUp + statistics.bytesDown), Self.bytes(memoryInUse),
    ]
  }

  static func rate(_ perSecond: Double) -> String {
    if perSecond >= 1e6 { return String(format: "%.2f M/s", perSecond / 1e6) }
    if perSecond >= 1e3 { return String(format: "%.2f k/s", perSecond / 1e3) }
    return String(format: "%.1f /s", perSecond)
  }

  static func bytes(_ count: Int) -> String {
    count >= 10 << 30
      ? String(format: "%.0f GB", Double(count) / 1e9)
      : String(format: "%.0f MB", Double(count) / 1e6)
  }

  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("case", name)
      writer.member("transactions", count)
      writer.member("gas", gas)
      writer.member("lanes", lanes)
      for (name, number) in [
        ("kernelSeconds", kernelSeconds), ("endToEndSeconds", wholeSeconds),
        ("hostTransactionsPerSecond", hostRate),
      ] {
        writer.key(name)
        writer.value(number)
      }
      writer.member("hostThreads", hostThreads)
      writer.member("launches", statistics.launches)
      writer.member("rerunsOnDevice", statistics.rerunsOnDevice.values.reduce(0, +))
      writer.member("rerunsOnHost", statistics.hostReruns)
      writer.member("bytesUp", statistics.bytesUp)
      writer.member("bytesDown", statistics.bytesDown)
      writer.member("memoryInUse", memoryInUse)
    }
  }
}

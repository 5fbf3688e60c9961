import Foundation

/// What was measured of back ends on this machine: how fast each is, and from how many rows on a
/// device beats the CPU. Kept in a small file of JSON.
public struct CoprocessorCalibration: Codable, Hashable, Sendable {
  /// A time of a batch.
  public struct Point: Codable, Hashable, Sendable {
    /// Rows of the batch.
    public var rows: Int
    /// Nanoseconds of all of it: the quickest of several.
    public var nanoseconds: Double
  }

  /// One coprocessor's back ends.
  public struct Measured: Codable, Hashable, Sendable {
    /// Times by the name of the back end.
    public var points: [String: [Point]] = [:]

    /// Rows a second of the largest batch.
    public func rate(_ backEnd: String) -> Double? {
      points[backEnd]?.last.map { Double($0.rows) / $0.nanoseconds * 1e9 }
    }

    /// The rows from which on a back end is faster than the CPU in all that was measured; `nil`
    /// when it is not.
    public func crossover(_ backEnd: String) -> Int? {
      guard let cpu = points["cpu"], let device = points[backEnd] else { return nil }
      var least: Int?
      for (own, theirs) in zip(cpu, device).reversed() {
        guard own.rows == theirs.rows, theirs.nanoseconds < own.nanoseconds else { break }
        least = theirs.rows
      }
      return least
    }
  }

  /// What was measured, by coprocessor.
  public var coprocessors: [String: Measured] = [:]

  /// Nothing measured.
  public init() {}

  /// The batch sizes that are measured.
  public static let sizes = [1, 8, 64, 512, 4096, 32_768]

  /// Measures all healthy back ends of an entry, with sizes as long as a batch takes less than `time`
  /// nanoseconds on the quickest; longer ones, up to 50 times, until a device is faster than the CPU.
  public mutating func measure(_ entry: CoprocessorRegistry.Entry, time: Double)
    throws(CoprocessorError)
  {
    var measured = Measured()
    let backEnds = entry.backEnds.filter { $0.health == .healthy }.map(\.backEnd)
    for size in Self.sizes {
      let requests = entry.coprocessor.typicalRequests(size, seed: 1)
      var taken: [Double] = []
      for backEnd in backEnds {
        var best = Double.infinity
        var left = time
        repeat {
          let start = DispatchTime.now().uptimeNanoseconds
          _ = try backEnd.run(requests)
          let once = Double(DispatchTime.now().uptimeNanoseconds - start)
          best = min(best, once)
          left -= once
        } while left > 0
        measured.points[backEnd.name, default: []].append(Point(rows: size, nanoseconds: best))
        taken.append(best)
      }
      if Self.isEnough(taken, time: time) { break }
    }
    coprocessors[entry.coprocessor.name] = measured
  }

  /// Whether larger batches need not be measured: `taken` is what the last one took on the CPU and on
  /// each device. A device whose lanes take long for one row is faster in large batches only.
  static func isEnough(_ taken: [Double], time: Double) -> Bool {
    guard let cpu = taken.first, let quickest = taken.min(), let slowest = taken.max() else {
      return true
    }
    if quickest <= time { return false }
    return taken.count == 1 || quickest < cpu || slowest > 50 * time
  }

  /// Where the file is when nobody says otherwise: in the user's cache.
  public static var defaultPath: String {
    let environment = ProcessInfo.processInfo.environment
    let cache =
      environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : $0 }
      ?? (environment["HOME"] ?? "/tmp") + "/.cache"
    return cache + "/needletail/coprocessors.json"
  }

  /// Reads a file; `nil` when there is none.
  public init?(path: String) throws(CoprocessorError) {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    do {
      let data = try Data(contentsOf: URL(fileURLWithPath: path))
      self = try JSONDecoder().decode(CoprocessorCalibration.self, from: data)
    } catch {
      throw CoprocessorError(
        .calibration,
        "\(path): it is no calibration (\(error)); remove it and calibrate again")
    }
  }

  /// Writes the file, all of it or nothing.
  public func write(path: String) throws(CoprocessorError) {
    do {
      let url = URL(fileURLWithPath: path)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      try encoder.encode(self).write(to: url, options: .atomic)
    } catch {
      throw CoprocessorError(.calibration, "\(path): can not write the calibration: \(error)")
    }
  }
}

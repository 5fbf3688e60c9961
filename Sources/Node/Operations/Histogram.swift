import Synchronization

/// How often something took how long, as Prometheus counts it.
final class Histogram: Sendable {
  /// The upper ends of the buckets, in seconds; one more has all.
  static let bounds = [0.000_1, 0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10]

  /// What was counted.
  struct Counts: Sendable {
    /// As many as fall in each bucket, not in those below it.
    var buckets = [UInt64](repeating: 0, count: Histogram.bounds.count + 1)
    var count: UInt64 = 0
    var failures: UInt64 = 0
    var seconds = 0.0
  }

  private let state = Mutex(Counts())

  /// Counts one more.
  func note(_ duration: Duration, isFailed: Bool = false) {
    let seconds = duration / .seconds(1)
    let bucket = Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count
    state.withLock {
      $0.buckets[bucket] += 1
      $0.count += 1
      $0.seconds += seconds
      if isFailed { $0.failures += 1 }
    }
  }

  var counts: Counts { state.withLock { $0 } }
}

/// A histogram for each method of the table.
final class MethodMeter: Sendable {
  private let histograms: [String: Histogram]

  init() { histograms = MethodTable.signatures.mapValues { _ in Histogram() } }

  func note(_ method: String, _ duration: Duration, isFailed: Bool) {
    histograms[method]?.note(duration, isFailed: isFailed)
  }

  /// The methods that were called.
  var counts: [(method: String, counts: Histogram.Counts)] {
    histograms.map { ($0.key, $0.value.counts) }.filter { $0.1.count > 0 }
      .sorted { $0.0 < $1.0 }
  }
}

/// What the chain did since the node began.
final class ChainMeter: Sendable {
  /// From a block that is made to one that is durable: log and commit.
  let commits = Histogram()
  /// Execution and root of blocks that are made here.
  let builds = Histogram()
  let transactions = Atomic<UInt64>(0)
  let gas = Atomic<UInt64>(0)
}

import Execution
import Foundation
import Testing

/// How often, and on how many threads, the suites run under the parallel executor, with pauses where
/// threads meet. A whole run is `NEEDLETAIL_PARALLEL_THREADS=1,2,3,8,16 NEEDLETAIL_PARALLEL_REPEAT=100`;
/// without these it is 3 threads, once.
struct ParallelRuns: Sendable, CustomTestStringConvertible {
  let threads: Int
  let seed: UInt64

  static var all: [ParallelRuns] {
    let environment = ProcessInfo.processInfo.environment
    let threads = (environment["NEEDLETAIL_PARALLEL_THREADS"] ?? "3").split(separator: ",")
      .compactMap { Int($0) }
    let times = environment["NEEDLETAIL_PARALLEL_REPEAT"].flatMap { UInt64($0) } ?? 1
    return (0..<times).flatMap { seed in threads.map { ParallelRuns(threads: $0, seed: seed) } }
  }

  var testDescription: String { "\(threads) threads, seed \(seed)" }

  /// An executor that runs every block in parallel that it can.
  func executor() -> ParallelExecutor {
    var options = ParallelExecutor.Options(threads: threads)
    options.isForced = true
    let executor = ParallelExecutor(options)
    executor.delays = ScheduleDelays(seed: seed)
    return executor
  }
}

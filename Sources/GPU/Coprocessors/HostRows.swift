import Coprocessors
import Foundation
import Synchronization

/// The rows of a batch that lanes leave to the host.
struct HostRows {
  /// Their places in the batch.
  let rows: [Int]

  /// Their results by the reference, on all cores: a row that one lane would take long for does not
  /// hold the others.
  func results(of requests: ByteColumn, by coprocessor: any Coprocessor) -> [[UInt8]?] {
    let done = Mutex([[UInt8]?](repeating: nil, count: rows.count))
    Workers.run(rows.count, on: ProcessInfo.processInfo.activeProcessorCount) { index in
      let result = requests.withRow(rows[index]) { coprocessor.reference($0) }
      done.withLock { $0[index] = result }
    }
    return done.withLock { $0 }
  }
}

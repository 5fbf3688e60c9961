import Dispatch
import Foundation
import Synchronization

/// A coprocessor's batches on all cores.
public struct CPUBackEnd: CoprocessorBackEnd {
  public let name = "cpu"
  public var coprocessor: String { operation.name }
  /// Threads at once.
  public let workers: Int

  private let operation: any Coprocessor

  /// The back end of a coprocessor; one worker for each core by default.
  public init(_ operation: any Coprocessor, workers: Int? = nil) {
    self.operation = operation
    self.workers = max(1, workers ?? ProcessInfo.processInfo.activeProcessorCount)
  }

  public func run(_ requests: ByteColumn) -> CoprocessorResults {
    let rows = requests.count
    if workers == 1 || rows < 2 { return operation.run(requests, rows: 0..<rows) }
    // Several pieces a worker, as requests take unequal times; whole groups of 32, which signatures
    // are recovered in, where there are many.
    let share = (rows + workers * 8 - 1) / (workers * 8)
    let size = share > 32 ? (share + 31) / 32 * 32 : share
    let pieces = (rows + size - 1) / size
    let done = Mutex([CoprocessorResults?](repeating: nil, count: pieces))
    Workers.run(pieces, on: workers) { piece in
      let range = (piece * size)..<min(rows, (piece + 1) * size)
      let part = operation.run(requests, rows: range)
      done.withLock { $0[piece] = part }
    }
    return CoprocessorResults(joining: done.withLock { $0.compactMap { $0 } }, workers: workers)
  }
}

/// Work on several threads at once.
package enum Workers {
  /// Does pieces 0 ..< `pieces`, each once, on at most `count` threads, and waits for all.
  package static func run(_ pieces: Int, on count: Int, _ body: @Sendable (Int) -> Void) {
    if count <= 1 || pieces <= 1 {
      for piece in 0..<pieces { body(piece) }
      return
    }
    let next = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: min(count, pieces)) { _ in
      while true {
        let piece = next.wrappingAdd(1, ordering: .relaxed).oldValue
        if piece >= pieces { return }
        body(piece)
      }
    }
  }
}

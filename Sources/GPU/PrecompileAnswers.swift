import Coprocessors
import EVM
import Foundation
import Kernels

/// The answers to some calls in words, as `PrecompileExchange` lays them out.
struct PrecompileAnswers {
  /// All answers, one behind the other.
  let words: [UInt64]
  /// Where each begins; and at last where all end.
  let starts: [Int]
  /// How many there are by the names of coprocessors.
  let counts: [String: Int]

  /// The results of batches, whose rows are all numbers below `count`.
  init(
    _ batches: [(batch: PrecompileQueue.Batch, results: CoprocessorResults)], count: Int,
    counts: [String: Int]
  ) {
    var sizes = [Int](repeating: 0, count: count)
    for (batch, results) in batches {
      for (index, row) in batch.rows.enumerated() {
        sizes[row] = 1 + ((Self.bytes(batch.route, results, index) ?? 0) + 7) / 8
      }
    }
    var starts: [Int] = []
    starts.reserveCapacity(count + 1)
    var end = 0
    for size in sizes {
      starts.append(end)
      end += size
    }
    starts.append(end)
    let places = starts
    words = [UInt64].filled(end) { words in
      for (batch, results) in batches {
        ParallelRows.run(batch.rows.count) { index in
          let answer = words + places[batch.rows[index]]
          let bytes = Self.bytes(batch.route, results, index)
          answer[0] = PrecompileExchange.answer(batch.route.precompile.rawValue, bytes: bytes)
          guard let bytes, bytes > 0 else { return }
          answer[1 + (bytes - 1) / 8] = 0
          results.outputs.withRow(index) { output in
            let target = UnsafeMutableRawPointer(answer + 1)
            // A word's first bytes are zeros.
            target.initializeMemory(as: UInt8.self, repeating: 0, count: bytes - output.count)
            if let base = output.baseAddress {
              (target + bytes - output.count).copyMemory(from: base, byteCount: output.count)
            }
          }
        }
      }
    }
    self.starts = starts
    self.counts = counts
  }

  /// Bytes of a call's output; `nil` where it failed.
  private static func bytes(_ route: PrecompileRoute, _ results: CoprocessorResults, _ index: Int)
    -> Int?
  {
    switch route.answer {
    case .asItIs: results.isDone[index] ? results.outputs.range(index).count : nil
    case .wordOrNothing: results.isDone[index] ? 32 : 0
    }
  }
}

/// Work on many rows by all cores.
enum ParallelRows {
  /// Calls `body` for each row, from several threads.
  static func run(_ rows: Int, _ body: @Sendable (Int) -> Void) {
    let piece = 4096
    Workers.run((rows + piece - 1) / piece, on: ProcessInfo.processInfo.activeProcessorCount) {
      index in
      for row in index * piece..<min(rows, (index + 1) * piece) { body(row) }
    }
  }
}

extension Array where Element: BitwiseCopyable & Sendable {
  /// An array of so many elements, all of which `body` sets, from any threads.
  static func filled(_ count: Int, _ body: (ParallelPointer<Element>) -> Void) -> [Element] {
    [Element](unsafeUninitializedCapacity: count) { target, filled in
      if let base = target.baseAddress, count > 0 { body(ParallelPointer(base)) }
      filled = count
    }
  }
}

/// Memory that threads write different parts of.
struct ParallelPointer<Element>: @unchecked Sendable {
  private let base: UnsafeMutablePointer<Element>
  init(_ base: UnsafeMutablePointer<Element>) { self.base = base }
  static func + (pointer: ParallelPointer, offset: Int) -> UnsafeMutablePointer<Element> {
    pointer.base + offset
  }
}

import Dispatch
import Kernels

/// The order in which lanes take the transactions of a wave: those that run the same code with the
/// same selector one behind the other, since the lanes of a warp that do the same cost as one.
struct LaneOrder {
  /// Rows that are looked at to find whether all are alike.
  private static let sample = 256
  /// Rows that a thread looks at in one go.
  private static let part = 1 << 14

  /// Positions in the wave.
  private(set) var positions: [UInt32] = []

  /// Sorts a range of rows; false when a sample says that all of them are alike, so that no order is
  /// needed. An order decides nothing but the time.
  mutating func sort(_ columns: BatchColumns, _ range: Range<Int>) -> Bool {
    guard let first = range.first else { return false }
    let one = Self.kind(columns, first)
    // Scattered: a step of fixed length would miss what comes at regular distances.
    let isUniform = (0..<Self.sample).allSatisfy { number in
      let scattered = UInt64(number) &* 0x9e37_79b9_7f4a_7c15
      let offset = scattered.multipliedFullWidth(by: UInt64(range.count)).high
      return Self.kind(columns, first + Int(offset)) == one
    }
    if isUniform { return false }

    // Reading the rows is what takes time: all cores do it. Every element is one thread's.
    let kinds = [UInt16](unsafeUninitializedCapacity: range.count) { buffer, count in
      nonisolated(unsafe) let (kinds, columns) = (buffer, columns)
      DispatchQueue.concurrentPerform(iterations: (range.count - 1) / Self.part + 1) { part in
        for index in part * Self.part..<min((part + 1) * Self.part, range.count) {
          kinds[index] = UInt16(Self.kind(columns, first + index))
        }
      }
      count = range.count
    }
    var counts = [UInt32](repeating: 0, count: 1 << 12)
    for kind in kinds { counts[Int(kind)] += 1 }
    var start: UInt32 = 0
    for index in counts.indices {
      (counts[index], start) = (start, start + counts[index])
    }
    if positions.count != range.count {
      positions = [UInt32](repeating: 0, count: range.count)
    }
    for (index, kind) in kinds.enumerated() {
      positions[Int(counts[Int(kind)])] = UInt32(index)
      counts[Int(kind)] += 1
    }
    return true
  }

  /// A small hash of what a transaction runs: its recipient, and the first four bytes of its data.
  private static func kind(_ columns: BatchColumns, _ row: Int) -> Int {
    let transaction = columns.rows[row]
    var key = transaction.recipient.low ^ transaction.recipient.middle &* 3
    if transaction.data.count >= 4 {
      key ^=
        UInt64(
          columns.bytes.loadUnaligned(
            fromByteOffset: Int(transaction.data.offset), as: UInt32.self)) << 20
    }
    return Int(truncatingIfNeeded: (key &* 0x9e37_79b9_7f4a_7c15) >> 52)
  }
}

import Kernels

/// The order in which lanes take the transactions of a wave: those that run the same code with the
/// same selector one behind the other, since the lanes of a warp that do the same cost as one.
struct LaneOrder {
  private var counts = [UInt32](repeating: 0, count: 1 << 12)
  /// Positions in the wave.
  private(set) var positions: [UInt32] = []

  /// Sorts a range of rows; false when all of them are alike, so that no order is needed.
  mutating func sort(_ columns: BatchColumns, _ range: Range<Int>) -> Bool {
    guard let first = range.first else { return false }
    let one = Self.kind(columns, first)
    if range.allSatisfy({ Self.kind(columns, $0) == one }) { return false }
    for index in counts.indices { counts[index] = 0 }
    for row in range { counts[Self.kind(columns, row)] += 1 }
    var start: UInt32 = 0
    for index in counts.indices {
      (counts[index], start) = (start, start + counts[index])
    }
    if positions.count != range.count {
      positions = [UInt32](repeating: 0, count: range.count)
    }
    for row in range {
      let kind = Self.kind(columns, row)
      positions[Int(counts[kind])] = UInt32(row - range.lowerBound)
      counts[kind] += 1
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

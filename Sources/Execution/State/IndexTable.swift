import Synchronization

/// An open-addressed table from hashes to the numbers of rows that lie elsewhere.
///
/// A position holds the row's number plus one in its low half and the hash's high half above it, so
/// that a lookup reads one word here and, all but once in four billion, only the row it is after.
/// Rows are never taken out: a table is filled anew instead.
struct IndexTable: ~Copyable {
  private var positions: UnsafeMutablePointer<UInt64>
  private var mask: Int

  /// The number that stands for no row.
  static var none: UInt32 { UInt32.max }

  /// A table with room for `rows` rows, half full then.
  init(rows: Int) {
    var count = 16
    while count < rows * 2 { count *= 2 }
    mask = count - 1
    positions = .allocate(capacity: count)
    positions.initialize(repeating: 0, count: count)
  }

  private init(copying other: borrowing IndexTable) {
    mask = other.mask
    positions = .allocate(capacity: mask + 1)
    positions.initialize(from: other.positions, count: mask + 1)
  }

  deinit { positions.deallocate() }

  /// A copy of the table.
  func copy() -> IndexTable { IndexTable(copying: self) }

  /// How many rows it has room for.
  var capacity: Int { (mask + 1) / 2 }

  /// The row with this hash that `matches`; `none` when there is none.
  @inline(__always)
  func find(_ hash: UInt64, _ matches: (UInt32) -> Bool) -> UInt32 {
    var position = Int(truncatingIfNeeded: hash) & mask
    while true {
      let entry = positions[position]
      if entry == 0 { return Self.none }
      if entry >> 32 == hash >> 32 {
        let row = UInt32(truncatingIfNeeded: entry) &- 1
        if matches(row) { return row }
      }
      position = (position &+ 1) & mask
    }
  }

  /// Begins to load what a search for a hash reads first, and gives the row that it may find.
  @inline(__always)
  func prefetch(_ hash: UInt64) -> UInt32 {
    // An atomic load is not left out although nobody looks at its value.
    let entry = UnsafeRawPointer(positions + Int(truncatingIfNeeded: hash) & mask)
      .assumingMemoryBound(to: Atomic<UInt64>.self).pointee.load(ordering: .relaxed)
    return UInt32(truncatingIfNeeded: entry) &- 1
  }

  /// Adds a row that is not in the table; there is room.
  @inline(__always)
  mutating func insert(_ hash: UInt64, _ row: UInt32) {
    var position = Int(truncatingIfNeeded: hash) & mask
    while positions[position] != 0 { position = (position &+ 1) & mask }
    // After the row itself, for those who look while rows are added.
    UnsafeRawPointer(positions + position).assumingMemoryBound(to: Atomic<UInt64>.self)
      .pointee.store((hash & ~0xffff_ffff) | UInt64(row &+ 1), ordering: .releasing)
  }
}

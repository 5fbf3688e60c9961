import CMachineForms
import Synchronization

/// An `IndexTable` that several threads fill at once, and empty again when the block is over. Its owner
/// deallocates it.
struct SharedIndexTable {
  private let positions: UnsafeMutablePointer<Atomic<UInt64>>
  private let mask: Int

  /// An empty table with room for `rows` rows, half full then.
  init(rows: Int) {
    var count = 1024
    while count < rows * 2 { count *= 2 }
    mask = count - 1
    positions = .allocate(capacity: count)
    for position in 0..<count { (positions + position).initialize(to: Atomic(0)) }
  }

  /// Gives the memory back.
  func deallocate() { positions.deallocate() }

  /// How many rows it has room for.
  var capacity: Int { (mask + 1) / 2 }

  /// The row with this hash that `matches`; `IndexTable.none` when there is none.
  @inline(__always)
  func find(_ hash: UInt64, _ matches: (UInt32) -> Bool) -> UInt32 {
    var position = Int(truncatingIfNeeded: hash) & mask
    while true {
      let entry = positions[position].load(ordering: .relaxed)
      if entry == 0 { return IndexTable.none }
      if entry >> 32 == hash >> 32 {
        let row = UInt32(truncatingIfNeeded: entry) &- 1
        if matches(row) { return row }
      }
      position = (position &+ 1) & mask
    }
  }

  /// Begins to load what a search for a hash reads first.
  @inline(__always)
  func prefetch(_ hash: UInt64) {
    machine_prefetch(positions + Int(truncatingIfNeeded: hash) & mask)
  }

  /// Adds a row that is not in the table; there is room.
  @inline(__always)
  func insert(_ hash: UInt64, _ row: UInt32) {
    let entry = (hash & ~0xffff_ffff) | UInt64(row &+ 1)
    var position = Int(truncatingIfNeeded: hash) & mask
    while !positions[position].compareExchange(expected: 0, desired: entry, ordering: .relaxed)
      .exchanged
    {
      position = (position &+ 1) & mask
    }
  }

  /// Empties one of `parts` equal parts.
  func clear(part: Int, of parts: Int) {
    let share = (mask + 1) / parts + 1
    for position in (part * share)..<max(part * share, min((part + 1) * share, mask + 1)) {
      positions[position].store(0, ordering: .relaxed)
    }
  }
}

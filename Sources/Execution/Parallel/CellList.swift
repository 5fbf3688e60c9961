import CMachineForms
import Synchronization

/// Cells in the order in which one worker noted them, in its slab.
struct CellList<Cell: ~Copyable> {
  private var cells: UnsafeMutablePointer<UnsafeMutablePointer<Cell>>?
  private(set) var count = 0
  private var capacity = 0

  @inline(__always)
  mutating func append(_ cell: UnsafeMutablePointer<Cell>, _ slab: inout Slab) {
    if count == capacity { grow(&slab) }
    cells![count] = cell
    count += 1
  }

  /// The same for a cell that is to be in one list only; `isListed` is its own mark.
  @inline(__always)
  mutating func appendOnce(
    _ cell: UnsafeMutablePointer<Cell>, _ isListed: borrowing Atomic<Bool>, _ slab: inout Slab
  ) {
    if isListed.load(ordering: .relaxed) || isListed.exchange(true, ordering: .relaxed) { return }
    append(cell, &slab)
  }

  @inline(never)
  private mutating func grow(_ slab: inout Slab) {
    let wider = max(64, capacity * 2)
    let room = slab.allocate(UnsafeMutablePointer<Cell>.self, count: wider)
    if let cells { room.update(from: cells, count: count) }
    cells = room
    capacity = wider
  }

  /// How many are loaded side by side.
  private static var group: Int { 16 }

  /// Calls `body` for each cell, by groups: they lie in the caches of whoever changed them last, and what belongs
  /// to them anywhere. `first` begins to load what a cell leads to, `second` what that leads to.
  @inline(__always)
  func forEach(
    first: (UnsafeMutablePointer<Cell>) -> Void,
    second: (UnsafeMutablePointer<Cell>) -> Void = { _ in },
    _ body: (UnsafeMutablePointer<Cell>) -> Void
  ) {
    guard let cells else { return }
    for index in 0..<min(Self.group, count) { machine_prefetch(cells[index]) }
    var start = 0
    while start < count {
      let end = min(start + Self.group, count)
      for index in end..<min(end + Self.group, count) { machine_prefetch(cells[index]) }
      for index in start..<end { first(cells[index]) }
      for index in start..<end { second(cells[index]) }
      for index in start..<end { body(cells[index]) }
      start = end
    }
  }
}

import CMachineForms
import Synchronization

/// What one worker noted, in its order, in the worker's slab.
struct SlabList<Element: BitwiseCopyable> {
  private var elements: UnsafeMutablePointer<Element>?
  private(set) var count = 0
  private var capacity = 0

  @inline(__always)
  mutating func append(_ element: Element, _ slab: inout Slab) {
    if count == capacity { grow(&slab) }
    elements![count] = element
    count += 1
  }

  @inline(never)
  private mutating func grow(_ slab: inout Slab) {
    let wider = max(64, capacity * 2)
    let room = slab.allocate(Element.self, count: wider)
    if let elements { room.update(from: elements, count: count) }
    elements = room
    capacity = wider
  }

  /// How many are loaded side by side.
  private static var group: Int { 16 }

  /// Calls `body` for each element, by groups. `ahead` begins to load what an element leads to, `first` what that
  /// leads to, and `second` what that leads to.
  @inline(__always)
  func forEach(
    ahead: (Element) -> Void, first: (Element) -> Void = { _ in },
    second: (Element) -> Void = { _ in }, _ body: (Element) -> Void
  ) {
    guard let elements else { return }
    for index in 0..<min(Self.group, count) { ahead(elements[index]) }
    var start = 0
    while start < count {
      let end = min(start + Self.group, count)
      for index in end..<min(end + Self.group, count) { ahead(elements[index]) }
      for index in start..<end { first(elements[index]) }
      for index in start..<end { second(elements[index]) }
      for index in start..<end { body(elements[index]) }
      start = end
    }
  }
}

/// Cells: they lie in the caches of whoever changed them last, and what belongs to them anywhere.
typealias CellList<Cell: ~Copyable> = SlabList<UnsafeMutablePointer<Cell>>

extension SlabList {
  /// Appends a cell that is to be in one list only; `isListed` is its own mark.
  @inline(__always)
  mutating func appendOnce(
    _ element: Element, _ isListed: borrowing Atomic<Bool>, _ slab: inout Slab
  ) {
    if isListed.load(ordering: .relaxed) || isListed.exchange(true, ordering: .relaxed) { return }
    append(element, &slab)
  }

  /// `forEach` for cells.
  @inline(__always)
  func forEachCell<Cell: ~Copyable>(
    first: (Element) -> Void,
    second: (Element) -> Void = { _ in },
    _ body: (Element) -> Void
  ) where Element == UnsafeMutablePointer<Cell> {
    forEach(ahead: { machine_prefetch($0) }, first: first, second: second, body)
  }
}

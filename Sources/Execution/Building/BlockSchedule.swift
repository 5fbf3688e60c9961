/// Which transactions of a block need nothing of each other: ranges of places, one after another and
/// together the whole block. Transactions of one range may run at once, in any order, on the state that
/// all ranges before have left; a device takes a range whole.
public struct BlockSchedule: Sendable, Equatable {
  /// The ranges.
  public var sets: [Range<Int>]

  /// A schedule of given ranges.
  init(sets: [Range<Int>]) { self.sets = sets }

  /// The schedule of a fixed order: a range ends where a transaction needs one that is in it.
  public init(of accesses: [AccessSet]) {
    sets = []
    var first = 0
    // What the range so far does with each cell.
    var uses: [UInt64: AccessSet.Use] = [:]
    for (index, set) in accesses.enumerated() {
      let meets = set.entries.contains { entry in
        uses[entry.cell].map { entry.use.conflicts(with: $0) } ?? false
      }
      if meets {
        sets.append(first..<index)
        first = index
        uses.removeAll(keepingCapacity: true)
      }
      for entry in set.entries { uses[entry.cell, default: []].formUnion(entry.use) }
    }
    if first < accesses.count { sets.append(first..<accesses.count) }
  }

  /// How many transactions there are in a range on average.
  public var meanWidth: Double {
    sets.isEmpty ? 0 : Double(sets.last!.upperBound) / Double(sets.count)
  }
}

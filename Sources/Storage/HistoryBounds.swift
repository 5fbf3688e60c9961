/// How far back states can be read, and where what blocks changed is found.
struct HistoryBounds: Sendable {
  /// What is wanted.
  let policy: HistoryPolicy
  /// The oldest block the state after which can be read: what later ones changed is kept.
  var kept: UInt64 = 0
  /// What blocks after this one changed is in the indexes of the history; the greatest number while
  /// nothing is.
  private(set) var indexed: UInt64 = 0

  private static let key = [UInt8]("indexed".utf8)
  /// Records that are taken away in one transaction at most.
  private static let step: UInt64 = 512

  /// Those of a new chain.
  init(_ policy: HistoryPolicy) {
    self.policy = policy
    if policy != .full { indexed = .max }
  }

  /// Those of a database that has a chain.
  init(_ reader: LMDBReader, _ policy: HistoryPolicy) {
    self.policy = policy
    let head = reader.get(.meta, Database.headKey)?.uint64(at: 0) ?? 0
    kept = head
    reader.scan(.changes, from: []) { key, _ in
      kept = key.uint64(at: 0) - 1
      return false
    }
    // Databases before this was written had all in the indexes, or nothing.
    indexed =
      reader.get(.meta, Self.key)?.uint64(at: 0)
      ?? (reader.count(.accountHistory) == 0 && kept < head ? .max : 0)
    if policy != .full {
      indexed = .max
    } else if indexed == .max {
      // From now on.
      indexed = head
    }
  }

  /// The oldest state that can be read, and is wanted, at a head.
  func oldestState(head: UInt64) -> UInt64 {
    switch policy {
    case .full: kept
    case .blocks(let count): max(kept, head > UInt64(count) ? head - UInt64(count) : 0)
    }
  }

  /// Takes records of changes away that no state in reach needs, the oldest first and not too many.
  mutating func prune(head: UInt64, _ writer: borrowing LMDBWriter) throws(StorageError) {
    guard case .blocks(let count) = policy, head > UInt64(count) else { return }
    let target = min(head - UInt64(count), kept + Self.step)
    while kept < target {
      try writer.delete(.changes, Snapshot.key(kept + 1))
      kept += 1
    }
  }

  /// Writes from where on the indexes are whole.
  func write(to writer: borrowing LMDBWriter) throws(StorageError) {
    try Self.write(indexed: indexed, to: writer)
  }

  static func write(indexed: UInt64, to writer: borrowing LMDBWriter) throws(StorageError) {
    try writer.put(.meta, key, Snapshot.key(indexed))
  }
}

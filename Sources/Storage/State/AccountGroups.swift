import EVM

/// Accounts as the database has them, with those beside them in the trie: whoever asks for an account
/// before a block wants its neighbours after it, as what lies below a prefix without a row is worked
/// out from its entries. Found once, they need no search again.
///
/// A group is all accounts whose keys begin with the same `depth` nibbles. The entries are where the
/// database has them, seen by readers that the groups keep.
final class AccountGroups: @unchecked Sendable {
  // Sendable: never changed once it is made; the memory stays as long as the readers.

  fileprivate struct Place {
    var key: UnsafeRawPointer
    var value: UnsafeRawPointer
    var valueCount: Int
  }

  /// Groups that one thread reads, in the order of the keys.
  struct Part: @unchecked Sendable {
    // Sendable: what it points to never changes.

    fileprivate var words: [UInt64] = []
    /// Where each group ends among the entries.
    fileprivate var ends: [Int] = []
    fileprivate var entries: [Place] = []
    private let depth: Int
    /// A group with more is none: somebody chose the keys.
    private static let most = 64

    init(depth: Int) { self.depth = depth }

    /// The account with a key, from the database, with its group; keys come in order. The cursor is
    /// of the accounts.
    mutating func account(_ key: Hash256, _ cursor: borrowing LMDBCursor) -> StoredAccount? {
      let word = AccountGroups.word(key.word, depth)
      if words.last != word, !load(word, cursor) {
        return withKey(key.word) { cursor.get($0) }.map { StoredAccount(stored: $0) }
      }
      for entry in entries[(ends.dropLast().last ?? 0)...] {
        let found = entry.key.assumingMemoryBound(to: UInt8.self)
        if UInt256(bigEndian: found) == key.word {
          return StoredAccount(
            stored: UnsafeRawBufferPointer(start: entry.value, count: entry.valueCount))
        }
      }
      return nil
    }

    private mutating func load(_ word: UInt64, _ cursor: borrowing LMDBCursor) -> Bool {
      let start = entries.count
      var found = withKey(UInt256(0, 0, 0, word)) { cursor.first(notBelow: $0) }
      while let (key, value) = found {
        let base = key.baseAddress!
        let first = UInt64(bigEndian: base.loadUnaligned(as: UInt64.self))
        if AccountGroups.prefix(first, depth) != word { break }
        if entries.count - start == Self.most {
          entries.removeLast(Self.most)
          return false
        }
        entries.append(Place(key: base, value: value.baseAddress!, valueCount: value.count))
        found = cursor.next()
      }
      words.append(word)
      ends.append(entries.count)
      return true
    }

    private func withKey<Result>(
      _ key: UInt256, _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { bytes in
        key.store(bigEndian: bytes.baseAddress!)
        return body(UnsafeRawBufferPointer(bytes))
      }
    }
  }

  /// Nibbles that the keys of a group begin with.
  let depth: Int
  private let words: [UInt64]
  private let ends: [Int]
  private let entries: [Place]
  /// They keep the database's pages as they are.
  private let readers: [StateReader]

  /// The groups of parts, which follow each other in the order of the keys, as the readers see them.
  init(depth: Int, _ parts: [Part], readers: [StateReader]) {
    var words: [UInt64] = []
    var ends: [Int] = []
    var entries: [Place] = []
    words.reserveCapacity(parts.reduce(0) { $0 + $1.words.count })
    ends.reserveCapacity(words.capacity)
    entries.reserveCapacity(parts.reduce(0) { $0 + $1.entries.count })
    for part in parts {
      // A group at the end of a part may be the next one's first.
      let first = entries.count
      let again = words.last != nil && words.last == part.words.first
      if again { entries.removeLast(first - (ends.dropLast().last ?? 0)) }
      let base = entries.count
      if again {
        words.removeLast()
        ends.removeLast()
      }
      words += part.words
      ends += part.ends.map { $0 + base }
      entries += part.entries
    }
    self.depth = depth
    self.words = words
    self.ends = ends
    self.entries = entries
    self.readers = readers
  }

  /// How many nibbles tell few enough accounts of so many apart that most such prefixes have no row.
  static func depth(accounts: Int) -> Int {
    var depth = 1
    while depth < 15, accounts >> (depth * 4) > 12 { depth += 1 }
    return depth
  }

  private static func prefix(_ word: UInt64, _ depth: Int) -> UInt64 {
    word & ~(UInt64.max >> UInt64(depth * 4))
  }

  private static func word(_ key: UInt256, _ depth: Int) -> UInt64 { prefix(key.limb3, depth) }

  /// Calls `body` with the keys and values of all accounts whose keys begin with the first `nibbles`
  /// nibbles of a prefix, in order; false where they were not read. `place` is that of the last group
  /// that was found: prefixes come in order, mostly.
  func forEach(
    _ prefix: UInt256, _ nibbles: Int, _ place: inout Int,
    _ body: (UInt256, UnsafeRawBufferPointer) -> Void
  ) -> Bool {
    if nibbles < depth { return false }
    let word = Self.word(prefix, depth)
    if place > 0, place >= words.count || words[place - 1] >= word { place = 0 }
    place = gallop(place, words.count) { words[$0] < word }
    guard place < words.count, words[place] == word else { return false }
    for entry in entries[(place == 0 ? 0 : ends[place - 1])..<ends[place]] {
      let key = UInt256(bigEndian: entry.key.assumingMemoryBound(to: UInt8.self))
      if nibbles > depth, key.prefix(nibbles: nibbles) != prefix { continue }
      body(key, UnsafeRawBufferPointer(start: entry.value, count: entry.valueCount))
    }
    return true
  }
}

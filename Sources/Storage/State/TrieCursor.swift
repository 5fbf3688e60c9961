import EVM

/// An entry of a trie, or the removal of one.
struct Entry<Value: TrieValue>: BitwiseCopyable, Sendable {
  var key: UInt256
  var value: Value?
}

/// Entries in memory of their own.
private struct EntryList<Value: TrieValue>: ~Copyable {
  private var memory: UnsafeMutablePointer<Entry<Value>>
  private var capacity = 64
  private(set) var count = 0

  init() { memory = .allocate(capacity: capacity) }

  deinit { memory.deallocate() }

  /// They stay where they are until more are added.
  var buffer: UnsafeBufferPointer<Entry<Value>> {
    UnsafeBufferPointer(start: memory, count: count)
  }

  subscript(index: Int) -> Entry<Value> { memory[index] }

  mutating func removeAll() { count = 0 }

  mutating func append(_ entry: Entry<Value>) {
    if count == capacity {
      let larger = UnsafeMutablePointer<Entry<Value>>.allocate(capacity: capacity * 2)
      larger.initialize(from: memory, count: count)
      memory.deallocate()
      memory = larger
      capacity *= 2
    }
    (memory + count).initialize(to: entry)
    count += 1
  }
}

/// Reads a trie's entries and rows, mostly in the order of their keys: it remembers where it was in
/// the tables and in the layers over them.
struct TrieCursor<Value: TrieValue>: ~Copyable {
  private let reader: StateReader
  private let owner: Hash256
  private let loan: HeadRows.Loan?
  private let table: LMDBCursor
  private let nodes: LMDBCursor
  /// For each layer, the oldest first: the place of the first change not below the last prefix.
  private var places: [Int]
  private var last = UInt256.zero
  /// The place among the groups that were read ahead.
  private var group = 0
  private var entries = EntryList<Value>()
  private var merged = EntryList<Value>()

  /// A cursor of a trie; `loan` has rows of the same state.
  init(_ reader: StateReader, owner: Hash256, loan: HeadRows.Loan? = nil) {
    self.reader = reader
    self.owner = owner
    self.loan = loan
    table = LMDBCursor(reader.reader, Value.table)
    nodes = LMDBCursor(reader.reader, .nodes)
    places = [Int](repeating: 0, count: reader.layers.count)
  }

  /// Reads a row; false when there is none. One that is cut off ends the process, unless whoever asks
  /// `mayBeDamaged` compares it with what it should be.
  func read(_ key: NodeKey, into row: inout NodeRow, mayBeDamaged: Bool = false) -> Bool {
    guard let loan else { return find(key, into: &row, mayBeDamaged) }
    if let isThere = loan.read(key, into: &row) { return isThere }
    guard find(key, into: &row, mayBeDamaged) else { return false }
    loan.note(key, row)
    return true
  }

  /// Reads a row from the layers or the database.
  private func find(_ key: NodeKey, into row: inout NodeRow, _ mayBeDamaged: Bool) -> Bool {
    for layer in reader.layers {
      guard let place = layer.place(ofNode: key) else { continue }
      return layer.nodes.withBytes(place) { bytes in
        guard let bytes else { return false }
        let isWhole = row.read(bytes)
        precondition(isWhole || mayBeDamaged, "database: a trie's node is cut off")
        return true
      }
    }
    guard let bytes = key.withBytes({ nodes.get($0) }) else { return false }
    let isWhole = row.read(bytes)
    precondition(isWhole || mayBeDamaged, "database: a trie's node is cut off")
    return true
  }

  /// The entries whose keys begin with the first `depth` nibbles of `prefix`, with changes of such
  /// keys, in order. They stay until the next call.
  mutating func load(
    _ prefix: UInt256, _ depth: Int, changes: UnsafeBufferPointer<Entry<Value>>
  ) -> UnsafeBufferPointer<Entry<Value>> {
    entries.removeAll()
    scan(prefix, depth)
    if prefix < last {
      for index in places.indices { places[index] = 0 }
    }
    last = prefix
    let owner = owner
    for (index, layer) in reader.layers.reversed().enumerated() {
      var place = Value.first(notBelow: prefix, of: owner, in: layer, from: places[index])
      places[index] = place
      merge {
        guard let change = Value.change(place, of: owner, in: layer, below: prefix, depth) else {
          return nil
        }
        place += 1
        return change
      }
    }
    var next = 0
    merge {
      guard next < changes.count else { return nil }
      next += 1
      return changes[next - 1]
    }
    return entries.buffer
  }

  /// Applies changes in their order.
  private mutating func merge(_ next: () -> Entry<Value>?) {
    guard var change = next() else { return }
    merged.removeAll()
    var index = 0
    while true {
      while index < entries.count, entries[index].key < change.key {
        merged.append(entries[index])
        index += 1
      }
      if index < entries.count, entries[index].key == change.key { index += 1 }
      if change.value != nil { merged.append(change) }
      guard let following = next() else { break }
      change = following
    }
    while index < entries.count {
      merged.append(entries[index])
      index += 1
    }
    swap(&entries, &merged)
  }

  /// Loads what the table has.
  private mutating func scan(_ prefix: UInt256, _ depth: Int) {
    if Value.table == .accounts, let groups = reader.groups {
      var place = group
      let isRead = groups.forEach(prefix, depth, &place) { key, value in
        entries.append(Entry(key: key, value: Value(stored: value)))
      }
      group = place
      if isRead { return }
    }
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { bytes in
      if Value.prefixBytes > 0 { owner.store(bytes: bytes.baseAddress!) }
      prefix.store(bigEndian: bytes.baseAddress! + Value.prefixBytes)
      let first = UnsafeRawBufferPointer(
        start: bytes.baseAddress!, count: Value.prefixBytes + 32)
      var found = table.first(notBelow: first)
      while let (key, value) = found {
        let base = key.baseAddress!.assumingMemoryBound(to: UInt8.self)
        if Value.prefixBytes > 0, Hash256(bytes: base) != owner { return }
        let word = UInt256(bigEndian: base + Value.prefixBytes)
        if word.prefix(nibbles: depth) != prefix { return }
        entries.append(Entry(key: word, value: Value(stored: value)))
        found = table.next()
      }
    }
  }
}

import Coprocessors
import EVM
import Ethereum

/// One change of a trie on its way to the root: reads what lies above the entries that change, and
/// keeps the rows that come to be. One thread at a time.
struct TrieUpdate<Value: TrieValue>: ~Copyable {
  typealias Entries = UnsafeBufferPointer<Entry<Value>>

  /// The account whose storage it is; zero for the trie of the accounts.
  let owner: Hash256
  /// The entries that change, in order. They live longer than the update.
  private let changes: Entries
  /// What becomes of rows.
  private(set) var rows = NodeRows()
  private var cursor: TrieCursor<Value>
  private var writer = NodeWriter()
  /// Nodes that are hashed together: leaves of a branch, and branches below a row.
  private var batch = NodeBatch()
  private let leaf = UnsafeMutablePointer<UInt8>.allocate(capacity: leafBytes)

  init(
    owner: Hash256, reader: StateReader, changes: Entries = Entries(start: nil, count: 0),
    loan: HeadRows.Loan? = nil
  ) {
    self.owner = owner
    self.changes = changes
    cursor = TrieCursor(reader, owner: owner, loan: loan)
  }

  deinit { leaf.deallocate() }

  /// The root with the changes.
  mutating func root() -> Hash256 {
    root(of: update(.zero, 0, changes.indices))
  }

  /// The root of a trie whose topmost part this is.
  mutating func root(of top: Subtree?) -> Hash256 {
    guard let top else { return MerklePatriciaTrie.emptyRoot }
    let reference = reference(top, start: 0)
    if reference.count == 32 { return Hash256(reference.bytes) }
    // A topmost node is hashed, however short it is.
    return Keccak256.hash([UInt8](reference.bytes.bytes.prefix(Int(reference.count))))
  }

  /// Applies the changes of a range, which are those below a prefix, and gives the part of the trie
  /// there. Each prefix is visited once, so that no row is read that has changed. A branch may be left
  /// to be hashed with its siblings, when `defers`.
  mutating func update(
    _ prefix: UInt256, _ depth: Int, _ range: Range<Int>, defers: Bool = false
  ) -> Subtree? {
    var row = NodeRow()
    let key = NodeKey(owner: owner, prefixOf: prefix, depth: depth)
    guard depth < 64, read(key, into: &row) else { return rebuild(prefix, depth, range, defers) }
    let place = rows.reserve(key)
    var only: Subtree?
    let base = batch.count
    var deferred = InlineArray<16, Int>(repeating: 0)
    var first = range.lowerBound
    while first < range.upperBound {
      let nibble = changes[first].key.nibble(depth)
      var last = first + 1
      while last < range.upperBound, changes[last].key.nibble(depth) == nibble { last += 1 }
      // What has no row is worked out without looking for one.
      let below = prefix.settingNibble(depth, to: nibble)
      let child =
        row.counts[nibble] == NodeRow.many
        ? update(below, depth + 1, first..<last, defers: true)
        : rebuild(below, depth + 1, first..<last, true)
      if let child, child.isDeferred {
        deferred[batch.count - base - 1] = nibble
        row.counts[nibble] = child.storedCount
      } else {
        set(&row, nibble, child, depth)
      }
      if child != nil { only = child }
      first = last
    }
    batch.removeAll(from: base) { index, reference in
      let nibble = deferred[index - base]
      row.references[nibble] = reference
      if only?.key.nibble(depth) == nibble {
        only?.reference = reference
        only?.isDeferred = false
      }
    }
    return finish(&row, place, prefix, depth, range, only, defers: defers)
  }

  /// The part of the trie below a row that has changed, with its place among the rows; `known` is the
  /// last of its children that changed and is still there.
  mutating func finish(
    _ row: inout NodeRow, _ place: Int, _ prefix: UInt256, _ depth: Int, _ range: Range<Int>,
    _ known: Subtree?, defers: Bool = false
  ) -> Subtree? {
    // The row is no more; its children have none then.
    if row.count <= NodeRow.fewest { return rebuild(prefix, depth, range, defers) }
    rows.set(place, row)
    if row.width == 1 {
      let nibble = (0..<16).first { row.counts[$0] > 0 }!
      if let known, known.key.nibble(depth) == nibble { return known }
      return subtree(prefix.settingNibble(depth, to: nibble), depth + 1)
    }
    write(row)
    return branch(prefix, depth, count: row.count, defers)
  }

  /// The part of the trie below a prefix, which does not change.
  mutating func subtree(_ prefix: UInt256, _ depth: Int) -> Subtree? {
    var row = NodeRow()
    guard depth < 64, read(NodeKey(owner: owner, prefixOf: prefix, depth: depth), into: &row) else {
      return rebuild(prefix, depth, 0..<0, false)
    }
    if row.width == 1 {
      let nibble = (0..<16).first { row.counts[$0] > 0 }!
      return subtree(prefix.settingNibble(depth, to: nibble), depth + 1)
    }
    return branch(row, prefix, depth)
  }

  /// Reads a row as it was before the changes.
  func read(_ key: NodeKey, into row: inout NodeRow, mayBeDamaged: Bool = false) -> Bool {
    cursor.read(key, into: &row, mayBeDamaged: mayBeDamaged)
  }

  /// Makes room for the row of a prefix.
  mutating func reserve(_ key: NodeKey) -> Int { rows.reserve(key) }

  /// Puts a child into a row of nodes at `depth`.
  mutating func set(_ row: inout NodeRow, _ nibble: Int, _ child: Subtree?, _ depth: Int) {
    guard let child else {
      row.counts[nibble] = 0
      return
    }
    row.counts[nibble] = child.storedCount
    row.references[nibble] = reference(child, start: depth + 1)
  }

  /// How a part stands in a parent whose child slot ends at nibble `start`.
  mutating func reference(_ part: Subtree, start: Int) -> NodeReference {
    if part.depth == 64 {
      precondition(part.start == start, "a leaf is encoded where it stands")
      return part.reference
    }
    if start == part.depth { return part.reference }
    writer.writeExtension(part.key, from: start, to: part.depth, part.reference)
    return writer.reference()
  }

  mutating func branch(_ row: borrowing NodeRow, _ prefix: UInt256, _ depth: Int) -> Subtree {
    write(row)
    return branch(prefix, depth, count: row.count, false)
  }

  /// The branch that was written last; it waits for its siblings when `defers`.
  private mutating func branch(
    _ prefix: UInt256, _ depth: Int, count: Int, _ defers: Bool
  ) -> Subtree {
    if defers { batch.append(writer.node) }
    return Subtree(
      key: prefix, depth: depth,
      reference: defers
        ? NodeReference(UnsafeBufferPointer(start: nil, count: 0)) : writer.reference(),
      start: depth, count: min(count, Int(NodeRow.many)), isDeferred: defers)
  }

  private mutating func write(_ row: borrowing NodeRow) {
    writer.beginBranch()
    for nibble in 0..<16 {
      writer.append(child: row.counts[nibble] == 0 ? nil : row.references[nibble])
    }
    writer.closeBranch()
  }

  // MARK: From the entries

  /// Works a part out from its entries and the changes of a range, and gives rows to what has many.
  private mutating func rebuild(
    _ prefix: UInt256, _ depth: Int, _ range: Range<Int>, _ defers: Bool
  ) -> Subtree? {
    // They stay until the next load; nothing below loads.
    build(cursor.load(prefix, depth, changes: Entries(rebasing: changes[range])), depth, defers)
  }

  /// The part below a prefix from its entries, and how many there are.
  mutating func rebuildCounted(_ prefix: UInt256, _ depth: Int) -> (Subtree?, Int) {
    let entries = cursor.load(prefix, depth, changes: changes)
    return (build(entries, depth), entries.count)
  }

  private mutating func build(
    _ list: Entries, _ depth: Int, _ defers: Bool = false
  ) -> Subtree? {
    guard let first = list.first else { return nil }
    if list.count == 1 { return makeLeaf(first, start: depth) }
    // Prefixes with many entries have rows, nibble by nibble; below, only branches matter.
    var branchDepth = depth
    var place = 0
    if list.count <= NodeRow.fewest {
      branchDepth = (first.key ^ list[list.count - 1].key).leadingZeroBitCount >> 2
    } else {
      place = rows.reserve(NodeKey(owner: owner, prefixOf: first.key, depth: depth))
    }
    var row = NodeRow()
    var leaves = InlineArray<16, Int>(repeating: -1)
    var index = 0
    var only: Subtree?
    while index < list.count {
      let nibble = list[index].key.nibble(branchDepth)
      var end = index + 1
      while end < list.count, list[end].key.nibble(branchDepth) == nibble { end += 1 }
      if end == index + 1 {
        leaves[nibble] = index
      } else {
        only = build(Entries(rebasing: list[index..<end]), branchDepth + 1)
        set(&row, nibble, only, branchDepth)
      }
      index = end
    }
    setLeaves(&row, leaves, list, branchDepth)
    if list.count > NodeRow.fewest {
      rows.set(place, row)
      // It has more than one entry, and is no leaf.
      if row.width == 1 { return only }
    }
    write(row)
    return branch(
      first.key.prefix(nibbles: branchDepth), branchDepth, count: list.count,
      defers && branchDepth == depth)
  }

  /// Puts leaves into a branch, each by its place in a list, and hashes them together.
  private mutating func setLeaves(
    _ row: inout NodeRow, _ leaves: InlineArray<16, Int>, _ list: Entries, _ depth: Int
  ) {
    let base = batch.count
    var nibbles = InlineArray<16, Int>(repeating: 0)
    for nibble in 0..<16 where leaves[nibble] >= 0 {
      writeLeaf(list[leaves[nibble]], start: depth + 1)
      nibbles[batch.count - base] = nibble
      batch.append(writer.node)
      row.counts[nibble] = 1
    }
    batch.removeAll(from: base) { row.references[nibbles[$0 - base]] = $1 }
  }

  private mutating func writeLeaf(_ entry: Entry<Value>, start: Int) {
    let count = entry.value!.storeLeaf(to: leaf)
    writer.writeLeaf(entry.key, from: start, UnsafeBufferPointer(start: leaf, count: count))
  }

  private mutating func makeLeaf(_ entry: Entry<Value>, start: Int) -> Subtree {
    writeLeaf(entry, start: start)
    return Subtree(
      key: entry.key, depth: 64, reference: writer.reference(), start: start, count: 1)
  }

  // MARK: Proofs

  /// The nodes from the root to a key, or to where its path ends when it has no value; as
  /// `MerklePatriciaTrie.verify` takes them. There are no changes.
  mutating func proof(of key: UInt256) -> [[UInt8]] {
    var nodes: [[UInt8]] = []
    if let top = prove(key, 0, &nodes) { appendEdge(top, start: 0, &nodes) }
    // A node that stands inside its parent is no node of a proof.
    return nodes.reversed().enumerated().filter { $0.offset == 0 || $0.element.count >= 32 }
      .map(\.element)
  }

  /// What a part's parent refers to: its extension, when it has one. Branches and leaves have been
  /// added where they were found.
  private mutating func appendEdge(_ part: Subtree, start: Int, _ nodes: inout [[UInt8]]) {
    guard part.depth < 64, start < part.depth else { return }
    writer.writeExtension(part.key, from: start, to: part.depth, part.reference)
    nodes.append([UInt8](writer.node))
  }

  /// Adds the nodes below a prefix of `key`, the deepest first.
  private mutating func prove(_ key: UInt256, _ depth: Int, _ nodes: inout [[UInt8]]) -> Subtree? {
    let prefix = key.prefix(nibbles: depth)
    var row = NodeRow()
    guard depth < 64, read(NodeKey(owner: owner, prefixOf: prefix, depth: depth), into: &row) else {
      return prove(key, cursor.load(prefix, depth, changes: changes), depth, &nodes)
    }
    let nibble = key.nibble(depth)
    if row.width == 1 {
      if row.counts[nibble] > 0 { return prove(key, depth + 1, &nodes) }
      return subtree(prefix, depth)
    }
    if row.counts[nibble] > 0, let child = prove(key, depth + 1, &nodes) {
      appendEdge(child, start: depth + 1, &nodes)
    }
    write(row)
    nodes.append([UInt8](writer.node))
    return branch(row, prefix, depth)
  }

  private mutating func prove(
    _ key: UInt256, _ list: Entries, _ depth: Int, _ nodes: inout [[UInt8]]
  ) -> Subtree? {
    guard let first = list.first else { return nil }
    if list.count == 1 {
      let leaf = makeLeaf(first, start: depth)
      nodes.append([UInt8](writer.node))
      return leaf
    }
    let branchDepth = (first.key ^ list[list.count - 1].key).leadingZeroBitCount >> 2
    let prefix = first.key.prefix(nibbles: branchDepth)
    let isOnPath = key.prefix(nibbles: branchDepth) == prefix
    var row = NodeRow()
    var index = 0
    while index < list.count {
      let nibble = list[index].key.nibble(branchDepth)
      var end = index + 1
      while end < list.count, list[end].key.nibble(branchDepth) == nibble { end += 1 }
      let part = Entries(rebasing: list[index..<end])
      var child: Subtree?
      if isOnPath, nibble == key.nibble(branchDepth) {
        child = prove(key, part, branchDepth + 1, &nodes)
        if let child { appendEdge(child, start: branchDepth + 1, &nodes) }
      } else {
        child = build(part, branchDepth + 1)
      }
      set(&row, nibble, child, branchDepth)
      index = end
    }
    write(row)
    let reference = writer.reference()
    if isOnPath { nodes.append([UInt8](writer.node)) }
    return Subtree(
      key: prefix, depth: branchDepth, reference: reference, start: branchDepth,
      count: min(list.count, Int(NodeRow.many)))
  }
}

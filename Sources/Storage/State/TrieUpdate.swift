import Coprocessors
import EVM
import Ethereum

/// One change of a trie on its way to the root: reads what lies above the entries that change, and
/// keeps the rows that come to be. One thread at a time.
struct TrieUpdate<Value: TrieValue>: ~Copyable {
  typealias EntrySlice = Slice<UnsafeBufferPointer<Entry<Value>>>

  /// The account whose storage it is; zero for the trie of the accounts.
  let owner: Hash256
  let reader: StateReader
  /// The entries that change, in order.
  let changes: [Entry<Value>]
  /// What becomes of rows; `nil` for one that is no more.
  private(set) var rows: [NodeKey: NodeRow?] = [:]
  private var writer = NodeWriter()
  private var leaf: [UInt8] = []

  init(owner: Hash256, reader: StateReader, changes: [Entry<Value>]) {
    self.owner = owner
    self.reader = reader
    self.changes = changes
    leaf.reserveCapacity(128)
  }

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

  /// Applies the changes of a range, all below a prefix, and gives the part of the trie there.
  mutating func update(_ prefix: UInt256, _ depth: Int, _ range: Range<Int>) -> Subtree? {
    let key = NodeKey(owner: owner, prefixOf: prefix, depth: depth)
    guard depth < 64, var row = row(key) else { return rebuild(prefix, depth) }
    var only: Subtree?
    var first = range.lowerBound
    while first < range.upperBound {
      let nibble = changes[first].key.nibble(depth)
      var last = first + 1
      while last < range.upperBound, changes[last].key.nibble(depth) == nibble { last += 1 }
      let child = update(prefix.settingNibble(depth, to: nibble), depth + 1, first..<last)
      set(&row, nibble, child, depth)
      if child != nil { only = child }
      first = last
    }
    return finish(row, key, prefix, only)
  }

  /// The part of the trie below a row that has changed. `known` may be its only child.
  mutating func finish(_ row: NodeRow, _ key: NodeKey, _ prefix: UInt256, _ known: Subtree?)
    -> Subtree?
  {
    let depth = key.depth
    if row.count <= NodeRow.fewest {
      rows[key] = .some(nil)
      return rebuild(prefix, depth)
    }
    rows[key] = .some(row)
    if row.width == 1 {
      let nibble = (0..<16).first { row.counts[$0] > 0 }!
      if let known, known.key.nibble(depth) == nibble { return known }
      return subtree(prefix.settingNibble(depth, to: nibble), depth + 1)
    }
    return branch(row, prefix, depth)
  }

  /// The part of the trie below a prefix, which does not change.
  mutating func subtree(_ prefix: UInt256, _ depth: Int) -> Subtree? {
    guard let row = row(NodeKey(owner: owner, prefixOf: prefix, depth: depth)) else {
      return rebuild(prefix, depth)
    }
    if row.width == 1 {
      let nibble = (0..<16).first { row.counts[$0] > 0 }!
      return subtree(prefix.settingNibble(depth, to: nibble), depth + 1)
    }
    return branch(row, prefix, depth)
  }

  /// Takes over rows that other threads made.
  mutating func take(_ others: [NodeKey: NodeRow?]) { rows.merge(others) { $1 } }

  func row(_ key: NodeKey) -> NodeRow? {
    if let row = rows[key] { return row }
    return reader.node(key)
  }

  /// Puts a child into a row of nodes at `depth`.
  mutating func set(_ row: inout NodeRow, _ nibble: Int, _ child: Subtree?, _ depth: Int) {
    guard let child else {
      row.counts[nibble] = 0
      return
    }
    row.counts[nibble] = UInt8(child.count > NodeRow.fewest ? Int(NodeRow.many) : child.count)
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

  private mutating func branch(_ row: NodeRow, _ prefix: UInt256, _ depth: Int) -> Subtree {
    Subtree(
      key: prefix, depth: depth, reference: branchReference(row), start: depth,
      count: min(row.count, Int(NodeRow.many)))
  }

  private mutating func branchReference(_ row: NodeRow) -> NodeReference {
    write(row)
    return writer.reference()
  }

  private mutating func write(_ row: NodeRow) {
    writer.beginBranch()
    for nibble in 0..<16 {
      writer.append(child: row.counts[nibble] == 0 ? nil : row.references[nibble])
    }
    writer.closeBranch()
  }

  // MARK: From the entries

  /// The entries below a prefix, with the changes.
  func entries(_ prefix: UInt256, _ depth: Int) -> [Entry<Value>] {
    var list = Value.entries(reader, owner, prefix, depth)
    let first = changes.firstIndex(notBelow: Hash256(prefix), by: { Hash256($0.key) })
    var last = first
    while last < changes.count, changes[last].key.prefix(nibbles: depth) == prefix { last += 1 }
    Entry.merge(changes[first..<last], into: &list)
    return list
  }

  /// Works a part out from its entries, and gives rows to what has many.
  private mutating func rebuild(_ prefix: UInt256, _ depth: Int) -> Subtree? {
    let list = entries(prefix, depth)
    return list.withUnsafeBufferPointer { build($0[...], depth) }
  }

  private mutating func build(_ list: EntrySlice, _ depth: Int)
    -> Subtree?
  {
    guard let first = list.first else { return nil }
    if list.count == 1 { return makeLeaf(first, start: depth) }
    // Prefixes with many entries have rows, nibble by nibble; below, only branches matter.
    var branchDepth = depth
    if list.count <= NodeRow.fewest {
      branchDepth = (first.key ^ list.last!.key).leadingZeroBitCount >> 2
    }
    var row = NodeRow()
    var index = list.startIndex
    var only: Subtree?
    while index < list.endIndex {
      let nibble = list[index].key.nibble(branchDepth)
      var end = index + 1
      while end < list.endIndex, list[end].key.nibble(branchDepth) == nibble { end += 1 }
      only = build(list[index..<end], branchDepth + 1)
      set(&row, nibble, only, branchDepth)
      index = end
    }
    let prefix = first.key.prefix(nibbles: branchDepth)
    if list.count > NodeRow.fewest {
      rows[NodeKey(owner: owner, prefixOf: prefix, depth: depth)] = .some(row)
      if row.width == 1 { return only }
    }
    return Subtree(
      key: prefix, depth: branchDepth, reference: branchReference(row), start: branchDepth,
      count: min(list.count, Int(NodeRow.many)))
  }

  private mutating func makeLeaf(_ entry: Entry<Value>, start: Int) -> Subtree {
    writeLeaf(entry, start: start)
    return Subtree(
      key: entry.key, depth: 64, reference: writer.reference(), start: start, count: 1)
  }

  private mutating func writeLeaf(_ entry: Entry<Value>, start: Int) {
    leaf.removeAll(keepingCapacity: true)
    entry.value!.appendLeaf(to: &leaf)
    leaf.withUnsafeBufferPointer { writer.writeLeaf(entry.key, from: start, $0) }
  }

  // MARK: Proofs

  /// The nodes from the root to a key, or to where its path ends when it has no value; as
  /// `MerklePatriciaTrie.verify` takes them.
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
    guard depth < 64, let row = row(NodeKey(owner: owner, prefixOf: prefix, depth: depth)) else {
      let list = entries(prefix, depth)
      return list.withUnsafeBufferPointer { prove(key, $0[...], depth, &nodes) }
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
    _ key: UInt256, _ list: EntrySlice, _ depth: Int,
    _ nodes: inout [[UInt8]]
  ) -> Subtree? {
    guard let first = list.first else { return nil }
    if list.count == 1 {
      let leaf = makeLeaf(first, start: depth)
      nodes.append([UInt8](writer.node))
      return leaf
    }
    let branchDepth = (first.key ^ list.last!.key).leadingZeroBitCount >> 2
    let prefix = first.key.prefix(nibbles: branchDepth)
    let isOnPath = key.prefix(nibbles: branchDepth) == prefix
    var row = NodeRow()
    var index = list.startIndex
    while index < list.endIndex {
      let nibble = list[index].key.nibble(branchDepth)
      var end = index + 1
      while end < list.endIndex, list[end].key.nibble(branchDepth) == nibble { end += 1 }
      var child: Subtree?
      if isOnPath, nibble == key.nibble(branchDepth) {
        child = prove(key, list[index..<end], branchDepth + 1, &nodes)
        if let child { appendEdge(child, start: branchDepth + 1, &nodes) }
      } else {
        child = build(list[index..<end], branchDepth + 1)
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

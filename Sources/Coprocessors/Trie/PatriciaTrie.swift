import EVM
import Ethereum

/// A hexary Merkle Patricia trie of keys of 32 bytes that stays: changes mark what has to be hashed
/// again, and a root hashes only that.
///
/// Nodes are numbered rows. A leaf holds its whole key; a branch the nibbles above it, and the
/// extension that leads to it is no row of its own: a node's path begins where its parent's child
/// slot ends, so that splits and collapses move nothing. One thread at a time.
struct PatriciaTrie {
  private struct Node: BitwiseCopyable {
    /// The key of a leaf; for a branch, one whose first `depth` nibbles are its path.
    var key: UInt256
    /// How the node, with its extension, stands in its parent; void when `start` is `dirty`.
    var reference = NodeReference(UnsafeBufferPointer(start: nil, count: 0))
    /// The nibble at which the path began when `reference` was made.
    var start = Node.dirty
    /// The nibbles above a branch's children; 64 for a leaf.
    var depth: UInt8
    /// Where a branch's children are, or a leaf's value begins.
    var place: Int
    /// Bytes of a leaf's value.
    var valueCount = 0

    static var dirty: UInt8 { 255 }
    static var leafDepth: UInt8 { 64 }

    var isLeaf: Bool { depth == Node.leafDepth }
  }

  private typealias Children = InlineArray<16, Int32>

  /// The row of the topmost node; -1 without entries.
  private var root: Int32 = -1
  private var nodes: [Node] = []
  private var branches: [Children] = []
  private var values: [UInt8] = []
  private var deadValueBytes = 0
  private var freeNodes: [Int32] = []
  private var freeBranches: [Int] = []
  /// How many entries there are.
  private(set) var count = 0

  /// Whether there is no entry.
  var isEmpty: Bool { root < 0 }

  // MARK: Entries

  /// The value of a key; `nil` where it has none.
  func value(of key: UInt256) -> [UInt8]? {
    guard let row = leaf(of: key) else { return nil }
    return [UInt8](values[nodes[row].place..<nodes[row].place + nodes[row].valueCount])
  }

  /// Sets the value of a key; an empty one removes it.
  mutating func set(_ key: UInt256, _ value: UnsafeBufferPointer<UInt8>) {
    if value.isEmpty { return remove(key) }
    guard root >= 0 else {
      root = makeLeaf(key, value)
      return
    }
    var parent = -1
    var row = Int(root)
    while true {
      let node = nodes[row]
      let common = (key ^ node.key).leadingZeroBitCount >> 2
      if common < Int(node.depth) {
        let leaf = makeLeaf(key, value)
        var children = Children(repeating: -1)
        children[node.key.nibble(common)] = Int32(row)
        children[key.nibble(common)] = leaf
        let branch = makeBranch(key, depth: common, children)
        replaceChild(of: parent, key, with: branch)
        return
      }
      if node.isLeaf { return replaceValue(row, value) }
      nodes[row].start = Node.dirty
      let nibble = key.nibble(Int(node.depth))
      let child = branches[node.place][nibble]
      if child < 0 {
        branches[node.place][nibble] = makeLeaf(key, value)
        return
      }
      parent = row
      row = Int(child)
    }
  }

  /// Removes a key.
  mutating func remove(_ key: UInt256) {
    guard let leaf = leaf(of: key) else { return }
    count -= 1
    deadValueBytes += nodes[leaf].valueCount
    free(leaf)
    // Everything above has changed.
    var above = -1
    var parent = -1
    var row = Int(root)
    while row != leaf {
      nodes[row].start = Node.dirty
      above = parent
      parent = row
      row = Int(branches[nodes[row].place][key.nibble(Int(nodes[row].depth))])
    }
    guard parent >= 0 else {
      root = -1
      return
    }
    let place = nodes[parent].place
    branches[place][key.nibble(Int(nodes[parent].depth))] = -1
    var only: Int32 = -1
    for nibble in 0..<16 where branches[place][nibble] >= 0 {
      if only >= 0 { return }
      only = branches[place][nibble]
    }
    // A branch with one child is none: the child takes its place.
    replaceChild(of: above, key, with: only)
    freeBranches.append(place)
    free(parent)
  }

  private func leaf(of key: UInt256) -> Int? {
    var row = Int(root)
    while row >= 0 {
      let node = nodes[row]
      if node.isLeaf { return node.key == key ? row : nil }
      row = Int(branches[node.place][key.nibble(Int(node.depth))])
    }
    return nil
  }

  private mutating func replaceChild(of parent: Int, _ key: UInt256, with row: Int32) {
    if parent < 0 {
      root = row
    } else {
      branches[nodes[parent].place][key.nibble(Int(nodes[parent].depth))] = row
    }
  }

  private mutating func replaceValue(_ row: Int, _ value: UnsafeBufferPointer<UInt8>) {
    nodes[row].start = Node.dirty
    let place = nodes[row].place
    if value.count == nodes[row].valueCount {
      values.withUnsafeMutableBufferPointer {
        ($0.baseAddress! + place).update(from: value.baseAddress!, count: value.count)
      }
      return
    }
    deadValueBytes += nodes[row].valueCount
    nodes[row].place = values.count
    nodes[row].valueCount = value.count
    values.append(contentsOf: value)
    if deadValueBytes > 1 << 16, deadValueBytes > values.count / 2 { compactValues() }
  }

  /// Moves the values that count together.
  private mutating func compactValues() {
    var kept: [UInt8] = []
    kept.reserveCapacity(values.count - deadValueBytes)
    for row in nodes.indices where nodes[row].isLeaf && nodes[row].valueCount > 0 {
      let place = nodes[row].place
      nodes[row].place = kept.count
      kept.append(contentsOf: values[place..<place + nodes[row].valueCount])
    }
    values = kept
    deadValueBytes = 0
  }

  private mutating func makeLeaf(_ key: UInt256, _ value: UnsafeBufferPointer<UInt8>) -> Int32 {
    count += 1
    var node = Node(key: key, depth: Node.leafDepth, place: values.count)
    node.valueCount = value.count
    values.append(contentsOf: value)
    return add(node)
  }

  private mutating func makeBranch(_ key: UInt256, depth: Int, _ children: Children) -> Int32 {
    var place = branches.count
    if let free = freeBranches.popLast() {
      place = free
      branches[place] = children
    } else {
      branches.append(children)
    }
    return add(Node(key: key, depth: UInt8(depth), place: place))
  }

  private mutating func add(_ node: Node) -> Int32 {
    if let free = freeNodes.popLast() {
      nodes[Int(free)] = node
      return free
    }
    precondition(nodes.count < Int(Int32.max), "nodes are numbered with 31 bits")
    nodes.append(node)
    return Int32(nodes.count - 1)
  }

  private mutating func free(_ row: Int) {
    nodes[row].valueCount = 0
    freeNodes.append(Int32(row))
  }

  // MARK: Hashes

  /// How the topmost node stands in a parent whose child slot ends at nibble `start`; `nil` without
  /// entries. Hashes what changed.
  mutating func reference(start: Int, _ writer: inout NodeWriter) -> NodeReference? {
    root < 0 ? nil : reference(Int(root), start, &writer)
  }

  /// The root of the trie by itself.
  mutating func root(_ writer: inout NodeWriter) -> Hash256 {
    guard let reference = reference(start: 0, &writer) else { return MerklePatriciaTrie.emptyRoot }
    if reference.count == 32 { return Hash256(reference.bytes) }
    // A topmost node is hashed, however short it is.
    return Keccak256.hash([UInt8](reference.bytes.bytes.prefix(Int(reference.count))))
  }

  // As deep as a key has nibbles.
  private mutating func reference(_ row: Int, _ start: Int, _ writer: inout NodeWriter)
    -> NodeReference
  {
    if nodes[row].start == UInt8(start) { return nodes[row].reference }
    if !nodes[row].isLeaf {
      let depth = Int(nodes[row].depth)
      for nibble in 0..<16 {
        let child = branches[nodes[row].place][nibble]
        if child >= 0 { _ = reference(Int(child), depth + 1, &writer) }
      }
    }
    writeContent(row, start, &writer)
    var reference = writer.reference()
    let depth = Int(nodes[row].depth)
    if !nodes[row].isLeaf, start < depth {
      writer.writeExtension(nodes[row].key, from: start, to: depth, reference)
      reference = writer.reference()
    }
    nodes[row].reference = reference
    nodes[row].start = UInt8(start)
    return reference
  }

  /// Writes a leaf, or a branch whose children's references are right.
  private func writeContent(_ row: Int, _ start: Int, _ writer: inout NodeWriter) {
    let node = nodes[row]
    if node.isLeaf {
      values.withUnsafeBufferPointer {
        writer.writeLeaf(
          node.key, from: start,
          UnsafeBufferPointer(rebasing: $0[node.place..<node.place + node.valueCount]))
      }
      return
    }
    writer.beginBranch()
    for nibble in 0..<16 {
      let child = branches[node.place][nibble]
      writer.append(child: child < 0 ? nil : nodes[Int(child)].reference)
    }
    writer.closeBranch()
  }

  /// The nodes on the way to a key, the topmost first, when the topmost node's path begins at nibble
  /// `start`.
  mutating func proof(of key: UInt256, start: Int, _ writer: inout NodeWriter) -> [[UInt8]] {
    _ = reference(start: start, &writer)
    var proof: [[UInt8]] = []
    var row = Int(root)
    var start = start
    while row >= 0 {
      let node = nodes[row]
      let depth = Int(node.depth)
      writeContent(row, start, &writer)
      let content = [UInt8](writer.node)
      if !node.isLeaf, start < depth {
        writer.writeExtension(node.key, from: start, to: depth, writer.reference())
        proof.append([UInt8](writer.node))
        if (key ^ node.key).leadingZeroBitCount >> 2 < depth { break }
      }
      proof.append(content)
      if node.isLeaf { break }
      row = Int(branches[node.place][key.nibble(depth)])
      start = depth + 1
    }
    return proof
  }
}

import EVM

/// Builds a trie's root from sorted keys in one pass.
///
/// Two neighbours with `n` nibbles in common part at a branch of depth `n`. The branches on the path
/// to the present key are open, on a stack; what lies left of the path is done. Each open branch
/// keeps its children as they stand in its RLP: nothing, the node itself below 32 bytes, or 0xA0 and
/// the hash.
struct TrieBuilder {
  /// When set, the nodes on the way to this key are kept in `path`, the deepest first.
  var target: [UInt8]?
  private(set) var path: [[UInt8]] = []

  private struct Branch {
    var depth: Int
    /// The entry that ends at this branch, or -1.
    var valueEntry: Int
  }

  private static let childSize = 34  // 1 for the length, up to 33 for the reference.
  private let keys: [UInt8]
  private let values: [UInt8]
  private let entries: [MerklePatriciaTrie.Entry]
  private var branches: [Branch] = []
  private var children: [UInt8] = []
  private var scratch = RLPScratch()
  private var root = MerklePatriciaTrie.emptyRoot

  init(_ trie: MerklePatriciaTrie) {
    keys = trie.keys
    values = trie.values
    entries = trie.effectiveEntries
  }

  /// The root; to be called once.
  mutating func build() -> Hash256 {
    var left = -1
    for index in entries.indices {
      let right = index + 1 < entries.count ? commonNibbles(index, index + 1) : -1
      add(index, left: left, right: right)
      left = right
    }
    return root
  }

  private mutating func add(_ index: Int, left: Int, right: Int) {
    let depth = max(left, right)
    if right > left { open(right) }
    let length = entries[index].keyCount * 2
    if depth >= 0, length == depth {
      branches[branches.count - 1].valueEntry = index
    } else {
      writeLeaf(index, from: depth + 1)
      attach(index, start: depth + 1, parent: depth)
    }
    while let top = branches.last, top.depth > right {
      let below = branches.count > 1 ? branches[branches.count - 2].depth : -1
      let parent = max(right, below)
      writeBranch(top)
      branches.removeLast()
      children.removeLast(16 * Self.childSize)
      if parent + 1 < top.depth {
        let reference = scratch.reference()
        keep(index, start: top.depth)
        writeExtension(index, from: parent + 1, to: top.depth, reference: reference)
      }
      if parent >= 0, branches.last?.depth != parent { open(parent) }
      attach(index, start: parent + 1, parent: parent)
    }
  }

  private mutating func open(_ depth: Int) {
    branches.append(Branch(depth: depth, valueEntry: -1))
    children.append(contentsOf: repeatElement(0, count: 16 * Self.childSize))
  }

  /// Puts the node in `scratch`, which begins at nibble `start` of an entry's key, under the open
  /// branch of depth `parent`, or makes it the root.
  private mutating func attach(_ index: Int, start: Int, parent: Int) {
    keep(index, start: start)
    guard parent >= 0 else {
      root = scratch.hash()
      return
    }
    let reference = scratch.reference()
    let slot =
      ((branches.count - 1) * 16 + Int(nibble(index, parent))) * Self.childSize
    children[slot] = UInt8(reference.count)
    for offset in 0..<reference.count { children[slot + 1 + offset] = reference.byte(offset) }
  }

  /// Keeps the node in `scratch` when it is on the way to the target and stands by itself.
  private mutating func keep(_ index: Int, start: Int) {
    guard let target, scratch.count >= 32 || start == 0, target.count * 2 >= start else { return }
    for position in 0..<start {
      let byte = target[position / 2]
      let wanted = position & 1 == 0 ? byte >> 4 : byte & 15
      if wanted != nibble(index, position) { return }
    }
    path.append(scratch.bytes)
  }

  // MARK: Nodes

  private mutating func writeLeaf(_ index: Int, from: Int) {
    let entry = entries[index]
    scratch.begin()
    appendPath(index, from: from, to: entry.keyCount * 2, isLeaf: true)
    appendValue(entry)
    scratch.closeList()
  }

  private mutating func writeExtension(
    _ index: Int, from: Int, to: Int, reference: RLPScratch.Reference
  ) {
    scratch.begin()
    appendPath(index, from: from, to: to, isLeaf: false)
    for offset in 0..<reference.count { scratch.append(raw: reference.byte(offset)) }
    scratch.closeList()
  }

  private mutating func writeBranch(_ branch: Branch) {
    scratch.begin()
    let first = (branches.count - 1) * 16 * Self.childSize
    for child in 0..<16 {
      let slot = first + child * Self.childSize
      let count = Int(children[slot])
      if count == 0 {
        scratch.append(raw: 0x80)
      } else {
        children.withUnsafeBufferPointer { scratch.append(raw: $0.baseAddress! + slot + 1, count) }
      }
    }
    if branch.valueEntry >= 0 {
      appendValue(entries[branch.valueEntry])
    } else {
      scratch.append(raw: 0x80)
    }
    scratch.closeList()
  }

  private mutating func appendValue(_ entry: MerklePatriciaTrie.Entry) {
    values.withUnsafeBufferPointer {
      scratch.append(string: $0.baseAddress! + entry.valueStart, entry.valueCount)
    }
  }

  /// Writes nibbles in the hex-prefix form (yellow paper, appendix C).
  private mutating func appendPath(_ index: Int, from: Int, to: Int, isLeaf: Bool) {
    let odd = (to - from) & 1 == 1
    let count = (to - from) / 2 + 1
    var first: UInt8 = isLeaf ? 0x20 : 0
    var position = from
    if odd {
      first |= 0x10 | nibble(index, from)
      position += 1
    }
    if count > 1 { scratch.appendHeader(string: count) }
    scratch.append(raw: first)
    while position < to {
      scratch.append(raw: nibble(index, position) << 4 | nibble(index, position + 1))
      position += 2
    }
  }

  // MARK: Keys

  @inline(__always)
  private func nibble(_ index: Int, _ position: Int) -> UInt8 {
    let byte = keys[entries[index].keyStart &+ position >> 1]
    return position & 1 == 0 ? byte >> 4 : byte & 15
  }

  private func commonNibbles(_ a: Int, _ b: Int) -> Int {
    let first = entries[a]
    let second = entries[b]
    let length = min(first.keyCount, second.keyCount)
    return keys.withUnsafeBufferPointer { keys in
      for index in 0..<length {
        let difference = keys[first.keyStart + index] ^ keys[second.keyStart + index]
        if difference != 0 { return index * 2 + (difference < 16 ? 1 : 0) }
      }
      return length * 2
    }
  }
}

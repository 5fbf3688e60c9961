import Coprocessors
import EVM

/// Which node of which trie: those whose keys begin with the first `depth` nibbles of `path`.
struct NodeKey: Hashable, BitwiseCopyable, Sendable {
  /// The account whose storage it is; zero for the trie of the accounts.
  var owner: Hash256
  /// The nibbles from the highest on; zero after the first `depth`.
  var path: UInt256
  /// How many nibbles.
  var depth: Int

  func hash(into hasher: inout Hasher) {
    // Both are hashes, or the beginnings of hashes.
    hasher.combine(owner.word.limb3)
    hasher.combine(path.limb3)
    hasher.combine(path.limb2)
    hasher.combine(depth)
  }

  /// The nibbles of `key` above `depth`, as a key of a trie.
  init(owner: Hash256, prefixOf key: UInt256, depth: Int) {
    self.owner = owner
    self.depth = depth
    path = key.prefix(nibbles: depth)
  }

  /// The key of the table: the owner, then one byte a nibble.
  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(32 + depth)
    bytes.append(word: owner.word)
    for index in 0..<depth { bytes.append(UInt8(path.nibble(index))) }
    return bytes
  }
}

extension UInt256 {
  /// The number with zeros after its first nibbles.
  func prefix(nibbles: Int) -> UInt256 {
    nibbles >= 64 ? self : nibbles == 0 ? .zero : self & ~(UInt256.max >> UInt64(nibbles * 4))
  }

  /// The number with its nibble at `index`, which was zero, set.
  func settingNibble(_ index: Int, to nibble: Int) -> UInt256 {
    self | UInt256(UInt64(nibble)) << UInt64((63 - index) * 4)
  }
}

/// The children of an upper node of a trie: how each stands in its parent, and how many entries it
/// has.
///
/// A prefix has a row just when more than `NodeRow.fewest` keys begin with it: what has fewer is
/// worked out anew from the entries, which lie side by side. So a block reads and writes only the
/// rows above what it changes, and no node has to be kept for each entry.
struct NodeRow: BitwiseCopyable, Sendable {
  /// A subtree with a row has more entries than this.
  static var fewest: Int { 16 }
  /// The count of a child that has a row of its own.
  static var many: UInt8 { 255 }

  var references: InlineArray<16, NodeReference>
  /// Entries of each child; zero for none.
  var counts: InlineArray<16, UInt8>

  init() {
    references = InlineArray(
      repeating: NodeReference(UnsafeBufferPointer(start: nil, count: 0)))
    counts = InlineArray(repeating: 0)
  }

  /// Entries below; exact up to `fewest`.
  var count: Int {
    var sum = 0
    for nibble in 0..<16 { sum += Int(counts[nibble]) }
    return sum
  }

  /// The children that there are.
  var width: Int {
    var width = 0
    for nibble in 0..<16 where counts[nibble] > 0 { width += 1 }
    return width
  }

  /// For each child: its count, and where that is not zero its reference's size and bytes.
  func append(to bytes: inout [UInt8]) {
    for nibble in 0..<16 {
      bytes.append(counts[nibble])
      if counts[nibble] == 0 { continue }
      let reference = references[nibble]
      bytes.append(reference.count)
      if reference.count == 32 {
        bytes.append(word: reference.bytes)
      } else {
        for index in 0..<Int(reference.count) { bytes.append(reference.bytes.bigEndianByte(index)) }
      }
    }
  }

  init(stored bytes: UnsafeRawBufferPointer) {
    self.init()
    let base = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
    var position = 0
    for nibble in 0..<16 {
      precondition(position < bytes.count, "database: a trie's node is cut off")
      counts[nibble] = base[position]
      position += 1
      if counts[nibble] == 0 { continue }
      let size = Int(base[position])
      precondition(position + size < bytes.count, "database: a trie's node is cut off")
      references[nibble].count = UInt8(size)
      references[nibble].bytes =
        UInt256(bigEndian: base + position + 1, count: size) << UInt64((32 - size) * 8)
      position += 1 + size
    }
  }
}

/// A part of a trie as its parent sees it: one leaf, or a branch that a path leads to.
struct Subtree: BitwiseCopyable, Sendable {
  /// The leaf's key, or one whose first `depth` nibbles lead to the branch.
  var key: UInt256
  /// The nibbles above the branch's children; 64 for a leaf.
  var depth: Int
  /// How the branch stands below an extension; for a leaf, how it stands below `start`.
  var reference: NodeReference
  /// The nibble from which a leaf's reference goes.
  var start: Int
  /// Entries, `NodeRow.many` at most.
  var count: Int
}

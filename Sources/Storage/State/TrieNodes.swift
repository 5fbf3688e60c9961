import Coprocessors
import EVM

/// Which node of which trie: those whose keys begin with the first `depth` nibbles of `path`.
struct NodeKey: Comparable, BitwiseCopyable, Sendable {
  /// The account whose storage it is; zero for the trie of the accounts.
  var owner: Hash256
  /// The nibbles from the highest on; zero after the first `depth`.
  var path: UInt256
  /// How many nibbles.
  var depth: Int

  /// The nibbles of `key` above `depth`, as a key of a trie.
  init(owner: Hash256, prefixOf key: UInt256, depth: Int) {
    self.owner = owner
    self.depth = depth
    path = key.prefix(nibbles: depth)
  }

  /// Gives the key of the table to `body`: the owner, then one byte a nibble.
  @inline(__always)
  func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 96) { bytes in
      owner.store(bytes: bytes.baseAddress!)
      for index in 0..<depth { bytes[32 + index] = UInt8(path.nibble(index)) }
      return body(UnsafeRawBufferPointer(start: bytes.baseAddress!, count: 32 + depth))
    }
  }

  /// The order of the table.
  static func < (a: NodeKey, b: NodeKey) -> Bool {
    if a.owner != b.owner { return a.owner < b.owner }
    return a.path == b.path ? a.depth < b.depth : a.path < b.path
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

  /// Bytes of a stored row at most.
  static var storedBytes: Int { 16 * 34 }

  /// Writes the row as the database has it: for each child its count, and where that is not zero its
  /// reference's size and bytes. Gives how many bytes that took.
  func store(to bytes: UnsafeMutablePointer<UInt8>) -> Int {
    var end = 0
    for nibble in 0..<16 {
      bytes[end] = counts[nibble]
      end &+= 1
      if counts[nibble] == 0 { continue }
      let size = Int(references[nibble].count)
      bytes[end] = UInt8(size)
      end &+= 1
      if size == 32 {
        references[nibble].bytes.store(bigEndian: bytes + end)
      } else {
        for index in 0..<size { bytes[end + index] = references[nibble].bytes.bigEndianByte(index) }
      }
      end &+= size
    }
    return end
  }

  /// Becomes a stored row; false, and empty as no stored row is, where that is cut off or too long.
  mutating func read(_ bytes: UnsafeRawBufferPointer) -> Bool {
    self = NodeRow()
    if fill(from: bytes) { return true }
    self = NodeRow()
    return false
  }

  private mutating func fill(from bytes: UnsafeRawBufferPointer) -> Bool {
    guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return false }
    var position = 0
    for nibble in 0..<16 {
      if position >= bytes.count { return false }
      let count = base[position]
      position += 1
      if count == 0 { continue }
      if position >= bytes.count { return false }
      let size = Int(base[position])
      if size > 32 || position + size >= bytes.count { return false }
      counts[nibble] = count
      references[nibble].count = UInt8(size)
      references[nibble].bytes =
        size == 32
        ? UInt256(bigEndian: base + position + 1)
        : UInt256(bigEndian: base + position + 1, count: size) << UInt64((32 - size) * 8)
      position += 1 + size
    }
    return position == bytes.count
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
  /// How its parent's row has the count.
  var storedCount: UInt8 { count > NodeRow.fewest ? NodeRow.many : UInt8(count) }
  /// Whether the branch waits to be hashed with its siblings; `reference` says nothing then.
  var isDeferred = false
}

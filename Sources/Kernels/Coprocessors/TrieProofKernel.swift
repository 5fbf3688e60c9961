import EVM

/// The nodes on the way to keys in the tries that `TrieKernel` has hashed: a lane takes one key.
///
/// A lane finds the leaf that shares most nibbles with its key and climbs from there to the root: what
/// is above that leaf is what is on the way to the key, as far as that goes. `TrieKernel` keeps the
/// reference of the topmost node of each leaf only: those of a leftmost child below, and of the nodes
/// on the way, are made again. A lane works alone, two to five permutations a level; it has 1.5 KB of
/// local memory.
///
/// Each node is a record in memory that the lanes share; one atomic addition claims its room:
///
///     number of the key 32, order 32 | bytes of the node | the node, padded to words
///
/// The order counts upwards from the deepest node of a key.
package enum TrieProofKernel {
  /// What a launch works on.
  package struct Arguments: BitwiseCopyable {
    /// The tries, hashed; their keys are hashes.
    package var trie: TrieKernel.Arguments
    /// The keys, two pairs of words each, least significant first.
    package var keys: UnsafePointer<SIMD2<UInt64>>
    /// Their tries; `nil` when there is one.
    package var tries: UnsafePointer<UInt32>?
    package var count: Int
    /// Receives the records, and how many bytes all of them take: more than the capacity where some
    /// found no room.
    package var records: UnsafeMutablePointer<UInt64>
    package var capacity: UInt64
    package var used: UnsafeMutablePointer<UInt64>

    /// Arguments from their parts.
    package init(
      trie: TrieKernel.Arguments, keys: UnsafePointer<SIMD2<UInt64>>,
      tries: UnsafePointer<UInt32>?, count: Int, records: UnsafeMutablePointer<UInt64>,
      capacity: UInt64, used: UnsafeMutablePointer<UInt64>
    ) {
      self.trie = trie
      self.keys = keys
      self.tries = tries
      self.count = count
      self.records = records
      self.capacity = capacity
      self.used = used
    }
  }

  /// Words of a record in front of the node.
  package static var headerWords: Int { 2 }

  /// Writes the nodes on the way to one key.
  @inline(__always)
  package static func lane(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    let arguments = arguments.pointee
    if index >= arguments.count { return }
    let trie = arguments.trie
    let (leaf, shared) = nearest(index, arguments)
    if shared < 0 { return }
    var record = Record(key: index, arguments)
    var above = Int(max(trie.common[leaf], trie.common[leaf &+ 1]))
    if shared > above { record.write(leaf: leaf, above: above, trie) }
    // The node on the way below the next branch: its leftmost leaf, and how it stands there.
    var below = Reference(leaf: leaf, trie)
    while above >= 0 {
      let depth = above
      let first = TrieKernel.begin(of: below.leaf, depth, trie, HashKeys.self)
      var references = PathReferences(StoredReferences(arguments: trie), below)
      if first != below.leaf { references.leftmost = leftmost(first, below: depth, trie) }
      let branch = branch(first, depth, trie, references)
      above = Int(max(trie.common[first], trie.common[branch.end]))
      let isRoot = above < 0 && depth == 0
      below = reference(branch, first, isRoot: isRoot, trie, references)
      if shared >= depth, below.size == 32 {
        record.write(branch, trie, references)
      }
      if above &+ 1 < depth {
        let path = TriePath(trie.key(first), from: above &+ 1, to: depth, isLeaf: false)
        let branchReference = below
        below = reference(path, below, isRoot: above < 0)
        if shared > above, below.size == 32 { record.write(path, branchReference) }
      }
    }
  }

  /// A leaf of the key's trie that shares most nibbles with it, and how many; -1 in a trie without
  /// leaves.
  @inline(__always)
  private static func nearest(_ index: Int, _ arguments: Arguments) -> (leaf: Int, shared: Int) {
    let trie = arguments.trie
    let key = RecoverKernel.word(arguments.keys + index &* 2)
    var number: UInt32 = 0
    if let tries = arguments.tries { number = tries[index] }
    var low = 0
    var high = trie.count
    while low < high {
      let middle = (low &+ high) >> 1
      let other = trie.trie(middle)
      if other < number || (other == number && trie.key(middle) < key) {
        low = middle &+ 1
      } else {
        high = middle
      }
    }
    var leaf = low
    var shared = -1
    if low < trie.count, trie.trie(low) == number {
      shared = (trie.key(low) ^ key).leadingZeroBitCount >> 2
    }
    if low > 0, trie.trie(low &- 1) == number {
      let before = (trie.key(low &- 1) ^ key).leadingZeroBitCount >> 2
      if before > shared {
        leaf = low &- 1
        shared = before
      }
    }
    return (leaf, shared)
  }

  // MARK: References that are made again

  /// How a node stands in its parent, and its leftmost leaf.
  struct Reference {
    let leaf: Int
    let word: UInt256
    let size: Int

    @inline(__always)
    init(leaf: Int, word: UInt256, size: Int) {
      self.leaf = leaf
      self.word = word
      self.size = size
    }

    /// That of a leaf.
    @inline(__always)
    init(leaf: Int, _ trie: TrieKernel.Arguments) {
      self.init(
        leaf: leaf, word: RecoverKernel.word(trie.leafReferences + leaf &* 2),
        size: Int(trie.leafSizes[leaf]))
    }

    /// That of the node in a sink; a root is hashed, however short it is.
    @inline(__always)
    init(leaf: Int, _ sink: inout NodeSink, isRoot: Bool) {
      if sink.size < 32, !isRoot {
        self.init(leaf: leaf, word: sink.short, size: sink.size)
      } else {
        self.init(leaf: leaf, word: sink.hash().word, size: 32)
      }
    }
  }

  /// The references of the children of a branch on the way, two of which were made again.
  private struct PathReferences: NodeReferences {
    let stored: StoredReferences
    /// The child on the way.
    let child: Reference
    /// The leftmost child, where it is another one.
    var leftmost: Reference

    @inline(__always)
    init(_ stored: StoredReferences, _ child: Reference) {
      self.stored = stored
      self.child = child
      leftmost = child
    }

    @inline(__always)
    func size(_ leaf: Int) -> Int {
      leaf == child.leaf ? child.size : leaf == leftmost.leaf ? leftmost.size : stored.size(leaf)
    }

    @inline(__always)
    func word(_ leaf: Int) -> UInt256 {
      leaf == child.leaf ? child.word : leaf == leftmost.leaf ? leftmost.word : stored.word(leaf)
    }
  }

  @inline(__always)
  private static func branch(
    _ first: Int, _ depth: Int, _ trie: TrieKernel.Arguments, _ references: PathReferences
  ) -> TrieBranch<HashKeys> {
    TrieBranch(
      first: first, firstEnd: TrieKernel.end(of: first, depth &+ 1, trie, HashKeys.self),
      depth: depth, trie, references)
  }

  @inline(never)
  private static func reference(
    _ branch: TrieBranch<HashKeys>, _ first: Int, isRoot: Bool, _ trie: TrieKernel.Arguments,
    _ references: PathReferences
  ) -> Reference {
    var sink = NodeSink(payload: branch.payload)
    branch.write(to: &sink, trie, references)
    return Reference(leaf: first, &sink, isRoot: isRoot)
  }

  /// The reference of an extension to a node.
  @inline(never)
  private static func reference(_ path: TriePath, _ child: Reference, isRoot: Bool) -> Reference {
    var sink = NodeSink(payload: path.size &+ (child.size == 32 ? 33 : child.size))
    path.write(to: &sink)
    sink.append(reference: child.word, size: child.size)
    return Reference(leaf: child.leaf, &sink, isRoot: isRoot)
  }

  /// The reference of the topmost node below a branch whose leftmost leaf is that of the branch.
  @inline(never)
  private static func leftmost(_ leaf: Int, below depth: Int, _ trie: TrieKernel.Arguments)
    -> Reference
  {
    var node = Reference(leaf: leaf, trie)
    // The leaf is the first of all branches above it down from `depth`.
    var level = Int(trie.common[leaf &+ 1])
    while level > depth {
      let references = PathReferences(StoredReferences(arguments: trie), node)
      let branch = branch(leaf, level, trie, references)
      let above = Int(max(trie.common[leaf], trie.common[branch.end]))
      node = reference(branch, leaf, isRoot: false, trie, references)
      if above &+ 1 < level {
        let path = TriePath(trie.key(leaf), from: above &+ 1, to: level, isLeaf: false)
        node = reference(path, node, isRoot: false)
      }
      level = above
    }
    return node
  }

  // MARK: Records

  /// The records of one key.
  private struct Record {
    private let key: Int
    private var order: UInt64 = 0
    private let records: UnsafeMutablePointer<UInt64>
    private let capacity: UInt64
    private let used: UnsafeMutablePointer<UInt64>

    @inline(__always)
    init(key: Int, _ arguments: Arguments) {
      self.key = key
      records = arguments.records
      capacity = arguments.capacity
      used = arguments.used
    }

    /// Claims the room of a node with this many bytes behind its header, and writes the header;
    /// `nil` where there is no room.
    @inline(__always)
    private mutating func begin(_ payload: Int) -> NodeBytes? {
      let size = payload &+ NodeBytes.listHeaderSize(payload)
      let bytes = UInt64((headerWords &* 8 &+ size &+ 7) & ~7)
      let place = fetchAdd(used, bytes)
      let number = order
      order &+= 1
      if bytes > capacity || place > capacity &- bytes { return nil }
      let words = records + Int(truncatingIfNeeded: place >> 3)
      words[0] = UInt64(truncatingIfNeeded: key) | number << 32
      words[1] = UInt64(truncatingIfNeeded: size)
      var bytesOfNode = NodeBytes(to: words + headerWords)
      bytesOfNode.appendListHeader(payload)
      return bytesOfNode
    }

    /// Writes a leaf, where it is a node by itself.
    @inline(never)
    mutating func write(leaf: Int, above: Int, _ trie: TrieKernel.Arguments) {
      if trie.leafSizes[leaf] < 32 { return }
      let path = TriePath(trie.key(leaf), from: above &+ 1, to: 64, isLeaf: true)
      let value = trie.values.size(leaf)
      guard var output = begin(path.size &+ trie.values.encodedSize(leaf, value)) else { return }
      path.write(to: &output)
      trie.values.write(leaf, value, to: &output)
      output.finish()
    }

    @inline(never)
    mutating func write(
      _ branch: TrieBranch<HashKeys>, _ trie: TrieKernel.Arguments, _ references: PathReferences
    ) {
      guard var output = begin(branch.payload) else { return }
      branch.write(to: &output, trie, references)
      output.finish()
    }

    /// Writes an extension.
    @inline(never)
    mutating func write(_ path: TriePath, _ child: Reference) {
      guard var output = begin(path.size &+ (child.size == 32 ? 33 : child.size)) else { return }
      path.write(to: &output)
      output.append(reference: child.word, size: child.size)
      output.finish()
    }
  }
}

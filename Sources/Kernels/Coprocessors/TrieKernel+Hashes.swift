import EVM

extension TrieKernel {
  /// Hashes a leaf.
  @inline(__always)
  static func leaves<Keys: TrieKeys>(
    _ index: Int, _ arguments: UnsafePointer<Arguments>, _ keys: Keys.Type
  ) {
    let arguments = arguments.pointee
    if index >= arguments.dirtyCount { return }
    var leaf = index
    if let dirty = arguments.dirty { leaf = Int(dirty[index]) }
    let above = Int(max(arguments.common[leaf], arguments.common[leaf &+ 1]))
    let nibbles = Keys.nibbles(leaf, arguments)
    // Where its key ends at a branch it is that branch's value and no node.
    if Keys.haveLengths, nibbles == above { return }
    let path = TriePath(arguments.key(leaf), from: above &+ 1, to: nibbles, isLeaf: true)
    let value = arguments.values.size(leaf)
    var sink = NodeSink(payload: path.size &+ arguments.values.encodedSize(leaf, value))
    path.write(to: &sink)
    arguments.values.write(leaf, value, to: &sink)
    finish(&sink, isRoot: above < 0, at: leaf, arguments)
    let reference = arguments.references + leaf &* 2
    arguments.leafReferences[leaf &* 2] = reference[0]
    arguments.leafReferences[leaf &* 2 &+ 1] = reference[1]
    arguments.leafSizes[leaf] = arguments.sizes[leaf]
  }

  /// Makes a trie's root that of one without leaves.
  @inline(__always)
  package static func empty(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    let arguments = arguments.pointee
    if index >= arguments.trieCount { return }
    KeccakKernel.store(
      UInt256(
        0x0162_2FB5_E363_B421, 0x5B48_E01B_996C_ADC0, 0xFF83_45E6_92C0_F86E,
        0x56E8_1F17_1BCC_55A6),
      to: arguments.roots + index &* 2)
  }

  /// Takes a leaf's reference for that of the topmost node so far.
  @inline(__always)
  package static func start(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    let arguments = arguments.pointee
    if index >= arguments.count { return }
    arguments.references[index &* 2] = arguments.leafReferences[index &* 2]
    arguments.references[index &* 2 &+ 1] = arguments.leafReferences[index &* 2 &+ 1]
    arguments.sizes[index] = arguments.leafSizes[index]
  }

  /// Hashes a branch whose children are hashed, and the extension above it.
  @inline(__always)
  static func branches<Keys: TrieKeys>(
    _ index: Int, _ arguments: UnsafePointer<Arguments>, _ keys: Keys.Type
  ) {
    let arguments = arguments.pointee
    if index >= arguments.branchCount { return }
    let border = Int(arguments.branches[arguments.first &+ index])
    let depth = Int(arguments.common[border])
    let first = begin(of: border &- 1, depth &+ 1, arguments, keys)
    let references = StoredReferences(arguments: arguments)
    let branch = TrieBranch<Keys>(
      first: first, firstEnd: border, depth: depth, arguments, references)
    var sink = NodeSink(payload: branch.payload)
    branch.write(to: &sink, arguments, references)
    let start = Int(max(arguments.common[first], arguments.common[branch.end])) &+ 1
    finish(&sink, isRoot: start == 0 && depth == 0, at: first, arguments)
    if start < depth {
      let path = TriePath(arguments.key(first), from: start, to: depth, isLeaf: false)
      let size = references.size(first)
      var sink = NodeSink(payload: path.size &+ (size == 32 ? 33 : size))
      path.write(to: &sink)
      sink.append(reference: references.word(first), size: size)
      finish(&sink, isRoot: start == 0, at: first, arguments)
    }
  }

  /// Keeps a node's reference, and its hash where it is the root.
  @inline(__always)
  private static func finish(
    _ sink: inout NodeSink, isRoot: Bool, at leaf: Int, _ arguments: Arguments
  ) {
    let size = sink.size
    if size < 32, !isRoot {
      RecoverKernel.store(sink.short, to: arguments.references + leaf &* 2)
      arguments.sizes[leaf] = UInt8(truncatingIfNeeded: size)
      return
    }
    let hash = sink.hash()
    RecoverKernel.store(hash.word, to: arguments.references + leaf &* 2)
    arguments.sizes[leaf] = 32
    if isRoot {
      KeccakKernel.store(hash.word, to: arguments.roots + Int(arguments.trie(leaf)) &* 2)
    }
  }
}

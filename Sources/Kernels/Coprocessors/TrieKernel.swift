import EVM

/// The roots of Merkle Patricia tries whose leaves lie sorted in memory (yellow paper, appendix D).
///
/// Many tries share the arrays: leaves are in the order of their trie's number, then of their key.
/// Nothing but the nibbles that neighbours share says how the tries look: a branch of depth d stands
/// where, among leaves that share d nibbles, some neighbours share no more. It is named by the first
/// such border between two of its children, and the reference of every node stands at its leftmost
/// leaf. So leaves come and go by moving arrays, and no node has to be found, split or collapsed.
///
/// The launches, in order: `empty` sets the roots of tries without leaves; `common` compares neighbours; `count` and `fill` list the branches by
/// depth; `leaves` hashes leaves; `branches`, from the deepest depth to the root, hashes those of one
/// depth. The first three only where leaves came or went. A lane takes one leaf, 64 borders or one
/// branch; the lanes of a warp have neighbours, which are alike.
package enum TrieKernel {
  /// What all launches work on.
  package struct Arguments: BitwiseCopyable {
    /// Leaves of all tries.
    package var count: Int
    /// Their keys, two pairs of words each, least significant first.
    package var keys: UnsafePointer<SIMD2<UInt64>>
    /// Their tries, from 0 on; `nil` when there is one.
    package var tries: UnsafePointer<UInt32>?
    /// Their values.
    package var values: TrieValues
    /// For `count + 1` borders the nibbles that the leaves at both sides share; -1 between tries.
    package var common: UnsafeMutablePointer<Int8>
    /// How each leaf stands in its parent, two pairs and the number of bytes; they stay.
    package var leafReferences: UnsafeMutablePointer<SIMD2<UInt64>>
    package var leafSizes: UnsafeMutablePointer<UInt8>
    /// The same of the topmost node so far whose leftmost leaf it is.
    package var references: UnsafeMutablePointer<SIMD2<UInt64>>
    package var sizes: UnsafeMutablePointer<UInt8>
    /// Branches by their borders, in the order of depths; and for each of 64 depths their number,
    /// then the place of the next in `branches`.
    package var branches: UnsafeMutablePointer<UInt32>
    package var depths: UnsafeMutablePointer<UInt64>
    /// What `leaves` hashes: places of leaves; all where it is `nil`.
    package var dirty: UnsafePointer<UInt32>?
    package var dirtyCount: Int
    /// What `branches` hashes: places in the list of branches.
    package var first: Int
    package var branchCount: Int
    /// Receives two pairs for each trie.
    package var roots: UnsafeMutablePointer<SIMD2<UInt64>>
    package var trieCount: Int

    /// Arguments for leaves that lie as they should; the launches set the rest.
    package init(
      count: Int, keys: UnsafePointer<SIMD2<UInt64>>, tries: UnsafePointer<UInt32>?,
      values: TrieValues, common: UnsafeMutablePointer<Int8>,
      leafReferences: UnsafeMutablePointer<SIMD2<UInt64>>,
      leafSizes: UnsafeMutablePointer<UInt8>, references: UnsafeMutablePointer<SIMD2<UInt64>>,
      sizes: UnsafeMutablePointer<UInt8>, branches: UnsafeMutablePointer<UInt32>,
      depths: UnsafeMutablePointer<UInt64>, roots: UnsafeMutablePointer<SIMD2<UInt64>>,
      trieCount: Int
    ) {
      self.count = count
      self.keys = keys
      self.tries = tries
      self.values = values
      self.common = common
      self.leafReferences = leafReferences
      self.leafSizes = leafSizes
      self.references = references
      self.sizes = sizes
      self.branches = branches
      self.depths = depths
      dirty = nil
      dirtyCount = count
      first = 0
      branchCount = 0
      self.roots = roots
      self.trieCount = trieCount
    }

    @inline(__always)
    func key(_ leaf: Int) -> UInt256 { RecoverKernel.word(keys + leaf &* 2) }

    @inline(__always)
    func trie(_ leaf: Int) -> UInt32 {
      guard let tries else { return 0 }
      return tries[leaf]
    }
  }

  /// Borders of a lane of `count` and `fill`.
  package static var span: Int { 64 }

  // MARK: The form of the tries

  /// Compares the leaves at both sides of a border.
  @inline(__always)
  package static func common(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    let arguments = arguments.pointee
    if index > arguments.count { return }
    var shared: Int8 = -1
    if index > 0, index < arguments.count,
      arguments.trie(index &- 1) == arguments.trie(index)
    {
      let difference = arguments.key(index &- 1) ^ arguments.key(index)
      shared = Int8(truncatingIfNeeded: difference.leadingZeroBitCount >> 2)
    }
    arguments.common[index] = shared
  }

  /// Counts the branches whose first border is one of 64.
  @inline(__always)
  package static func count(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    let arguments = arguments.pointee
    var counts = InlineArray<64, UInt64>(repeating: 0)
    forEachBranch(index, arguments) { _, depth in counts[unchecked: depth] &+= 1 }
    var depth = 0
    while depth < 64 {
      if counts[unchecked: depth] > 0 {
        _ = fetchAdd(arguments.depths + depth, counts[unchecked: depth])
      }
      depth &+= 1
    }
  }

  /// Lists them, behind what other lanes have listed.
  @inline(__always)
  package static func fill(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    let arguments = arguments.pointee
    forEachBranch(index, arguments) { border, depth in
      arguments.branches[Int(fetchAdd(arguments.depths + depth, 1))] = UInt32(border)
    }
  }

  @inline(__always)
  private static func forEachBranch(
    _ index: Int, _ arguments: Arguments, _ body: (Int, Int) -> Void
  ) {
    var border = index &* span
    let end = min(border &+ span, arguments.count)
    while border < end {
      let depth = Int(arguments.common[border])
      // The child before the border is the first one when no border before it is of this depth.
      if depth >= 0, Int(arguments.common[begin(of: border &- 1, depth &+ 1, arguments)]) < depth {
        body(border, depth)
      }
      border &+= 1
    }
  }

  /// The first leaf that shares `nibbles` nibbles with a leaf, as all between them do.
  private static func begin(of leaf: Int, _ nibbles: Int, _ arguments: Arguments) -> Int {
    var place = leaf
    let near = leaf &- 24
    while place > near {
      // The border of the first leaf is -1, so this ends.
      if Int(arguments.common[place]) < nibbles { return place }
      place &-= 1
    }
    // `place` shares them; further away by doubling steps, then by halving.
    var step = 32
    while place >= step, shares(place &- step, leaf, nibbles, arguments) {
      place &-= step
      step &*= 2
    }
    while step > 0 {
      if place >= step, shares(place &- step, leaf, nibbles, arguments) { place &-= step }
      step &>>= 1
    }
    return place
  }

  /// The first leaf behind a leaf that does not share `nibbles` nibbles with it.
  private static func end(of leaf: Int, _ nibbles: Int, _ arguments: Arguments) -> Int {
    var place = leaf &+ 1
    let near = leaf &+ 24
    while place < near {
      // The border behind the last leaf is -1, so this ends.
      if Int(arguments.common[place]) < nibbles { return place }
      place &+= 1
    }
    // The leaf before `place` shares them.
    place &-= 1
    let last = arguments.count &- 1
    var step = 32
    while place &+ step <= last, shares(place &+ step, leaf, nibbles, arguments) {
      place &+= step
      step &*= 2
    }
    while step > 0 {
      if place &+ step <= last, shares(place &+ step, leaf, nibbles, arguments) {
        place &+= step
      }
      step &>>= 1
    }
    return place &+ 1
  }

  @inline(__always)
  private static func shares(
    _ a: Int, _ b: Int, _ nibbles: Int, _ arguments: Arguments
  ) -> Bool {
    arguments.trie(a) == arguments.trie(b)
      && (arguments.key(a) ^ arguments.key(b)).leadingZeroBitCount >= nibbles &* 4
  }

  // MARK: Hashes

  /// Hashes a leaf.
  @inline(__always)
  package static func leaves(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    let arguments = arguments.pointee
    if index >= arguments.dirtyCount { return }
    var leaf = index
    if let dirty = arguments.dirty { leaf = Int(dirty[index]) }
    let above = max(arguments.common[leaf], arguments.common[leaf &+ 1])
    let key = arguments.key(leaf)
    let path = TriePath(key, from: Int(above) &+ 1, to: 64, isLeaf: true)
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
  package static func branches(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    let arguments = arguments.pointee
    if index >= arguments.branchCount { return }
    let border = Int(arguments.branches[arguments.first &+ index])
    let depth = Int(arguments.common[border])
    let first = begin(of: border &- 1, depth &+ 1, arguments)
    // First pass: where the children are, and the size. 16 empty ones and no value are a byte each.
    var children = InlineArray<16, UInt32>(repeating: 0)
    var count = 0
    var payload = 17
    var end = first
    while true {
      let child = end
      // There are at most 16, as each has a nibble of its own.
      children[unchecked: count] = UInt32(truncatingIfNeeded: child)
      count &+= 1
      let size = Int(arguments.sizes[child])
      payload &+= size == 32 ? 32 : size &- 1
      end = child == first ? border : TrieKernel.end(of: child, depth &+ 1, arguments)
      if Int(arguments.common[end]) < depth { break }
    }
    let above = max(arguments.common[first], arguments.common[end])
    var sink = NodeSink(payload: payload)
    var nibble = 0
    var place = 0
    while place < count {
      let child = Int(children[unchecked: place])
      let own = arguments.key(child).nibbleInLane(depth)
      while nibble < own {
        sink.append(0x80)
        nibble &+= 1
      }
      write(reference: child, to: &sink, arguments)
      nibble &+= 1
      place &+= 1
    }
    while nibble < 17 {
      sink.append(0x80)
      nibble &+= 1
    }
    let start = Int(above) &+ 1
    finish(&sink, isRoot: start == 0 && depth == 0, at: first, arguments)
    if start < depth {
      let path = TriePath(arguments.key(first), from: start, to: depth, isLeaf: false)
      let size = Int(arguments.sizes[first])
      var sink = NodeSink(payload: path.size &+ (size == 32 ? 33 : size))
      path.write(to: &sink)
      write(reference: first, to: &sink, arguments)
      finish(&sink, isRoot: start == 0, at: first, arguments)
    }
  }

  /// Writes how the node of a leftmost leaf stands in its parent.
  @inline(__always)
  private static func write(
    reference leaf: Int, to sink: inout NodeSink, _ arguments: Arguments
  ) {
    let word = RecoverKernel.word(arguments.references + leaf &* 2)
    let size = Int(arguments.sizes[leaf])
    if size == 32 { sink.append(0xA0) }
    sink.append(word, count: size)
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

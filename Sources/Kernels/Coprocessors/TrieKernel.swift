import EVM

/// The roots of Merkle Patricia tries whose leaves lie sorted in memory (yellow paper, appendix D).
///
/// Many tries share the arrays: leaves are in the order of their trie's number, then of their key.
/// Nothing but the nibbles that neighbours share says how the tries look: a branch of depth d stands
/// where, among leaves that share d nibbles, some neighbours share no more. It is named by the first
/// such border between two of its children, and the reference of every node stands at its leftmost
/// leaf. So leaves come and go by moving arrays, and no node has to be found, split or collapsed.
///
/// The launches, in order: `empty` sets the roots of tries without leaves; `common` compares
/// neighbours; `count` and `fill` list the branches by depth; `leaves` hashes leaves; `start` takes
/// their references for those of the topmost nodes; `branches`, from the deepest depth to the root,
/// hashes those of one depth. The first four only where leaves came or went. A lane takes one leaf, 64
/// borders or one branch; the lanes of a warp have neighbours, which are alike.
package enum TrieKernel {
  /// What all launches work on.
  package struct Arguments: BitwiseCopyable {
    /// Leaves of all tries.
    package var count: Int
    /// Their keys, two pairs of words each, least significant first.
    package var keys: UnsafePointer<SIMD2<UInt64>>
    /// Their tries, from 0 on; `nil` when there is one.
    package var tries: UnsafePointer<UInt32>?
    /// The bytes of each key; `nil` where all have 32.
    package var lengths: UnsafePointer<UInt8>?
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
      lengths: UnsafePointer<UInt8>?, values: TrieValues, common: UnsafeMutablePointer<Int8>,
      leafReferences: UnsafeMutablePointer<SIMD2<UInt64>>,
      leafSizes: UnsafeMutablePointer<UInt8>, references: UnsafeMutablePointer<SIMD2<UInt64>>,
      sizes: UnsafeMutablePointer<UInt8>, branches: UnsafeMutablePointer<UInt32>,
      depths: UnsafeMutablePointer<UInt64>, roots: UnsafeMutablePointer<SIMD2<UInt64>>,
      trieCount: Int
    ) {
      self.count = count
      self.keys = keys
      self.tries = tries
      self.lengths = lengths
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
  static func common<Keys: TrieKeys>(
    _ index: Int, _ arguments: UnsafePointer<Arguments>, _ keys: Keys.Type
  ) {
    let arguments = arguments.pointee
    if index > arguments.count { return }
    var shared: Int8 = -1
    if index > 0, index < arguments.count,
      arguments.trie(index &- 1) == arguments.trie(index)
    {
      shared = Int8(truncatingIfNeeded: Keys.shared(index &- 1, index, arguments))
    }
    arguments.common[index] = shared
  }

  /// Counts the branches whose first border is one of 64.
  @inline(__always)
  static func count<Keys: TrieKeys>(
    _ index: Int, _ arguments: UnsafePointer<Arguments>, _ keys: Keys.Type
  ) {
    let arguments = arguments.pointee
    var counts = InlineArray<64, UInt64>(repeating: 0)
    forEachBranch(index, arguments, keys) { _, depth in counts[unchecked: depth] &+= 1 }
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
  static func fill<Keys: TrieKeys>(
    _ index: Int, _ arguments: UnsafePointer<Arguments>, _ keys: Keys.Type
  ) {
    let arguments = arguments.pointee
    forEachBranch(index, arguments, keys) { border, depth in
      arguments.branches[Int(fetchAdd(arguments.depths + depth, 1))] = UInt32(border)
    }
  }

  @inline(__always)
  private static func forEachBranch<Keys: TrieKeys>(
    _ index: Int, _ arguments: Arguments, _ keys: Keys.Type, _ body: (Int, Int) -> Void
  ) {
    var border = index &* span
    let end = min(border &+ span, arguments.count)
    while border < end {
      let depth = Int(arguments.common[border])
      // The child before the border is the first one when no border before it is of this depth.
      if depth >= 0,
        Int(arguments.common[begin(of: border &- 1, depth &+ 1, arguments, keys)]) < depth
      {
        body(border, depth)
      }
      border &+= 1
    }
  }

  /// The first leaf that shares `nibbles` nibbles with a leaf, as all between them do.
  static func begin<Keys: TrieKeys>(
    of leaf: Int, _ nibbles: Int, _ arguments: Arguments, _ keys: Keys.Type
  ) -> Int {
    var place = leaf
    let near = leaf &- 24
    while place > near {
      // The border of the first leaf is -1, so this ends.
      if Int(arguments.common[place]) < nibbles { return place }
      place &-= 1
    }
    // `place` shares them; further away by doubling steps, then by halving.
    var step = 32
    while place >= step, shares(place &- step, leaf, nibbles, arguments, keys) {
      place &-= step
      step &*= 2
    }
    while step > 0 {
      if place >= step, shares(place &- step, leaf, nibbles, arguments, keys) { place &-= step }
      step &>>= 1
    }
    return place
  }

  /// The first leaf behind a leaf that does not share `nibbles` nibbles with it.
  static func end<Keys: TrieKeys>(
    of leaf: Int, _ nibbles: Int, _ arguments: Arguments, _ keys: Keys.Type
  ) -> Int {
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
    while place &+ step <= last, shares(place &+ step, leaf, nibbles, arguments, keys) {
      place &+= step
      step &*= 2
    }
    while step > 0 {
      if place &+ step <= last, shares(place &+ step, leaf, nibbles, arguments, keys) {
        place &+= step
      }
      step &>>= 1
    }
    return place &+ 1
  }

  @inline(__always)
  private static func shares<Keys: TrieKeys>(
    _ a: Int, _ b: Int, _ nibbles: Int, _ arguments: Arguments, _ keys: Keys.Type
  ) -> Bool {
    arguments.trie(a) == arguments.trie(b) && Keys.shared(a, b, arguments) >= nibbles
  }
}

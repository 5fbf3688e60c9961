import EVM

/// How nodes stand in their parents, by their leftmost leaves.
protocol NodeReferences {
  /// The bytes: 32 for a hash, fewer for the node itself.
  func size(_ leaf: Int) -> Int
  /// The hash, or the node from the highest byte on.
  func word(_ leaf: Int) -> UInt256
}

/// The references that `branches` leaves behind.
struct StoredReferences: NodeReferences {
  let arguments: TrieKernel.Arguments

  @inline(__always)
  func size(_ leaf: Int) -> Int { Int(arguments.sizes[leaf]) }

  @inline(__always)
  func word(_ leaf: Int) -> UInt256 { RecoverKernel.word(arguments.references + leaf &* 2) }
}

/// Where the children of a branch are, and its size.
struct TrieBranch<Keys: TrieKeys> {
  /// The nibbles above the children.
  let depth: Int
  /// The leaf behind its last one.
  private(set) var end: Int
  /// Bytes behind the list's header.
  private(set) var payload = 17
  /// Whether the first leaf's key ends here: it is no child then, but the branch's value.
  private let hasValue: Bool
  /// The leftmost leaves of the children.
  private var children = InlineArray<17, UInt32>(repeating: 0)
  private var count = 0

  /// A branch by its first leaf and the leaf behind its first child.
  @inline(__always)
  init(
    first: Int, firstEnd: Int, depth: Int, _ arguments: TrieKernel.Arguments,
    _ references: some NodeReferences
  ) {
    self.depth = depth
    hasValue = Keys.haveLengths && Keys.nibbles(first, arguments) == depth
    // 16 empty children and no value are a byte each.
    end = first
    if hasValue {
      children[unchecked: 0] = UInt32(truncatingIfNeeded: first)
      count = 1
      let size = arguments.values.size(first)
      payload &+= arguments.values.encodedSize(first, size) &- 1
      end = firstEnd
    }
    while true {
      let child = end
      // There are at most 16, as each has a nibble of its own, and the value.
      children[unchecked: count] = UInt32(truncatingIfNeeded: child)
      count &+= 1
      let size = references.size(child)
      payload &+= size == 32 ? 32 : size &- 1
      end =
        child == first
        ? firstEnd : TrieKernel.end(of: child, depth &+ 1, arguments, Keys.self)
      if Int(arguments.common[end]) < depth { break }
    }
  }

  /// Writes it behind its header.
  @inline(__always)
  func write(
    to output: inout some NodeOutput, _ arguments: TrieKernel.Arguments,
    _ references: some NodeReferences
  ) {
    var nibble = 0
    var place = hasValue ? 1 : 0
    while place < count {
      let child = Int(children[unchecked: place])
      let own = arguments.key(child).nibbleInLane(depth)
      while nibble < own {
        output.append(0x80)
        nibble &+= 1
      }
      output.append(reference: references.word(child), size: references.size(child))
      nibble &+= 1
      place &+= 1
    }
    while nibble < 16 {
      output.append(0x80)
      nibble &+= 1
    }
    if hasValue {
      let leaf = Int(children[unchecked: 0])
      arguments.values.write(leaf, arguments.values.size(leaf), to: &output)
    } else {
      output.append(0x80)
    }
  }
}

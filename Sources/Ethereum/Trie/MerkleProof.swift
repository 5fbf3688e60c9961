public import EVM

extension MerklePatriciaTrie {
  /// What a proof says of a key under a root: its value, or `nil` when the key has none.
  ///
  /// The nodes come in the order from the root; each must be asked for by the one before, and none
  /// may be left over. A trie without entries has the proof of no nodes.
  /// - Throws: `invalidProof` when the nodes do not lead from the root to the key's end, and the
  ///   errors of RLP when one is malformed.
  public static func verify(
    proof: [[UInt8]], of key: [UInt8], root: Hash256
  ) throws(FormatError) -> [UInt8]? {
    if proof.isEmpty {
      guard root == emptyRoot else { throw invalid("the proof has no nodes") }
      return nil
    }
    var used = 0
    var position = 0
    /// The node to read: its bytes stand in `proof`, or inside the node before.
    var wanted = Reference.hash(root)
    while true {
      let node: [UInt8]
      switch wanted {
      case .hash(let hash):
        guard used < proof.count else { throw invalid("the proof ends before the key does") }
        node = proof[used]
        guard Keccak256.hash(node) == hash else {
          throw invalid("node \(used) is not the one that its parent names")
        }
        used += 1
      case .inline(let bytes): node = bytes
      }
      let step = try withBytes(node) { (bytes) throws(FormatError) in
        try Self.step(RLPItem(bytes), key: key, position: &position)
      }
      switch step {
      case .found(let value):
        guard used == proof.count else { throw invalid("nodes are left over") }
        return value
      case .child(let child): wanted = child
      }
    }
  }

  private enum Reference {
    case hash(Hash256)
    case inline([UInt8])
  }

  private enum Step {
    case found([UInt8]?)
    case child(Reference)
  }

  private static func invalid(_ reason: String) -> FormatError {
    FormatError(.invalidProof, reason)
  }

  /// Reads one node and goes one step along the key.
  private static func step(
    _ node: RLPItem, key: [UInt8], position: inout Int
  ) throws(FormatError) -> Step {
    var fields = try node.list("node")
    let first = try fields.next("node")
    let second = try fields.next("node")
    if fields.isAtEnd {
      let path = try HexPrefix(first.string("path"))
      let left = key.count * 2 - position
      let matches =
        path.nibbles.count <= left
        && path.nibbles.indices.allSatisfy {
          path.nibbles[$0] == nibble(key, position + $0)
        }
      if path.isLeaf {
        let value = [UInt8](try second.string("value"))
        guard !value.isEmpty else { throw invalid("a leaf without a value") }
        return .found(matches && path.nibbles.count == left ? value : nil)
      }
      guard !path.nibbles.isEmpty else { throw invalid("an extension without a path") }
      guard matches else { return .found(nil) }
      position += path.nibbles.count
      guard let child = try reference(second) else {
        throw invalid("an extension without a child")
      }
      return .child(child)
    }
    var children = [first, second]
    while children.count < 17 { children.append(try fields.next("node")) }
    try fields.finish()
    if position == key.count * 2 {
      let value = [UInt8](try children[16].string("value"))
      return .found(value.isEmpty ? nil : value)
    }
    let child = children[Int(nibble(key, position))]
    position += 1
    guard let child = try reference(child) else { return .found(nil) }
    return .child(child)
  }

  private static func reference(_ item: RLPItem) throws(FormatError) -> Reference? {
    if item.isList {
      guard item.encoding.count < 32 else { throw invalid("a node inside another is too long") }
      return .inline([UInt8](item.encoding))
    }
    if item.payload.isEmpty { return nil }
    return .hash(try item.hash("node"))
  }

  private static func nibble(_ key: [UInt8], _ position: Int) -> UInt8 {
    let byte = key[position / 2]
    return position & 1 == 0 ? byte >> 4 : byte & 15
  }
}

import EVM

/// Nodes of a trie that are hashed together: the last ones that were added first, so that a branch can
/// hash its children, and then be one itself.
package struct NodeBatch: ~Copyable {
  private var memory: UnsafeMutablePointer<UInt8>
  private var capacity = 4096
  /// Where each node ends.
  private var ends: [Int] = []

  /// A batch of no nodes.
  package init() { memory = .allocate(capacity: capacity) }

  deinit { memory.deallocate() }

  /// How many nodes there are.
  package var count: Int { ends.count }

  /// Adds a node.
  package mutating func append(_ node: UnsafeBufferPointer<UInt8>) {
    let start = ends.last ?? 0
    if start + node.count > capacity {
      capacity = max(capacity * 2, start + node.count)
      let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
      larger.update(from: memory, count: start)
      memory.deallocate()
      memory = larger
    }
    if let base = node.baseAddress { (memory + start).update(from: base, count: node.count) }
    ends.append(start + node.count)
  }

  /// Takes out the nodes from a number on, and says how each stands in its parent.
  package mutating func removeAll(from first: Int, _ body: (Int, NodeReference) -> Void) {
    let count = ends.count - first
    if count == 0 { return }
    withUnsafeTemporaryAllocation(of: UnsafeRawBufferPointer.self, capacity: count) { nodes in
      withUnsafeTemporaryAllocation(of: Hash256.self, capacity: count) { hashes in
        var start = first == 0 ? 0 : ends[first - 1]
        for index in 0..<count {
          let end = ends[first + index]
          let node = UnsafeRawBufferPointer(start: memory + start, count: end - start)
          (nodes.baseAddress! + index).initialize(to: node)
          start = end
        }
        Keccak256.hash(UnsafeBufferPointer(nodes), into: hashes.baseAddress!)
        for index in 0..<count {
          body(
            first + index,
            nodes[index].count < 32
              ? NodeReference(nodes[index].bindMemory(to: UInt8.self))
              : NodeReference(hashes[index]))
        }
      }
    }
    ends.removeLast(count)
  }
}

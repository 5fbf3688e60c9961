public import EVM

/// The hexary Merkle Patricia trie (yellow paper, appendix D) as a set of keys and values: its root
/// and its proofs.
///
/// Keys and values lie in two flat buffers. The root is built in one pass over the sorted keys with
/// a stack of open branches, without nodes on the heap and without recursion.
public struct MerklePatriciaTrie: Sendable {
  struct Entry {
    /// The key's first eight bytes, for sorting.
    var prefix: UInt64
    var keyStart: Int
    var keyCount: Int
    var valueStart: Int
    var valueCount: Int
  }

  var keys: [UInt8] = []
  var values: [UInt8] = []
  var entries: [Entry] = []

  /// The root of a trie without entries: the hash of the empty string's RLP.
  public static var emptyRoot: Hash256 {
    Hash256(
      UInt256(
        0x0162_2FB5_E363_B421, 0x5B48_E01B_996C_ADC0, 0xFF83_45E6_92C0_F86E,
        0x56E8_1F17_1BCC_55A6))
  }

  /// An empty trie with room for `capacity` entries.
  public init(capacity: Int = 0) {
    guard capacity > 0 else { return }
    keys.reserveCapacity(capacity * 32)
    values.reserveCapacity(capacity * 40)
    entries.reserveCapacity(capacity)
  }

  /// Sets the value of a key. The last value counts; an empty one removes the key.
  public mutating func insert(key: [UInt8], value: [UInt8]) {
    key.withUnsafeBufferPointer { key in
      value.withUnsafeBufferPointer { insert(key: key, value: $0) }
    }
  }

  /// Sets the value of the hash of a key, as the state and storage tries do.
  public mutating func insert(hashing key: [UInt8], value: [UInt8]) {
    insert(hash: Keccak256.hash(key), value: value)
  }

  /// Sets the value of a key that is a hash.
  package mutating func insert(hash: Hash256, value: [UInt8]) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { buffer in
      hash.store(bytes: buffer.baseAddress!)
      value.withUnsafeBufferPointer { insert(key: UnsafeBufferPointer(buffer), value: $0) }
    }
  }

  /// Sets the value of a key. The last value counts; an empty one removes the key.
  package mutating func insert(
    key: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>
  ) {
    var prefix: UInt64 = 0
    for index in 0..<8 {
      prefix = prefix << 8 | (index < key.count ? UInt64(key[index]) : 0)
    }
    entries.append(
      Entry(
        prefix: prefix, keyStart: keys.count, keyCount: key.count, valueStart: values.count,
        valueCount: value.count))
    keys.append(contentsOf: key)
    values.append(contentsOf: value)
  }

  /// The root. O(n log n) for the order of the keys, then one hash a node.
  public var root: Hash256 {
    var builder = TrieBuilder(self)
    return builder.build()
  }

  /// The nodes from the root to a key, or to where its path ends when it has no value.
  public func proof(for key: [UInt8]) -> [[UInt8]] {
    var builder = TrieBuilder(self)
    builder.target = key
    _ = builder.build()
    return builder.path.reversed()
  }

  /// The keys and values in the order of the keys, each key once.
  public var sortedEntries: [(key: [UInt8], value: [UInt8])] {
    effectiveEntries.map {
      (
        [UInt8](keys[$0.keyStart..<$0.keyStart + $0.keyCount]),
        [UInt8](values[$0.valueStart..<$0.valueStart + $0.valueCount])
      )
    }
  }

  /// The entries that count, sorted by key.
  var effectiveEntries: [Entry] {
    keys.withUnsafeBufferPointer { keys in
      var sorted = entries
      sorted.sort { a, b in
        if a.prefix != b.prefix { return a.prefix < b.prefix }
        let length = min(a.keyCount, b.keyCount)
        for index in 0..<length {
          let x = keys[a.keyStart &+ index]
          let y = keys[b.keyStart &+ index]
          if x != y { return x < y }
        }
        if a.keyCount != b.keyCount { return a.keyCount < b.keyCount }
        // Equal keys: the one set first stands first.
        return a.keyStart != b.keyStart
          ? a.keyStart < b.keyStart : a.valueStart < b.valueStart
      }
      var result: [Entry] = []
      result.reserveCapacity(sorted.count)
      for index in sorted.indices {
        let entry = sorted[index]
        if index + 1 < sorted.count {
          let next = sorted[index + 1]
          if next.prefix == entry.prefix, next.keyCount == entry.keyCount,
            (0..<entry.keyCount).allSatisfy({
              keys[entry.keyStart + $0] == keys[next.keyStart + $0]
            })
          {
            continue
          }
        }
        if entry.valueCount > 0 { result.append(entry) }
      }
      return result
    }
  }

  /// The root of a trie of items under the RLP of their indexes: transactions, receipts and
  /// withdrawals of a block.
  public static func orderedRoot(_ items: [[UInt8]]) -> Hash256 {
    var trie = MerklePatriciaTrie(capacity: items.count)
    for index in items.indices {
      var key = RLPEncoder()
      key.append(UInt64(index))
      trie.insert(key: key.bytes, value: items[index])
    }
    return trie.root
  }
}

public import EVM
import Ethereum

/// A trie of keys of 32 bytes in 256 parts, one for each first byte of a key, which are changed and
/// hashed by many threads at once.
public final class ShardedTrie {
  /// One part. A thread has it for itself while it works on it.
  private final class Shard: @unchecked Sendable {
    var trie = PatriciaTrie()
  }

  private let shards = (0..<256).map { _ in Shard() }
  /// Threads at once.
  public var workers: Int

  /// An empty trie whose work is done by so many threads.
  public init(workers: Int) { self.workers = workers }

  /// How many entries there are.
  public var count: Int { shards.reduce(0) { $0 + $1.trie.count } }

  /// Sets the values of keys, in the order of the rows; an empty value removes its key.
  public func set(_ keys: [Hash256], _ values: ByteColumn) {
    let places = Self.places(keys.count) { keys[$0] }
    let shards = shards
    Workers.run(256, on: workers) { place in
      for row in places[place] {
        values.withRow(Int(row)) { shards[place].trie.set(keys[Int(row)].word, $0) }
      }
    }
  }

  /// Sets the values that `entry` gives for rows, which it may take any time to find: it gets the
  /// part, the row, and a writer of its thread.
  func change(
    _ rows: [[Int32]],
    _ entry: @Sendable (Int, Int, inout NodeWriter) -> (key: Hash256, value: [UInt8])
  ) {
    let shards = shards
    Workers.run(256, on: workers) { place in
      if rows[place].isEmpty { return }
      var writer = NodeWriter()
      for row in rows[place] {
        let (key, value) = entry(place, Int(row), &writer)
        value.withUnsafeBufferPointer { shards[place].trie.set(key.word, $0) }
      }
    }
  }

  /// The rows of each part, by their keys.
  static func places(_ count: Int, _ key: (Int) -> Hash256) -> [[Int32]] {
    var rows = [[Int32]](repeating: [], count: 256)
    for row in 0..<count { rows[key(row).word.firstByte].append(Int32(row)) }
    return rows
  }

  /// The value of a key; `nil` where it has none.
  public func value(of key: Hash256) -> [UInt8]? {
    shards[key.word.firstByte].trie.value(of: key.word)
  }

  /// The root. Hashes what changed since the last one.
  public func root() -> Hash256 {
    hashShards()
    var writer = NodeWriter()
    guard let top = TopNodes(references(&writer), writer: &writer) else {
      return MerklePatriciaTrie.emptyRoot
    }
    if let only = top.onlyShard { return shards[only].trie.root(&writer) }
    return Keccak256.hash(top.root)
  }

  /// The nodes from the root to a key, or to where its path ends when it has no value; as
  /// `MerklePatriciaTrie.verify` takes them.
  public func proof(of key: Hash256) -> [[UInt8]] {
    hashShards()
    var writer = NodeWriter()
    guard let top = TopNodes(references(&writer), writer: &writer) else { return [] }
    let place = key.word.firstByte
    var nodes: [[UInt8]]
    if let only = top.onlyShard {
      nodes = shards[only].trie.proof(of: key.word, start: 0, &writer)
    } else {
      let (above, start) = top.path(to: place)
      nodes = above
      if let start {
        let shard = top.shard(below: place) ?? place
        nodes += shards[shard].trie.proof(of: key.word, start: start, &writer)
      }
    }
    // A node that stands inside its parent is no node of a proof.
    return nodes.enumerated().filter { $0.offset == 0 || $0.element.count >= 32 }.map(\.element)
  }

  private func hashShards() {
    let shards = shards
    let starts = starts
    Workers.run(256, on: workers) { place in
      if shards[place].trie.isEmpty { return }
      var writer = NodeWriter()
      _ = shards[place].trie.reference(start: starts[place], &writer)
    }
  }

  /// The nibble at which each part's path begins: 2 below a branch of two nibbles, 1 where the part
  /// is the only one of its first nibble, 0 where it is the only one.
  private var starts: [Int] {
    var perNibble = [Int](repeating: 0, count: 16)
    for place in 0..<256 where !shards[place].trie.isEmpty { perNibble[place >> 4] += 1 }
    let nibbles = perNibble.count { $0 > 0 }
    return (0..<256).map { place in
      if perNibble[place >> 4] > 1 { return 2 }
      return nibbles > 1 ? 1 : 0
    }
  }

  private func references(_ writer: inout NodeWriter) -> [NodeReference?] {
    let starts = starts
    var references: [NodeReference?] = []
    for place in 0..<256 {
      references.append(shards[place].trie.reference(start: starts[place], &writer))
    }
    return references
  }
}

/// The nodes above the 256 parts of a trie: the branch at the root, and those of the first nibble.
private struct TopNodes {
  /// The part that all keys are in; the trie is that part then.
  private(set) var onlyShard: Int?
  /// The topmost node.
  private(set) var root: [UInt8] = []

  /// The branch below a first nibble that has several parts.
  private var branches = [[UInt8]?](repeating: nil, count: 16)
  /// The parts below each first nibble.
  private var places = [[Int]](repeating: [], count: 16)
  /// The only first nibble, above whose branch stands an extension.
  private var onlyNibble: Int?

  /// The nodes over the parts' references; `nil` when there is no part.
  init?(_ references: [NodeReference?], writer: inout NodeWriter) {
    for place in 0..<256 where references[place] != nil { places[place >> 4].append(place) }
    let used = (0..<16).filter { !places[$0].isEmpty }
    guard let first = used.first else { return nil }
    if used.count == 1, places[first].count == 1 {
      onlyShard = places[first][0]
      return
    }
    var children = [NodeReference?](repeating: nil, count: 16)
    for nibble in used {
      if places[nibble].count == 1 {
        children[nibble] = references[places[nibble][0]]
        continue
      }
      writer.beginBranch()
      for low in 0..<16 { writer.append(child: references[nibble << 4 | low]) }
      writer.closeBranch()
      children[nibble] = writer.reference()
      branches[nibble] = [UInt8](writer.node)
    }
    if used.count == 1, let child = children[first] {
      onlyNibble = first
      writer.writeExtension(UInt256(UInt64(first)) << 252, from: 0, to: 1, child)
    } else {
      writer.beginBranch()
      for nibble in 0..<16 { writer.append(child: children[nibble]) }
      writer.closeBranch()
    }
    root = [UInt8](writer.node)
  }

  /// The nodes above a part, and the nibble at which the part's path begins; `nil` where the way to
  /// it ends above.
  func path(to place: Int) -> ([[UInt8]], start: Int?) {
    let nibble = place >> 4
    if let onlyNibble, onlyNibble != nibble { return ([root], nil) }
    if let branch = branches[nibble] {
      return ([root, branch], places[nibble].contains(place) ? 2 : nil)
    }
    return ([root], places[nibble].isEmpty ? nil : 1)
  }

  /// The part that the way to another one of the same first nibble leads to, where it is the only one.
  func shard(below place: Int) -> Int? {
    branches[place >> 4] == nil ? places[place >> 4].first : nil
  }
}

extension UInt256 {
  /// The highest of the 32 bytes.
  var firstByte: Int { Int(truncatingIfNeeded: limb3 >> 56) }
}

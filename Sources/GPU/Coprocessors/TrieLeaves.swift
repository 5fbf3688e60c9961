import Coprocessors
import EVM
import Foundation
import Synchronization

/// The leaves of many tries, a batch's, in the order of tries and keys: columns for `TrieKernel`.
///
/// Requests are read by all cores. A trie with a value that one lane would take long for is the
/// host's.
struct TrieLeaves {
  /// What becomes of a request.
  enum Form: Sendable { case refused, empty, filled, host }

  /// The leaves of one trie while its request is read.
  struct Row {
    /// A leaf: its key with zeros behind it, the key's bytes, and where the value lies in the batch.
    struct Leaf {
      var key: UInt256
      var length = 32
      var value: Range<Int>
    }

    /// In the order in which they were set; the last one of a key counts, one without value is none.
    var leaves: [Leaf] = []

    /// Sorts the leaves, and leaves those that count.
    mutating func settle() {
      var order = Array(leaves.indices)
      order.sort { one, other in
        if leaves[one].key != leaves[other].key { return leaves[one].key < leaves[other].key }
        if leaves[one].length != leaves[other].length {
          return leaves[one].length < leaves[other].length
        }
        return one < other
      }
      var settled: [Leaf] = []
      settled.reserveCapacity(leaves.count)
      for (place, index) in order.enumerated() {
        let leaf = leaves[index]
        if place + 1 < order.count {
          let next = leaves[order[place + 1]]
          if next.key == leaf.key, next.length == leaf.length { continue }
        }
        if !leaf.value.isEmpty { settled.append(leaf) }
      }
      leaves = settled
    }
  }

  /// Reads the leaves of a request that begins at a place among the batch's bytes, sorted; false
  /// when it is malformed.
  typealias Reader = @Sendable (UnsafeBufferPointer<UInt8>, Int, inout Row) -> Bool

  /// The longest value of a lane, which does some 30 MB/s.
  static let laneLimit = 1 << 18

  private(set) var forms: [Form] = []
  private(set) var keys: [UInt256] = []
  private(set) var lengths: [UInt8] = []
  private(set) var tries: [UInt32] = []
  /// Where each value lies in the requests' bytes, and its size in the high half.
  private(set) var places: [UInt64] = []

  init(_ requests: ByteColumn, _ reader: @escaping Reader) {
    let workers = ProcessInfo.processInfo.activeProcessorCount
    let size = max(1, (requests.count + workers * 8 - 1) / (workers * 8))
    let pieces = (requests.count + size - 1) / size
    let done = Mutex([TrieLeaves?](repeating: nil, count: pieces))
    Workers.run(pieces, on: workers) { piece in
      let part = TrieLeaves(
        requests, rows: piece * size..<min(requests.count, (piece + 1) * size), reader)
      done.withLock { $0[piece] = part }
    }
    for part in done.withLock({ $0.compactMap { $0 } }) {
      forms += part.forms
      keys += part.keys
      lengths += part.lengths
      tries += part.tries
      places += part.places
    }
  }

  private init(_ requests: ByteColumn, rows: Range<Int>, _ reader: Reader) {
    var leaves = Row()
    for row in rows {
      leaves.leaves.removeAll(keepingCapacity: true)
      let start = requests.range(row).lowerBound
      guard requests.withRow(row, { reader($0, start, &leaves) }) else {
        forms.append(.refused)
        continue
      }
      if leaves.leaves.contains(where: { $0.value.count > Self.laneLimit }) {
        forms.append(.host)
        continue
      }
      forms.append(leaves.leaves.isEmpty ? .empty : .filled)
      for leaf in leaves.leaves {
        keys.append(leaf.key)
        lengths.append(UInt8(leaf.length))
        tries.append(UInt32(row))
        places.append(UInt64(leaf.value.lowerBound) | UInt64(leaf.value.count) << 32)
      }
    }
  }
}

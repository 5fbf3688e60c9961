import Coprocessors
import EVM
import Ethereum
import Kernels

/// Roots of tries on a machine of lanes: the tries of a batch side by side, hashed by level.
class TrieOperation: LaneOperation {
  let coprocessor: any Coprocessor
  private let isHashed: Bool
  private let reader: TrieLeaves.Reader
  private var trie: LaneTrie?
  private var keys = GrowingMemory()
  private var lengths = GrowingMemory()
  private var tries = GrowingMemory()
  private var bytes = GrowingMemory()
  private var places = GrowingMemory()

  /// A coprocessor whose results are roots, whether all keys of its tries have 32 bytes, and how its
  /// requests are read.
  init(_ coprocessor: any Coprocessor, isHashed: Bool, _ reader: @escaping TrieLeaves.Reader) {
    self.coprocessor = coprocessor
    self.isHashed = isHashed
    self.reader = reader
  }

  func prepare(_ requests: ByteColumn, on machine: any CoprocessorMachine)
    throws(CoprocessorError) -> PreparedBatch
  {
    // Places of values are numbers of 32 bits.
    guard requests.bytes.count <= UInt32.max else {
      throw CoprocessorError(
        .memoryExhausted,
        "\(machine.name): a batch of \(requests.bytes.count) bytes is too large; it takes 4 GiB")
    }
    let leaves = TrieLeaves(requests, reader)
    let count = requests.count
    let trie = self.trie ?? LaneTrie(machine)
    self.trie = trie
    if !leaves.keys.isEmpty {
      let keys = try self.keys.room(leaves.keys.count * 32, on: machine)
      let tries = try self.tries.room(leaves.keys.count * 4, on: machine)
      let bytes = try self.bytes.room(requests.bytes.count, on: machine)
      let places = try self.places.room(leaves.keys.count * 8, on: machine)
      let lengths = isHashed ? nil : try self.lengths.room(leaves.keys.count, on: machine)
      try machine.upload(leaves.keys, to: keys)
      try machine.upload(leaves.tries, to: tries)
      try machine.upload(requests.bytes, to: bytes)
      try machine.upload(leaves.places, to: places)
      if let lengths { try machine.upload(leaves.lengths, to: lengths) }
      try trie.take(
        count: leaves.keys.count, keys: keys, tries: tries, lengths: lengths, trieCount: count,
        values: TrieValues(
          bytes: UnsafePointer(bytes.pointer(UInt8.self)),
          places: UnsafePointer(places.pointer(UInt64.self))))
    }
    let execute = { () throws(CoprocessorError) in
      if leaves.keys.isEmpty { return }
      try trie.form()
      try trie.hashLeaves()
      try trie.hashBranches()
    }
    let collect = { [coprocessor] () throws(CoprocessorError) -> CoprocessorResults in
      let roots = leaves.keys.isEmpty ? [] : try trie.downloadRoots(count)
      var results = CoprocessorResults(rows: count, bytes: count * 32)
      for row in 0..<count {
        switch leaves.forms[row] {
        case .refused: results.append([UInt8]?.none)
        case .empty: results.append(MerklePatriciaTrie.emptyRoot.bytes)
        case .filled: results.append(roots[row * 32..<row * 32 + 32])
        case .host: results.append(requests.withRow(row) { coprocessor.reference($0) })
        }
      }
      return results
    }
    return PreparedBatch(execute: execute, collect: collect)
  }
}

import Coprocessors
import EVM
import Ethereum
import Kernels

/// `stateRoot` on a machine of lanes: the tries of a batch side by side.
final class StateRootOperation: LaneOperation {
  let coprocessor: any Coprocessor = StateRootCoprocessor()
  private var trie: LaneTrie?
  private var keys = GrowingMemory()
  private var tries = GrowingMemory()
  private var bytes = GrowingMemory()
  private var places = GrowingMemory()

  func prepare(_ requests: ByteColumn, on machine: any CoprocessorMachine)
    throws(CoprocessorError) -> PreparedBatch
  {
    let leaves = Leaves(requests)
    let count = requests.count
    let trie = self.trie ?? LaneTrie(machine)
    self.trie = trie
    if !leaves.keys.isEmpty {
      let keys = try self.keys.room(leaves.keys.count * 32, on: machine)
      let tries = try self.tries.room(leaves.keys.count * 4, on: machine)
      let bytes = try self.bytes.room(requests.bytes.count, on: machine)
      let places = try self.places.room(leaves.keys.count * 8, on: machine)
      try machine.upload(leaves.keys, to: keys)
      try machine.upload(leaves.tries, to: tries)
      try machine.upload(requests.bytes, to: bytes)
      try machine.upload(leaves.places, to: places)
      try trie.take(
        count: leaves.keys.count, keys: keys, tries: tries, trieCount: count,
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
    let collect = { () throws(CoprocessorError) -> CoprocessorResults in
      let roots = leaves.keys.isEmpty ? [] : try trie.downloadRoots(count)
      var results = CoprocessorResults(rows: count, bytes: count * 32)
      for row in 0..<count {
        switch leaves.forms[row] {
        case .refused: results.append([UInt8]?.none)
        case .empty: results.append(MerklePatriciaTrie.emptyRoot.bytes)
        case .filled: results.append(roots[row * 32..<row * 32 + 32])
        }
      }
      return results
    }
    return PreparedBatch(execute: execute, collect: collect)
  }

  /// The entries that are left of all requests, in the order of rows and keys.
  private struct Leaves {
    enum Form { case refused, empty, filled }

    var forms: [Form] = []
    var keys: [UInt256] = []
    var tries: [UInt32] = []
    /// Where each value lies in the requests' bytes, and its size in the high half.
    var places: [UInt64] = []

    init(_ requests: ByteColumn) {
      for row in 0..<requests.count {
        let start = requests.range(row).lowerBound
        var last: [UInt256: UInt64] = [:]
        let isRead = requests.withRow(row) { request in
          StateRootCoprocessor.forEachEntry(request) { key, value in
            guard let from = value.baseAddress, let base = request.baseAddress, !value.isEmpty
            else {
              last[key.word] = nil
              return
            }
            last[key.word] = UInt64(start + (from - base)) | UInt64(value.count) << 32
          }
        }
        guard isRead else {
          forms.append(.refused)
          continue
        }
        forms.append(last.isEmpty ? .empty : .filled)
        for (key, place) in last.sorted(by: { $0.key < $1.key }) {
          keys.append(key)
          tries.append(UInt32(row))
          places.append(place)
        }
      }
    }
  }
}

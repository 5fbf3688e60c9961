import Coprocessors
import EVM
import Kernels

/// Proofs of many keys at once on a machine, and the memory for them; see `TrieProofKernel`.
struct ProofMemory {
  private var keys = GrowingMemory()
  private var tries = GrowingMemory()
  private var records = GrowingMemory()
  private var used = GrowingMemory()

  /// What a proof usually takes: six branches and a leaf.
  private static let usualBytes = 4096

  /// The nodes on the way to keys in tries that are hashed, from the roots on.
  mutating func proofs(
    of wanted: [(trie: UInt32, key: UInt256)], in trie: TrieKernel.Arguments,
    on machine: any CoprocessorMachine
  ) throws(CoprocessorError) -> [[[UInt8]]] {
    precondition(wanted.count <= UInt32.max, "keys are numbered with 32 bits")
    if wanted.isEmpty { return [] }
    let keys = try self.keys.room(wanted.count * 32, on: machine)
    let tries = try self.tries.room(wanted.count * 4, on: machine)
    let used = try self.used.room(8, on: machine)
    try machine.upload(wanted.map(\.key), to: keys)
    try machine.upload(wanted.map(\.trie), to: tries)
    var capacity = wanted.count * Self.usualBytes
    while true {
      let records = try self.records.room(capacity, on: machine)
      try machine.upload([0 as UInt64], to: used)
      try machine.run(
        .trieProve, lanes: wanted.count,
        with: TrieProofKernel.Arguments(
          trie: trie, keys: UnsafePointer(keys.pointer(SIMD2<UInt64>.self)),
          tries: UnsafePointer(tries.pointer(UInt32.self)), count: wanted.count,
          records: records.pointer(UInt64.self), capacity: UInt64(capacity),
          used: used.pointer(UInt64.self)))
      let bytes = Int(try machine.download(used, count: 1, as: UInt64.self)[0])
      if bytes <= capacity {
        let words = try machine.download(records, count: bytes / 8, as: UInt64.self)
        return Self.proofs(wanted.count, words)
      }
      // The sizes are known now.
      capacity = bytes
    }
  }

  /// The nodes of each key from the root on. Records lie in any order, each key's numbered upwards
  /// from its deepest node.
  private static func proofs(_ count: Int, _ words: [UInt64]) -> [[[UInt8]]] {
    var nodes = [[(order: UInt64, node: [UInt8])]](repeating: [], count: count)
    words.withUnsafeBytes { bytes in
      var place = 0
      while place < words.count {
        let (key, order) = (Int(words[place] & 0xFFFF_FFFF), words[place] >> 32)
        let size = Int(words[place + 1])
        place += TrieProofKernel.headerWords
        nodes[key].append((order, [UInt8](bytes[place * 8..<place * 8 + size])))
        place += (size + 7) / 8
      }
    }
    return nodes.map { nodes in nodes.sorted { $0.order > $1.order }.map(\.node) }
  }
}

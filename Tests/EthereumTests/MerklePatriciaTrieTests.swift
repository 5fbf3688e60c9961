import EVM
import Ethereum
import Testing

@Suite struct MerklePatriciaTrieTests {
  /// A random set: keys of one length or of any, with common beginnings, values short and long.
  private func entries(_ random: inout SplitMix64) -> [[UInt8]: [UInt8]] {
    let count = random.below(40)
    let length = random.below(2) == 0 ? nil : 1 + random.below(32)
    let stems = (0..<4).map { _ in random.bytes(random.below(8)) }
    var entries: [[UInt8]: [UInt8]] = [:]
    for _ in 0..<count {
      var key = stems[random.below(4)] + random.bytes(random.below(4)).map { $0 & 0x13 }
      if let length {
        key = Array((key + [UInt8](repeating: 0, count: length)).prefix(length))
      }
      entries[key] = random.bytes(1 + random.below(random.below(3) == 0 ? 100 : 6))
    }
    return entries
  }

  @Test func rootsAreThoseOfThePlainDefinition() {
    var random = SplitMix64(seed: 21)
    for _ in 0..<2000 {
      let entries = entries(&random)
      var trie = MerklePatriciaTrie()
      for (key, value) in entries { trie.insert(key: key, value: value) }
      #expect(trie.root == ReferenceTrie.root(entries))
    }
  }

  @Test func theLastValueCountsAndAnEmptyOneRemoves() {
    var trie = MerklePatriciaTrie()
    trie.insert(key: [1], value: [1])
    trie.insert(key: [2], value: [2])
    trie.insert(key: [1], value: [3])
    trie.insert(key: [2], value: [])
    #expect(trie.root == ReferenceTrie.root([[1]: [3]]))
    trie.insert(key: [1], value: [])
    #expect(trie.root == MerklePatriciaTrie.emptyRoot)
    #expect(trie.sortedEntries.isEmpty)
  }

  @Test func indexedRootsHaveTheRLPOfTheIndexAsKey() {
    for count in [0, 1, 2, 127, 128, 129, 300] {
      let items = (0..<count).map { [UInt8](repeating: UInt8($0 & 0xFF), count: 1 + $0 % 50) }
      var entries: [[UInt8]: [UInt8]] = [:]
      for (index, item) in items.enumerated() {
        var encoder = RLPEncoder()
        encoder.append(UInt64(index))
        entries[encoder.bytes] = item
      }
      #expect(MerklePatriciaTrie.orderedRoot(items) == ReferenceTrie.root(entries))
    }
  }

  @Test func proofsShowValuesAndTheirAbsence() throws {
    var random = SplitMix64(seed: 22)
    for _ in 0..<500 {
      let entries = entries(&random)
      var trie = MerklePatriciaTrie()
      for (key, value) in entries { trie.insert(key: key, value: value) }
      let root = trie.root
      var keys = Array(entries.keys.prefix(4))
      keys.append(random.bytes(random.below(8)))
      keys.append([])
      if let first = keys.first { keys.append(first + [0]) }
      for key in keys {
        let proof = trie.proof(for: key)
        #expect(try MerklePatriciaTrie.verify(proof: proof, of: key, root: root) == entries[key])
      }
    }
  }

  @Test func proofsThatWereChangedAreRefused() throws {
    var random = SplitMix64(seed: 23)
    var trie = MerklePatriciaTrie()
    for index in 0..<100 { trie.insert(hashing: [UInt8(index)], value: random.bytes(40)) }
    let key = Keccak256.hash([5]).bytes
    let root = trie.root
    let proof = trie.proof(for: key)
    #expect(proof.count >= 2)
    #expect(throws: FormatError.self) {
      try MerklePatriciaTrie.verify(proof: proof.dropLast(), of: key, root: root)
    }
    #expect(throws: FormatError.self) {
      try MerklePatriciaTrie.verify(proof: proof + [proof[0]], of: key, root: root)
    }
    #expect(throws: FormatError.self) {
      try MerklePatriciaTrie.verify(proof: [], of: key, root: root)
    }
    for node in proof.indices {
      for index in proof[node].indices {
        var changed = proof
        changed[node][index] ^= 1
        #expect(throws: FormatError.self) {
          try MerklePatriciaTrie.verify(proof: changed, of: key, root: root)
        }
      }
    }
  }

  @Test func anAccountIsItsFourFields() {
    let account = Allocation.Account(
      nonce: 1, balance: 2, code: [0x60], storage: [1: 2, 3: .zero])
    var storage = MerklePatriciaTrie()
    storage.insert(hashing: UInt256(1).bytes, value: [2])
    let tree = RLP.list([
      .string([1]), .string([2]), .string(storage.root.bytes),
      .string(Keccak256.hash([0x60]).bytes),
    ])
    #expect(account.encoded == tree.encoded)
    let address = Address(number: 77)
    var trie = MerklePatriciaTrie()
    trie.insert(hashing: address.bytes, value: tree.encoded)
    #expect(Allocation([address: account]).stateRoot == trie.root)
    #expect(Allocation().stateRoot == MerklePatriciaTrie.emptyRoot)
  }
}

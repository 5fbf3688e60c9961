import EVM
import Ethereum
import Testing

@testable import Coprocessors

/// The tries that stay against the trie that is built anew.
struct TrieTests {
  /// A key; many share many nibbles with others.
  private static func key(_ random: inout RequestGenerator, among known: [Hash256]) -> Hash256 {
    guard !known.isEmpty, random.next(below: 3) > 0 else { return Hash256(random.word()) }
    let base = known[random.next(below: known.count)]
    switch random.next(below: 4) {
    case 0: return base
    case 1: return Hash256(base.word ^ UInt256(UInt64(1 + random.next(below: 15))))
    default:
      return Hash256(base.word ^ (random.word() >> UInt64(4 * random.next(below: 64))))
    }
  }

  private static func rebuilt(_ entries: [Hash256: [UInt8]]) -> MerklePatriciaTrie {
    var trie = MerklePatriciaTrie(capacity: entries.count)
    for (key, value) in entries { trie.insert(key: key.bytes, value: value) }
    return trie
  }

  @Test(arguments: [1, 2, 3, 4, 5, 6])
  func rootsAndProofsAreThoseOfATrieBuiltAnew(_ seed: UInt64) throws {
    var random = RequestGenerator(seed: seed)
    let trie = ShardedTrie(workers: Int(1 + seed % 3))
    var entries: [Hash256: [UInt8]] = [:]
    // Small seeds keep few keys, so that the top has every form.
    let most = [3, 6, 20, 60, 300, 1200][Int(seed) - 1]
    for round in 0..<150 {
      var keys: [Hash256] = []
      var values = ByteColumn()
      let known = entries.keys.sorted { $0.word < $1.word }
      for _ in 0..<(1 + random.next(below: max(1, most / 3))) {
        let key = Self.key(&random, among: known + keys)
        let removes = entries.count >= most || random.next(below: 4) == 0
        let value = removes ? [] : random.bytes(1 + random.next(below: 90))
        keys.append(key)
        values.append(value)
        entries[key] = value.isEmpty ? nil : value
      }
      if round % 40 == 39 {
        for key in known {
          keys.append(key)
          values.append([])
          entries[key] = nil
        }
      }
      trie.set(keys, values)
      let expected = Self.rebuilt(entries)
      let root = trie.root()
      #expect(root == expected.root, "seed \(seed), round \(round)")
      #expect(trie.count == entries.count)
      for key in keys.prefix(4) + [Hash256(random.word())] {
        #expect(trie.value(of: key) == entries[key])
        let proof = trie.proof(of: key)
        #expect(proof == expected.proof(for: key.bytes), "seed \(seed), round \(round)")
        #expect(
          try MerklePatriciaTrie.verify(proof: proof, of: key.bytes, root: root) == entries[key])
      }
    }
  }

  @Test func changedSizesOfValuesLeaveNoWaste() {
    let trie = ShardedTrie(workers: 1)
    var entries: [Hash256: [UInt8]] = [:]
    for round in 0..<60 {
      var keys: [Hash256] = []
      var values = ByteColumn()
      for number in 0..<40 {
        let key = Hash256(UInt256(UInt64(number)))
        let value = [UInt8](repeating: UInt8(round + 1), count: 2000 + (round * 7 + number) % 13)
        keys.append(key)
        values.append(value)
        entries[key] = value
      }
      trie.set(keys, values)
    }
    #expect(trie.root() == Self.rebuilt(entries).root)
  }

  @Test(arguments: [11, 12, 13])
  func stateRootsAreThoseOfTheAccounts(_ seed: UInt64) throws {
    var random = RequestGenerator(seed: seed)
    let state = StateTrie(workers: 2)
    var accounts: [Address: Allocation.Account] = [:]
    let addresses = (0..<60).map { _ in Address(random.word()) }
    let slots = (0..<40).map { _ in random.word() >> UInt64(random.next(below: 250)) }
    for round in 0..<40 {
      var changes = StateChanges()
      for address in addresses where random.next(below: 4) == 0 {
        let key = Keccak256.hash(address)
        if random.next(below: 5) == 0 {
          accounts[address] = nil
          changes.accounts.append(StateChanges.Account(key: key, fields: nil))
          continue
        }
        var account = accounts[address] ?? Allocation.Account()
        account.nonce = random.next() >> 32
        account.balance = random.word()
        account.code = random.next(below: 2) == 0 ? [] : random.bytes(5)
        let wipes = random.next(below: 6) == 0
        if wipes { account.storage = [:] }
        let first = changes.slots.count
        for slot in slots where random.next(below: 5) == 0 {
          let value = random.next(below: 3) == 0 ? UInt256.zero : random.word() >> 100
          account.storage[slot] = value.isZero ? nil : value
          changes.slots.append((Keccak256.hash(slot), value))
        }
        changes.accounts.append(
          StateChanges.Account(
            key: key, fields: (account.nonce, account.balance, account.codeHash),
            wipesStorage: wipes, slots: first..<changes.slots.count))
        accounts[address] = account
      }
      let root = state.commit(changes)
      #expect(root == Allocation(accounts).stateRoot, "seed \(seed), round \(round)")
      guard let (address, account) = accounts.min(by: { $0.key < $1.key }) else { continue }
      let key = Keccak256.hash(address)
      #expect(
        try MerklePatriciaTrie.verify(
          proof: state.proof(ofAccount: key), of: key.bytes, root: root) == account.encoded)
      for slot in slots.prefix(3) {
        let slotKey = Keccak256.hash(slot)
        let value = try MerklePatriciaTrie.verify(
          proof: state.proof(ofSlot: slotKey, account: key), of: slotKey.bytes,
          root: account.storageRoot)
        let expected = account.storage[slot] ?? .zero
        #expect((value == nil) == expected.isZero)
        if let value { #expect(value == RLPEncoder.encoding(expected)) }
      }
    }
  }
}

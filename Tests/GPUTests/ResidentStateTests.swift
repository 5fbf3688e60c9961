import Coprocessors
import EVM
import Ethereum
import Testing

@testable import GPU

/// The state on a machine of lanes against the CPU's, block after block: roots and proofs.
@Suite struct ResidentStateTests {
  @Test(arguments: [(1, 3), (2, 20), (3, 80), (4, 300)])
  func rootsAndProofsAreThoseOfTheCPU(_ seed: UInt64, _ most: Int) throws {
    var random = RandomStateChanges(seed: seed, most: most)
    var comparison = StateComparison(ResidentState(on: HostCoprocessorMachine()))
    for round in 0..<30 {
      try comparison.commit(random.next(), "seed \(seed), round \(round)")
      try comparison.prove(
        random.accountKeys(12), random.slotKeys(12), "seed \(seed), round \(round)")
    }
    #expect(comparison.differences == [])
    #expect(comparison.roots == 30)
    #expect(comparison.proofs == 30 * 24)
  }

  private static func account(_ key: UInt256, nonce: UInt64 = 1) -> StateChanges.Account {
    StateChanges.Account(key: Hash256(key), fields: (nonce, .one, .emptyCode))
  }

  private static func changes(_ accounts: [StateChanges.Account]) -> StateChanges {
    var changes = StateChanges()
    changes.accounts = accounts
    return changes
  }

  private static func gone(_ key: UInt256) -> StateChanges.Account {
    StateChanges.Account(key: Hash256(key), fields: nil)
  }

  /// No key, one, two that share 63 nibbles, a branch for each nibble, and their collapse.
  @Test func edgesOfTheAccountTrie() throws {
    let one = UInt256(1) << 200
    let sibling = one ^ .one
    let ladder = (0..<64).map { UInt256.one << UInt64(4 * $0) }
    let steps: [(String, [StateChanges.Account], [UInt256])] = [
      ("nothing", [], [one]),
      ("a deletion of nothing", [Self.gone(one)], [one]),
      ("one", [Self.account(one)], [one, sibling, .zero]),
      ("one changed", [Self.account(one, nonce: 2)], [one]),
      ("63 nibbles shared", [Self.account(sibling)], [one, sibling, one ^ UInt256(2), .zero]),
      ("one of them gone", [Self.gone(one)], [one, sibling]),
      ("none left", [Self.gone(sibling)], [one]),
      ("a branch for each nibble", ladder.map { Self.account($0) }, ladder + [.zero, one]),
      ("all but one gone", ladder.dropLast().map { Self.gone($0) }, ladder),
      ("that one gone", [Self.gone(ladder[63])], ladder),
    ]
    var comparison = StateComparison(ResidentState(on: HostCoprocessorMachine()))
    for (name, accounts, keys) in steps {
      try comparison.commit(Self.changes(accounts), name)
      try comparison.prove(keys.map { Hash256($0) }, [], name)
    }
    #expect(comparison.differences == [])
    #expect(try comparison.lanes.commit(StateChanges()) == MerklePatriciaTrie.emptyRoot)
  }

  /// The same for slots: nodes of less than 32 bytes stand in their parents.
  @Test func edgesOfAStorageTrie() throws {
    let owner = Hash256(UInt256(0xABCD))
    let first = UInt256(3) << 248
    let steps: [(String, [(UInt256, UInt64)])] = [
      ("one", [(first, 1)]), ("63 nibbles shared", [(first ^ .one, 2)]),
      ("sixteen", (0..<16).map { (first ^ UInt256(UInt64($0)), UInt64($0 + 1)) }),
      ("another first nibble", [(.zero, 9)]),
      ("fifteen gone", (0..<15).map { (first ^ UInt256(UInt64($0)), 0) }),
      ("all gone", [(first ^ UInt256(15), 0), (.zero, 0)]),
    ]
    var comparison = StateComparison(ResidentState(on: HostCoprocessorMachine()))
    for (name, slots) in steps {
      var changes = StateChanges()
      changes.slots = slots.map { (Hash256($0.0), UInt256($0.1)) }
      changes.accounts = [
        StateChanges.Account(
          key: owner, fields: (1, .one, .emptyCode), slots: 0..<changes.slots.count)
      ]
      try comparison.commit(changes, name)
      let keys = slots.map { Hash256($0.0) } + [Hash256(first ^ UInt256(31)), .zero]
      try comparison.prove([owner], keys.map { (owner, $0) } + [(.zero, .zero)], name)
    }
    #expect(comparison.differences == [])
  }

  /// What a proof says is what the state has, under the root alone.
  @Test func proofsVerify() throws {
    var random = RandomStateChanges(seed: 77, most: 60)
    let lanes = ResidentState(on: HostCoprocessorMachine())
    var last: [Hash256: (nonce: UInt64, balance: UInt256, codeHash: Hash256)?] = [:]
    var root = MerklePatriciaTrie.emptyRoot
    for _ in 0..<12 {
      let changes = random.next()
      for account in changes.accounts { last[account.key] = account.fields }
      root = try lanes.commit(changes)
    }
    let keys = last.keys.sorted { $0.word < $1.word } + random.accountKeys(50)
    var present = 0
    for (key, proof) in zip(keys, try lanes.proofs(ofAccounts: keys)) {
      let value = try MerklePatriciaTrie.verify(proof: proof, of: key.bytes, root: root)
      #expect((value == nil) == ((last[key] ?? nil) == nil))
      if value != nil { present += 1 }
    }
    #expect(present > 50)
    #expect(present < keys.count)
  }

  /// Where the first room does not do, the second does.
  @Test func manyDeepProofsFindTheirRoom() throws {
    let ladder = (0..<64).map { UInt256.one << UInt64(4 * $0) }
    var comparison = StateComparison(ResidentState(on: HostCoprocessorMachine()))
    try comparison.commit(Self.changes(ladder.map { Self.account($0) }), "ladder")
    // A proof of the deepest key has 64 nodes and more, some 8 KB.
    try comparison.prove(Array(repeating: Hash256(.one), count: 40), [], "deep")
    #expect(comparison.differences == [])
  }

  @Test func aStateThatWasForgottenBeginsAnew() throws {
    let lanes = ResidentState(on: HostCoprocessorMachine())
    for seed in [5, 6] as [UInt64] {
      var random = RandomStateChanges(seed: seed, most: 40)
      var comparison = StateComparison(lanes)
      for round in 0..<4 { try comparison.commit(random.next(), "seed \(seed), round \(round)") }
      #expect(comparison.differences == [])
    }
  }
}

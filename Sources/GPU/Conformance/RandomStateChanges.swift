package import Coprocessors
package import EVM

/// Random changes of a state, round after round, that meet what tries can look like: keys that share
/// up to 63 nibbles with others, inserts, updates and deletes of accounts and slots, wiped storages,
/// rounds of updates alone, and all deleted now and then.
package struct RandomStateChanges {
  private var random: RequestGenerator
  private let most: Int
  private var accounts: [Hash256] = []
  private var slots: [Hash256] = []
  private var round = 0
  /// Accounts and slots of all changes so far.
  package private(set) var count = 0

  /// Changes of at most `most` accounts a round; the same for the same seed.
  package init(seed: UInt64, most: Int) {
    random = RequestGenerator(seed: seed)
    self.most = most
  }

  private mutating func key(among known: [Hash256]) -> Hash256 {
    guard !known.isEmpty, random.next(below: 3) > 0 else { return Hash256(random.word()) }
    let base = known[random.next(below: known.count)]
    switch random.next(below: 4) {
    case 0: return base
    case 1: return Hash256(base.word ^ UInt256(UInt64(1 + random.next(below: 15))))
    default:
      return Hash256(base.word ^ (random.word() >> UInt64(4 * random.next(below: 64))))
    }
  }

  /// The next round's changes.
  package mutating func next() -> StateChanges {
    defer { round += 1 }
    var changes = StateChanges()
    if round % 25 == 20 {
      // In a fixed order, so that a seed stands for one sequence.
      for key in Set(accounts).sorted(by: { $0.word < $1.word }) {
        changes.accounts.append(StateChanges.Account(key: key, fields: nil))
      }
      accounts = []
      slots = []
      count += changes.accounts.count
      return changes
    }
    let updates = round % 3 == 2 && !accounts.isEmpty
    var used: Set<Hash256> = []
    for _ in 0..<(1 + random.next(below: most)) {
      let key = updates ? accounts[random.next(below: accounts.count)] : key(among: accounts)
      guard used.insert(key).inserted else { continue }
      let goes = !updates && random.next(below: 4) == 0
      let first = changes.slots.count
      if !goes {
        var named: Set<Hash256> = []
        for _ in 0..<random.next(below: 6) {
          let slot = self.key(among: slots)
          guard named.insert(slot).inserted else { continue }
          slots.append(slot)
          let value = random.next(below: 3) == 0 ? .zero : random.word() >> (random.next() % 256)
          changes.slots.append((slot, value))
        }
      }
      changes.accounts.append(
        StateChanges.Account(
          key: key,
          fields: goes ? nil : (random.next() >> (random.next() % 64), number(), .emptyCode),
          wipesStorage: random.next(below: 9) == 0, slots: first..<changes.slots.count))
      accounts.append(key)
    }
    // Keys of long ago are left alone: the list stays short.
    accounts = [Hash256](accounts.suffix(8 * most))
    slots = [Hash256](slots.suffix(8 * most))
    count += changes.accounts.count + changes.slots.count
    return changes
  }

  private mutating func number() -> UInt256 { random.word() >> (random.next() % 256) }

  /// Keys of accounts to prove, some of which are there.
  package mutating func accountKeys(_ count: Int) -> [Hash256] {
    (0..<count).map { _ in key(among: accounts) }
  }

  /// Keys of slots to prove, some of which are there.
  package mutating func slotKeys(_ count: Int) -> [(account: Hash256, slot: Hash256)] {
    (0..<count).map { _ in
      let account = accounts.isEmpty ? Hash256.zero : accounts[random.next(below: accounts.count)]
      return (account, key(among: slots))
    }
  }
}

/// A state on a machine of lanes beside the CPU's, after the same changes.
package struct StateComparison {
  /// The state on the machine.
  package let lanes: ResidentState
  private let cpu = StateTrie(workers: 1)
  /// What differed, in words.
  package private(set) var differences: [String] = []
  /// Roots and proofs that were compared.
  package private(set) var roots = 0
  package private(set) var proofs = 0

  /// An empty state beside that of a machine, which is made empty.
  package init(_ lanes: ResidentState) {
    self.lanes = lanes
    lanes.removeAll()
  }

  /// Makes changes in both, and compares the roots; `expected` is what else is known of it.
  package mutating func commit(
    _ changes: StateChanges, expected: Hash256? = nil, _ name: @autoclosure () -> String
  ) throws(CoprocessorError) {
    let root = cpu.commit(changes)
    let other = try lanes.commit(changes)
    roots += 1
    if let expected, root != expected {
      differences.append("\(name()): expected root \(expected), the CPU has \(root)")
    }
    if other != expected ?? root {
      differences.append("\(name()): expected root \(expected ?? root), the lanes have \(other)")
    }
  }

  /// Compares the proofs of accounts and slots.
  package mutating func prove(
    _ accounts: [Hash256], _ slots: [(account: Hash256, slot: Hash256)],
    _ name: @autoclosure () -> String
  ) throws(CoprocessorError) {
    proofs += accounts.count + slots.count
    for (key, proof) in zip(accounts, try lanes.proofs(ofAccounts: accounts))
    where proof != cpu.proof(ofAccount: key) {
      differences.append("\(name()): the lanes' proof of account \(key) is another one")
    }
    for (key, proof) in zip(slots, try lanes.proofs(ofSlots: slots))
    where proof != cpu.proof(ofSlot: key.slot, account: key.account) {
      differences.append("\(name()): the lanes' proof of slot \(key.slot) is another one")
    }
  }
}

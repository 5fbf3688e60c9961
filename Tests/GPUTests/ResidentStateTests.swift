import Coprocessors
import EVM
import Ethereum
import Testing

@testable import GPU

/// The state on a machine of lanes against the CPU's, block after block.
@Suite struct ResidentStateTests {
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

  @Test(arguments: [1, 2, 3, 4])
  func rootsAreThoseOfTheCPU(_ seed: UInt64) throws {
    var random = RequestGenerator(seed: seed)
    let lanes = ResidentState(on: HostCoprocessorMachine())
    let cpu = StateTrie(workers: 1)
    let most = [3, 20, 80, 300][Int(seed) - 1]
    var known: [Hash256] = []
    var slotKeys: [Hash256] = []
    for round in 0..<30 {
      var changes = StateChanges()
      var used: Set<Hash256> = []
      for _ in 0..<(1 + random.next(below: most)) {
        // Every third round only updates.
        let key =
          round % 3 == 2 && !known.isEmpty
          ? known[random.next(below: known.count)] : Self.key(&random, among: known)
        guard used.insert(key).inserted else { continue }
        let goes = round % 3 != 2 && random.next(below: 4) == 0
        var slots: Set<Hash256> = []
        let first = changes.slots.count
        if !goes {
          for _ in 0..<random.next(below: 6) {
            let slot = Self.key(&random, among: slotKeys)
            guard slots.insert(slot).inserted else { continue }
            slotKeys.append(slot)
            let value = random.next(below: 3) == 0 ? .zero : random.word() >> (random.next() % 256)
            changes.slots.append((slot, value))
          }
        }
        changes.accounts.append(
          StateChanges.Account(
            key: key,
            fields: goes ? nil : (random.next() >> 40, random.word() >> 128, .emptyCode),
            wipesStorage: random.next(below: 9) == 0, slots: first..<changes.slots.count))
        known.append(key)
      }
      if round == 20 {
        changes = StateChanges()
        for key in Set(known) {
          changes.accounts.append(StateChanges.Account(key: key, fields: nil))
        }
      }
      #expect(
        try lanes.commit(changes) == cpu.commit(changes), "seed \(seed), round \(round)")
    }
  }
}

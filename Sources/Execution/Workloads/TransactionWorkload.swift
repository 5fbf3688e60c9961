package import EVM
package import Ethereum

/// A state, a block of transactions on it, and what must come of them: the same work for every
/// executor, to be compared and timed.
package struct TransactionWorkload: Sendable {
  /// One word for it.
  package var name: String
  /// The accounts before.
  package var allocation: Allocation
  /// The transactions, their senders known.
  package var block: PreparedBlock
  /// What each transaction must give.
  package var expected: [Expectation]
  /// Storage slots afterwards.
  package var slots: [Slot]
  /// The root of the receipts, where it is known.
  package var receiptsRoot: Hash256?

  /// What one transaction must give.
  package struct Expectation: Sendable {
    /// Gas paid for; `nil` where only the receipts' root tells.
    package var gasUsed: UInt64?
    /// What it returns.
    package var output: [UInt8]
    /// What it logs; `nil` where only the receipts' root tells.
    package var logs: [Log]?
  }

  /// The value of one slot.
  package struct Slot: Sendable {
    /// Whose storage.
    package var address: Address
    /// Which slot.
    package var key: UInt256
    /// Its value.
    package var value: UInt256
  }

  /// Everything in which an outcome, and the state after it, are not as they must be; at most ten
  /// lines.
  package func failures(_ outcome: BlockOutcome, _ state: WorldState) -> [String] {
    var lines: [String] = []
    if outcome.transactions.count != expected.count || outcome.receipts.count != expected.count {
      return ["\(outcome.transactions.count) of \(expected.count) transactions were executed"]
    }
    for (index, expected) in expected.enumerated() {
      if lines.count >= 10 { return lines }
      let transaction = outcome.transactions[index]
      if !transaction.status.isSuccess {
        lines.append("transaction \(index): \(transaction.status)")
        continue
      }
      if let gas = expected.gasUsed, transaction.gasUsed != gas {
        lines.append("transaction \(index): expected \(gas) gas, got \(transaction.gasUsed)")
      }
      if transaction.output != expected.output {
        lines.append("transaction \(index): output \(Hexadecimal.string(transaction.output))")
      }
      if let logs = expected.logs, outcome.receipts[index].logs != logs {
        lines.append("transaction \(index): logs \(outcome.receipts[index].logs)")
      }
    }
    for slot in slots where lines.count < 10 {
      let got = state.storage(slot.address, slot: slot.key)
      if got != slot.value {
        lines.append("\(slot.address) slot \(slot.key): expected \(slot.value), got \(got)")
      }
    }
    if let expected = receiptsRoot, outcome.receiptsRoot != expected {
      lines.append("receipts root: expected \(expected), got \(outcome.receiptsRoot)")
    }
    // Every sender has paid for its gas and nothing else.
    var paid: [Address: UInt256] = [:]
    for (prepared, transaction) in zip(block.transactions, outcome.transactions) {
      paid[prepared.sender, default: .zero] =
        paid[prepared.sender, default: .zero]
        &+ UInt256(transaction.gasUsed) &* prepared.transaction.maxFeePerGas
    }
    for (address, fees) in paid where lines.count < 10 {
      let before = allocation.accounts[address]?.balance ?? .zero
      if state.record(address).balance != before &- fees {
        lines.append("\(address): the balance is \(state.record(address).balance)")
      }
    }
    return lines
  }
}

/// What Solidity makes of variables: where mappings keep their values, and how calls are written.
enum SolidityLayout {
  /// The slot of a mapping's value.
  static func slot(_ mapping: UInt256, _ keys: UInt256...) -> UInt256 {
    keys.reduce(mapping) { Keccak256.hash(bytes($1) + bytes($0)).word }
  }

  /// The slot's value of a string of at most 31 bytes.
  static func string(_ text: String) -> UInt256 {
    var bytes = [UInt8](text.utf8)
    precondition(bytes.count < 32, "a longer string lies elsewhere")
    let count = UInt8(bytes.count)
    bytes += [UInt8](repeating: 0, count: 31 - bytes.count) + [count * 2]
    return word(bytes)
  }

  /// A word's 32 bytes.
  static func bytes(_ word: UInt256) -> [UInt8] { Hash256(word).bytes }

  /// The word of 32 bytes.
  static func word(_ bytes: [UInt8]) -> UInt256 {
    bytes.withUnsafeBufferPointer { UInt256(bigEndian: $0.baseAddress!) }
  }

  /// Call data: the selector, then words.
  static func call(_ selector: UInt32, _ arguments: UInt256...) -> [UInt8] {
    var data: [UInt8] = (0..<4).map { UInt8(truncatingIfNeeded: selector >> (24 - 8 * $0)) }
    for argument in arguments { data += bytes(argument) }
    return data
  }
}

/// Numbers that look random and are the same in every run (splitmix64).
struct WorkloadNumbers {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// A number from zero to less than `bound`.
  mutating func below(_ bound: Int) -> Int {
    Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  mutating func address() -> Address { Address(UInt256(next(), next(), next(), 0)) }

  mutating func hash() -> Hash256 { Hash256(UInt256(next(), next(), next(), next())) }
}

import EVM
import Ethereum
import Execution

/// What a round gets of a state that is read from a database as it is asked for.
enum RoundState {
  /// The key of a slot that stands for a storage of which nothing was read. Whoever reads it finds out
  /// that it is not so, as with anything else.
  private static let standIn = UInt256(
    .random(in: 0...UInt64.max), .random(in: 0...UInt64.max), .random(in: 0...UInt64.max),
    .random(in: 0...UInt64.max))

  /// What was read of a state by now, changes included. An account with a storage has one.
  static func allocation(_ state: WorldState) -> Allocation {
    guard state.hasSource else { return state.allocation }
    var accounts = state.allocation.accounts
    for (address, account) in accounts
    where account.storage.isEmpty && state.record(address).hasStorage {
      accounts[address]?.storage[standIn] = .one
    }
    return Allocation(accounts)
  }

  /// Reads the accounts and slots that a block's transactions name.
  static func readNamed(_ block: PreparedBlock, from state: WorldState) {
    _ = state.record(block.environment.coinbase)
    for prepared in block.transactions {
      _ = state.record(prepared.sender)
      if let to = prepared.transaction.to { _ = state.record(to) }
      for entry in prepared.transaction.accessList {
        _ = state.record(entry.address)
        for key in entry.storageKeys { _ = state.storage(entry.address, slot: key) }
      }
    }
  }

  /// Reads what a transaction asked for.
  static func read(_ records: TransactionRecords, from state: WorldState) {
    for account in records.accounts where account.original != nil {
      _ = state.record(account.address)
    }
    for slot in records.slots where slot.original != nil {
      _ = state.storage(records.accounts[slot.account].address, slot: slot.key)
    }
  }
}

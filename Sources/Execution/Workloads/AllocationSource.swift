package import EVM
package import Ethereum

/// An allocation that is read account by account, as a database is: for comparisons.
package final class AllocationSource: StateSource {
  /// All of it.
  package let allocation: Allocation

  /// A source of an allocation.
  package init(_ allocation: Allocation) { self.allocation = allocation }

  package func account(_ address: Address) -> SourceAccount? {
    allocation.accounts[address].map {
      SourceAccount(
        nonce: $0.nonce, balance: $0.balance, codeHash: $0.codeHash,
        hasStorage: $0.storage.values.contains { !$0.isZero })
    }
  }

  package func slot(_ key: UInt256, of address: Address) -> UInt256 {
    allocation.accounts[address]?.storage[key] ?? .zero
  }

  package func code(_ hash: Hash256) -> [UInt8] {
    allocation.accounts.values.first { $0.codeHash == hash }?.code ?? []
  }

  package func stateRoot(after delta: StateDelta) -> Hash256 { after(delta).stateRoot }

  /// The allocation with changes.
  package func after(_ delta: StateDelta) -> Allocation {
    var accounts = allocation.accounts
    for change in delta.accounts {
      guard let after = change.after else {
        accounts[change.address] = nil
        continue
      }
      var account = accounts[change.address] ?? Allocation.Account()
      account.nonce = after.nonce
      account.balance = after.balance
      if after.codeHash != account.codeHash {
        account.code =
          delta.codes.first { $0.hash == after.codeHash }?.bytes ?? code(after.codeHash)
      }
      if change.wipesStorage { account.storage = [:] }
      for slot in delta.slots[change.slots] {
        account.storage[slot.key] = slot.after.isZero ? nil : slot.after
      }
      accounts[change.address] = account
    }
    return Allocation(accounts)
  }
}

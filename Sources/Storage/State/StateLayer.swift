package import EVM

/// What one block changed in the state, in the order of the keys. Never changed once it is made.
package final class StateLayer: Sendable {
  /// An account before and after.
  package struct AccountChange: BitwiseCopyable, Sendable {
    /// The hash of the address.
    package var key: Hash256
    /// What it was; `nil` for no account.
    package var before: StoredAccount?
    /// What it is.
    package var after: StoredAccount?
  }

  /// A slot before and after.
  package struct SlotChange: BitwiseCopyable, Sendable {
    /// The hash of the address.
    package var account: Hash256
    /// The hash of the slot's key.
    package var slot: Hash256
    /// What it was.
    package var before: UInt256
    /// What it is; zero for none.
    package var after: UInt256
  }

  /// The block after which the state is so.
  package let number: UInt64
  /// The state root.
  package let root: Hash256
  /// The accounts by key.
  package let accounts: [AccountChange]
  /// The slots by account and slot.
  package let slots: [SlotChange]
  /// Code that came to be.
  package let codes: [Hash256: [UInt8]]
  /// The nodes that changed; `nil` for one that is no more.
  let nodes: [NodeKey: NodeRow?]

  init(
    number: UInt64, root: Hash256, accounts: [AccountChange], slots: [SlotChange],
    codes: [Hash256: [UInt8]], nodes: [NodeKey: NodeRow?]
  ) {
    self.number = number
    self.root = root
    self.accounts = accounts
    self.slots = slots
    self.codes = codes
    self.nodes = nodes
  }

  /// The change of an account; `nil` where there was none.
  func change(ofAccount key: Hash256) -> AccountChange? {
    let index = accounts.firstIndex(notBelow: key, by: { $0.key })
    return index < accounts.count && accounts[index].key == key ? accounts[index] : nil
  }

  /// The change of a slot.
  func change(ofSlot slot: Hash256, account: Hash256) -> SlotChange? {
    let index = firstSlot(account, slot)
    guard index < slots.count, slots[index].account == account, slots[index].slot == slot else {
      return nil
    }
    return slots[index]
  }

  /// Where the slots of an account from `slot` on begin.
  func firstSlot(_ account: Hash256, _ slot: Hash256) -> Int {
    var low = 0
    var high = slots.count
    while low < high {
      let middle = (low + high) / 2
      let entry = slots[middle]
      if entry.account < account || (entry.account == account && entry.slot < slot) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }
}

extension Array {
  /// The first place in a sorted array whose key is not below `key`.
  func firstIndex(notBelow key: Hash256, by keyOf: (Element) -> Hash256) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if keyOf(self[middle]) < key { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension StateLayer {
  /// The nonce that a changed account has; `nil` for one that is not changed, or is no more.
  package func nonce(of key: Hash256) -> UInt64? { change(ofAccount: key)?.after?.nonce }
}

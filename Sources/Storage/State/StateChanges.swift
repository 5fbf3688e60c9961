package import EVM
package import Ethereum

/// What accounts and slots are after a block that changed them, in the order of their keys' hashes.
package struct StateChanges: Sendable, Equatable {
  /// An account after the block.
  package struct Account: Sendable, Equatable {
    /// The hash of the address.
    package var key: Hash256
    /// Nonce, balance and code; `nil` for no account.
    package var value: AccountValue?
  }

  /// What an account is, without its storage.
  package struct AccountValue: Sendable, Equatable {
    /// Transactions sent, or contracts created.
    package var nonce: UInt64
    /// Wei.
    package var balance: UInt256
    /// Keccak-256 of the code.
    package var codeHash: Hash256

    init?(_ account: StoredAccount?) {
      guard let account else { return nil }
      (nonce, balance, codeHash) = (account.nonce, account.balance, account.codeHash)
    }

    init(_ item: RLPItem) throws(FormatError) {
      var fields = try item.list("account")
      nonce = try fields.next("nonce").uint64("nonce")
      balance = try fields.next("balance").uint256("balance")
      codeHash = try fields.next("codeHash").hash("codeHash")
      try fields.finish()
    }
  }

  /// A slot after the block.
  package struct Slot: Sendable, Equatable {
    /// The hash of the address.
    package var account: Hash256
    /// The hash of the slot's key.
    package var slot: Hash256
    /// The value; zero for none.
    package var value: UInt256
  }

  /// The accounts.
  package var accounts: [Account] = []
  /// The slots, by account.
  package var slots: [Slot] = []

  init() {}

  /// What a layer changes.
  package init(_ layer: StateLayer) {
    accounts = layer.accounts.map { Account(key: $0.key, value: AccountValue($0.after)) }
    slots = layer.slots.map { Slot(account: $0.account, slot: $0.slot, value: $0.after) }
  }

  // MARK: Coding

  /// RLP: a list of accounts, each a key and a list of nonce, balance and code hash, which is empty for
  /// no account; and a list of slots, each account, slot and value.
  package var encoded: [UInt8] {
    var encoder = RLPEncoder(capacity: accounts.count * 90 + slots.count * 100 + 16)
    encoder.list { encoder in
      encoder.list { encoder in
        for account in accounts {
          encoder.list { encoder in
            encoder.append(account.key)
            encoder.list { encoder in
              guard let value = account.value else { return }
              encoder.append(value.nonce)
              encoder.append(value.balance)
              encoder.append(value.codeHash)
            }
          }
        }
      }
      encoder.list { encoder in
        for slot in slots {
          encoder.list { encoder in
            encoder.append(slot.account)
            encoder.append(slot.slot)
            encoder.append(slot.value)
          }
        }
      }
    }
    return encoder.bytes
  }

  /// Reads what `encoded` writes.
  package init(_ item: RLPItem) throws(FormatError) {
    var fields = try item.list("changes")
    var list = try fields.next("accounts").list("accounts")
    while !list.isAtEnd {
      var account = try list.next("account").list("account")
      let key = try account.next("key").hash("key")
      let value = try account.next("value")
      accounts.append(
        Account(key: key, value: value.payload.isEmpty ? nil : try AccountValue(value)))
      try account.finish()
    }
    list = try fields.next("slots").list("slots")
    while !list.isAtEnd {
      var slot = try list.next("slot").list("slot")
      slots.append(
        Slot(
          account: try slot.next("account").hash("account"),
          slot: try slot.next("slot").hash("slot"),
          value: try slot.next("value").uint256("value")))
      try slot.finish()
    }
    try fields.finish()
  }
}

extension Snapshot {
  /// What a block of the chain changed; `nil` where that is not kept any more.
  package func changes(_ number: UInt64) -> StateChanges? {
    if number > head.header.number || number == 0 || number < oldestState { return nil }
    for block in pending where block.layer.number == number { return StateChanges(block.layer) }
    guard let bytes = reader.get(.changes, Self.key(number)) else { return nil }
    let record = ChangeRecord(stored: bytes)
    let later = number == head.header.number ? nil : ChangeHistory(self, after: number)
    var changes = StateChanges()
    record.forEachAccount { key, _ in
      let account = later?.account(key) ?? state.account(key)
      changes.accounts.append(
        StateChanges.Account(key: key, value: StateChanges.AccountValue(account)))
    }
    record.forEachSlot { account, slot, _ in
      let value = later?.slot(slot, of: account) ?? state.slot(slot, of: account)
      changes.slots.append(StateChanges.Slot(account: account, slot: slot, value: value))
    }
    return changes
  }
}

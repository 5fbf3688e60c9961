package import EVM

/// A state of a few accounts in flat tables, searched from the front: the whole world of a test,
/// or of a launch with a handful of contracts.
///
/// The tables are the whole state: what they do not hold does not exist. Their memory belongs to
/// the host.
package struct FlatStateView: StateView, BitwiseCopyable {
  /// A row of the table of accounts.
  package struct Account: BitwiseCopyable {
    package var address: Address
    package var record: AccountRecord
    /// Padded and mapped; only read when the record's code hash is not that of no code.
    package var code: Code

    /// A row of these values.
    package init(address: Address, record: AccountRecord, code: Code) {
      self.address = address
      self.record = record
      self.code = code
    }
  }

  /// A row of the table of storage slots.
  package struct Slot: BitwiseCopyable {
    package var address: Address
    package var key: UInt256
    package var value: UInt256

    /// A row of these values.
    package init(address: Address, key: UInt256, value: UInt256) {
      self.address = address
      self.key = key
      self.value = value
    }
  }

  /// The accounts, each once.
  package var accounts: UnsafeBufferPointer<Account>
  /// The slots that are not zero, each once.
  package var slots: UnsafeBufferPointer<Slot>

  /// A view of these tables.
  package init(accounts: UnsafeBufferPointer<Account>, slots: UnsafeBufferPointer<Slot>) {
    self.accounts = accounts
    self.slots = slots
  }

  package mutating func readAccount(_ address: Address, into record: inout AccountRecord) -> Bool {
    record = find(address)?.pointee.record ?? .absent
    return true
  }

  package mutating func readStorage(
    _ address: Address, place: UInt32, slot: UInt256, into record: inout StorageRecord
  ) -> Bool {
    record.value = .zero
    for row in slots where row.key == slot && row.address == address {
      record.value = row.value
    }
    return true
  }

  package mutating func readCode(
    _ hash: Hash256, of address: Address, place: UInt32, into code: inout Code
  ) -> Bool {
    guard let account = find(address), account.pointee.record.codeHash == hash else {
      return false
    }
    code = account.pointee.code
    return true
  }

  /// Knows no blocks: a transaction that asks for one has to run elsewhere.
  package mutating func readBlockHash(_ number: UInt64, into hash: inout Hash256) -> Bool {
    false
  }

  private func find(_ address: Address) -> UnsafePointer<Account>? {
    guard let first = accounts.baseAddress else { return nil }
    var index = 0
    while index < accounts.count {
      if first[index].address == address { return first + index }
      index &+= 1
    }
    return nil
  }
}

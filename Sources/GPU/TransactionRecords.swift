package import EVM
package import Ethereum
package import Kernels

/// The records of one transaction, as `RecordWriter` writes them.
package struct TransactionRecords: Equatable {
  /// An account that the transaction knows of.
  package struct Account: Equatable {
    package var address: Address
    package var flags: AccountEntry.Flags
    /// Nonce and balance, where they changed.
    package var nonce: UInt64?
    package var balance: UInt256?
    /// The code's hash, where it changed.
    package var codeHash: Hash256?
    /// What was read, when reads were selected.
    package var original: AccountRecord?
    /// What of it decided something, and with how much of its balance: see `AccountEntry`.
    package var observed: AccountEntry.Observations = []
    package var balanceFloor = UInt256.zero
    /// The code that the transaction set.
    package var code: [UInt8]?
  }

  /// A slot of one of the accounts.
  package struct Slot: Equatable {
    package var account: Int
    package var key: UInt256
    /// The value, where it changed.
    package var value: UInt256?
    /// What was read, when reads were selected.
    package var original: UInt256?
  }

  package var accounts: [Account] = []
  package var slots: [Slot] = []
  package var logs: [Log] = []
  package var output: [UInt8] = []

  /// Reads the records that an outcome counts.
  package init(_ outcome: TransactionOutcome, bytes: ArraySlice<UInt8>) {
    var reader = WordReader(bytes)
    for _ in 0..<outcome.accountCount { accounts.append(reader.account()) }
    for _ in 0..<outcome.slotCount { slots.append(reader.slot()) }
    for _ in 0..<outcome.logCount { logs.append(reader.log()) }
    output = reader.bytes(Int(outcome.outputCount))
  }
}

/// Reads 8-byte words.
private struct WordReader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  mutating func word() -> UInt64 {
    let word = rest.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
    rest = rest.dropFirst(8)
    return word
  }

  mutating func wide() -> UInt256 { UInt256(word(), word(), word(), word()) }

  mutating func bytes(_ count: Int) -> [UInt8] {
    let bytes = [UInt8](rest.prefix(count))
    rest = rest.dropFirst((count + 7) & ~7)
    return bytes
  }

  /// An address and what shares its last word.
  mutating func address() -> (Address, UInt32) {
    var address = Address.zero
    address.low = word()
    address.middle = word()
    let last = word()
    address.high = UInt32(truncatingIfNeeded: last)
    return (address, UInt32(truncatingIfNeeded: last >> 32))
  }

  mutating func account() -> TransactionRecords.Account {
    let (address, tag) = address()
    let parts = RecordParts(rawValue: UInt16(truncatingIfNeeded: tag >> 16))
    var account = TransactionRecords.Account(
      address: address, flags: AccountEntry.Flags(rawValue: UInt16(truncatingIfNeeded: tag)))
    if parts.contains(.values) {
      account.nonce = word()
      account.balance = wide()
    }
    if parts.contains(.codeHash) { account.codeHash = Hash256(wide()) }
    if parts.contains(.original) {
      let nonce = word()
      let balance = wide()
      let hash = Hash256(wide())
      let state = word()
      account.original = AccountRecord(
        nonce: nonce, balance: balance, codeHash: hash, exists: state & 1 != 0,
        hasStorage: state & 2 != 0)
      account.observed = AccountEntry.Observations(
        rawValue: UInt8(truncatingIfNeeded: state >> 8))
      account.balanceFloor = wide()
    }
    if parts.contains(.code) { account.code = bytes(Int(word())) }
    return account
  }

  mutating func slot() -> TransactionRecords.Slot {
    let head = word()
    let parts = RecordParts(rawValue: UInt16(truncatingIfNeeded: head >> 32))
    var slot = TransactionRecords.Slot(
      account: Int(UInt32(truncatingIfNeeded: head)), key: wide())
    if parts.contains(.values) { slot.value = wide() }
    if parts.contains(.original) { slot.original = wide() }
    return slot
  }

  mutating func log() -> Log {
    let (address, topicCount) = address()
    let count = Int(word())
    let topics = (0..<topicCount).map { _ in Hash256(wide()) }
    return Log(address: address, topics: topics, data: bytes(count))
  }
}

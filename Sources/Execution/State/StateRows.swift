import EVM

/// An account in the tables of a state. Its number never changes.
struct AccountRow: BitwiseCopyable {
  let address: Address
  /// Whether the state has the account; the row of a deleted one stays.
  var exists = true
  /// Whether `AccountTrieRow.storageRoot` is right.
  var knowsStorageRoot = false
  /// Which storage is the account's: raised to wipe it, as slots belong to an account and an epoch.
  var epoch: UInt32 = 0
  /// The slot added last; the others follow from it.
  var firstSlot = IndexTable.none
  /// Slots that are not zero.
  var slotCount: UInt32 = 0
  var nonce: UInt64 = 0
  var balance = UInt256.zero
  var codeHash = Hash256.emptyCode
  /// The code, so that no call looks it up by its hash; `nil` for the hash of no code.
  var code: UnsafeMutablePointer<StoredCode>?

  init(_ address: Address) { self.address = address }

  /// Without code, nonce and balance (EIP-161).
  var isEmpty: Bool { nonce == 0 && balance.isZero && codeHash == .emptyCode }

  /// Forgets all slots, in constant time.
  mutating func wipeStorage() {
    // 2^32 creations of one account do not happen: each takes a transaction of its own.
    epoch &+= 1
    firstSlot = IndexTable.none
    slotCount = 0
    knowsStorageRoot = false
  }

  /// Takes the account out of the state.
  mutating func delete() {
    wipeStorage()
    exists = false
    nonce = 0
    balance = .zero
    codeHash = .emptyCode
    code = nil
  }
}

/// What the trie needs of an account and execution does not.
struct AccountTrieRow: BitwiseCopyable {
  /// The root of the storage, when the account's row says that it is known.
  var storageRoot = Hash256.zero
  /// The account's key in the state trie, once it was needed.
  var key: Hash256?
}

/// A storage slot. A value of zero is no slot; its row stays until the table is filled anew.
struct SlotRow: BitwiseCopyable {
  let key: UInt256
  var value: UInt256
  let account: UInt32
  let epoch: UInt32
  /// The next slot of the same account and epoch.
  var next: UInt32
}

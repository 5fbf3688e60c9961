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
  let nodes: NodeRows
  /// The upper 64 bits of the accounts' keys.
  private let accountWords: [UInt64]
  private let accountIndex: KeyIndex
  private let slotIndex: KeyIndex
  private let nodeIndex: KeyIndex

  init(
    number: UInt64, root: Hash256, accounts: [AccountChange], slots: [SlotChange],
    codes: [Hash256: [UInt8]], nodes: NodeRows
  ) {
    self.number = number
    self.root = root
    self.accounts = accounts
    self.slots = slots
    self.codes = codes
    self.nodes = nodes
    let words = accounts.map(\.key.word.limb3)
    accountWords = words
    accountIndex = KeyIndex(accounts.count) { words[$0] }
    slotIndex = KeyIndex(slots.count) { Self.indexWord(slots[$0].slot, slots[$0].account) }
    nodeIndex = nodes.index()
  }

  /// Bytes of memory, about.
  var size: Int {
    accounts.count * (MemoryLayout<AccountChange>.stride + 24)
      + slots.count * (MemoryLayout<SlotChange>.stride + 16)
      + codes.values.reduce(0) { $0 + $1.count } + nodes.size
  }

  /// Pages of the database that storing it changes at most: each entry one of its own in the state and
  /// in the history, and what lies above.
  var pages: Int { (accounts.count + slots.count) * 3 + nodes.count * 2 }

  private static func indexWord(_ slot: Hash256, _ account: Hash256) -> UInt64 {
    slot.word.limb3 ^ account.word.limb2
  }

  /// The change of an account; `nil` where there was none.
  func change(ofAccount key: Hash256) -> AccountChange? {
    accountIndex.find(key.word.limb3) { accounts[$0].key == key }.map { accounts[$0] }
  }

  /// The place of the first account from a place on whose key is not below `key`.
  func firstAccount(notBelow key: UInt256, from: Int) -> Int {
    // The words tell most of it, and lie close together.
    let place = gallop(from, accounts.count) { accountWords[$0] < key.limb3 }
    if place == accounts.count || accountWords[place] > key.limb3 { return place }
    return gallop(place, accounts.count) { accounts[$0].key.word < key }
  }

  /// Whether the key of the account at a place begins with the first `depth` nibbles of `prefix`, as far
  /// as its word tells.
  func mayBegin(_ place: Int, with prefix: UInt256, depth: Int) -> Bool {
    (accountWords[place] ^ prefix.limb3) >> UInt64(64 - min(depth, 16) * 4) == 0
  }

  /// The change of a slot.
  func change(ofSlot slot: Hash256, account: Hash256) -> SlotChange? {
    slotIndex.find(Self.indexWord(slot, account)) {
      slots[$0].slot == slot && slots[$0].account == account
    }.map { slots[$0] }
  }

  /// The place of a node that changed.
  func place(ofNode key: NodeKey) -> Int? {
    nodeIndex.find(key.indexWord) { nodes.keys[$0] == key }
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

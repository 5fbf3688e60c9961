public import EVM
public import Ethereum

/// The accounts of a chain, in memory.
///
/// A value: a copy is a snapshot, and costs nothing until one of the two changes. Code is shared.
public struct WorldState {
  /// One account.
  public struct Account {
    /// Transactions sent, or contracts created.
    public var nonce: UInt64
    /// Wei.
    public var balance: UInt256
    /// Keccak-256 of the code, which lies in `codes`.
    public var codeHash: Hash256
    /// Slots whose value is not zero.
    public var storage: [UInt256: UInt256]
    /// The root of `storage`, while it is known.
    var storageRoot: Hash256?
  }

  /// The accounts by address.
  public private(set) var accounts: [Address: Account] = [:]
  /// The code of all accounts.
  public let codes: CodeStore

  /// A state without accounts.
  public init(codes: CodeStore = CodeStore()) {
    self.codes = codes
  }

  /// The state of an allocation.
  public init(_ allocation: Allocation, codes: CodeStore = CodeStore()) {
    self.codes = codes
    accounts.reserveCapacity(allocation.accounts.count)
    for (address, account) in allocation.accounts {
      accounts[address] = Account(
        nonce: account.nonce, balance: account.balance, codeHash: codes.insert(account.code),
        storage: account.storage.filter { !$0.value.isZero }, storageRoot: nil)
    }
  }

  /// The accounts as tests and genesis files write them.
  public var allocation: Allocation {
    Allocation(
      accounts.mapValues {
        Allocation.Account(
          nonce: $0.nonce, balance: $0.balance, code: codes.bytes($0.codeHash),
          storage: $0.storage)
      })
  }

  /// The account as the machine asks for it.
  public func record(_ address: Address) -> AccountRecord {
    guard let account = accounts[address] else { return .absent }
    return AccountRecord(
      nonce: account.nonce, balance: account.balance, codeHash: account.codeHash, exists: true,
      hasStorage: !account.storage.isEmpty)
  }

  /// The value of a storage slot.
  public func storage(_ address: Address, slot: UInt256) -> UInt256 {
    accounts[address]?.storage[slot] ?? .zero
  }

  /// Adds wei to an account, creating it if need be; an account left empty is deleted when
  /// `deletesEmpty` (EIP-161).
  public mutating func credit(_ address: Address, wei: UInt256, deletesEmpty: Bool) {
    accounts[address, default: Account()].balance = (accounts[address]?.balance ?? .zero) &+ wei
    if deletesEmpty, let account = accounts[address], account.isEmpty { accounts[address] = nil }
  }

  /// Moves all wei of an account to another.
  mutating func moveBalance(from source: Address, to target: Address) {
    guard let balance = accounts[source]?.balance, !balance.isZero else { return }
    accounts[source]?.balance = .zero
    credit(target, wei: balance, deletesEmpty: false)
  }

  /// Takes over what a transaction changed.
  public mutating func apply(_ journal: Journal, fork: Fork) {
    let entries = UnsafeBufferPointer(start: journal.accounts, count: journal.accountCount)
    for entry in entries where entry.isLoaded && (entry.isTouched || entry.isDestroyed) {
      if entry.isDestroyed || (entry.isEmpty && fork >= .spuriousDragon) {
        accounts[entry.address] = nil
        continue
      }
      if !entry.exists { continue }
      if entry.isCodeChanged { codes.insert(entry.changedCode, hash: entry.codeHash) }
      accounts[entry.address, default: Account()].update(entry)
    }
    for slot in UnsafeBufferPointer(start: journal.slots, count: journal.slotCount)
    where !slot.isTransient && slot.isLoaded && slot.current != slot.original {
      let entry = journal.accounts[Int(slot.account)]
      if entry.isDestroyed { continue }
      accounts[entry.address]?.set(slot.key, slot.current)
    }
  }

  /// Sets a storage slot of an account that exists.
  mutating func setStorage(_ address: Address, slot: UInt256, value: UInt256) {
    accounts[address]?.set(slot, value)
  }

  /// The root of the state trie. Storage roots are kept until the storage changes.
  public mutating func stateRoot() -> Hash256 {
    var trie = MerklePatriciaTrie(capacity: accounts.count)
    for index in accounts.values.indices {
      let address = accounts.keys[index]
      let root = accounts.values[index].knownStorageRoot()
      let account = accounts.values[index]
      trie.insert(
        hash: Keccak256.hash(address),
        value: Allocation.Account.encoding(
          nonce: account.nonce, balance: account.balance, storageRoot: root,
          codeHash: account.codeHash))
    }
    return trie.root
  }
}

extension WorldState.Account {
  /// An empty account.
  init() {
    self.init(nonce: 0, balance: .zero, codeHash: .emptyCode, storage: [:], storageRoot: nil)
  }

  /// Whether the account is empty in the sense of EIP-161.
  var isEmpty: Bool { nonce == 0 && balance.isZero && codeHash == .emptyCode }

  fileprivate mutating func update(_ entry: AccountEntry) {
    nonce = entry.nonce
    balance = entry.balance
    codeHash = entry.codeHash
    if entry.isCreated {
      storage = [:]
      storageRoot = nil
    }
  }

  fileprivate mutating func set(_ slot: UInt256, _ value: UInt256) {
    storage[slot] = value.isZero ? nil : value
    storageRoot = nil
  }

  fileprivate mutating func knownStorageRoot() -> Hash256 {
    if let storageRoot { return storageRoot }
    let root = Allocation.Account.storageRoot(storage)
    storageRoot = root
    return root
  }
}

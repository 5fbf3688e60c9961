public import EVM

/// A set of accounts, as tests and genesis files write it.
public struct Allocation: Hashable, Sendable {
  /// One account.
  public struct Account: Hashable, Sendable {
    /// Transactions sent, or contracts created.
    public var nonce: UInt64
    /// Wei.
    public var balance: UInt256
    /// The code; empty for an account without.
    public var code: [UInt8]
    /// Slots and their values; a zero value is no entry of the storage trie.
    public var storage: [UInt256: UInt256]

    /// An account from its parts.
    public init(
      nonce: UInt64 = 0, balance: UInt256 = .zero, code: [UInt8] = [],
      storage: [UInt256: UInt256] = [:]
    ) {
      self.nonce = nonce
      self.balance = balance
      self.code = code
      self.storage = storage
    }
  }

  /// The accounts by address.
  public var accounts: [Address: Account]

  /// An allocation of some accounts.
  public init(_ accounts: [Address: Account] = [:]) {
    self.accounts = accounts
  }

  /// The root of the state trie of these accounts. Every account counts, an empty one too.
  public var stateRoot: Hash256 {
    var trie = MerklePatriciaTrie(capacity: accounts.count)
    for (address, account) in accounts {
      trie.insert(hash: Keccak256.hash(address), value: account.encoded)
    }
    return trie.root
  }
}

extension Allocation.Account {
  /// The hash of the code.
  public var codeHash: Hash256 { code.isEmpty ? Hash256.emptyCode : Keccak256.hash(code) }

  /// The root of the storage trie.
  public var storageRoot: Hash256 { Self.storageRoot(storage) }

  /// The root of the trie of these slots.
  public static func storageRoot(_ storage: [UInt256: UInt256]) -> Hash256 {
    if storage.isEmpty { return MerklePatriciaTrie.emptyRoot }
    var trie = MerklePatriciaTrie(capacity: storage.count)
    for (slot, value) in storage where !value.isZero {
      var encoder = RLPEncoder(capacity: 33)
      encoder.append(value)
      trie.insert(hash: Keccak256.hash(slot), value: encoder.bytes)
    }
    return trie.root
  }

  /// The account as the state trie holds it.
  public var encoded: [UInt8] {
    Self.encoding(
      nonce: nonce, balance: balance, storageRoot: storageRoot, codeHash: codeHash)
  }

  /// An account as the state trie holds it (yellow paper, section 4.1).
  public static func encoding(
    nonce: UInt64, balance: UInt256, storageRoot: Hash256, codeHash: Hash256
  ) -> [UInt8] {
    var encoder = RLPEncoder(capacity: 112)
    encoder.list { encoder in
      encoder.append(nonce)
      encoder.append(balance)
      encoder.append(storageRoot)
      encoder.append(codeHash)
    }
    return encoder.bytes
  }

  /// Whether the account is empty in the sense of EIP-161.
  public var isEmpty: Bool { nonce == 0 && balance.isZero && code.isEmpty }
}

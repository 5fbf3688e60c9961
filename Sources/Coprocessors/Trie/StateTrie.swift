public import EVM
import Ethereum

/// What a block changes in the state, by the keys of the tries.
public struct StateChanges: Sendable {
  /// What becomes of one account.
  public struct Account: Sendable {
    /// The hash of the address.
    public var key: Hash256
    /// Nonce, balance and code; `nil` for an account that is deleted.
    public var fields: (nonce: UInt64, balance: UInt256, codeHash: Hash256)?
    /// Whether its slots were wiped before these changes.
    public var wipesStorage = false
    /// Its rows in `slots`.
    public var slots: Range<Int>

    /// The change of an account.
    public init(
      key: Hash256, fields: (nonce: UInt64, balance: UInt256, codeHash: Hash256)?,
      wipesStorage: Bool = false, slots: Range<Int> = 0..<0
    ) {
      self.key = key
      self.fields = fields
      self.wipesStorage = wipesStorage
      self.slots = slots
    }
  }

  /// The accounts; none twice.
  public var accounts: [Account] = []
  /// Hashes of slots and their values; zero is no slot.
  public var slots: [(key: Hash256, value: UInt256)] = []

  /// No changes.
  public init() {}
}

/// The state trie and all storage tries in memory, changed and hashed by many threads at once: the
/// CPU's way to a state root after a block.
public final class StateTrie {
  /// The accounts whose keys begin with one byte. A thread has it for itself while it works on it.
  private final class Shard: @unchecked Sendable {
    var storages: [Hash256: PatriciaTrie] = [:]
  }

  private let accounts: ShardedTrie
  private let shards = (0..<256).map { _ in Shard() }

  /// Threads at once.
  public var workers: Int {
    get { accounts.workers }
    set { accounts.workers = newValue }
  }

  /// An empty state whose work is done by so many threads.
  public init(workers: Int) { accounts = ShardedTrie(workers: workers) }

  /// Applies changes, and gives the state root after them.
  public func commit(_ changes: StateChanges) -> Hash256 {
    let places = ShardedTrie.places(changes.accounts.count) { changes.accounts[$0].key }
    let shards = shards
    accounts.change(places) { place, row, writer in
      let account = changes.accounts[row]
      return (account.key, Self.encoding(account, changes, shards[place], &writer))
    }
    return accounts.root()
  }

  /// The nodes from the state root to an account.
  public func proof(ofAccount key: Hash256) -> [[UInt8]] { accounts.proof(of: key) }

  /// The nodes from an account's storage root to a slot; none for an account without storage.
  public func proof(ofSlot slot: Hash256, account key: Hash256) -> [[UInt8]] {
    let shard = shards[key.word.firstByte]
    guard var storage = shard.storages[key], !storage.isEmpty else { return [] }
    var writer = NodeWriter()
    let nodes = storage.proof(of: slot.word, start: 0, &writer)
    return nodes.enumerated().filter { $0.offset == 0 || $0.element.count >= 32 }.map(\.element)
  }

  /// Applies an account's slots, and gives the account as the trie holds it; empty for a deleted one.
  private static func encoding(
    _ account: StateChanges.Account, _ changes: StateChanges, _ shard: Shard,
    _ writer: inout NodeWriter
  ) -> [UInt8] {
    guard let fields = account.fields else {
      shard.storages[account.key] = nil
      return []
    }
    if account.wipesStorage { shard.storages[account.key] = nil }
    var root = MerklePatriciaTrie.emptyRoot
    if !account.slots.isEmpty || shard.storages[account.key] != nil {
      // In place: a copy would copy the whole trie.
      for slot in changes.slots[account.slots] {
        let value = slot.value.isZero ? [] : RLPEncoder.encoding(slot.value)
        value.withUnsafeBufferPointer {
          shard.storages[account.key, default: PatriciaTrie()].set(slot.key.word, $0)
        }
      }
      root = shard.storages[account.key]?.root(&writer) ?? root
      if shard.storages[account.key]?.isEmpty == true { shard.storages[account.key] = nil }
    }
    return Allocation.Account.encoding(
      nonce: fields.nonce, balance: fields.balance, storageRoot: root, codeHash: fields.codeHash)
  }
}

extension RLPEncoder {
  /// The encoding of one number.
  static func encoding(_ number: UInt256) -> [UInt8] {
    var encoder = RLPEncoder(capacity: 33)
    encoder.append(number)
    return encoder.bytes
  }
}

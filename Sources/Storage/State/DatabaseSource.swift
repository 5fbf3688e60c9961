package import EVM
import Ethereum
package import Execution

/// A state of the database, as execution reads it. One thread at a time.
package final class DatabaseSource: StateSource {
  let reader: StateReader
  private let past: ChangeHistory?
  private var ahead: AccountsAhead?

  init(_ reader: StateReader, past: ChangeHistory?) {
    self.reader = reader
    self.past = past
  }

  /// An account with its storage root.
  package func storedAccount(_ key: Hash256) -> StoredAccount? {
    if let past, let found = past.account(key) { return found }
    return reader.account(key)
  }

  /// Reads accounts before they are asked for, on several threads: of each transaction the sender, the
  /// recipient and what its access list names. Nothing for a past state, or where there are few.
  package func readAhead(_ block: PreparedBlock, workers: Int) throws(StorageError) {
    if past != nil || block.transactions.count < 64 { return }
    let ahead = try AccountsAhead(block, reader: reader, workers: workers)
    self.ahead = ahead
    // For the root after the block.
    reader.groups = ahead.groups
  }

  package func account(_ address: Address) -> SourceAccount? {
    let account =
      if let ahead, let found = ahead[address] { found } else {
        storedAccount(Keccak256.hash(address))
      }
    return account.map {
      SourceAccount(
        nonce: $0.nonce, balance: $0.balance, codeHash: $0.codeHash,
        hasStorage: $0.storageRoot != MerklePatriciaTrie.emptyRoot)
    }
  }

  package func slot(_ key: UInt256, of address: Address) -> UInt256 {
    let account = Keccak256.hash(address)
    let slot = Keccak256.hash(key)
    if let past, let found = past.slot(slot, of: account) { return found }
    return reader.slot(slot, of: account)
  }

  package func code(_ hash: Hash256) -> [UInt8] {
    guard let code = reader.code(hash) else {
      preconditionFailure("database: the code \(hash) of an account is missing")
    }
    return code
  }

  package func stateRoot(after delta: StateDelta) -> Hash256 {
    precondition(past == nil, "roots are worked out on the newest state only")
    let committer = StateCommitter(reader: reader, workers: 1)
    do throws(StorageError) {
      return try committer.layer(number: 0, committer.changes(delta)).root
    } catch { preconditionFailure("one thread needs no further reader: \(error)") }
  }
}

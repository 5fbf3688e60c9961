import EVM
import Ethereum

extension StateTables {
  /// The root of the state trie.
  ///
  /// Only storages that changed since the last time are hashed again. Writes what it remembers: not
  /// to be called by two threads at once.
  func stateRoot() -> Hash256 {
    if let pages { return pages.source.stateRoot(after: delta()) }
    var trie = MerklePatriciaTrie(capacity: accountCount)
    for number in 0..<accountCount where accounts[number].exists {
      let row = accounts[number]
      let key = tries[number].key ?? Keccak256.hash(row.address)
      tries[number].key = key
      trie.insert(
        hash: key,
        value: Allocation.Account.encoding(
          nonce: row.nonce, balance: row.balance, storageRoot: storageRoot(of: number),
          codeHash: row.codeHash))
    }
    return trie.root
  }

  private func storageRoot(of number: Int) -> Hash256 {
    if accounts[number].slotCount == 0 { return MerklePatriciaTrie.emptyRoot }
    if accounts[number].knowsStorageRoot { return tries[number].storageRoot }
    var trie = MerklePatriciaTrie(capacity: Int(accounts[number].slotCount))
    forEachSlot(of: UInt32(number)) { slot, value in
      var encoder = RLPEncoder(capacity: 33)
      encoder.append(value)
      trie.insert(hash: Keccak256.hash(slot), value: encoder.bytes)
    }
    let root = trie.root
    tries[number].storageRoot = root
    accounts[number].knowsStorageRoot = true
    return root
  }
}

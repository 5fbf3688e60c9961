import Coprocessors
package import EVM
import Ethereum

/// The state at one moment: what the last blocks changed, over what the database has. One thread at
/// a time; it sees nothing that comes later.
///
/// The database may be ahead of its moment by blocks that are among the layers: a layer has all that
/// its block changed, so that it hides them.
package final class StateReader: @unchecked Sendable {
  // Sendable: a value that threads may hand on, as the reader of LMDB.

  /// The newest first.
  let layers: [StateLayer]
  let reader: LMDBReader

  init(layers: [StateLayer], reader: LMDBReader) {
    self.layers = layers
    self.reader = reader
  }

  /// Another reader of the same state, for another thread.
  func copy() throws(StorageError) -> StateReader {
    StateReader(layers: layers, reader: try LMDBReader(reader.environment))
  }

  /// The account of an address's hash.
  package func account(_ key: Hash256) -> StoredAccount? {
    for layer in layers {
      if let change = layer.change(ofAccount: key) { return change.after }
    }
    return withBytes(of: key) { reader.get(.accounts, $0).map { StoredAccount(stored: $0) } }
  }

  /// The slot of the hash of its key; zero for none.
  package func slot(_ slot: Hash256, of account: Hash256) -> UInt256 {
    for layer in layers {
      if let change = layer.change(ofSlot: slot, account: account) { return change.after }
    }
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { bytes in
      account.store(bytes: bytes.baseAddress!)
      slot.store(bytes: bytes.baseAddress! + 32)
      return reader.get(.slots, UnsafeRawBufferPointer(bytes)).map { UInt256(stored: $0) } ?? .zero
    }
  }

  /// The code of a hash; `nil` when no account ever had it.
  package func code(_ hash: Hash256) -> [UInt8]? {
    if hash == .emptyCode { return [] }
    for layer in layers {
      if let code = layer.codes[hash] { return code }
    }
    return withBytes(of: hash) { reader.get(.codes, $0).map { [UInt8]($0) } }
  }

  func node(_ key: NodeKey) -> NodeRow? {
    for layer in layers {
      if let row = layer.nodes[key] { return row }
    }
    return reader.get(.nodes, key.bytes).map { NodeRow(stored: $0) }
  }

  private func withBytes<Result>(
    of hash: Hash256, _ body: (UnsafeRawBufferPointer) -> Result
  ) -> Result {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { bytes in
      hash.store(bytes: bytes.baseAddress!)
      return body(UnsafeRawBufferPointer(bytes))
    }
  }

  /// The entries whose keys begin with the first `depth` nibbles of `prefix`, in order.
  func entries(_ owner: Hash256, _ prefix: UInt256, depth: Int, into list: inout [Entry<UInt256>]) {
    scan(owner, prefix, depth, &list)
    for layer in layers.reversed() {
      var index = layer.firstSlot(owner, Hash256(prefix))
      var changes: [Entry<UInt256>] = []
      while index < layer.slots.count, layer.slots[index].account == owner,
        layer.slots[index].slot.word.prefix(nibbles: depth) == prefix
      {
        let value = layer.slots[index].after
        changes.append(Entry(key: layer.slots[index].slot.word, value: value.isZero ? nil : value))
        index += 1
      }
      Entry.merge(changes[...], into: &list)
    }
  }

  /// The same of the accounts.
  func entries(_ prefix: UInt256, depth: Int, into list: inout [Entry<StoredAccount>]) {
    scan(.zero, prefix, depth, &list)
    for layer in layers.reversed() {
      var index = layer.accounts.firstIndex(notBelow: Hash256(prefix), by: { $0.key })
      var changes: [Entry<StoredAccount>] = []
      while index < layer.accounts.count,
        layer.accounts[index].key.word.prefix(nibbles: depth) == prefix
      {
        changes.append(
          Entry(key: layer.accounts[index].key.word, value: layer.accounts[index].after))
        index += 1
      }
      Entry.merge(changes[...], into: &list)
    }
  }

  private func scan<Value: TrieValue>(
    _ owner: Hash256, _ prefix: UInt256, _ depth: Int, _ list: inout [Entry<Value>]
  ) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { bytes in
      if Value.prefixBytes > 0 { owner.store(bytes: bytes.baseAddress!) }
      prefix.store(bigEndian: bytes.baseAddress! + Value.prefixBytes)
      let first = UnsafeRawBufferPointer(
        start: bytes.baseAddress!, count: Value.prefixBytes + 32)
      reader.scan(Value.table, from: first) { key, value in
        let base = key.baseAddress!.assumingMemoryBound(to: UInt8.self)
        if Value.prefixBytes > 0, Hash256(bytes: base) != owner { return false }
        let word = UInt256(bigEndian: base + Value.prefixBytes)
        if word.prefix(nibbles: depth) != prefix { return false }
        list.append(Entry(key: word, value: Value(stored: value)))
        return true
      }
    }
  }

  /// All slots of an account, by the hashes of their keys.
  func allSlots(of account: Hash256) -> [Entry<UInt256>] {
    var list: [Entry<UInt256>] = []
    entries(account, .zero, depth: 0, into: &list)
    return list
  }
}

/// An entry of a trie, or the removal of one.
struct Entry<Value: TrieValue>: Sendable {
  var key: UInt256
  var value: Value?

  /// Applies changes, which are in order, to entries, which are too.
  static func merge(_ changes: ArraySlice<Entry>, into list: inout [Entry]) {
    if changes.isEmpty { return }
    var merged: [Entry] = []
    merged.reserveCapacity(list.count + changes.count)
    var index = 0
    for change in changes {
      while index < list.count, list[index].key < change.key {
        merged.append(list[index])
        index += 1
      }
      if index < list.count, list[index].key == change.key { index += 1 }
      if change.value != nil { merged.append(change) }
    }
    merged.append(contentsOf: list[index...])
    list = merged
  }
}

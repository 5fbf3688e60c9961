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
  /// Accounts that were read ahead.
  var groups: AccountGroups?

  init(layers: [StateLayer], reader: LMDBReader) {
    self.layers = layers
    self.reader = reader
  }

  /// Another reader of the same state, for another thread.
  func copy() throws(StorageError) -> StateReader {
    let copy = StateReader(layers: layers, reader: try LMDBReader(reader.environment))
    copy.groups = groups
    return copy
  }

  /// The account of an address's hash.
  package func account(_ key: Hash256) -> StoredAccount? {
    for layer in layers {
      if let change = layer.change(ofAccount: key) { return change.after }
    }
    return withBytes(of: key) { reader.get(.accounts, $0).map { StoredAccount(stored: $0) } }
  }

  /// What the layers say of an account, in the order of the keys; `nil` where they say nothing. `places`
  /// has for each layer that of the first change not below the last key.
  func changed(_ key: Hash256, _ places: inout [Int]) -> StoredAccount?? {
    for (index, layer) in layers.enumerated() {
      let place = layer.firstAccount(notBelow: key.word, from: places[index])
      places[index] = place
      if place < layer.accounts.count, layer.mayBegin(place, with: key.word, depth: 16),
        layer.accounts[place].key == key
      {
        return .some(layer.accounts[place].after)
      }
    }
    return nil
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

  private func withBytes<Result>(
    of hash: Hash256, _ body: (UnsafeRawBufferPointer) -> Result
  ) -> Result {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { bytes in
      hash.store(bytes: bytes.baseAddress!)
      return body(UnsafeRawBufferPointer(bytes))
    }
  }

  /// All slots of an account, by the hashes of their keys.
  func allSlots(of account: Hash256) -> [Entry<UInt256>] {
    var cursor = TrieCursor<UInt256>(self, owner: account)
    return Array(cursor.load(.zero, 0, changes: UnsafeBufferPointer(start: nil, count: 0)))
  }
}

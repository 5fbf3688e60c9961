package import EVM
import Ethereum
package import Execution

extension Snapshot {
  /// What takes the state of the head back to that after an earlier block, as a layer with the root.
  func layer(backTo number: UInt64, workers: Int) throws(StorageError) -> StateLayer {
    var accounts: [Hash256: StoredAccount?] = [:]
    var slots: [Hash256: [Hash256: UInt256]] = [:]
    // From the newest on: what the oldest says stays.
    let layers = (amendment.map { [$0.layer] } ?? []) + pending.map(\.layer)
    for layer in layers where layer.number > number {
      for change in layer.accounts { accounts[change.key] = .some(change.before) }
      for change in layer.slots {
        slots[change.account, default: [:]][change.slot] = change.before
      }
    }
    var blocks: [UnsafeRawBufferPointer] = []
    reader.scan(.changes, from: Self.key(number + 1)) { _, bytes in
      blocks.append(bytes)
      return true
    }
    for bytes in blocks.reversed() {
      let record = ChangeRecord(stored: bytes)
      record.forEachAccount { accounts[$0] = .some($1) }
      record.forEachSlot { slots[$0, default: [:]][$1] = $2 }
    }
    var changes = StateCommitter.Changes()
    for (key, after) in accounts {
      changes.accounts.append(
        StateLayer.AccountChange(key: key, before: state.account(key), after: after))
    }
    for (account, values) in slots {
      for (slot, after) in values {
        let before = state.slot(slot, of: account)
        if before == after { continue }
        changes.slots.append(
          StateLayer.SlotChange(account: account, slot: slot, before: before, after: after))
      }
    }
    changes.sort()
    return try StateCommitter(reader: state, workers: workers).layer(number: number, changes)
  }

  /// The state after a block as proofs are made from it. For a past block all that has changed since
  /// is worked out anew.
  package func provingState(after number: UInt64) throws(StorageError) -> StateReader {
    if number == head.header.number { return state }
    guard number < head.header.number, number >= oldestState else {
      throw StorageError(
        .unavailable,
        "the state after block \(number) is not kept; the oldest is \(oldestState)")
    }
    let layer = try layer(backTo: number, workers: 1)
    return StateReader(layers: [layer] + state.layers, reader: reader)
  }
}

extension StateReader {
  /// The nodes from the state root to an account, as `MerklePatriciaTrie.verify` takes them.
  package func proof(ofAccount key: Hash256) -> [[UInt8]] {
    var update = TrieUpdate<StoredAccount>(owner: .zero, reader: self)
    return update.proof(of: key.word)
  }

  /// The nodes from an account's storage root to a slot; none for an account without storage.
  package func proof(ofSlot slot: Hash256, account: Hash256) -> [[UInt8]] {
    var update = TrieUpdate<UInt256>(owner: account, reader: self)
    return update.proof(of: slot.word)
  }

  /// The state root, worked out from the topmost rows.
  package func root() -> Hash256 {
    var update = TrieUpdate<StoredAccount>(owner: .zero, reader: self)
    return update.root(of: update.subtree(.zero, 0))
  }
}

extension StateReader {
  /// The state after further changes that are stored nowhere.
  package func adding(_ layer: StateLayer) -> StateReader {
    StateReader(layers: [layer] + layers, reader: reader)
  }

  /// What further changes make of this state.
  package func layer(_ delta: StateDelta, number: UInt64) throws(StorageError) -> StateLayer {
    let committer = StateCommitter(reader: self, workers: 1)
    return try committer.layer(number: number, committer.changes(delta))
  }

  /// This state, as execution reads it.
  package var source: DatabaseSource { DatabaseSource(self, past: nil) }
}

import Coprocessors
import EVM
import Ethereum
import Execution
import Synchronization

/// Turns what a block changed into the state root after it, on several threads.
struct StateCommitter {
  let reader: StateReader
  let workers: Int

  /// Changes of accounts and slots under the hashes of their keys, in order.
  struct Changes {
    var accounts: [StateLayer.AccountChange] = []
    var slots: [StateLayer.SlotChange] = []
    var codes: [Hash256: [UInt8]] = [:]
  }

  /// Finds the keys of what a block changed. `storageRoots` are those of the accounts before.
  func changes(_ delta: StateDelta) -> Changes {
    var changes = Changes()
    for code in delta.codes { changes.codes[code.hash] = code.bytes }
    let keys = hashes(delta.accounts.count) { Keccak256.hash(delta.accounts[$0].address) }
    changes.accounts.reserveCapacity(delta.accounts.count)
    for (index, account) in delta.accounts.enumerated() {
      let key = keys[index]
      // Only an account with storage has a root that the delta lacks.
      let before = account.before.map { before in
        StoredAccount(
          nonce: before.nonce, balance: before.balance, codeHash: before.codeHash,
          storageRoot: before.hasStorage
            ? reader.account(key)?.storageRoot ?? MerklePatriciaTrie.emptyRoot
            : MerklePatriciaTrie.emptyRoot)
      }
      let isEmptied = account.wipesStorage || account.after == nil
      let after = account.after.map { after in
        StoredAccount(
          nonce: after.nonce, balance: after.balance, codeHash: after.codeHash,
          storageRoot: isEmptied
            ? MerklePatriciaTrie.emptyRoot : before?.storageRoot ?? MerklePatriciaTrie.emptyRoot)
      }
      changes.accounts.append(StateLayer.AccountChange(key: key, before: before, after: after))
      var wiped: [UInt256: UInt256] = [:]
      if isEmptied, let before, before.storageRoot != MerklePatriciaTrie.emptyRoot {
        for entry in reader.allSlots(of: key) { wiped[entry.key] = entry.value }
      }
      for slot in delta.slots[account.slots] {
        let hash = Keccak256.hash(slot.key)
        let before = isEmptied ? wiped.removeValue(forKey: hash.word) ?? .zero : slot.before
        if before == slot.after { continue }
        changes.slots.append(
          StateLayer.SlotChange(account: key, slot: hash, before: before, after: slot.after))
      }
      for (slot, value) in wiped {
        changes.slots.append(
          StateLayer.SlotChange(account: key, slot: Hash256(slot), before: value, after: .zero))
      }
    }
    changes.accounts.sort { $0.key < $1.key }
    changes.slots.sort { $0.account == $1.account ? $0.slot < $1.slot : $0.account < $1.account }
    return changes
  }

  private func hashes(_ count: Int, _ hash: @Sendable (Int) -> Hash256) -> [Hash256] {
    if count < 256 { return (0..<count).map(hash) }
    let pieces = 16
    let parts = Mutex([[Hash256]](repeating: [], count: pieces))
    Workers.run(pieces, on: workers) { piece in
      let part = (count * piece / pieces..<count * (piece + 1) / pieces).map(hash)
      parts.withLock { $0[piece] = part }
    }
    return parts.withLock { $0.flatMap { $0 } }
  }

  /// The layer of changes, with the root after them.
  func layer(number: UInt64, _ changes: Changes) throws(StorageError) -> StateLayer {
    var accounts = changes.accounts
    var nodes: [NodeKey: NodeRow?] = [:]
    try setStorageRoots(&accounts, changes.slots, &nodes)
    let root = try accountRoot(accounts, &nodes)
    return StateLayer(
      number: number, root: root, accounts: accounts, slots: changes.slots, codes: changes.codes,
      nodes: nodes)
  }

  /// Works out the storage roots of the accounts with slots that change.
  private func setStorageRoots(
    _ accounts: inout [StateLayer.AccountChange], _ slots: [StateLayer.SlotChange],
    _ nodes: inout [NodeKey: NodeRow?]
  ) throws(StorageError) {
    var groups: [(owner: Hash256, slots: Range<Int>)] = []
    var first = 0
    while first < slots.count {
      var last = first + 1
      while last < slots.count, slots[last].account == slots[first].account { last += 1 }
      groups.append((slots[first].account, first..<last))
      first = last
    }
    if groups.isEmpty { return }
    let pieces = groups.count < 64 ? 1 : min(16, groups.count)
    let work = groups
    let parts = try run(pieces) { (reader, piece) -> [Part] in
      (work.count * piece / pieces..<work.count * (piece + 1) / pieces).map { index in
        let entries = slots[work[index].slots].map {
          Entry(key: $0.slot.word, value: $0.after.isZero ? nil : $0.after)
        }
        var update = TrieUpdate(owner: work[index].owner, reader: reader, changes: entries)
        let root = update.root()
        return Part(root: root, rows: update.rows)
      }
    }
    for (group, part) in zip(groups, parts.flatMap { $0 }) {
      nodes.merge(part.rows) { $1 }
      let index = accounts.firstIndex(notBelow: group.owner, by: { $0.key })
      precondition(
        index < accounts.count && accounts[index].key == group.owner, "a slot has an account")
      accounts[index].after?.storageRoot = part.root
    }
  }

  private struct Part: Sendable {
    var root = Hash256.zero
    var top: Subtree?
    var rows: [NodeKey: NodeRow?] = [:]
  }

  /// The state root; the sixteen parts below the topmost node are worked out side by side when that
  /// is worth it.
  private func accountRoot(
    _ accounts: [StateLayer.AccountChange], _ nodes: inout [NodeKey: NodeRow?]
  ) throws(StorageError) -> Hash256 {
    let entries = accounts.map { Entry(key: $0.key.word, value: $0.after) }
    var update = TrieUpdate(owner: .zero, reader: reader, changes: entries)
    let top = NodeKey(owner: .zero, prefixOf: .zero, depth: 0)
    guard workers > 1, entries.count >= 256, var row = update.row(top) else {
      let root = update.root()
      nodes.merge(update.rows) { $1 }
      return root
    }
    let bounds = (0...16).map { nibble in
      nibble == 16
        ? entries.count
        : entries.firstIndex(
          notBelow: Hash256(UInt256.zero.settingNibble(0, to: nibble)), by: { Hash256($0.key) })
    }
    let parts = try run(16) { (reader, nibble) -> Part in
      let range = bounds[nibble]..<bounds[nibble + 1]
      if range.isEmpty { return Part() }
      var update = TrieUpdate(owner: .zero, reader: reader, changes: entries)
      let part = update.update(UInt256.zero.settingNibble(0, to: nibble), 1, range)
      return Part(top: part, rows: update.rows)
    }
    var only: Subtree?
    for (nibble, part) in parts.enumerated() where bounds[nibble] < bounds[nibble + 1] {
      nodes.merge(part.rows) { $1 }
      update.set(&row, nibble, part.top, 0)
      if part.top != nil { only = part.top }
    }
    // What is left at the top may fall back on parts that have changed.
    update.take(nodes)
    let root = update.root(of: update.finish(row, top, .zero, only))
    nodes.merge(update.rows) { $1 }
    return root
  }

  /// Does pieces of work on threads, each with a reader of its own.
  private func run<Result: Sendable>(
    _ pieces: Int, _ body: @Sendable (StateReader, Int) -> Result
  ) throws(StorageError) -> [Result] {
    if pieces == 1 || workers == 1 { return (0..<pieces).map { body(reader, $0) } }
    var readers: [StateReader] = [reader]
    while readers.count < min(pieces, workers) { readers.append(try reader.copy()) }
    let free = Mutex(readers)
    let results = Mutex([Result?](repeating: nil, count: pieces))
    Workers.run(pieces, on: readers.count) { piece in
      guard let reader = free.withLock({ $0.popLast() }) else {
        preconditionFailure("there are as many readers as threads")
      }
      let result = body(reader, piece)
      free.withLock { $0.append(reader) }
      results.withLock { $0[piece] = result }
    }
    return results.withLock { $0.compactMap { $0 } }
  }
}

import Coprocessors
import EVM
import Ethereum
import Execution
import Synchronization

/// Turns what a block changed into the state root after it, on several threads.
struct StateCommitter {
  let reader: StateReader
  let workers: Int
  /// Rows of the state that is changed, where somebody has them.
  var loan: HeadRows.Loan?

  /// Changes of accounts and slots under the hashes of their keys, in order.
  struct Changes {
    var accounts: [StateLayer.AccountChange] = []
    var slots: [StateLayer.SlotChange] = []
    var codes: [Hash256: [UInt8]] = [:]
  }

  /// Finds the keys of what a block changed.
  func changes(_ delta: StateDelta) -> Changes {
    var changes = Changes()
    for code in delta.codes { changes.codes[code.hash] = code.bytes }
    let keys = hashes(delta.accounts.count, size: 20) { index, place in
      delta.accounts[index].address.store(bytes: place)
    }
    changes.accounts.reserveCapacity(delta.accounts.count)
    changes.slots.reserveCapacity(delta.slots.count)
    for index in Self.order(keys) {
      append(delta.accounts[index], keys[index], delta.slots, to: &changes)
    }
    return changes
  }

  /// The places of keys in the order of the keys, which differ.
  private static func order(_ keys: [Hash256]) -> [Int] {
    var order = keys.indices.map { (word: keys[$0].word.limb3, index: UInt32($0)) }
    order.sort { a, b in
      a.word == b.word ? keys[Int(a.index)] < keys[Int(b.index)] : a.word < b.word
    }
    return order.map { Int($0.index) }
  }

  /// Adds an account's change, and those of its slots.
  private func append(
    _ account: StateDelta.Account, _ key: Hash256,
    _ slots: [(key: UInt256, before: UInt256, after: UInt256)], to changes: inout Changes
  ) {
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
    if account.slots.isEmpty && wiped.isEmpty { return }
    let first = changes.slots.count
    let hashes = hashes(account.slots.count, size: 32) { index, place in
      slots[account.slots.lowerBound + index].key.store(bigEndian: place)
    }
    for (slot, hash) in zip(slots[account.slots], hashes) {
      let before = isEmptied ? wiped.removeValue(forKey: hash.word) ?? .zero : slot.before
      if before == slot.after { continue }
      changes.slots.append(
        StateLayer.SlotChange(account: key, slot: hash, before: before, after: slot.after))
    }
    for (slot, value) in wiped {
      changes.slots.append(
        StateLayer.SlotChange(account: key, slot: Hash256(slot), before: value, after: .zero))
    }
    changes.slots[first...].sort { $0.slot < $1.slot }
  }

  /// The hashes of keys of so many bytes, which `write` writes.
  private func hashes(
    _ count: Int, size: Int, _ write: @Sendable (Int, UnsafeMutablePointer<UInt8>) -> Void
  ) -> [Hash256] {
    [Hash256](unsafeUninitializedCapacity: count) { buffer, initialized in
      initialized = count
      guard let base = buffer.baseAddress, count > 0 else { return }
      // Each piece writes places of its own.
      nonisolated(unsafe) let hashes = base
      let pieces = count < 256 ? 1 : 16
      Workers.run(pieces, on: workers) { piece in
        let range = count * piece / pieces..<count * (piece + 1) / pieces
        Keccak256.hash(range, size: size, into: hashes + range.lowerBound) { index, place in
          write(index, place)
          return size
        }
      }
    }
  }

  /// The layer of changes, with the root after them.
  func layer(number: UInt64, _ changes: Changes) throws(StorageError) -> StateLayer {
    var accounts = changes.accounts
    let storages = try setStorageRoots(&accounts, changes.slots)
    let entries = accounts.map { Entry(key: $0.key.word, value: $0.after) }
    let top = try part(.zero, entries, isAlone: true)
    var nodes = top.rows
    if !storages.isEmpty { nodes.reserve(storages) }
    for rows in storages { nodes.append(rows) }
    return StateLayer(
      number: number, root: top.root, accounts: accounts, slots: changes.slots,
      codes: changes.codes, nodes: nodes)
  }

  /// Works out the storage roots of the accounts with slots that change; gives the rows of their tries.
  private func setStorageRoots(
    _ accounts: inout [StateLayer.AccountChange], _ slots: [StateLayer.SlotChange]
  ) throws(StorageError) -> [NodeRows] {
    var groups: [(owner: Hash256, slots: Range<Int>)] = []
    var first = 0
    while first < slots.count {
      var last = first + 1
      while last < slots.count, slots[last].account == slots[first].account { last += 1 }
      groups.append((slots[first].account, first..<last))
      first = last
    }
    if groups.isEmpty { return [] }
    @Sendable func entries(_ range: Range<Int>) -> [Entry<UInt256>] {
      slots[range].map { Entry(key: $0.slot.word, value: $0.after.isZero ? nil : $0.after) }
    }
    // Small storages side by side, each as a whole; then the large ones, each by several threads.
    let work = groups
    let pieces = groups.count < 64 ? 1 : min(16, groups.count)
    var parts = try run(pieces) { (reader, piece) -> [Part] in
      (work.count * piece / pieces..<work.count * (piece + 1) / pieces).map { index in
        if work[index].slots.count >= Self.leastForThreads && workers > 1 { return Part() }
        return part(work[index].owner, entries(work[index].slots), reader)
      }
    }.flatMap { $0 }
    for (index, group) in groups.enumerated() {
      if group.slots.count >= Self.leastForThreads && workers > 1 {
        parts[index] = try part(group.owner, entries(group.slots), isAlone: true)
      }
      let place = accounts.firstIndex(notBelow: group.owner, by: { $0.key })
      precondition(
        place < accounts.count && accounts[place].key == group.owner, "a slot has an account")
      accounts[place].after?.storageRoot = parts[index].root
    }
    return parts.map(\.rows)
  }

  private struct Part: Sendable {
    var root = Hash256.zero
    var top: Subtree?
    var rows = NodeRows()
  }

  /// Less is done before other threads are awake.
  private static var leastForThreads: Int { 256 }

  private func part<Value: TrieValue>(
    _ owner: Hash256, _ entries: [Entry<Value>], _ reader: StateReader
  ) -> Part {
    entries.withUnsafeBufferPointer { entries in
      var update = TrieUpdate(owner: owner, reader: reader, changes: entries, loan: loan)
      let root = update.root()
      return Part(root: root, rows: update.rows)
    }
  }

  /// A trie with changes; the sixteen parts below its topmost node are worked out side by side when
  /// that is worth it.
  private func part<Value: TrieValue>(
    _ owner: Hash256, _ entries: [Entry<Value>], isAlone: Bool
  ) throws(StorageError) -> Part {
    let top = NodeKey(owner: owner, prefixOf: .zero, depth: 0)
    var row = NodeRow()
    guard workers > 1, entries.count >= Self.leastForThreads,
      TrieCursor<Value>(reader, owner: owner, loan: loan).read(top, into: &row)
    else { return part(owner, entries, reader) }
    let bounds = (0...16).map { nibble in
      nibble == 16
        ? entries.count
        : entries.firstIndex(
          notBelow: Hash256(UInt256.zero.settingNibble(0, to: nibble)), by: { Hash256($0.key) })
    }
    let parts = try run(16) { (reader, nibble) -> Part in
      let range = bounds[nibble]..<bounds[nibble + 1]
      if range.isEmpty { return Part() }
      return entries.withUnsafeBufferPointer { entries in
        var update = TrieUpdate(owner: owner, reader: reader, changes: entries, loan: loan)
        let part = update.update(UInt256.zero.settingNibble(0, to: nibble), 1, range)
        return Part(top: part, rows: update.rows)
      }
    }
    return entries.withUnsafeBufferPointer { buffer in
      var update = TrieUpdate(owner: owner, reader: reader, changes: buffer, loan: loan)
      let place = update.reserve(top)
      var only: Subtree?
      for (nibble, part) in parts.enumerated() where bounds[nibble] < bounds[nibble + 1] {
        update.set(&row, nibble, part.top, 0)
        if part.top != nil { only = part.top }
      }
      let all = update.finish(&row, place, .zero, 0, 0..<entries.count, only)
      let root = update.root(of: all)
      var rows = update.rows
      rows.reserve(parts.map(\.rows))
      for part in parts { rows.append(part.rows) }
      return Part(root: root, rows: rows)
    }
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

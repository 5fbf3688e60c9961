import EVM
import Ethereum
import Execution

/// Looks at everything that a database says and whether it fits together.
package struct DatabaseCheck {
  /// What was looked at.
  package struct Report: Sendable {
    /// Blocks whose header, body, receipts and indexes were compared.
    package var blocks = 0
    /// Transactions in them.
    package var transactions = 0
    /// Accounts in the trie that was worked out anew.
    package var accounts = 0
    /// Slots in the tries that were worked out anew.
    package var slots = 0
    /// Entries of the block log whose checksum was compared.
    package var logEntries = 0
    /// What the block log has behind the database.
    package var logEntriesAhead = 0
    /// The first damage of each kind, in words.
    package var faults: [String] = []

    /// Nothing yet.
    package init() {}
  }

  /// What is looked at.
  let snapshot: Snapshot
  /// Told from time to time how far it is.
  let progress: (_ done: Int, _ of: Int, _ what: String) -> Void

  /// A check of a database.
  package init(
    _ snapshot: Snapshot, progress: @escaping (Int, Int, String) -> Void = { _, _, _ in }
  ) {
    self.snapshot = snapshot
    self.progress = progress
  }

  /// Checks the chain and the state.
  package func run(into report: inout Report) throws(StorageError) {
    try checkBlocks(&report)
    checkState(&report)
    checkCodes(&report)
  }

  // MARK: Blocks

  private func checkBlocks(_ report: inout Report) throws(StorageError) {
    let head = snapshot.head.header.number
    var parent: StoredHeader?
    var indexed = 0
    for number in 0...head {
      if number % 256 == 0 { progress(Int(number), Int(head), "blocks") }
      if let fault = try fault(inBlock: number, parent: &parent, &report, &indexed) {
        // Each later one would only repeat it.
        report.faults.append("block \(number): \(fault)")
        return
      }
    }
    let stray = snapshot.reader.count(.transactionHashes) - indexed
    if stray != 0 {
      report.faults.append("the index of transactions has \(stray) entries of no block")
    }
    if snapshot.reader.count(.blockHashes) != Int(head) + 1 {
      report.faults.append(
        "the index of blocks has \(snapshot.reader.count(.blockHashes)) entries for "
          + "\(head + 1) blocks")
    }
  }

  private func fault(
    inBlock number: UInt64, parent: inout StoredHeader?, _ report: inout Report,
    _ indexed: inout Int
  ) throws(StorageError) -> String? {
    guard let stored = try snapshot.header(number) else { return "the header is missing" }
    let header = stored.header
    if header.number != number { return "the header is that of block \(header.number)" }
    if header.hash != stored.hash {
      return "the header has the hash \(header.hash), not \(stored.hash)"
    }
    if let parent, header.parentHash != parent.hash {
      return "the parent is \(header.parentHash), not block \(number - 1), \(parent.hash)"
    }
    parent = stored
    // The snapshot knows the head's without looking.
    if snapshot.reader.get(.blockHashes, stored.hash.bytes)?.uint64(at: 0) != number {
      return "its hash is not in the index"
    }
    guard let body = snapshot.body(number) else { return "the body is missing" }
    guard let receipts = snapshot.receipts(number) else { return "the receipts are missing" }
    let envelopes = (0..<body.count).map { body.envelope($0) }
    if MerklePatriciaTrie.orderedRoot(envelopes) != header.transactionsRoot {
      return "the transactions are not those of the header"
    }
    let block = try body.block(header)
    if BlockHeader.ommersHash(of: block.ommers) != header.ommersHash
      || block.withdrawals.map({ MerklePatriciaTrie.orderedRoot($0.map(\.encoded)) })
        != header.withdrawalsRoot
    {
      return "the ommers or withdrawals are not those of the header"
    }
    if receipts.count != body.count {
      return "\(body.count) transactions have \(receipts.count) receipts"
    }
    let all = try receipts.all().map(\.encoded)
    if number > 0, MerklePatriciaTrie.orderedRoot(all) != header.receiptsRoot {
      return "the receipts are not those of the header"
    }
    for (index, envelope) in envelopes.enumerated() {
      let place = snapshot.place(ofTransaction: Keccak256.hash(envelope))
      if place?.number != number || place?.index != index {
        return "transaction \(index) is not in the index"
      }
    }
    report.blocks += 1
    report.transactions += body.count
    indexed += body.count
    return nil
  }

  // MARK: State

  private func checkState(_ report: inout Report) {
    var accounts = TrieUpdate<StoredAccount>(owner: .zero, reader: snapshot.state)
    var found = accounts.check { progress($0, snapshot.reader.count(.accounts), "accounts") }
    report.accounts = found.entries
    if let fault = found.fault { report.faults.append("the trie of the accounts: \(fault)") }
    let root = snapshot.head.header.stateRoot
    if found.root != root {
      report.faults.append("the accounts have the root \(found.root), the head says \(root)")
    }
    var rows = found.rows
    // The storages in the order of their owners, then the accounts that say that they have one.
    var storages = 0
    for owner in storageOwners() {
      storages += 1
      var slots = TrieUpdate<UInt256>(owner: owner, reader: snapshot.state)
      found = slots.check { _ in }
      report.slots += found.entries
      rows += found.rows
      let account = snapshot.state.account(owner)
      if let fault = found.fault {
        report.faults.append("the storage of \(owner): \(fault)")
        return
      }
      if account?.storageRoot != found.root {
        report.faults.append(
          "the storage of \(owner) has the root \(found.root), the account says "
            + "\(account?.storageRoot.description ?? "nothing: there is none")")
        return
      }
    }
    var claimed = 0
    snapshot.reader.scan(.accounts, from: []) { _, value in
      if StoredAccount(stored: value).storageRoot != MerklePatriciaTrie.emptyRoot { claimed += 1 }
      return true
    }
    if claimed != storages {
      report.faults.append("\(claimed) accounts have a storage, \(storages) storages have slots")
    }
    if rows != snapshot.reader.count(.nodes) {
      report.faults.append(
        "the tries have \(rows) rows of nodes, the table \(snapshot.reader.count(.nodes))")
    }
  }

  /// The accounts that have slots.
  private func storageOwners() -> [Hash256] {
    var owners: [Hash256] = []
    var next: [UInt8] = []
    while true {
      var found: Hash256?
      snapshot.reader.scan(.slots, from: next) { key, _ in
        found = Hash256(bytes: key.baseAddress!.assumingMemoryBound(to: UInt8.self))
        return false
      }
      guard let found else { return owners }
      owners.append(found)
      next = found.bytes + [UInt8](repeating: 0xFF, count: 33)
    }
  }

  private func checkCodes(_ report: inout Report) {
    var fault: String?
    snapshot.reader.scan(.codes, from: []) { key, code in
      let hash = Hash256(bytes: key.baseAddress!.assumingMemoryBound(to: UInt8.self))
      let found = Keccak256.hash(code.bindMemory(to: UInt8.self))
      if found != hash { fault = "the code \(hash) has the hash \(found)" }
      return fault == nil
    }
    var missing: Hash256?
    snapshot.reader.scan(.accounts, from: []) { key, value in
      let account = StoredAccount(stored: value)
      if account.codeHash != .emptyCode, snapshot.reader.get(.codes, account.codeHash.bytes) == nil
      {
        missing = Hash256(bytes: key.baseAddress!.assumingMemoryBound(to: UInt8.self))
      }
      return missing == nil
    }
    if let missing { fault = fault ?? "the code of the account \(missing) is missing" }
    if let fault { report.faults.append(fault) }
  }
}

/// What working a trie out anew found.
struct TrieCheck {
  var root = Hash256.zero
  var entries = 0
  /// Rows that belong there.
  var rows = 0
  /// The first row that is not as the entries want it.
  var fault: String?
}

extension TrieUpdate {
  /// Works all of the trie out from its entries and compares its rows. Calls `progress` with the
  /// entries that are done, from time to time.
  mutating func check(_ progress: (Int) -> Void) -> TrieCheck {
    var result = TrieCheck()
    let top = check(.zero, 0, &result, progress)
    result.root = root(of: top)
    return result
  }

  private mutating func check(
    _ prefix: UInt256, _ depth: Int, _ result: inout TrieCheck, _ progress: (Int) -> Void
  ) -> Subtree? {
    let key = NodeKey(owner: owner, prefixOf: prefix, depth: depth)
    var stored = NodeRow()
    guard depth < 64, read(key, into: &stored, mayBeDamaged: true) else {
      let before = rows.count
      let (part, count) = rebuildCounted(prefix, depth)
      // What has many entries has rows.
      if rows.count != before { result.fault = result.fault ?? "the row of \(key) is missing" }
      result.entries += count
      if result.entries & 0xFFFF < count { progress(result.entries) }
      return part
    }
    result.rows += 1
    var row = NodeRow()
    var only: Subtree?
    for nibble in 0..<16 {
      let part = check(prefix.settingNibble(depth, to: nibble), depth + 1, &result, progress)
      set(&row, nibble, part, depth)
      if part != nil { only = part }
    }
    if !row.isSame(as: stored) { result.fault = result.fault ?? "the row of \(key) is wrong" }
    if row.count <= NodeRow.fewest {
      result.fault = result.fault ?? "the row of \(key) has \(row.count) entries only"
    }
    if row.width <= 1 { return only }
    return branch(row, prefix, depth)
  }
}

extension NodeRow {
  func isSame(as other: NodeRow) -> Bool {
    for nibble in 0..<16 {
      if counts[nibble] != other.counts[nibble] { return false }
      if counts[nibble] > 0,
        references[nibble].count != other.references[nibble].count
          || references[nibble].bytes != other.references[nibble].bytes
      {
        return false
      }
    }
    return true
  }
}

extension NodeKey: CustomStringConvertible {
  var description: String {
    let nibbles = (0..<depth).map { String(path.nibble($0), radix: 16) }.joined()
    return "prefix \"\(nibbles)\""
  }
}

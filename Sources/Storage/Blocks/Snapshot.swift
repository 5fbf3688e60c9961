package import EVM
import Ethereum
import Execution

/// The chain at one moment: what is committed but not yet stored, over the database. One thread at a
/// time. Readers keep old pages alive: let it go when the request is answered.
package final class Snapshot: @unchecked Sendable {
  // Sendable: a value that threads may hand on, as the reader of LMDB.

  /// The head.
  package let head: StoredHeader
  let bounds: HistoryBounds
  /// The newest first.
  let pending: [PendingBlock]
  /// What was changed from outside since the head: all of it, and as `Database.amend` got it.
  let amendment: (layer: StateLayer, record: [UInt8])?
  let reader: LMDBReader
  /// The state after the head.
  package let state: StateReader

  init(
    head: StoredHeader, bounds: HistoryBounds, pending: [PendingBlock],
    amendment: (layer: StateLayer, record: [UInt8])? = nil, reader: LMDBReader
  ) {
    self.head = head
    self.bounds = bounds
    self.pending = pending
    self.amendment = amendment
    self.reader = reader
    state = StateReader(
      layers: (amendment.map { [$0.layer] } ?? []) + pending.map(\.layer), reader: reader)
  }

  /// The state after the head, as far as it is told apart from others.
  package struct Version: Equatable, Sendable {
    let head: Hash256
    let amendment: StateLayer?

    package static func == (a: Version, b: Version) -> Bool {
      a.head == b.head && a.amendment === b.amendment
    }
  }

  /// The number of the newest block that is in the chain.
  package var latest: UInt64 { head.header.number - (head.isPending ? 1 : 0) }

  /// Which state the head's is.
  package var version: Version { Version(head: head.hash, amendment: amendment?.layer) }

  /// This chain with one more block at its end that is in no chain, and what it changes; the thread that
  /// has the one may have both.
  package func adding(_ block: StoredBlock, _ layer: StateLayer) -> Snapshot {
    var head = block.summary
    head.isPending = true
    // As `Database.append` has it.
    let layer = amendment.map { layer.merged(after: $0.layer) } ?? layer
    return Snapshot(
      head: head, bounds: bounds,
      pending: [PendingBlock(block: block, layer: layer, amendment: amendment?.record)] + pending,
      reader: reader)
  }

  private func block(_ number: UInt64) -> StoredBlock? {
    for block in pending where block.block.header.number == number { return block.block }
    return nil
  }

  static func key(_ number: UInt64) -> [UInt8] {
    var key: [UInt8] = []
    key.append(bigEndian: number)
    return key
  }

  /// A block of the canonical chain by its number.
  package func header(_ number: UInt64) throws(StorageError) -> StoredHeader? {
    if number > head.header.number { return nil }
    if number == head.header.number { return head }
    if let block = block(number) { return block.summary }
    guard let bytes = reader.get(.headers, Self.key(number)) else { return nil }
    return try StoredHeader(stored: bytes)
  }

  /// The numbers of the blocks of a range whose logs' bloom filter, 256 bytes, passes a test, in order.
  package func blocks(
    _ range: ClosedRange<UInt64>, where test: (UnsafePointer<UInt8>) -> Bool
  ) throws(StorageError) -> [UInt64] {
    var found: [UInt64] = []
    var next = range.lowerBound
    var damaged: UInt64?
    reader.scan(.headers, from: Self.key(range.lowerBound)) { key, record in
      let number = key.uint64(at: 0)
      if number > range.upperBound { return false }
      guard let bloom = StoredHeader.bloom(stored: record) else {
        damaged = number
        return false
      }
      if test(bloom) { found.append(number) }
      next = number + 1
      return true
    }
    if let damaged {
      throw StorageError(.corrupt, "database: the header of block \(damaged) has no bloom filter")
    }
    // A block may be stored already and still be among those that wait.
    for block in pending.reversed() where block.block.header.number >= next {
      let header = block.block.header
      if header.number > range.upperBound { break }
      if header.logsBloom.bytes.withUnsafeBufferPointer({ test($0.baseAddress!) }) {
        found.append(header.number)
      }
    }
    return found
  }

  /// The number of a block of the canonical chain.
  package func number(ofBlock hash: Hash256) -> UInt64? {
    if hash == head.hash { return head.header.number }
    for block in pending where block.block.hash == hash { return block.block.header.number }
    return reader.get(.blockHashes, hash.bytes).map { $0.uint64(at: 0) }
  }

  /// A block of the canonical chain by its hash.
  package func header(_ hash: Hash256) throws(StorageError) -> StoredHeader? {
    guard let number = number(ofBlock: hash) else { return nil }
    return try header(number)
  }

  /// The transactions of a block.
  package func body(_ number: UInt64) -> BodyRecord? {
    if number > head.header.number { return nil }
    if let block = block(number) { return block.body }
    return reader.get(.bodies, Self.key(number)).map { BodyRecord(stored: $0) }
  }

  /// The receipts of a block.
  package func receipts(_ number: UInt64) -> ReceiptsRecord? {
    if number > head.header.number { return nil }
    if let block = block(number) { return block.receipts }
    return reader.get(.receipts, Self.key(number)).map { ReceiptsRecord(stored: $0) }
  }

  /// Where a transaction of the canonical chain stands.
  package func place(ofTransaction hash: Hash256) -> (number: UInt64, index: Int)? {
    for block in pending {
      if let index = block.block.transactionHashes.firstIndex(of: hash) {
        return (block.block.header.number, index)
      }
    }
    guard let bytes = reader.get(.transactionHashes, hash.bytes) else { return nil }
    return (bytes.uint64(at: 0), Int(bytes.uint32(at: 8)))
  }

  static func amendmentKey(_ number: UInt64) -> [UInt8] { [UInt8]("amended".utf8) + key(number) }

  /// What was changed from outside before a block was made, as `Database.amend` got it; `nil` where
  /// nothing was.
  package func amendment(before number: UInt64) -> [UInt8]? {
    for block in pending where block.block.header.number == number { return block.amendment }
    return reader.get(.meta, Self.amendmentKey(number)).map { [UInt8]($0) }
  }

  /// The hash of a block of the canonical chain.
  package func hash(_ number: UInt64) -> Hash256? {
    if number == head.header.number { return head.hash }
    if number > head.header.number { return nil }
    if let block = block(number) { return block.hash }
    guard let bytes = reader.get(.headers, Self.key(number)), bytes.count >= 32 else { return nil }
    return Hash256(bytes: bytes.baseAddress!.assumingMemoryBound(to: UInt8.self))
  }

  /// The hashes of up to 256 blocks that end with a number.
  package func recentHashes(endingWith number: UInt64) -> [UInt64: Hash256] {
    var hashes: [UInt64: Hash256] = [:]
    var next = number
    while hashes.count < 256, let hash = hash(next) {
      hashes[next] = hash
      if next == 0 { break }
      next -= 1
    }
    return hashes
  }

  /// The number of the oldest block whose state can be read.
  package var oldestState: UInt64 { bounds.oldestState(head: head.header.number) }

  /// The state after a block, for execution.
  package func source(after number: UInt64) throws(StorageError) -> DatabaseSource {
    if number == head.header.number { return DatabaseSource(state, past: nil) }
    guard number < head.header.number else {
      throw StorageError(.unavailable, "there is no block \(number) yet")
    }
    guard number >= oldestState else {
      throw StorageError(
        .unavailable,
        "the state after block \(number) is not kept any more; the oldest is \(oldestState)")
    }
    return DatabaseSource(state, past: ChangeHistory(self, after: number))
  }
}

/// What the states of past blocks are read from: what later blocks changed.
final class ChangeHistory {
  let number: UInt64
  private let snapshot: Snapshot

  init(_ snapshot: Snapshot, after number: UInt64) {
    self.snapshot = snapshot
    self.number = number
  }

  /// What an account was; `nil` where no later block changed it.
  func account(_ key: Hash256) -> StoredAccount?? {
    if let found = first(.accountHistory, key.bytes, { $0.account(key) }) { return found }
    for block in snapshot.pending.reversed() where block.layer.number > number {
      if let change = block.layer.change(ofAccount: key) { return .some(change.before) }
    }
    if let change = snapshot.amendment?.layer.change(ofAccount: key) { return .some(change.before) }
    return nil
  }

  /// What a slot was; `nil` where no later block changed it.
  func slot(_ slot: Hash256, of account: Hash256) -> UInt256? {
    if let found = first(
      .slotHistory, account.bytes + slot.bytes, { $0.slot(slot, of: account) })
    {
      return found
    }
    for block in snapshot.pending.reversed() where block.layer.number > number {
      if let change = block.layer.change(ofSlot: slot, account: account) { return change.before }
    }
    if let change = snapshot.amendment?.layer.change(ofSlot: slot, account: account) {
      return change.before
    }
    return nil
  }

  /// What the first later block that changed a key says: blocks that are in no index are searched one
  /// after the other.
  private func first<Value>(
    _ index: Table, _ key: [UInt8], _ value: (ChangeRecord) -> Value?
  ) -> Value? {
    let reader = snapshot.reader
    let indexed = snapshot.bounds.indexed
    if number < indexed {
      var found: Value?
      reader.scan(.changes, from: Snapshot.key(number + 1)) { entry, bytes in
        if entry.uint64(at: 0) > indexed { return false }
        found = value(ChangeRecord(stored: bytes))
        return found == nil
      }
      if found != nil || indexed == .max { return found }
    }
    var first = key
    first.append(bigEndian: max(number, indexed) + 1)
    var block: UInt64?
    reader.scan(index, from: first) { entry, _ in
      if entry.count == first.count, entry.starts(with: key) {
        block = entry.uint64(at: key.count)
      }
      return false
    }
    guard let block, let bytes = reader.get(.changes, Snapshot.key(block)) else { return nil }
    return value(ChangeRecord(stored: bytes))
  }
}

import Dispatch
import EVM
package import Ethereum
package import Execution
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A block that is committed: the head's chain has it, and the database gets it in the background.
struct PendingBlock: Sendable {
  var block: StoredBlock
  var layer: StateLayer
  /// What of the layer was changed from outside, as the caller keeps it.
  var amendment: [UInt8]?
  /// When it became the head.
  let arrival = ContinuousClock.now

  /// Pages of the database that storing it changes at most.
  var pages: Int { layer.pages + block.transactionHashes.count * 2 + 64 }

  /// Bytes that it adds to the database, about.
  var bytes: Int {
    block.body.bytes.count + block.receipts.bytes.count + block.transactionHashes.count * 64
      + layer.size
  }
}

/// The durable chain: blocks, receipts, indexes and state in one LMDB file.
///
/// A committed block is visible at once, from memory, and stored by a thread of the database's own;
/// the caller has put it into the block log before, from which it is replayed when the process ends
/// in between. Readers take a `Snapshot`; they block nobody and are blocked by nobody.
package final class Database: @unchecked Sendable {
  // Sendable: what changes is behind `state`; LMDB has one writer, the store queue or `rewind`.

  /// What can be chosen.
  package struct Options: Sendable {
    /// How far back states can be read.
    package var history = HistoryPolicy.full
    /// Bytes that the file may grow to.
    package var mapSize = 1 << 40
    /// Threads that work out a state root.
    package var workers = 2
    /// Blocks that may wait to be stored before a commit waits for them.
    package var pendingLimit = 24
    /// Bytes of what they changed, likewise.
    package var pendingBytes = 512 << 20
    /// Milliseconds that a block waits to be stored with those that follow it: a page that several of
    /// them change is written once. After a crash they are executed again.
    package var storeDelay = 2000
    /// Bytes of the tries' rows that are kept in memory.
    package var rowBytes = 128 << 20

    /// All history; two threads.
    package init() {}
  }

  /// So many pages take a while on their way to the disk.
  private static let manyPages = 4096

  /// The version of the tables' layout.
  static let schema: UInt32 = 1

  private struct State {
    var head: StoredHeader
    var pending: [PendingBlock] = []
    /// What was changed from outside since the head.
    var amendment: (layer: StateLayer, record: [UInt8])?
    var bounds: HistoryBounds
    var failure: StorageError?
  }

  /// What was chosen.
  package let options: Options
  /// The folder.
  package let folder: String
  let environment: LMDBEnvironment
  private let lock: Int32
  private let state: Mutex<State?>
  private let queue = DispatchQueue(label: "needletail.storage")
  let pace: StorePace
  private let rows: HeadRows

  /// Opens or creates a database in a folder, for this process alone.
  package init(folder: String, options: Options = Options()) throws(StorageError) {
    self.folder = folder
    self.options = options
    rows = HeadRows(bytes: options.rowBytes)
    pace = StorePace(workers: options.workers)
    lock = try Self.lock(folder)
    var stored: UInt64 = 0
    do throws(StorageError) {
      environment = try LMDBEnvironment(
        folder: folder, tableNames: Table.names, mapSize: options.mapSize)
      let reader = try LMDBReader(environment)
      try Self.checkSchema(reader)
      var found: State?
      if let bytes = reader.get(.meta, Self.headKey) {
        let number = bytes.uint64(at: 0)
        guard let record = reader.get(.headers, Snapshot.key(number)) else {
          throw StorageError(.corrupt, "database: the header of the head, \(number), is missing")
        }
        found = State(
          head: try StoredHeader(stored: record),
          bounds: HistoryBounds(reader, options.history))
        stored = bytes.uint64(at: 8)
      }
      state = Mutex(found)
    } catch {
      close(lock)
      throw error
    }
    durable.withLock { $0 = stored }
    if case .blocks = options.history {
      queue.async { [weak self] in
        self?.dropIndexes()
        self?.prune()
      }
    }
  }

  // What waits to be stored is in the block log.
  deinit { close(lock) }

  private static func lock(_ folder: String) throws(StorageError) -> Int32 {
    var path = ""
    for part in folder.split(separator: "/", omittingEmptySubsequences: false) {
      path += path.isEmpty && !folder.hasPrefix("/") ? String(part) : "/" + part
      if path != "/", mkdir(path, 0o755) != 0, errno != EEXIST {
        throw StorageError(.unreadable, "\(path): \(String(cString: strerror(errno)))")
      }
    }
    let descriptor = open(folder + "/LOCK", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw StorageError(.unreadable, "\(folder)/LOCK: \(String(cString: strerror(errno)))")
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw StorageError(
        .inUse, "\(folder) is in use by another process; end it, or choose another folder")
    }
    return descriptor
  }

  static let headKey = [UInt8]("head".utf8)
  static let schemaKey = [UInt8]("schema".utf8)
  static let genesisKey = [UInt8]("genesis".utf8)

  static func checkSchema(_ reader: LMDBReader) throws(StorageError) {
    guard let bytes = reader.get(.meta, schemaKey) else { return }
    let found = bytes.uint32(at: 0)
    guard found == schema else {
      throw StorageError(
        .schema,
        "the database has schema \(found), this program \(schema): export the chain with the "
          + "program that wrote it, and import it into a new folder")
    }
  }

  /// Whether the chain has a block.
  package var isEmpty: Bool { state.withLock { $0 == nil } }

  /// The genesis file that the chain began with.
  package func genesis() throws(StorageError) -> [UInt8]? {
    try LMDBReader(environment).get(.meta, Self.genesisKey).map { [UInt8]($0) }
  }

  /// The last entry of the block log that is stored.
  package func storedSequence() throws(StorageError) -> UInt64 {
    try LMDBReader(environment).get(.meta, Self.headKey)?.uint64(at: 8) ?? 0
  }

  /// The chain as it is now.
  package func snapshot() throws(StorageError) -> Snapshot {
    var failure: StorageError?
    // Under the lock, so that no block leaves the layers before the reader can see it stored.
    let snapshot = state.withLock { state -> Snapshot? in
      guard let state else { return nil }
      do throws(StorageError) {
        let reader = try LMDBReader(environment)
        return Snapshot(
          head: state.head, bounds: state.bounds, pending: state.pending,
          amendment: state.amendment, reader: reader)
      } catch {
        failure = error
        return nil
      }
    }
    if let failure { throw failure }
    guard let snapshot else {
      throw StorageError(.unavailable, "\(folder) has no chain yet: it needs a genesis")
    }
    return snapshot
  }

  /// Snapshots of the chain as it is now that nobody uses, and a number that changes with it.
  private struct Idle {
    var generation = 0
    var snapshots: [Snapshot] = []
  }

  private let idle = Mutex(Idle())
  private static let idleLimit = 16

  /// Gives the chain as it is now to `body`: a snapshot that others had before, while the chain stays
  /// as it is, which saves an opening of the database.
  package func withSnapshot<Result>(_ body: (Snapshot) throws -> Result) throws -> Result {
    let (generation, found) = idle.withLock { ($0.generation, $0.snapshots.popLast()) }
    let snapshot = try found ?? snapshot()
    defer {
      idle.withLock { idle in
        if idle.generation == generation, idle.snapshots.count < Self.idleLimit {
          idle.snapshots.append(snapshot)
        }
      }
    }
    return try body(snapshot)
  }

  /// Lets the idle snapshots go: there are newer states, and pages that they hold.
  private func retireSnapshots() {
    let old = idle.withLock { idle in
      idle.generation += 1
      let snapshots = idle.snapshots
      idle.snapshots = []
      return snapshots
    }
    // They end here, not under the lock.
    withExtendedLifetime(old) {}
  }

  private let durable = Mutex<UInt64>(0)

  /// The last entry of the block log whose block is stored and forced to the disk: nobody needs it any
  /// more, nor those before.
  package var durableSequence: UInt64 { durable.withLock { $0 } }

  private let totals = Mutex(StoreTotals())

  /// What storing took up to now.
  package var storeTotals: StoreTotals { totals.withLock { $0 } }

  /// Blocks that wait to be stored.
  package var pendingCount: Int { state.withLock { $0?.pending.count ?? 0 } }

  /// The header of the head.
  package var head: StoredHeader? { state.withLock { $0?.head } }

  // MARK: Growth

  /// Begins the chain: stores the genesis block, its state and the file that it came from.
  package func begin(_ block: Block, _ allocation: Allocation, file: [UInt8]) throws(StorageError) {
    precondition(isEmpty, "a chain begins once")
    var changes = StateCommitter.Changes()
    for (address, account) in allocation.accounts {
      let key = Keccak256.hash(address)
      changes.accounts.append(
        StateLayer.AccountChange(
          key: key, before: nil,
          after: StoredAccount(
            nonce: account.nonce, balance: account.balance, codeHash: account.codeHash)))
      if !account.code.isEmpty { changes.codes[account.codeHash] = account.code }
      for (slot, value) in account.storage where !value.isZero {
        changes.slots.append(
          StateLayer.SlotChange(
            account: key, slot: Keccak256.hash(slot), before: .zero, after: value))
      }
    }
    changes.sort()
    let reader = StateReader(layers: [], reader: try LMDBReader(environment))
    let layer = try StateCommitter(reader: reader, workers: 1).layer(number: 0, changes)
    guard layer.root == block.header.stateRoot else {
      throw StorageError(
        .corrupt, "genesis: the state root is \(layer.root), not \(block.header.stateRoot)")
    }
    let stored = StoredBlock(
      block, hash: block.hash, size: block.encoded.count,
      totalDifficulty: block.header.difficulty, senders: [], receipts: [], sequence: 0)
    let pending = PendingBlock(block: stored, layer: layer)
    try environment.requireSpace(pages: pending.pages, bytes: pending.bytes + file.count)
    var writer = try LMDBWriter(environment)
    var schema: [UInt8] = []
    schema.append(bigEndian: Self.schema)
    try writer.put(.meta, Self.schemaKey, schema)
    try writer.put(.meta, Self.genesisKey, file)
    let bounds = HistoryBounds(options.history)
    try StoreWriter.write([pending], bounds, to: writer)
    try writer.commit()
    state.withLock { $0 = State(head: stored.summary, bounds: bounds) }
  }

  /// What a block changes, with the state root after it. To be given to `append`.
  package func layer(
    _ delta: StateDelta, on snapshot: Snapshot, number: UInt64
  ) throws(StorageError) -> StateLayer {
    var committer = StateCommitter(reader: snapshot.state, workers: options.workers)
    if snapshot.amendment == nil, snapshot.head.hash == head?.hash {
      committer.loan = rows.lend(after: snapshot.head.hash)
    }
    pace.beginRoot()
    defer {
      pace.endRoot()
      committer.loan?.end()
    }
    return try committer.layer(number: number, committer.changes(delta))
  }

  /// Waits until there is room for another block that waits to be stored. Throws when nothing can be
  /// stored: to be asked before a block goes into the log.
  package func awaitRoom() throws(StorageError) {
    var hasTried = false
    while true {
      let failure = state.withLock { state in
        state == nil ? StorageError(.unavailable, "there is no genesis") : state?.failure
      }
      if let failure {
        // There may be space again.
        guard failure.code == .full, !hasTried else { throw failure }
        hasTried = true
        state.withLock { $0?.failure = nil }
        storeNow()
      } else if backlog >= 1 {
        // What is being stored may be enough.
        storeNow { $0.backlog >= 1 }
      } else {
        return
      }
    }
  }

  /// Makes a block the head. It is visible at once and stored in the background.
  package func append(_ block: StoredBlock, _ layer: StateLayer) throws(StorageError) {
    var nodes = NodeRows()
    let failure = state.withLock { state -> StorageError? in
      guard state != nil else { return StorageError(.unavailable, "there is no genesis") }
      guard block.header.parentHash == state!.head.hash else {
        return StorageError(.notNext, "block \(block.header.number) does not follow the head")
      }
      // The block was made on what was changed from outside: it is the block's change now.
      let amendment = state!.amendment
      state!.amendment = nil
      let layer = amendment.map { layer.merged(after: $0.layer) } ?? layer
      state!.pending.insert(
        PendingBlock(block: block, layer: layer, amendment: amendment?.record), at: 0)
      nodes = layer.nodes
      state!.head = block.summary
      return nil
    }
    if let failure { throw failure }
    rows.advance(from: block.header.parentHash, to: block.hash, nodes)
    retireSnapshots()
    scheduleStore()
  }

  /// Changes the state after the head from outside, as a layer worked out on a snapshot of it. It is
  /// visible at once, and stored with the next block, whose state it is part of; the caller has it in
  /// the block log before. `record` is all of what was changed since the head, as the caller wants to
  /// have it again. For development chains.
  package func amend(_ layer: StateLayer, record: [UInt8]) {
    state.withLock { state in
      let all = state?.amendment.map { layer.merged(after: $0.layer) } ?? layer
      state?.amendment = (all, record)
    }
    retireSnapshots()
  }

  /// Forgets what was changed from outside since the head.
  package func dropAmendment() {
    state.withLock { $0?.amendment = nil }
    retireSnapshots()
  }

  /// Waits until all blocks are stored.
  package func flush() throws(StorageError) {
    storeNow()
    if let failure = state.withLock({ $0?.failure }) { throw failure }
  }

  /// Has what is pending stored: at once when half of what may wait does, else a while after it came.
  private func scheduleStore() {
    let job: @Sendable () -> Void = { [weak self] in
      if let self, self.isStoreDue { self.store() }
    }
    pace.setBacklog(backlog)
    if hasMuchPending { queue.async(execute: job) }
    queue.asyncAfter(deadline: .now() + .milliseconds(options.storeDelay), execute: job)
  }

  private var isStoreDue: Bool {
    let oldest = state.withLock { $0?.pending.last?.arrival }
    guard let oldest else { return false }
    return hasMuchPending || oldest.duration(to: .now) >= .milliseconds(options.storeDelay)
  }

  /// Whether half of what may wait does.
  private var hasMuchPending: Bool { backlog >= 0.5 }

  /// What waits, of all that may.
  private var backlog: Double {
    state.withLock { state in
      let pending = state?.pending ?? []
      let bytes = pending.reduce(0) { $0 + $1.layer.size }
      return max(
        Double(pending.count) / Double(options.pendingLimit),
        Double(bytes) / Double(options.pendingBytes))
    }
  }

  /// Stores what is pending, where that is wanted still after what is being stored, and waits for that.
  private func storeNow(if isWanted: (Database) -> Bool = { _ in true }) {
    pace.beginWait()
    defer { pace.endWait() }
    queue.sync {
      if isWanted(self) { store() }
    }
  }

  /// Stores what is pending, in one transaction; on the queue.
  private func store() {
    let (blocks, known) = state.withLock { state -> ([PendingBlock], HistoryBounds?) in
      (state?.failure == nil ? state?.pending.reversed() ?? [] : [], state?.bounds)
    }
    guard let newest = blocks.last, var bounds = known else { return }
    var failure: StorageError?
    do throws(StorageError) {
      try environment.requireSpace(
        pages: blocks.reduce(0) { $0 + $1.pages }, bytes: blocks.reduce(0) { $0 + $1.bytes })
      let start = ContinuousClock.now
      var writer = try LMDBWriter(environment, pace: pace)
      try StoreWriter.write(blocks, bounds, to: writer)
      for block in blocks {
        if let amendment = block.amendment {
          try writer.put(.meta, Snapshot.amendmentKey(block.block.header.number), amendment)
        }
      }
      try bounds.prune(head: newest.block.header.number, writer)
      // Before the states are gone.
      state.withLock { $0?.bounds = bounds }
      StopPoint.pass(.duringStore)
      pace.giveWay()
      let middle = ContinuousClock.now
      // A few pages are forced to the disk before anybody would notice.
      if blocks.reduce(0, { $0 + $1.pages }) < Self.manyPages {
        try writer.commit()
      } else {
        try writer.commitInParts()
      }
      totals.withLock { totals in
        totals.transactions += 1
        totals.blocks += blocks.count
        totals.writing += start.duration(to: middle)
        totals.committing += middle.duration(to: .now)
      }
      durable.withLock { $0 = newest.block.sequence }
      StopPoint.pass(.afterStore)
    } catch { failure = error }
    state.withLock { state in
      if let failure {
        state?.failure = failure
      } else {
        state?.pending.removeLast(blocks.count)
      }
    }
    pace.setBacklog(backlog)
    retireSnapshots()
  }

  // MARK: History

  /// Takes changes away that are older than wanted, a part at a time; on the queue.
  private func prune() {
    let found = state.withLock { $0?.failure == nil ? $0?.bounds : nil }
    guard let before = found else { return }
    var bounds = before
    do throws(StorageError) {
      var writer = try LMDBWriter(environment)
      // The head may be ahead of what is stored.
      let stored = LMDBReader(writer).get(.meta, Self.headKey)?.uint64(at: 0) ?? 0
      try bounds.prune(head: stored, writer)
      if bounds.kept == before.kept { return }
      state.withLock { $0?.bounds = bounds }
      try writer.commit()
    } catch { return }
    queue.async { [weak self] in self?.prune() }
  }

  /// Empties the indexes of a history that is full no more; on the queue.
  private func dropIndexes() {
    do throws(StorageError) {
      if try environment.count(.accountHistory) + environment.count(.slotHistory) == 0 { return }
      var writer = try LMDBWriter(environment)
      for table in [Table.accountHistory, .slotHistory] { try writer.empty(table) }
      try HistoryBounds.write(indexed: .max, to: writer)
      try writer.commit()
    } catch { return }
  }

  // MARK: Reorganisation

  /// Goes back to a block of the chain: its state, by the changes of the blocks after it, which are
  /// taken out; what was changed from outside since the head goes, too. `sequence` is the entry of the
  /// block log that says so.
  package func rewind(to number: UInt64, sequence: UInt64) throws(StorageError) {
    try flush()
    dropAmendment()
    let snapshot = try snapshot()
    let head = snapshot.head.header.number
    if number == head { return }
    guard number < head else {
      throw StorageError(.unavailable, "block \(number) is not before the head, \(head)")
    }
    guard number >= snapshot.oldestState, let target = try snapshot.header(number) else {
      throw StorageError(
        .unavailable,
        "the state after block \(number) is not kept any more; the oldest is "
          + "\(snapshot.oldestState)")
    }
    let layer = try snapshot.layer(backTo: number, workers: options.workers)
    guard layer.root == target.header.stateRoot else {
      throw StorageError(
        .corrupt,
        "going back to block \(number) gives the state root \(layer.root), not "
          + "\(target.header.stateRoot)")
    }
    try environment.requireSpace(pages: layer.pages + Int(head - number) * 64, bytes: layer.size)
    var writer = try LMDBWriter(environment)
    try StoreWriter.write([layer], to: writer)
    for block in stride(from: head, to: number, by: -1) {
      try StoreWriter.remove(block, snapshot, to: writer)
    }
    try StoreWriter.writeHead(number, target.hash, sequence, to: writer)
    try writer.commit()
    durable.withLock { $0 = sequence }
    state.withLock { $0?.head = target }
    rows.forget()
    retireSnapshots()
  }

  // MARK: Keeping

  /// Copies the database as it is now into an empty folder; the chain goes on meanwhile.
  package func backup(to folder: String) throws(StorageError) {
    try flush()
    if mkdir(folder, 0o755) != 0, errno != EEXIST {
      throw StorageError(.unreadable, "\(folder): \(String(cString: strerror(errno)))")
    }
    try environment.copy(to: folder)
  }

  /// Bytes of the file that are in use.
  package var usedBytes: Int { environment.usedBytes }

  /// How many entries each table has, and how many bytes all take.
  package func statistics() throws(StorageError) -> (tables: [(String, Int)], bytes: Int) {
    var tables: [(String, Int)] = []
    for table in Table.allCases { tables.append(("\(table)", try environment.count(table))) }
    return (tables, environment.usedBytes)
  }
}

extension StateCommitter.Changes {
  mutating func sort() {
    accounts.sort { $0.key < $1.key }
    slots.sort { $0.account == $1.account ? $0.slot < $1.slot : $0.account < $1.account }
  }
}

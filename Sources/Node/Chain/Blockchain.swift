import Dispatch
package import EVM
package import Ethereum
package import Execution
package import Storage
import Synchronization

/// The chain that the node follows: takes blocks in, one after the other, and makes them durable before
/// anybody is told.
package final class Blockchain: @unchecked Sendable {
  // Sendable: what changes is used on `queue` alone, or is behind a lock.

  /// What can be chosen.
  package struct Options: Sendable {
    /// The database's choices.
    package var database = Database.Options()
    /// When the block log forces its entries to the disk.
    package var syncPolicy = BlockLog.SyncPolicy.everyEntry
    /// Whether to go on where the block log lacks blocks that were acknowledged.
    package var acceptsLostBlocks = false

    /// All history; every block is on the disk before it is acknowledged.
    package init() {}
  }

  /// The genesis file's contents.
  package let genesis: Genesis
  /// The rules.
  package let rules: ChainRules
  /// What is durable.
  package let database: Database
  /// What opening repaired or replayed, in words.
  package private(set) var notices: [String] = []

  /// What the chain did since it was opened.
  let meter = ChainMeter()
  let log: BlockLog
  let queue = DispatchQueue(label: "needletail.chain")
  private let executor: any HostBlockExecutor
  private var codes = CodeStore()
  /// What was changed from outside since the head.
  var pendingAmendments: [StateAmendment] = []
  private let finality = Mutex<(safe: Hash256?, finalized: Hash256?)>((nil, nil))
  /// Blocks that are valid in form and wait for a head to be set on them.
  private var sideBlocks: [Hash256: (block: Block, rlp: [UInt8])] = [:]
  private static let sideBlockLimit = 512
  private let observers = Mutex<[any ChainObserver]>([])
  private let recentAccessLists = Mutex<[(hash: Hash256, list: BlockAccessList)]>([])
  private static let accessListLimit = 16

  /// Opens the chain in a folder; begins it with a genesis file where there is none. Replays what the
  /// database lacks of the block log.
  package init(
    folder: String, genesisFile: [UInt8]?, executor: any HostBlockExecutor = SerialExecutor(),
    options: Options = Options()
  ) throws {
    self.executor = executor
    database = try Database(folder: folder + "/state", options: options.database)
    let stored = try database.genesis()
    if let stored, let genesisFile, stored != genesisFile {
      let ours = try Genesis(FileBytes(copying: stored)).hash
      let given = try Genesis(FileBytes(copying: genesisFile, path: "genesis")).hash
      if ours != given {
        throw StorageError(
          .corrupt,
          "\(folder) has a chain that begins with \(ours); the genesis file gives \(given). Name "
            + "another folder, or leave the genesis file out")
      }
    }
    guard let file = stored ?? genesisFile else {
      throw StorageError(.unavailable, "\(folder) has no chain yet: it needs a genesis file")
    }
    genesis = try Genesis(
      FileBytes(copying: file, path: stored == nil ? "genesis" : "\(folder)/state: genesis"))
    rules = ChainRules(schedule: genesis.schedule, blobSchedule: genesis.blobSchedule)
    if database.isEmpty {
      try database.begin(genesis.block, genesis.allocation, file: file)
    }
    log = try BlockLog(
      folder: folder + "/log", policy: options.syncPolicy,
      next: try database.storedSequence() + 1, acceptsLoss: options.acceptsLostBlocks)
    notices += log.repairs
    try replay()
  }

  /// Applies what the block log has and the database has not.
  private func replay() throws {
    let stored = try database.storedSequence()
    if log.lastSequence < stored {
      // Nothing of it is needed any more.
      notices.append(
        "the database has entry \(stored) of the block log, whose last is \(log.lastSequence): the "
          + "log begins anew")
      try log.restart(next: stored + 1)
    }
    var count = 0
    try log.replay(after: stored) { (entry) throws in
      count += 1
      switch entry.kind {
      case .block:
        let block = try Block(decoding: entry.payload)
        do { try apply(block, rlp: entry.payload, sequence: entry.sequence) } catch let error
          as BlockError
        {
          throw StorageError(
            .corrupt,
            "block log: entry \(entry.sequence), block \(block.header.number), does not fit the "
              + "database, whose head is \(database.head?.header.number ?? 0): \(error). Put the "
              + "database back that belongs to it, or a backup: `needletail db restore`")
        }
      case .rewind:
        let number = entry.payload.withUnsafeBytes {
          UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self))
        }
        try database.rewind(to: number, sequence: entry.sequence)
        pendingAmendments = []
      case .amendment: try apply(try StateAmendment.decode(entry.payload))
      }
    }
    if count > 0 { notices.append("replayed \(count) entries of the block log") }
  }

  /// What the transactions of a block changed, where it is one of the newest that were made here, and
  /// that was noted.
  func recentAccessList(_ hash: Hash256) -> BlockAccessList? {
    recentAccessLists.withLock { $0.last { $0.hash == hash }?.list }
  }

  /// Tells somebody of all that happens from now on.
  package func add(_ observer: any ChainObserver) { observers.withLock { $0.append(observer) } }

  /// The chain as it is now.
  package func snapshot() throws(StorageError) -> Snapshot { try database.snapshot() }

  // MARK: Growth

  /// What is known of a block as the rules ask for it.
  func ancestor(_ header: StoredHeader, _ snapshot: Snapshot) -> Ancestor {
    let ommers = (try? snapshot.body(header.header.number)?.block(header.header).ommers) ?? []
    let parentDifficulty = header.totalDifficulty &- header.header.difficulty
    return Ancestor(
      header: header.header, ommerHashes: ommers.map(\.hash),
      totalDifficulty: header.totalDifficulty,
      fork: rules.schedule.fork(
        number: header.header.number, timestamp: header.header.timestamp,
        totalDifficulty: header.header.number == 0 ? header.totalDifficulty : parentDifficulty))
  }

  /// Executes a block that follows the head, and makes it the head.
  package func importBlock(rlp: [UInt8]) throws {
    try queue.sync {
      let block: Block
      do throws(FormatError) {
        block = try Block(decoding: rlp)
      } catch {
        throw BlockError(.malformed, error.description, transactionNames: error.testNames)
      }
      try apply(block, rlp: rlp, sequence: nil)
    }
  }

  /// Validates, executes, logs and commits a block; with `sequence`, it is in the log already.
  private func apply(_ block: Block, rlp: [UInt8], sequence: UInt64?) throws {
    let execution = try execute(block, size: rlp.count, mayBeUnsigned: sequence != nil)
    try validate(execution, block)
    try commit(execution, block, rlp: rlp, sequence: sequence)
  }

  /// A block that was executed on the head.
  struct Execution {
    var prepared: PreparedBlock
    var outcome: BlockOutcome
    var layer: StateLayer
    var snapshot: Snapshot
  }

  /// Executes a block that follows the head, whatever its header says of what comes of it. Only one of
  /// our own log may have transactions that nobody signed.
  func execute(
    _ block: Block, size: Int, recordsAccessList: Bool = false, mayBeUnsigned: Bool = false
  ) throws -> Execution {
    let snapshot = try database.snapshot()
    let header = block.header
    guard header.parentHash == snapshot.head.hash else {
      throw BlockError(.unknownParent, "parentHash: \(header.parentHash) is not the head")
    }
    var impersonated: [PreparedTransaction]?
    if mayBeUnsigned {
      impersonated = try rules.impersonatedTransactions(
        of: block,
        fork: rules.schedule.fork(
          number: header.number, timestamp: header.timestamp, totalDifficulty: .max))
    }
    var prepared = try rules.prepare(
      block, size: size, parent: ancestor(snapshot.head, snapshot), transactions: impersonated
    ) { hash in (try? snapshot.header(hash)).flatMap { $0 }.map { ancestor($0, snapshot) } }
    prepared.blockHashes = snapshot.recentHashes(endingWith: snapshot.head.header.number)
    if recordsAccessList { prepared.recordsAccessList = true }
    if codes.byteCount > 64 << 20 { codes = CodeStore() }
    let source = try snapshot.source(after: header.number - 1)
    try source.readAhead(prepared, workers: database.options.workers)
    var state = WorldState(source: source, codes: codes)
    let outcome: BlockOutcome
    do throws(ExecutionError) {
      var executor: any BlockExecutor = impersonated == nil ? executor : SerialExecutor()
      outcome = try executor.execute(prepared, on: &state)
    } catch {
      throw BlockError(error, transactions: block.transactions)
    }
    let layer = try database.layer(state.delta, on: snapshot, number: header.number)
    return Execution(prepared: prepared, outcome: outcome, layer: layer, snapshot: snapshot)
  }

  /// Compares what came of a block with its header.
  func validate(_ execution: Execution, _ block: Block) throws(BlockError) {
    let header = block.header
    // A list that was recorded for other ends is none of the header's.
    if execution.prepared.fork >= .amsterdam {
      try rules.validate(execution.outcome.accessList, received: nil, header: header)
    }
    try rules.validate(execution.outcome, against: header, fork: execution.prepared.fork)
    guard execution.layer.root == header.stateRoot else {
      throw BlockError(
        .invalidStateRoot,
        "stateRoot: expected \(header.stateRoot), got \(execution.layer.root)")
    }
  }

  /// Commits a block that is valid.
  func commit(
    _ execution: Execution, _ block: Block, rlp: [UInt8], sequence: UInt64?
  ) throws {
    try commit(
      block, rlp: rlp, senders: execution.prepared.transactions.map(\.sender),
      receipts: execution.outcome.receipts, execution.layer, sequence: sequence,
      parent: execution.snapshot.head)
  }

  private func commit(
    _ block: Block, rlp: [UInt8], senders: [Address], receipts: [Receipt], _ layer: StateLayer,
    contents: BlockContents? = nil, sequence: UInt64?, parent: StoredHeader
  ) throws {
    let start = ContinuousClock.now
    // After it is in the log, nothing may fail.
    try database.awaitRoom()
    StopPoint.pass(.beforeAppend)
    let entry = try sequence ?? log.append(.block, rlp)
    StopPoint.pass(.afterAppend)
    let stored = StoredBlock(
      block, hash: block.hash, size: rlp.count,
      totalDifficulty: parent.totalDifficulty &+ block.header.difficulty, senders: senders,
      receipts: receipts, envelopes: contents?.envelopes, transactionHashes: contents?.hashes,
      sequence: entry)
    try database.append(stored, layer)
    StopPoint.pass(.afterCommit)
    pendingAmendments = []
    meter.commits.note(ContinuousClock.now - start)
    meter.transactions.add(UInt64(block.transactions.count), ordering: .relaxed)
    meter.gas.add(block.header.gasUsed, ordering: .relaxed)
    if block.header.number % 64 == 0 { log.removeSegments(through: database.durableSequence) }
    for observer in observers.withLock({ $0 }) { observer.headChanged(stored) }
  }

  /// Commits a block that was made here on the head.
  package func commit(_ built: BuiltBlock) throws {
    try queue.sync {
      guard let head = database.head, built.block.header.parentHash == head.hash else {
        throw StorageError(.notNext, "the head has changed since the block was made")
      }
      if let list = built.accessList {
        let hash = built.block.hash
        recentAccessLists.withLock {
          $0.append((hash, list))
          if $0.count > Self.accessListLimit { $0.removeFirst() }
        }
      }
      try commit(
        built.block, rlp: built.block.encoded, senders: built.senders, receipts: built.receipts,
        built.layer, contents: built.contents, sequence: nil, parent: head)
    }
  }

  /// Takes a block in that a consensus client gives: executes it when it follows the head, else keeps
  /// it until a head is set on it.
  package func offer(_ block: Block) throws -> Bool {
    try queue.sync {
      let rlp = block.encoded
      let hash = block.hash
      let snapshot = try database.snapshot()
      if snapshot.number(ofBlock: hash) != nil { return true }
      if block.header.parentHash == snapshot.head.hash {
        try apply(block, rlp: rlp, sequence: nil)
        return true
      }
      if sideBlocks.count >= Self.sideBlockLimit { sideBlocks.removeAll() }
      sideBlocks[hash] = (block, rlp)
      return false
    }
  }

  /// Makes a block the head, with all that follows it taken away, or with the way to it from the chain
  /// applied. False when it is not known.
  package func setHead(_ hash: Hash256, safe: Hash256?, finalized: Hash256?) throws -> Bool {
    try queue.sync {
      let snapshot = try database.snapshot()
      if let number = snapshot.number(ofBlock: hash) {
        // The head does not go back to an ancestor by being told so (execution-apis, Paris).
        _ = number
      } else {
        var path: [(block: Block, rlp: [UInt8])] = []
        var next = hash
        while snapshot.number(ofBlock: next) == nil {
          guard let side = sideBlocks[next] else { return false }
          path.append(side)
          next = side.block.header.parentHash
        }
        guard let fork = snapshot.number(ofBlock: next) else { return false }
        if fork < snapshot.head.header.number { try rewind(to: fork) }
        for side in path.reversed() { try apply(side.block, rlp: side.rlp, sequence: nil) }
      }
      finality.withLock {
        if let safe, safe != .zero { $0.safe = safe }
        if let finalized, finalized != .zero { $0.finalized = finalized }
      }
      return true
    }
  }

  /// Takes the blocks after a number out of the chain.
  package func rewindHead(to number: UInt64) throws { try queue.sync { try rewind(to: number) } }

  private func rewind(to number: UInt64) throws {
    var payload: [UInt8] = []
    for index in (0..<8).reversed() {
      payload.append(UInt8(truncatingIfNeeded: number >> UInt64(index * 8)))
    }
    let observers = observers.withLock { $0 }
    if !observers.isEmpty {
      let snapshot = try database.snapshot()
      for observer in observers { observer.willRewind(to: number, from: snapshot) }
    }
    let sequence = try log.append(.rewind, payload)
    try database.rewind(to: number, sequence: sequence)
    pendingAmendments = []
    if let head = database.head {
      for observer in observers { observer.didRewind(to: head) }
    }
  }

  /// The hash of the block that is safe, or final, as the consensus client said.
  func finalityHash(_ tag: BlockReference.Tag) -> Hash256? {
    finality.withLock { tag == .safe ? $0.safe : $0.finalized }
  }

  /// Waits until all is stored.
  package func close() throws { try queue.sync { try database.flush() } }
}

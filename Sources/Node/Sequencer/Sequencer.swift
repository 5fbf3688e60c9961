import Dispatch
package import EVM
import Ethereum
import Execution
import Storage
import Synchronization

/// Makes blocks of what waits in the pool: at once, at intervals, or when it is told to.
package final class Sequencer: @unchecked Sendable {
  // Sendable: `queue` alone makes blocks; the rest is behind locks.

  /// When blocks are made.
  package enum Mode: Sendable, Equatable {
    /// As soon as there is a transaction.
    case onArrival
    /// Every so many milliseconds, also without transactions.
    case interval(Int)
    /// When `mine` is called.
    case onDemand
  }

  /// In which order transactions stand in a block.
  package enum Order: String, Sendable, CaseIterable {
    /// Spread where that pays, else by fees.
    case auto
    /// Those that pay most first.
    case fees
    /// Those that need one another apart, so that an executor runs many at once.
    case spread
  }

  /// What can be chosen.
  package struct Options: Sendable {
    /// When blocks are made.
    package var mode = Mode.onArrival
    /// Gas of a block.
    package var gasLimit: UInt64 = 60_000_000
    /// Transactions of a block at most.
    package var transactionLimit = 20_000
    /// In which order they stand.
    package var order = Order.auto
    /// Threads of the executor.
    package var threads = 1
    /// Who gets the fees.
    package var coinbase = Address.zero
    /// Accounts whose keys the node holds.
    package var accounts = DevelopmentAccounts.none
    /// Whether to note what every transaction changes, for those who follow the feed.
    package var recordsAccessLists = false

    /// Milliseconds between parts of a block in the making, where blocks come at intervals; `nil` for
    /// parts with the block alone.
    package var partTime: Int?

    /// Where it says what it did.
    package var log = NodeLog(level: .warning)

    /// Blocks on arrival.
    package init() {}
  }

  /// The accounts whose keys the node holds.
  package let accounts: DevelopmentAccounts
  let chain: Blockchain
  let pool: TransactionPool
  private let options: Options
  let maker: BlockMaker
  let planner: BlockPlanner
  private let executor: any HostBlockExecutor
  private var codes = CodeStore()
  /// What others were told of the next block; changed on `queue`.
  var promise: Promise? {
    get { promiseBox.withLock { $0 } }
    set { promiseBox.withLock { $0 = newValue } }
  }
  private let promiseBox = Mutex<Promise?>(nil)
  let pendingBlocks = PendingBlocks()
  /// Told what was executed of a block in the making.
  let listener = Mutex<(any PartListener)?>(nil)
  let queue = DispatchQueue(label: "needletail.sequencer")
  /// What test tools changed.
  let development = Mutex(DevelopmentSettings())
  private var timer: (any DispatchSourceTimer)?
  private var partTimer: (any DispatchSourceTimer)?

  private struct State {
    var mode: Mode
    var clock = BlockClock()
    var waiting: [Hash256: DispatchSemaphore] = [:]
    var failure: String?
  }

  private let state: Mutex<State>
  /// Whether blocks will be made of what arrived.
  private let isWoken = Atomic(false)

  /// A sequencer of a chain; `fault` is what it does wrong, for tests.
  init(
    chain: Blockchain, pool: TransactionPool, options: Options = Options(),
    executor: any HostBlockExecutor = SerialExecutor(), fault: BlockFault? = .fromEnvironment
  ) {
    self.chain = chain
    self.pool = pool
    self.options = options
    self.executor = executor
    accounts = options.accounts
    maker = BlockMaker(rules: chain.rules, fault: fault)
    planner = BlockPlanner(options.order, threads: options.threads)
    state = Mutex(State(mode: options.mode))
    if case .interval(let milliseconds) = options.mode { startTimer(milliseconds) }
  }

  private func startTimer(_ milliseconds: Int) {
    stopTimers()
    let timer = DispatchSource.makeTimerSource(queue: queue)
    timer.schedule(
      deadline: .now() + .milliseconds(milliseconds), repeating: .milliseconds(milliseconds))
    timer.setEventHandler { [weak self] in self?.tryToMakeBlock(allowsEmpty: true) }
    timer.resume()
    self.timer = timer
    guard let partTime = options.partTime, partTime < milliseconds else { return }
    let parts = DispatchSource.makeTimerSource(queue: queue)
    parts.schedule(deadline: .now() + .milliseconds(partTime), repeating: .milliseconds(partTime))
    parts.setEventHandler { [weak self] in self?.makePart(within: .milliseconds(partTime)) }
    parts.resume()
    partTimer = parts
  }

  private func stopTimers() {
    timer?.cancel()
    partTimer?.cancel()
    (timer, partTimer) = (nil, nil)
  }

  // MARK: Control

  /// When blocks are made.
  package var mode: Mode {
    get { state.withLock { $0.mode } }
    set {
      state.withLock { $0.mode = newValue }
      queue.sync {
        stopTimers()
        if case .interval(let milliseconds) = newValue { startTimer(milliseconds) }
      }
    }
  }

  /// What the time of coming blocks follows from.
  var blockClock: BlockClock {
    get { state.withLock { $0.clock } }
    set { state.withLock { $0.clock = newValue } }
  }

  /// Moves the clock of coming blocks ahead; gives the seconds that it is ahead.
  func increaseTime(_ seconds: Int64) -> Int64 {
    state.withLock {
      let limit = Int64(Self.lastTime)
      $0.clock.offset = max(-limit, min(limit, $0.clock.offset &+ min(seconds, limit)))
      return $0.clock.offset
    }
  }

  /// The latest time that can be set, in seconds since 1970: so that there is always a later one.
  static let lastTime: UInt64 = 1 << 61

  /// Sets the next block's time; later ones follow from there.
  func setNextTime(_ time: UInt64) throws(RPCError) {
    let head = chain.database.head?.header.timestamp ?? 0
    guard time > head else {
      throw .invalidParameters("timestamp \(time) is not after the head's, \(head)")
    }
    guard time <= Self.lastTime else {
      throw .invalidParameters("timestamp \(time) is after \(Self.lastTime)")
    }
    state.withLock {
      $0.clock.nextTime = time
      $0.clock.offset = Int64(clamping: time) &- WallClock.seconds
    }
  }

  func setNextBaseFee(_ fee: UInt256) { state.withLock { $0.clock.nextBaseFee = fee } }

  /// Says that the pool has more transactions; when blocks come with transactions, they are in one
  /// afterwards if they can be, or soon where nobody waits.
  func transactionsArrived(waits: Bool) {
    guard mode == .onArrival else { return }
    if waits {
      // Who asks next finds it in a block; those who wait meanwhile share the next one.
      queue.sync { tryToMakeBlock(allowsEmpty: false) }
    } else if !isWoken.exchange(true, ordering: .acquiringAndReleasing) {
      queue.async { [self] in
        isWoken.store(false, ordering: .releasing)
        tryToMakeBlock(allowsEmpty: false)
      }
    }
  }

  /// Makes blocks, and remembers why if that is not possible; on `queue`.
  private func tryToMakeBlock(allowsEmpty: Bool) {
    do { _ = try makeBlock(allowsEmpty: allowsEmpty) } catch {
      promise = nil
      let isNew = state.withLock { state in
        defer { state.failure = "\(error)" }
        return state.failure != "\(error)"
      }
      if isNew { options.log.note(.error, "no block can be made", [("reason", "\(error)")]) }
    }
  }

  /// Why the last block could not be made.
  package var failure: String? { state.withLock { $0.failure } }

  /// Makes blocks now, each with what fits.
  package func mine(_ count: Int = 1, secondsApart: UInt64? = nil) throws {
    for index in 0..<count {
      // One after the other: what others want of the sequencer meanwhile does not wait for all.
      try queue.sync {
        if index > 0, let secondsApart, let head = chain.database.head {
          let (time, overflow) = head.header.timestamp.addingReportingOverflow(secondsApart)
          if !overflow, time <= Self.lastTime { state.withLock { $0.clock.nextTime = time } }
        }
        _ = try makeBlock(allowsEmpty: true)
      }
    }
  }

  /// Waits until a transaction is in a block, or has its place in the one in the making; false when it
  /// takes too long.
  func wait(for hash: Hash256, milliseconds: UInt64) throws -> Bool {
    let semaphore = DispatchSemaphore(value: 0)
    state.withLock { $0.waiting[hash] = semaphore }
    defer { state.withLock { $0.waiting[hash] = nil } }
    if try chain.snapshot().place(ofTransaction: hash) != nil { return true }
    if promise?.hashes.contains(hash) == true { return true }
    return semaphore.wait(timeout: .now() + .milliseconds(Int(milliseconds))) == .success
  }

  /// Whether anybody waits for a transaction.
  var hasWaiting: Bool { state.withLock { !$0.waiting.isEmpty } }

  /// Tells those who wait for one of these transactions that it has its place.
  func wake(those hashes: @autoclosure () -> [Hash256]) {
    state.withLock { state in
      if state.waiting.isEmpty { return }
      for hash in hashes() { state.waiting[hash]?.signal() }
    }
  }

  /// Goes back to a block; what was taken out is forgotten.
  func rewind(to number: UInt64) throws {
    try queue.sync {
      pool.removeAll()
      try chain.rewindHead(to: number)
    }
  }

  // MARK: Blocks

  /// Makes and commits blocks until nothing that waits has a place in one; on `queue`.
  private func makeBlock(allowsEmpty: Bool) throws -> Bool {
    if codes.byteCount > 64 << 20 { codes = CodeStore() }
    var isFirst = allowsEmpty
    while true {
      let start = ContinuousClock.now
      let snapshot = try chain.snapshot()
      let source = try snapshot.source(after: snapshot.head.header.number)
      // What others were told of stays so.
      if promise?.parent != snapshot.head.hash { promise = nil }
      let promised = promise?.transactions ?? []
      let attributes = promise?.attributes ?? attributes(snapshot.head.header)
      let chosen = promised + selection(after: promised, attributes, snapshot, source)
      if chosen.isEmpty && !isFirst { return false }
      isFirst = false
      // Only the serial executor takes what nobody signed.
      let hasImpersonated = chosen.contains { $0.isImpersonated }
      let executed = try maker.execute(
        on: snapshot, attributes, chosen, executor: hasImpersonated ? SerialExecutor() : executor,
        planner: hasImpersonated || !promised.isEmpty ? nil : planner, codes: codes,
        workers: chain.database.options.workers)
      if !hasImpersonated, let parallel = (executor as? ParallelExecutor)?.statistics,
        parallel.serialBlocks.isEmpty
      {
        planner.note(
          transactions: parallel.transactions,
          conflicts: parallel.repetitions + parallel.waits + parallel.serialTransactions,
          isPlanned: executed.isPlanned)
      }
      listener.withLock { $0 }?.executed(
        executed.header, executed.transactions, executed.outcome.receipts)
      let built = try maker.finish(executed, attributes) {
        try chain.database.layer($0, on: snapshot, number: $1)
      }
      for rejected in built.rejected
      where built.block.transactions.isEmpty || !rejected.error.mayPass {
        pool.remove(chosen[rejected.index].transaction.hash)
      }
      if built.block.transactions.isEmpty && !allowsEmpty && !chosen.isEmpty { continue }
      chain.meter.builds.note(ContinuousClock.now - start)
      try chain.commit(built)
      let header = built.block.header
      options.log.note(
        .debug, "block",
        [
          ("number", "\(header.number)"), ("transactions", "\(built.block.transactions.count)"),
          ("gas", "\(header.gasUsed)"), ("root", header.stateRoot.description),
        ])
      state.withLock {
        $0.clock.nextTime = nil
        $0.clock.nextBaseFee = nil
        $0.failure = nil
      }
      development.withLock { $0.nextPrevRandao = nil }
      let next = built.layer
      pool.remove(senders: Set(built.senders)) { sender in
        let key = Keccak256.hash(sender)
        return next.nonce(of: key) ?? 0
      }
      wake(those: built.contents.hashes)
      if mode != .onArrival { return true }
    }
  }

  /// What goes into a block beside what others were told of it.
  func selection(
    after promised: [PreparedTransaction], _ attributes: BlockAttributes, _ snapshot: Snapshot,
    _ source: DatabaseSource
  ) -> [PreparedTransaction] {
    var nonces: [Address: UInt64] = [:]
    for prepared in promised { nonces[prepared.sender] = prepared.transaction.nonce + 1 }
    let gas = promised.reduce(attributes.gasLimit) {
      $0 - min($0, $1.transaction.gasLimit)
    }
    return pool.selection(
      baseFee: attributes.baseFeePerGas ?? maker.nextBaseFee(snapshot.head.header), gas: gas,
      bytes: 7 << 20, limit: options.transactionLimit - promised.count
    ) { nonces[$0] ?? source.account($0)?.nonce ?? 0 }
  }

  /// Executes transactions on the head as the next block's, one after the other.
  func rehearse(
    _ transactions: [PreparedTransaction], _ attributes: BlockAttributes, on snapshot: Snapshot
  ) throws -> BlockMaker.Executed {
    let hasImpersonated = transactions.contains { $0.isImpersonated }
    return try maker.execute(
      on: snapshot, attributes, transactions,
      executor: hasImpersonated ? SerialExecutor() : executor, codes: codes,
      workers: chain.database.options.workers)
  }

  /// Who gets the fees of coming blocks.
  var coinbase: Address { development.withLock { $0.coinbase } ?? options.coinbase }

  func attributes(_ parent: BlockHeader) -> BlockAttributes {
    let clock = blockClock
    let settings = development.withLock { $0 }
    let now = UInt64(max(0, WallClock.seconds &+ clock.offset))
    let time =
      clock.nextTime ?? settings.secondsApart.map { parent.timestamp &+ $0 }
      ?? max(parent.timestamp + 1, now)
    var attributes = BlockAttributes(
      timestamp: time,
      gasLimit: GasLimit.next(
        parent: parent.gasLimit, wanted: settings.gasLimit ?? options.gasLimit))
    attributes.coinbase = settings.coinbase ?? options.coinbase
    attributes.baseFeePerGas = clock.nextBaseFee
    attributes.recordsAccessList = options.recordsAccessLists
    attributes.prevRandao =
      settings.nextPrevRandao ?? Keccak256.hash(UInt256(parent.number + 1))
    return attributes
  }
}

extension TransactionError {
  /// Whether a transaction may have a place in a later block: it found no room, or came before its turn.
  fileprivate var mayPass: Bool {
    switch self {
    case .gasAllowanceExceeded, .blobAllowanceExceeded, .nonceTooHigh: true
    default: false
    }
  }
}

/// How a chain's gas limit moves towards the one that its maker wants.
enum GasLimit {
  /// The limit after a parent: as near as the rules let it come.
  static func next(parent: UInt64, wanted: UInt64) -> UInt64 {
    let step = max(parent / 1024, 1) - 1
    return parent < wanted ? min(parent + step, wanted) : max(parent - step, wanted, 5000)
  }
}

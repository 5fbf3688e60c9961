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

  /// What can be chosen.
  package struct Options: Sendable {
    /// When blocks are made.
    package var mode = Mode.onArrival
    /// Gas of a block.
    package var gasLimit: UInt64 = 60_000_000
    /// Transactions of a block at most.
    package var transactionLimit = 20_000
    /// Who gets the fees.
    package var coinbase = Address.zero
    /// Accounts whose keys the node holds.
    package var accounts = DevelopmentAccounts.none
    /// Whether to note what every transaction changes, for those who follow the feed.
    package var recordsAccessLists = false

    /// Blocks on arrival.
    package init() {}
  }

  /// The accounts whose keys the node holds.
  package let accounts: DevelopmentAccounts
  private let chain: Blockchain
  private let pool: TransactionPool
  private let options: Options
  private let maker: BlockMaker
  private let executor: any HostBlockExecutor
  private var codes = CodeStore()
  private let queue = DispatchQueue(label: "needletail.sequencer")
  private var timer: (any DispatchSourceTimer)?

  private struct State {
    var mode: Mode
    /// Seconds that blocks are ahead of the clock.
    var timeOffset: Int64 = 0
    /// The next block's time, where it was set.
    var nextTime: UInt64?
    var nextBaseFee: UInt256?
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
    state = Mutex(State(mode: options.mode))
    if case .interval(let milliseconds) = options.mode { startTimer(milliseconds) }
  }

  private func startTimer(_ milliseconds: Int) {
    timer?.cancel()
    let timer = DispatchSource.makeTimerSource(queue: queue)
    timer.schedule(
      deadline: .now() + .milliseconds(milliseconds), repeating: .milliseconds(milliseconds))
    timer.setEventHandler { [weak self] in _ = try? self?.makeBlock(allowsEmpty: true) }
    timer.resume()
    self.timer = timer
  }

  // MARK: Control

  /// When blocks are made.
  package var mode: Mode {
    get { state.withLock { $0.mode } }
    set {
      state.withLock { $0.mode = newValue }
      queue.sync {
        timer?.cancel()
        timer = nil
        if case .interval(let milliseconds) = newValue { startTimer(milliseconds) }
      }
    }
  }

  /// Moves the clock of coming blocks ahead; gives the seconds that it is ahead.
  func increaseTime(_ seconds: Int64) -> Int64 {
    state.withLock {
      $0.timeOffset &+= seconds
      return $0.timeOffset
    }
  }

  /// Sets the next block's time; later ones follow from there.
  func setNextTime(_ time: UInt64) throws(RPCError) {
    let head = chain.database.head?.header.timestamp ?? 0
    guard time > head else {
      throw .invalidParameters("timestamp \(time) is not after the head's, \(head)")
    }
    state.withLock {
      $0.nextTime = time
      $0.timeOffset = Int64(clamping: time) &- WallClock.seconds
    }
  }

  func setNextBaseFee(_ fee: UInt256) { state.withLock { $0.nextBaseFee = fee } }

  /// Says that the pool has more transactions; when blocks come with transactions, they are in one
  /// afterwards if they can be, or soon where nobody waits.
  func transactionsArrived(waits: Bool) {
    guard mode == .onArrival else { return }
    if waits {
      // Who asks next finds it in a block; those who wait meanwhile share the next one.
      queue.sync { makeBlocks() }
    } else if !isWoken.exchange(true, ordering: .acquiringAndReleasing) {
      queue.async { [self] in
        isWoken.store(false, ordering: .releasing)
        makeBlocks()
      }
    }
  }

  private func makeBlocks() {
    do { _ = try makeBlock(allowsEmpty: false) } catch {
      state.withLock { $0.failure = "\(error)" }
    }
  }

  /// Why the last block could not be made.
  package var failure: String? { state.withLock { $0.failure } }

  /// Makes blocks now, each with what fits.
  package func mine(_ count: Int = 1, secondsApart: UInt64? = nil) throws {
    try queue.sync {
      for index in 0..<count {
        if index > 0, let secondsApart, let head = chain.database.head {
          let (time, overflow) = head.header.timestamp.addingReportingOverflow(secondsApart)
          if !overflow { state.withLock { $0.nextTime = time } }
        }
        _ = try makeBlock(allowsEmpty: true)
      }
    }
  }

  /// Waits until a transaction is in a block; false when it takes too long.
  func wait(for hash: Hash256, milliseconds: UInt64) throws -> Bool {
    let semaphore = DispatchSemaphore(value: 0)
    state.withLock { $0.waiting[hash] = semaphore }
    defer { state.withLock { $0.waiting[hash] = nil } }
    if try chain.snapshot().place(ofTransaction: hash) != nil { return true }
    return semaphore.wait(timeout: .now() + .milliseconds(Int(milliseconds))) == .success
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
      let snapshot = try chain.snapshot()
      let source = try snapshot.source(after: snapshot.head.header.number)
      let attributes = attributes(snapshot.head.header)
      let baseFee = attributes.baseFeePerGas ?? maker.nextBaseFee(snapshot.head.header)
      let chosen = pool.selection(
        baseFee: baseFee, gas: attributes.gasLimit, bytes: 7 << 20,
        limit: options.transactionLimit
      ) { source.account($0)?.nonce ?? 0 }
      if chosen.isEmpty && !isFirst { return false }
      isFirst = false
      let built = try maker.make(
        on: snapshot, attributes, chosen, executor: executor, codes: codes,
        database: chain.database)
      for rejected in built.rejected { pool.remove(chosen[rejected.index].transaction.hash) }
      if built.block.transactions.isEmpty && !allowsEmpty && !chosen.isEmpty { continue }
      try chain.commit(built)
      state.withLock {
        $0.nextTime = nil
        $0.nextBaseFee = nil
        $0.failure = nil
      }
      let next = built.layer
      pool.remove(senders: Set(built.senders)) { sender in
        let key = Keccak256.hash(sender)
        return next.nonce(of: key) ?? 0
      }
      state.withLock { state in
        if state.waiting.isEmpty { return }
        for transaction in built.block.transactions { state.waiting[transaction.hash]?.signal() }
      }
      if mode != .onArrival { return true }
    }
  }

  private func attributes(_ parent: BlockHeader) -> BlockAttributes {
    let (time, fee) = state.withLock { state -> (UInt64, UInt256?) in
      let clock = WallClock.seconds &+ state.timeOffset
      return (
        state.nextTime ?? max(parent.timestamp + 1, UInt64(max(0, clock))), state.nextBaseFee
      )
    }
    var attributes = BlockAttributes(
      timestamp: time,
      gasLimit: GasLimit.next(parent: parent.gasLimit, wanted: options.gasLimit))
    attributes.coinbase = options.coinbase
    attributes.baseFeePerGas = fee
    attributes.recordsAccessList = options.recordsAccessLists
    attributes.prevRandao = Keccak256.hash(UInt256(parent.number + 1))
    return attributes
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

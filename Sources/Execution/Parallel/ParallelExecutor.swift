public import EVM
import Ethereum
import Foundation

/// Executes a block's transactions on several threads, with the outcome and the state that the serial
/// executor gives.
///
/// Transactions run early and in any order on versioned cells; what each relied on is compared, and
/// one that relied on something that is not so runs again. They become final in block order.
public final class ParallelExecutor: HostBlockExecutor {
  /// What can be chosen.
  public struct Options: Sendable {
    /// Threads that work, the calling one among them.
    public var threads: Int
    /// Whether blocks run in parallel even where nothing is gained by it.
    public var isForced = false

    /// A choice of threads: all cores, unless told otherwise.
    public init(threads: Int? = nil) {
      self.threads = max(1, threads ?? ProcessInfo.processInfo.activeProcessorCount)
    }
  }

  /// Watches every transaction and system call; blocks run one transaction after the other then.
  public var tracer: (any TransactionTracer)?
  /// Answers BLOCKHASH for blocks that the prepared block does not name; called by one thread at a
  /// time.
  public var fallbackBlockHash: ((UInt64) -> Hash256?)?
  /// What the last block took.
  public private(set) var statistics = ParallelStatistics()
  /// What all blocks took.
  public private(set) var totals = ParallelStatistics()

  /// Pauses, in tests.
  package var delays: ScheduleDelays?
  /// Tests take rules away.
  package var rules = ExactnessRules.all

  /// What was chosen.
  public let options: Options
  private let pool: WorkerPool
  private let workers: [ParallelWorker]
  private let runner = TransactionRunner()
  private let memory: RecordMemory
  private var cells: UnsafeMutablePointer<CellStore>?
  private let listedRun: ListedRun

  /// An executor with threads of its own.
  public init(_ options: Options = Options()) {
    self.options = options
    pool = WorkerPool(count: options.threads)
    memory = RecordMemory(workers: options.threads)
    workers = (0..<options.threads).map { ParallelWorker(number: $0) }
    listedRun = ListedRun(pool: pool)
  }

  deinit {
    pool.end()
    cells?.deinitialize(count: 1)
    cells?.deallocate()
  }

  public func execute(_ block: PreparedBlock, on state: inout WorldState) throws(ExecutionError)
    -> BlockOutcome
  {
    statistics = ParallelStatistics()
    statistics.threads = options.threads
    statistics.transactions = block.transactions.count
    defer { totals.add(statistics) }
    runner.fallbackBlockHash = fallbackBlockHash
    runner.tracer = tracer
    let serialReason = serialReason(block)
    if serialReason == nil { pool.prepare() }
    runner.begin(block, on: &state)
    defer { runner.end(&state) }
    var run = BlockRun(block: block, runner: runner)
    if let list = block.accessList, tracer == nil, runner.sharedTables.pointee.pages == nil,
      block.fork >= .cancun
    {
      return try executeListed(&run, list)
    }
    return try run.execute { (run) throws(ExecutionError) in
      if let serialReason {
        try executeSerially(&run, 0..<block.transactions.count, serialReason)
      } else {
        try executeInParallel(&run)
      }
    }
  }

  /// Executes a block that came with an access list: its transactions all at once on the list's values,
  /// or one after the other where the list does not fit, to tell where. Not before Cancun: lists do not
  /// say that an account which was there before is destroyed (EIP-6780).
  private func executeListed(_ run: inout BlockRun, _ list: BlockAccessList)
    throws(ExecutionError) -> BlockOutcome
  {
    var result: Result<BlockOutcome, ExecutionError>?
    list.withColumns { columns in
      do throws(ExecutionError) {
        result = .success(
          try run.execute { (run) throws(ExecutionError) in
            if listedRun.execute(&run, columns, runner: runner) {
              statistics.executions = run.block.transactions.count
              statistics.listedBlocks = 1
            } else {
              try executeSerially(&run, 0..<run.block.transactions.count, .accessList)
            }
          })
      } catch {
        result = .failure(error)
      }
    }
    listedRun.finish()
    return try result!.get()
  }

  private func executeSerially(
    _ run: inout BlockRun, _ range: Range<Int>, _ reason: ParallelStatistics.SerialReason?
  ) throws(ExecutionError) {
    if let reason { statistics.countSerialBlock(reason) }
    statistics.serialTransactions += range.count
    try run.executeTransactions(range)
  }

  /// Why a block had better be executed one transaction after the other; `nil` when it had not.
  private func serialReason(_ block: PreparedBlock) -> ParallelStatistics.SerialReason? {
    if tracer != nil { return .traced }
    // Before Spurious Dragon an account that is only touched begins to exist.
    if block.fork < .byzantium && (!block.isPartialState || block.fork < .spuriousDragon) {
      return .stateRoots
    }
    if options.isForced { return nil }
    if options.threads < 2 { return .oneThread }
    if block.transactions.count < Self.leastTransactions || isSmall(block) { return .small }
    if block.isOfOneSender { return .oneSender }
    return nil
  }

  /// Less is over before the threads are awake.
  static let leastTransactions = 8
  private static let leastNanoseconds: UInt64 = 200_000

  /// Whether a block will take less, as far as its transactions tell.
  private func isSmall(_ block: PreparedBlock) -> Bool {
    var nanoseconds: UInt64 = 0
    return block.transactions.withUnsafeBufferPointer { transactions in
      for index in transactions.indices {
        nanoseconds &+= (transactions.baseAddress! + index).pointee.roughNanoseconds
        if nanoseconds >= Self.leastNanoseconds { return false }
      }
      return true
    }
  }

  private func executeInParallel(_ run: inout BlockRun) throws(ExecutionError) {
    let count = run.block.transactions.count
    if count == 0 { return }
    let tables = runner.sharedTables
    if cells == nil, let made = CellStore(tables: tables) {
      cells = .allocate(capacity: 1)
      cells!.initialize(to: made)
    }
    guard let cells else { return try executeSerially(&run, 0..<count, .outOfCells) }
    var segment = ParallelSegment(
      run: run, runner: runner, workers: workers, pool: pool, cells: cells, memory: memory,
      delays: delays, rules: rules)
    var first = 0
    var stretch = delays?.endsRuns == true ? Self.leastTransactions : Self.firstStretch
    while true {
      if tables.pointee.pages != nil {
        // What finds no room is executed as when cells run out.
        tables.pointee.reserve(
          accounts: (count - first) * 4 + 4096, slots: (count - first) * 16 + 16_384)
      }
      first = try segment.execute(
        from: first, mayEnd: !options.isForced, into: &run, &statistics)
      if statistics.isOutOfCells {
        return try executeSerially(&run, first..<count, .outOfCells)
      }
      if first >= count { return }
      // Most work was in vain: one after the other for a while, longer each time.
      let end = count - first < stretch + Self.leastTransactions ? count : first + stretch
      try executeSerially(&run, first..<end, nil)
      first = end
      if first >= count { return }
      stretch *= 4
    }
  }

  /// How many transactions run one after the other before the next attempt.
  private static let firstStretch = 512
}

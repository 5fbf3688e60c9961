/// Sends workers to rest while most of what they do is in vain, lets them run ahead the farther the less
/// is, and ends the parallel run where nothing is left to gain.
struct Throttle {
  let workers: Int
  /// Whether the run may be ended.
  let mayEnd: Bool
  private var transactions = 0
  private var executions = 0
  private var gas: UInt64 = 0
  private var longestRow: UInt64 = 0
  /// Those that were right at once although they needed what one shortly before them wrote.
  private var lucky = 0
  /// The first transaction that is counted.
  private var first: Int32 = 0
  private var active: Int
  /// How many decisions in a row found that nothing is left to gain.
  private var vainPeriods = 0
  private var window: Int32

  /// Transactions between two decisions.
  static let period = 24

  /// Decisions in a row that end the parallel run: one row of transactions does not make a block.
  private static let patience = 2

  /// How far workers run ahead at first: the farther, the more they do in vain.
  static func firstWindow(workers: Int) -> Int32 { Int32(workers) * 32 }

  /// How far at most: a transaction that takes as long as hundreds of others keeps nobody idle.
  static func widestWindow(workers: Int) -> Int32 { Int32(workers) * 128 }

  /// How far they run ahead where much is in vain: about as far as keeps them busy while their
  /// transactions take equally long.
  private static func narrowWindow(workers: Int, batch: Int32) -> Int32 {
    Int32(workers) * (4 + 2 * batch)
  }

  init(workers: Int, mayEnd: Bool) {
    self.workers = workers
    self.mayEnd = mayEnd
    active = workers
    window = Self.firstWindow(workers: workers)
  }

  /// Counts a transaction that has become final.
  @inline(__always)
  mutating func count(
    _ index: Int32, _ turn: UnsafeMutablePointer<TransactionTurn>, gas: UInt64,
    needsNeighbour: Bool, _ finals: UnsafeMutablePointer<FinalRecord>,
    _ schedule: UnsafeMutablePointer<TurnSchedule>
  ) {
    if transactions == 0 { first = index }
    transactions += 1
    let incarnation = turn.pointee.status.incarnation
    executions += Int(incarnation)
    let waitedFor = schedule.pointee.waitedFor[Int(index)]
    if needsNeighbour && incarnation == 1 && waitedFor < 0 { lucky += 1 }
    self.gas &+= gas
    let row = gas &+ (waitedFor >= first ? finals[Int(waitedFor)].rowGas : 0)
    finals[Int(index)].rowGas = row
    longestRow = max(longestRow, row)
    if transactions < Self.period { return }
    decide(schedule)
    transactions = 0
    executions = 0
    self.gas = 0
    longestRow = 0
    lucky = 0
  }

  @inline(never)
  private mutating func decide(_ schedule: UnsafeMutablePointer<TurnSchedule>) {
    let wasted = executions - transactions
    // What costs a third more in parallel gains nothing when three quarters of it follow one another.
    let isRow = longestRow > gas / 4 * 3
    vainPeriods = wasted * 2 > transactions * 3 || isRow ? vainPeriods + 1 : 0
    if vainPeriods >= Self.patience && mayEnd {
      active = 1
    } else if wasted * 2 > transactions {
      active = max(1, active / 2)
    } else if wasted * 8 < transactions {
      active = min(workers, active * 2)
      window = min(window * 2, Self.widestWindow(workers: workers))
    }
    var batch = schedule.pointee.batch.load(ordering: .relaxed)
    if wasted * 4 > transactions {
      batch = schedule.pointee.firstBatch
      window = Self.narrowWindow(workers: workers, batch: batch)
    } else if lucky * 2 > transactions {
      // Each needs the one before it, and finds it done where one worker takes both.
      batch = min(batch * 2, schedule.pointee.widestBatch)
      window = max(window, Int32(workers) * 2 * batch)
    } else if lucky * 8 < transactions {
      batch = max(batch / 2, schedule.pointee.firstBatch)
    }
    schedule.pointee.batch.store(batch, ordering: .relaxed)
    schedule.pointee.window.store(window, ordering: .relaxed)
    schedule.pointee.activeWorkers.store(active, ordering: .relaxed)
    if active == 1 && mayEnd { schedule.pointee.endSoon() }
  }
}

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
  /// The first transaction that is counted.
  private var first: Int32 = 0
  private var active: Int
  private var window: Int32

  /// Transactions between two decisions.
  static let period = 24

  /// How far workers run ahead at first: a block of the main network whole, so that one that takes as long
  /// as a third of them keeps nobody idle.
  static func firstWindow(workers: Int) -> Int32 { Int32(workers) * 32 }

  /// How far they run ahead where much is in vain: about as far as keeps them busy while their
  /// transactions take equally long.
  private static func narrowWindow(workers: Int, batch: Int32) -> Int32 {
    Int32(workers) * (4 + 2 * batch)
  }

  /// The farthest: a transaction that takes a hundred times as long as others keeps nobody idle.
  private var lastWindow: Int32 { Int32(workers) * 128 }

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
    _ finals: UnsafeMutablePointer<FinalRecord>, _ schedule: UnsafeMutablePointer<TurnSchedule>
  ) {
    if transactions == 0 { first = index }
    transactions += 1
    executions += Int(turn.pointee.status.incarnation)
    let waitedFor = turn.pointee.waitedFor
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
  }

  @inline(never)
  private mutating func decide(_ schedule: UnsafeMutablePointer<TurnSchedule>) {
    let wasted = executions - transactions
    // What costs a third more in parallel gains nothing when three quarters of it follow one another.
    let isRow = longestRow > gas / 4 * 3
    if (wasted * 2 > transactions * 3 || isRow) && mayEnd {
      active = 1
    } else if wasted * 2 > transactions {
      active = max(1, active / 2)
    } else if wasted * 8 < transactions {
      active = min(workers, active * 2)
      window = min(window * 2, lastWindow)
    }
    if wasted * 4 > transactions {
      window = Self.narrowWindow(workers: workers, batch: schedule.pointee.batch)
    }
    schedule.pointee.window.store(window, ordering: .relaxed)
    schedule.pointee.activeWorkers.store(active, ordering: .relaxed)
    if active == 1 && mayEnd { schedule.pointee.endSoon(workers: workers) }
  }
}

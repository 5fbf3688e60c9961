/// Sends workers to rest while most of what they do is in vain, and ends the parallel run where nothing
/// is left to gain.
struct Throttle {
  let workers: Int
  /// Whether the run may be ended.
  let mayEnd: Bool
  private var transactions = 0
  private var executions = 0
  private var active: Int

  /// Transactions between two decisions.
  static let period = 32

  init(workers: Int, mayEnd: Bool) {
    self.workers = workers
    self.mayEnd = mayEnd
    active = workers
  }

  /// Counts a transaction that has become final after so many executions.
  mutating func count(executions: Int, _ schedule: UnsafeMutablePointer<BlockSchedule>) {
    transactions += 1
    self.executions += executions
    if transactions < Self.period { return }
    let wasted = self.executions - transactions
    if wasted * 2 > transactions * 3 && mayEnd {
      active = 1
    } else if wasted * 2 > transactions {
      active = max(1, active / 2)
    } else if wasted * 8 < transactions {
      active = min(workers, active * 2)
    }
    transactions = 0
    self.executions = 0
    schedule.pointee.activeWorkers.store(active, ordering: .relaxed)
    if active == 1 && mayEnd { schedule.pointee.endSoon(workers: workers) }
  }
}

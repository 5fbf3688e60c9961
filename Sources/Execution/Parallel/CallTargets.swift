import Synchronization

/// The contracts that a block's transactions call. Where half of those that call one and have run did so in
/// vain because of another one that calls it (a pool, an auction), they run one after the other from then
/// on, for as long as most of them need what another one has just written.
struct CallTargets: ~Copyable {
  /// Whether its transactions wait for one another. Apart from what often changes, as every worker
  /// looks here before every transaction.
  private let isHot: UnsafeMutablePointer<Atomic<Bool>>
  /// Transactions that call it and ran in vain because of another one that calls it.
  private let conflicts: UnsafeMutablePointer<Atomic<Int32>>
  /// The committer's own.
  private let counts: UnsafeMutablePointer<Count>

  private struct Count: BitwiseCopyable {
    /// Transactions that call it and are final; what is past counts less.
    var finals: Int32 = 0
    /// All of them.
    var allFinals: Int32 = 0
    /// Those among them that needed another one.
    var needy: Int32 = 0
  }

  /// For at most so many contracts.
  init(capacity: Int) {
    isHot = .allocate(capacity: capacity)
    conflicts = .allocate(capacity: capacity)
    counts = .allocate(capacity: capacity)
  }

  deinit {
    isHot.deallocate()
    conflicts.deallocate()
    counts.deallocate()
  }

  /// Begins with a contract.
  borrowing func add(_ target: Int32) {
    (isHot + Int(target)).initialize(to: Atomic(false))
    (conflicts + Int(target)).initialize(to: Atomic(0))
    (counts + Int(target)).initialize(to: Count())
  }

  /// Whether those who call it wait for one another.
  @inline(__always)
  borrowing func waits(_ target: Int32) -> Bool {
    target >= 0 && isHot[Int(target)].load(ordering: .relaxed)
  }

  /// Counts a transaction that ran in vain.
  borrowing func countConflict(_ target: Int32) {
    conflicts[Int(target)].add(1, ordering: .relaxed)
  }

  /// Counts a transaction that has become final. What is past counts half as much each time.
  /// `runs` tells how many that call it have run.
  @inline(__always)
  borrowing func countFinal(_ target: Int32, needsAlike: Bool, runs: CallRuns) {
    if target < 0 { return }
    let count = counts + Int(target)
    count.pointee.finals += 1
    count.pointee.allFinals += 1
    if needsAlike { count.pointee.needy += 1 }
    if count.pointee.needy == 0 && count.pointee.finals < Self.memory { return }
    decide(target, count, runs)
  }

  @inline(never)
  private borrowing func decide(
    _ target: Int32, _ count: UnsafeMutablePointer<Count>, _ runs: CallRuns
  ) {
    let isHot = isHot[Int(target)].load(ordering: .relaxed)
    let against = conflicts[Int(target)].load(ordering: .relaxed)
    if !isHot && against >= 2 && against * 2 > count.pointee.finals {
      // Conflicts are known at once, also of transactions that are not final yet.
      let ahead = max(0, runs.count(target) - count.pointee.allFinals)
      if against * 2 > count.pointee.finals + ahead {
        self.isHot[Int(target)].store(true, ordering: .relaxed)
      }
    } else if isHot && count.pointee.needy * 2 < count.pointee.finals {
      self.isHot[Int(target)].store(false, ordering: .relaxed)
    }
    if count.pointee.finals >= Self.memory {
      count.pointee.finals /= 2
      count.pointee.needy /= 2
      conflicts[Int(target)].subtract(against / 2, ordering: .relaxed)
    }
  }

  /// How many transactions are looked back on.
  private static var memory: Int32 { 32 }
}

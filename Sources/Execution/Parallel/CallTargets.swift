import Synchronization

/// The contracts that a block's transactions call. Where transactions that call the same one keep
/// running into each other (a pool, an auction), they run one after the other from then on.
struct CallTargets: ~Copyable {
  /// Transactions that call it and had to run again, as another that calls it had come before.
  private let conflicts: UnsafeMutablePointer<Atomic<Int32>>
  /// Whether its transactions wait for one another. Apart from what often changes, as every worker
  /// looks here before every transaction.
  private let isHot: UnsafeMutablePointer<Atomic<Bool>>
  /// Transactions that call it and are final; the committer's own.
  private let finals: UnsafeMutablePointer<Int32>

  /// For at most so many contracts, none of them hot.
  init(capacity: Int) {
    conflicts = .allocate(capacity: capacity)
    isHot = .allocate(capacity: capacity)
    finals = .allocate(capacity: capacity)
  }

  deinit {
    conflicts.deallocate()
    isHot.deallocate()
    finals.deallocate()
  }

  /// Begins with a contract.
  borrowing func add(_ target: Int32) {
    (conflicts + Int(target)).initialize(to: Atomic(0))
    (isHot + Int(target)).initialize(to: Atomic(false))
    (finals + Int(target)).initialize(to: 0)
  }

  /// Whether those who call it wait for one another.
  @inline(__always)
  borrowing func waits(_ target: Int32) -> Bool {
    target >= 0 && isHot[Int(target)].load(ordering: .relaxed)
  }

  /// Counts a transaction that came to nothing because of another one that calls the same contract.
  borrowing func countConflict(_ target: Int32) {
    conflicts[Int(target)].add(1, ordering: .relaxed)
  }

  /// Counts a transaction that has become final.
  ///
  /// Most of those before it in vain: wait. Hardly any: try again without. What is past counts half
  /// as much each time.
  @inline(__always)
  borrowing func countFinal(_ target: Int32) {
    if target < 0 { return }
    let count = finals[Int(target)] + 1
    finals[Int(target)] = count
    let against = conflicts[Int(target)].load(ordering: .relaxed)
    if against == 0 && count < Self.memory { return }
    decide(target, count, against)
  }

  @inline(never)
  private borrowing func decide(_ target: Int32, _ count: Int32, _ against: Int32) {
    if against >= 2 && against * 2 > count {
      isHot[Int(target)].store(true, ordering: .relaxed)
    } else if against * 8 < count && isHot[Int(target)].load(ordering: .relaxed) {
      isHot[Int(target)].store(false, ordering: .relaxed)
    }
    if count >= Self.memory {
      finals[Int(target)] = count / 2
      conflicts[Int(target)].subtract(against / 2, ordering: .relaxed)
    }
  }

  /// How many transactions are looked back on.
  private static var memory: Int32 { 64 }
}

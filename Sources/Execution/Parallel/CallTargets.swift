import Synchronization

/// The contracts that a block's transactions call. Where half of those that call one and have run did so in
/// vain because of another one that calls it (a pool, an auction), they run one after the other from then
/// on, for as long as most of them need what another one has just written.
struct CallTargets: ~Copyable {
  /// Whether its transactions wait for one another. Apart from what often changes, as every worker
  /// looks here before every transaction.
  private let states: UnsafeMutablePointer<Atomic<State>>
  /// Transactions that call it and ran in vain because of another one that calls it.
  private let conflicts: UnsafeMutablePointer<Atomic<Int32>>
  /// Written while the turns are made ready.
  private let probes: UnsafeMutablePointer<Probe>
  /// The committer's own.
  private let counts: UnsafeMutablePointer<Count>

  private enum State: UInt8, AtomicRepresentable {
    /// They run side by side.
    case free
    /// All but two wait until these two have shown whether they need one another.
    case probed
    /// Each waits for the one before.
    case hot
  }

  /// The first calls of a contract that nothing is known of beforehand.
  private struct Probe: BitwiseCopyable {
    var first: Int32 = -1
    /// Of another sender.
    var second: Int32 = -1
    var others = 0
  }

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
    states = .allocate(capacity: capacity)
    probes = .allocate(capacity: capacity)
    conflicts = .allocate(capacity: capacity)
    counts = .allocate(capacity: capacity)
  }

  deinit {
    states.deallocate()
    probes.deallocate()
    conflicts.deallocate()
    counts.deallocate()
  }

  /// Begins with a contract.
  borrowing func add(_ target: Int32) {
    (states + Int(target)).initialize(to: Atomic(.free))
    (probes + Int(target)).initialize(to: Probe())
    (conflicts + Int(target)).initialize(to: Atomic(0))
    (counts + Int(target)).initialize(to: Count())
  }

  /// Whether those who call it wait for one another.
  @inline(__always)
  borrowing func waits(_ target: Int32) -> Bool {
    target >= 0 && states[Int(target)].load(ordering: .relaxed) == .hot
  }

  /// Notes a call that nothing is known of beforehand, in block order. `isOther` tells whether another
  /// transaction is of another sender.
  borrowing func addCall(_ target: Int32, _ transaction: Int32, isOther: (Int32) -> Bool) {
    let probe = probes + Int(target)
    if probe.pointee.first < 0 {
      probe.pointee.first = transaction
    } else if probe.pointee.second < 0 {
      if isOther(probe.pointee.first) { probe.pointee.second = transaction }
    } else {
      probe.pointee.others += 1
      if probe.pointee.others == Self.leastProbed {
        states[Int(target)].store(.probed, ordering: .relaxed)
      }
    }
  }

  /// So many are worth to wait for two.
  private static let leastProbed = 4

  /// The transaction that a call waits for while it is not known whether the contract's calls need one another; -1
  /// for none.
  @inline(__always)
  borrowing func probe(
    _ target: Int32, before transaction: Int32, _ turns: UnsafeMutablePointer<TransactionTurn>
  ) -> Int32 {
    if states[Int(target)].load(ordering: .relaxed) != .probed { return -1 }
    let probe = probes[Int(target)]
    if transaction <= probe.second { return -1 }
    if !turns[Int(probe.first)].status.isReadable { return probe.first }
    if !turns[Int(probe.second)].status.isReadable { return probe.second }
    let isHot = conflicts[Int(target)].load(ordering: .relaxed) > 0
    _ = states[Int(target)].compareExchange(
      expected: .probed, desired: isHot ? .hot : .free, ordering: .relaxed)
    return -1
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
    let isHot = states[Int(target)].load(ordering: .relaxed) == .hot
    let against = conflicts[Int(target)].load(ordering: .relaxed)
    if !isHot && against >= 2 && against * 2 > count.pointee.finals {
      // Conflicts are known at once, also of transactions that are not final yet.
      let ahead = max(0, runs.count(target) - count.pointee.allFinals)
      if against * 2 > count.pointee.finals + ahead {
        states[Int(target)].store(.hot, ordering: .relaxed)
      }
    } else if isHot && count.pointee.needy * 2 < count.pointee.finals {
      states[Int(target)].store(.free, ordering: .relaxed)
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

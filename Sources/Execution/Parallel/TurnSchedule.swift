import EVM
import Synchronization

/// Who runs what next: transactions in block order, those that have to run again first, those that
/// wait for others not at all; and which are final.
struct TurnSchedule: ~Copyable {
  // What hardly changes, and every worker looks at all the time.

  let count: Int32
  let turns: UnsafeMutablePointer<TransactionTurn>
  let records: UnsafeMutablePointer<TransactionRecord>
  /// For each transaction the one that it waited for last; -1 for none.
  let waitedFor: UnsafeMutablePointer<Int32>
  /// The contracts that are called.
  let targets: UnsafeMutablePointer<CallTargets>
  /// One bit for each transaction that has to run again.
  private let pending: UnsafeMutablePointer<Atomic<UInt64>>
  /// How many that call each of them have run.
  let callRuns: CallRuns
  /// How many transactions that follow one another a worker takes at once, at first and at most.
  let firstBatch: Int32
  let widestBatch: Int32
  /// The same now.
  let batch: Atomic<Int32>
  /// What each worker has taken and not begun. Who has nothing else to do takes from the others.
  private let claims: ClaimedRanges
  /// Transactions that begin before all others: each may take as long as all others together take a worker.
  private let early: [Int32]
  private let firstLate: Int32
  private let widestWindow: Int32
  /// Changes of lifecycles so far, those that were taken back included.
  let lifecycleChanges = Atomic<UInt64>(0)
  /// Set at the end, and on errors.
  let isOver = Atomic<Bool>(false)
  /// No transaction from here on is begun. The same as in `next`, which changes all the time.
  let end: Atomic<Int32>
  /// No transaction from here on is prepared.
  let prepared: Atomic<Int32>
  /// How far workers run ahead of the frontier, in transactions.
  let window: Atomic<Int32>
  /// Workers with this number or a higher one rest.
  let activeWorkers: Atomic<Int>

  // What changes all the time.

  private let line1 = CacheLines()
  /// All transactions before it are final. The committer moves it now and then.
  let frontier: Atomic<Int32>
  private let line2 = CacheLines()
  /// The first transaction that has not been begun, and `end`: none is taken once the end is set.
  private let next: Atomic<UInt64>
  private let line3 = CacheLines()
  private let pendingCount = Atomic<Int32>(0)
  private let line4 = CacheLines()
  /// How many of the early ones have been begun.
  private let earlyBegun = Atomic<Int>(0)

  /// A transaction that a worker is to run: it is `running` already.
  struct Turn {
    let transaction: Int32
    let incarnation: UInt32
  }

  /// A schedule of the transactions of a block from `first` on, with those of them that begin `early`; the
  /// memory is the caller's.
  init(
    _ memory: borrowing RecordMemory, from first: Int32, count: Int32, early: [Int32], workers: Int
  ) {
    self.early = early
    firstLate = (early.last ?? -1) + 1
    claims = ClaimedRanges(workers: workers)
    turns = memory.turns
    records = memory.records
    targets = memory.targets
    waitedFor = memory.waitedFor
    self.count = count
    frontier = Atomic(first)
    next = Atomic(Self.word(next: first, end: count))
    end = Atomic(count)
    prepared = Atomic(first)
    callRuns = memory.callRuns
    let share = (count - first) / Int32(workers * 16)
    firstBatch = max(1, min(8, share))
    widestBatch = max(firstBatch, min(64, share))
    batch = Atomic(firstBatch)
    window = Atomic(Throttle.firstWindow(workers: workers))
    widestWindow = Throttle.widestWindow(workers: workers)
    activeWorkers = Atomic(workers)
    let words = Int(count) / 64 + 1
    pending = .allocate(capacity: words)
    for index in 0..<words { (pending + index).initialize(to: Atomic(0)) }
  }

  deinit {
    pending.deallocate()
    claims.deallocate()
  }

  /// Whether all transactions that may begin are final.
  var isDrained: Bool {
    frontier.load(ordering: .acquiring) >= end.load(ordering: .acquiring)
  }

  private static func word(next: Int32, end: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: next)) | UInt64(UInt32(bitPattern: end)) << 32
  }

  private static func next(_ word: UInt64) -> Int32 { Int32(truncatingIfNeeded: word) }

  private static func end(_ word: UInt64) -> Int32 { Int32(truncatingIfNeeded: word >> 32) }

  /// Begins no more transactions than have been begun.
  borrowing func endSoon() {
    while true {
      let word = next.load(ordering: .acquiring)
      let last = max(Self.next(word), firstLate)
      if last >= Self.end(word) { return }
      if next.compareExchange(
        expected: word, desired: Self.word(next: Self.next(word), end: last),
        ordering: .acquiringAndReleasing
      ).exchanged {
        // Nobody comes to another end.
        return end.store(last, ordering: .releasing)
      }
    }
  }

  // MARK: Taking work

  /// Whether a worker has taken transactions that it has not begun.
  @inline(__always)
  borrowing func hasClaims(_ worker: Int) -> Bool { !claims.isEmpty(worker) }

  /// A transaction for a worker to run; `nil` when there is none at present. One that `isIdle` takes what
  /// another has taken and not begun: that one is at a long transaction. `weight` is about what one takes in
  /// nanoseconds; `prepare` is called with those that the worker takes at once.
  @inline(__always)
  borrowing func take(
    _ worker: Int, isIdle: Bool, waits: inout Int, weight: (Int32) -> UInt64,
    prepare: (Range<Int32>) -> Void
  ) -> Turn? {
    if pendingCount.load(ordering: .relaxed) > 0, let again = takePending(&waits) { return again }
    if earlyBegun.load(ordering: .relaxed) < early.count,
      prepared.load(ordering: .acquiring) >= firstLate, let turn = takeEarly(&waits)
    {
      return turn
    }
    while true {
      if let index = claims.takeFirst(of: worker) {
        if let turn = begin(index, TransactionStatus(.pending, 0), &waits) { return turn }
        continue
      }
      let word = next.load(ordering: .relaxed)
      let first = Self.next(word)
      let batch = batch.load(ordering: .relaxed)
      let open = min(Self.end(word), prepared.load(ordering: .acquiring))
      let most = min(first &+ batch, open)
      if first >= most
        || !isInWindow(first, until: open, room: Int32(worker) &* batch, isIdle: isIdle)
      {
        return isIdle ? takeClaimed(&waits) : nil
      }
      let heaviest = max(Self.heaviestBatch, UInt64(batch) &* Self.heaviestShare)
      // Nobody is to have much while others have nothing.
      var last = first &+ 1
      var taken = weight(first)
      while last < most {
        taken &+= weight(last)
        if taken > heaviest { break }
        last &+= 1
      }
      if next.compareExchange(
        expected: word, desired: Self.word(next: last, end: Self.end(word)),
        ordering: .acquiringAndReleasing
      ).exchanged {
        claims.set(first..<last, of: worker)
        prepare(first..<last)
      }
    }
  }

  /// Whether workers may run ahead so far, of the transactions `until` there. Where little `room` is left
  /// in the window, it is left to workers with lower numbers: the others would be awake for next to
  /// nothing. Who is idle lets all go farther: the transaction at the frontier is a long one.
  @inline(__always)
  private borrowing func isInWindow(
    _ index: Int32, until open: Int32, room: Int32, isIdle: Bool
  ) -> Bool {
    let width = window.load(ordering: .relaxed)
    let edge = frontier.load(ordering: .relaxed) &+ width
    if index < edge && (edge >= open || edge &- index >= room) { return true }
    if isIdle && width < widestWindow {
      window.store(min(width &* 2, widestWindow), ordering: .relaxed)
    }
    return false
  }

  /// What a worker takes at once, in nanoseconds, and for each transaction of a batch where that is more.
  private static var heaviestBatch: UInt64 { 170_000 }
  private static var heaviestShare: UInt64 { 21_250 }

  /// Begins one of those that begin before all others.
  @inline(never)
  private borrowing func takeEarly(_ waits: inout Int) -> Turn? {
    while true {
      let place = earlyBegun.add(1, ordering: .relaxed).oldValue
      if place >= early.count { return nil }
      if let turn = begin(early[place], TransactionStatus(.pending, 0), &waits) { return turn }
    }
  }

  /// Begins the first transaction that another worker has taken and not begun.
  @inline(never)
  private borrowing func takeClaimed(_ waits: inout Int) -> Turn? {
    while let index = claims.takeFirst() {
      if let turn = begin(index, TransactionStatus(.pending, 0), &waits) { return turn }
    }
    return nil
  }

  /// Begins a transaction that is `pending`; lets it wait when another one has to come first.
  @inline(__always)
  private borrowing func begin(_ index: Int32, _ old: TransactionStatus, _ waits: inout Int)
    -> Turn?
  {
    let turn = turns + Int(index)
    let other = first(before: turn)
    if other >= 0 {
      let waiting = TransactionStatus(.waiting, old.incarnation)
      if !turn.pointee.move(old, to: waiting) { return nil }
      waits += 1
      if wait(index, for: other) || !turn.pointee.move(waiting, to: old) { return nil }
    }
    let incarnation = old.incarnation + 1
    if !turn.pointee.move(old, to: TransactionStatus(.running, incarnation)) { return nil }
    return Turn(transaction: index, incarnation: incarnation)
  }

  /// The transaction that has to be done before one begins; -1 for none.
  @inline(__always)
  private borrowing func first(before turn: UnsafeMutablePointer<TransactionTurn>) -> Int32 {
    let predecessor = turn.pointee.predecessor
    if predecessor >= 0 && !turns[Int(predecessor)].status.isReadable { return predecessor }
    if turn.pointee.target < 0 { return -1 }
    if turn.pointee.isPayment {
      let related = turn.pointee.related
      if related >= 0 && !turns[Int(related)].status.isReadable { return related }
    } else {
      let other = targets.pointee.probe(
        turn.pointee.target, before: Int32(truncatingIfNeeded: turn - turns), turns)
      if other >= 0 { return other }
    }
    let alike = turn.pointee.alike
    if alike >= 0 && targets.pointee.waits(turn.pointee.target)
      && !turns[Int(alike)].status.isReadable
    {
      return alike
    }
    return -1
  }

  private borrowing func takePending(_ waits: inout Int) -> Turn? {
    var word = Int(frontier.load(ordering: .relaxed)) / 64
    let last = Int(min(Self.next(next.load(ordering: .relaxed)), count)) / 64
    while word <= last {
      let bits = pending[word].load(ordering: .relaxed)
      if bits == 0 {
        word += 1
        continue
      }
      let bit = UInt64(1) << UInt64(bits.trailingZeroBitCount)
      if pending[word].bitwiseAnd(~bit, ordering: .acquiringAndReleasing).oldValue & bit == 0 {
        continue
      }
      pendingCount.subtract(1, ordering: .relaxed)
      let index = Int32(word * 64 + bits.trailingZeroBitCount)
      let old = turns[Int(index)].status
      if old.phase == .pending, let turn = begin(index, old, &waits) { return turn }
    }
    return nil
  }

  private borrowing func setPending(_ index: Int32) {
    let bit = UInt64(1) << UInt64(index & 63)
    if pending[Int(index) / 64].bitwiseOr(bit, ordering: .acquiringAndReleasing).oldValue & bit == 0
    {
      pendingCount.add(1, ordering: .relaxed)
    }
  }

  // MARK: What happens to transactions

  /// Counts that a transaction ran in vain because of another one.
  borrowing func countConflict(_ index: Int32, _ writer: Int32) {
    if writer < 0 { return }
    let target = turns[Int(index)].target
    if target >= 0 && turns[Int(writer)].target == target { targets.pointee.countConflict(target) }
  }

  /// Tells that an incarnation of a transaction read something that `writer` made otherwise; -1 when
  /// that was nobody in particular.
  borrowing func invalidate(_ index: Int32, _ incarnation: UInt32, by writer: Int32) {
    let turn = turns + Int(index)
    while true {
      let old = turn.pointee.status
      if old.incarnation != incarnation { return }
      switch old.phase {
      case .executed:
        // What is final is right.
        if index < frontier.load(ordering: .acquiring) { return }
        if turn.pointee.move(old, to: TransactionStatus(.pending, incarnation)) {
          countConflict(index, writer)
          setPending(index)
          return
        }
      case .running:
        if turn.pointee.move(old, to: TransactionStatus(.runningInvalid, incarnation)) {
          return countConflict(index, writer)
        }
      case .pending, .runningInvalid, .waiting, .waitingForAll: return
      }
    }
  }

  /// Tells that a running transaction has published what it did, and gives one that waited for it, to
  /// be run next, if the caller takes one. `isRight` is false when it is known that it must run again;
  /// so it will then.
  borrowing func finish(_ index: Int32, _ incarnation: UInt32, isRight: Bool, takesNext: Bool)
    -> Turn?
  {
    let running = TransactionStatus(.running, incarnation)
    if isRight
      && turns[Int(index)].move(running, to: TransactionStatus(.executed, incarnation))
    {
      return release(index, takesNext)
    }
    repeatLater(index, incarnation)
    return nil
  }

  /// Lets a running transaction run again.
  borrowing func repeatLater(_ index: Int32, _ incarnation: UInt32) {
    let turn = turns + Int(index)
    let new = TransactionStatus(.pending, incarnation)
    while !turn.pointee.move(turn.pointee.status, to: new) {}
    setPending(index)
  }

  /// Lets a running transaction wait until another one, earlier in the block, has published.
  borrowing func park(_ index: Int32, _ incarnation: UInt32, for other: Int32) {
    let turn = turns + Int(index)
    let waiting = TransactionStatus(.waiting, incarnation)
    while !turn.pointee.move(turn.pointee.status, to: waiting) {}
    if wait(index, for: other) { return }
    if turn.pointee.move(waiting, to: TransactionStatus(.pending, incarnation)) {
      setPending(index)
    }
  }

  /// Lets a running transaction wait until all before it are final.
  borrowing func parkForAll(_ index: Int32, _ incarnation: UInt32) {
    let turn = turns + Int(index)
    let waiting = TransactionStatus(.waitingForAll, incarnation)
    while !turn.pointee.move(turn.pointee.status, to: waiting) {}
    // The committer moves the frontier, then looks at the status: one of the two sees the other.
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    if frontier.load(ordering: .acquiring) == index { wakeFirst(index) }
  }

  /// Wakes the transaction at the frontier, if it waits for all before it.
  borrowing func wakeFirst(_ index: Int32) {
    let turn = turns + Int(index)
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    let old = turn.pointee.status
    if old.phase == .waitingForAll,
      turn.pointee.move(old, to: TransactionStatus(.pending, old.incarnation))
    {
      setPending(index)
    }
  }

  /// Puts a waiting transaction on another one's list; false when that one has published meanwhile.
  private borrowing func wait(_ index: Int32, for other: Int32) -> Bool {
    let turn = turns + Int(other)
    turn.pointee.waitersLock.lock()
    defer { turn.pointee.waitersLock.unlock() }
    // Those who publish change the status first and take the list then.
    if turn.pointee.status.isReadable { return false }
    waitedFor[Int(index)] = other
    turns[Int(index)].nextWaiter = turn.pointee.firstWaiter
    turn.pointee.firstWaiter = index
    return true
  }

  /// Lets those go on that wait for a transaction. The first of them in the block is given to the
  /// caller, if it takes one: it has in its caches what that one waited for.
  @inline(__always)
  private borrowing func release(_ index: Int32, _ takesNext: Bool) -> Turn? {
    let turn = turns + Int(index)
    turn.pointee.waitersLock.lock()
    let waiter = turn.pointee.firstWaiter
    turn.pointee.firstWaiter = -1
    turn.pointee.waitersLock.unlock()
    return waiter < 0 ? nil : release(list: waiter, takesNext)
  }

  @inline(never)
  private borrowing func release(list: Int32, _ takesNext: Bool) -> Turn? {
    var first: Int32 = takesNext ? list : -1
    var waiter = list
    while waiter >= 0 {
      first = min(first, waiter)
      waiter = turns[Int(waiter)].nextWaiter
    }
    waiter = list
    while waiter >= 0 {
      let next = turns[Int(waiter)].nextWaiter
      let old = turns[Int(waiter)].status
      if waiter != first, old.phase == .waiting,
        turns[Int(waiter)].move(old, to: TransactionStatus(.pending, old.incarnation))
      {
        setPending(waiter)
      }
      waiter = next
    }
    if first < 0 { return nil }
    let old = turns[Int(first)].status
    let running = TransactionStatus(.running, old.incarnation + 1)
    if old.phase != .waiting || !turns[Int(first)].move(old, to: running) { return nil }
    return Turn(transaction: first, incarnation: running.incarnation)
  }
}

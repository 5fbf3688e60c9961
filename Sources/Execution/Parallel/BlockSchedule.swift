import EVM
import Synchronization

/// Who runs what next: transactions in block order, those that have to run again first, those that
/// wait for others not at all; and which are final.
struct BlockSchedule: ~Copyable {
  let count: Int32
  let records: UnsafeMutablePointer<TransactionRecord>
  /// All transactions before it are final.
  let frontier: Atomic<Int32>
  /// Changes of lifecycles so far, those that were taken back included.
  let lifecycleChanges = Atomic<UInt64>(0)
  /// Set at the end, and on errors.
  let isOver = Atomic<Bool>(false)
  /// No transaction from here on is begun.
  let end: Atomic<Int32>
  /// No transaction from here on is prepared.
  let prepared: Atomic<Int32>
  /// How many transactions that follow one another a worker takes at once.
  let batch: Int32
  /// How far workers run ahead of the frontier, in transactions.
  let window: Atomic<Int32>
  /// Workers with this number or a higher one rest.
  let activeWorkers: Atomic<Int>

  /// One bit for each transaction that has to run again.
  private let pending: UnsafeMutablePointer<Atomic<UInt64>>
  private let pendingCount = Atomic<Int32>(0)
  /// The first transaction that has not been begun.
  private let next: Atomic<Int32>

  /// A schedule of the transactions of a block from `first` on; the records are the caller's.
  init(
    _ records: UnsafeMutablePointer<TransactionRecord>, from first: Int32, count: Int32,
    workers: Int
  ) {
    self.records = records
    self.count = count
    frontier = Atomic(first)
    next = Atomic(first)
    end = Atomic(count)
    prepared = Atomic(first)
    batch = max(1, min(8, (count - first) / Int32(workers * 16)))
    window = Atomic(Throttle.firstWindow(workers: workers, batch: batch))
    activeWorkers = Atomic(workers)
    let words = Int(count) / 64 + 1
    pending = .allocate(capacity: words)
    for index in 0..<words { (pending + index).initialize(to: Atomic(0)) }
  }

  deinit { pending.deallocate() }

  /// Whether all transactions that may begin are final.
  var isDrained: Bool {
    frontier.load(ordering: .acquiring) >= end.load(ordering: .acquiring)
  }

  /// Begins no more transactions than have been begun.
  borrowing func endSoon(workers: Int) {
    // A worker that has looked at the end before may take one more batch.
    let last = next.load(ordering: .acquiring) &+ Int32(workers) &* batch
    if last < end.load(ordering: .acquiring) { end.store(last, ordering: .releasing) }
  }

  // MARK: Taking work

  /// A transaction to run, now `running`, and its incarnation; `nil` when there is none at present.
  /// `fresh` are those that the worker has taken and not begun.
  borrowing func take(_ fresh: inout Range<Int32>, waits: inout Int)
    -> (transaction: Int32, incarnation: UInt32)?
  {
    if pendingCount.load(ordering: .relaxed) > 0, let again = takePending() { return again }
    while true {
      if fresh.isEmpty {
        let first = next.load(ordering: .relaxed)
        let last = min(
          first &+ batch, end.load(ordering: .relaxed), prepared.load(ordering: .acquiring))
        if first >= last
          || first >= frontier.load(ordering: .relaxed) &+ window.load(ordering: .relaxed)
        {
          return nil
        }
        if !next.compareExchange(
          expected: first, desired: last, ordering: .acquiringAndReleasing
        ).exchanged {
          continue
        }
        fresh = first..<last
      }
      let index = fresh.removeFirst()
      let record = records + Int(index)
      let old = TransactionStatus(.pending, 0)
      let predecessor = record.pointee.predecessor
      if predecessor >= 0 && !records[Int(predecessor)].status.isReadable {
        if record.pointee.move(old, to: TransactionStatus(.waiting, 0)) {
          waits += 1
          if wait(index, for: predecessor) { continue }
          if !record.pointee.move(TransactionStatus(.waiting, 0), to: old) { continue }
        }
      }
      if record.pointee.move(old, to: TransactionStatus(.running, 1)) { return (index, 1) }
    }
  }

  private borrowing func takePending() -> (transaction: Int32, incarnation: UInt32)? {
    var word = Int(frontier.load(ordering: .relaxed)) / 64
    let last = Int(min(next.load(ordering: .relaxed), count)) / 64
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
      let old = records[Int(index)].status
      if old.phase == .pending,
        records[Int(index)].move(old, to: TransactionStatus(.running, old.incarnation + 1))
      {
        return (index, old.incarnation + 1)
      }
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

  /// Tells that an incarnation of a transaction read something that is not so.
  borrowing func invalidate(_ index: Int32, _ incarnation: UInt32) {
    let record = records + Int(index)
    while true {
      let old = record.pointee.status
      if old.incarnation != incarnation { return }
      switch old.phase {
      case .executed:
        if record.pointee.move(old, to: TransactionStatus(.pending, incarnation)) {
          setPending(index)
          return
        }
      case .running:
        if record.pointee.move(old, to: TransactionStatus(.runningInvalid, incarnation)) { return }
      case .pending, .runningInvalid, .waiting, .committed: return
      }
    }
  }

  /// Tells that a running transaction has published what it did. `isRight` is false when it is known
  /// that it must run again; so it will then.
  borrowing func finish(_ index: Int32, _ incarnation: UInt32, isRight: Bool) {
    let record = records + Int(index)
    let running = TransactionStatus(.running, incarnation)
    if isRight && record.pointee.move(running, to: TransactionStatus(.executed, incarnation)) {
      release(index)
      return
    }
    repeatLater(index, incarnation)
  }

  /// Lets a running transaction run again.
  borrowing func repeatLater(_ index: Int32, _ incarnation: UInt32) {
    let record = records + Int(index)
    let new = TransactionStatus(.pending, incarnation)
    while !record.pointee.move(record.pointee.status, to: new) {}
    setPending(index)
  }

  /// Lets a running transaction wait until another one, earlier in the block, has published.
  borrowing func park(_ index: Int32, _ incarnation: UInt32, for other: Int32) {
    let record = records + Int(index)
    let waiting = TransactionStatus(.waiting, incarnation)
    while !record.pointee.move(record.pointee.status, to: waiting) {}
    if wait(index, for: other) { return }
    if record.pointee.move(waiting, to: TransactionStatus(.pending, incarnation)) {
      setPending(index)
    }
  }

  /// Lets a running transaction wait until all before it are final.
  borrowing func parkForAll(_ index: Int32, _ incarnation: UInt32) {
    let record = records + Int(index)
    record.pointee.waitsForAll.store(true, ordering: .relaxed)
    let waiting = TransactionStatus(.waiting, incarnation)
    while !record.pointee.move(record.pointee.status, to: waiting) {}
    // The committer moves the frontier, then looks at the status: one of the two sees the other.
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    if frontier.load(ordering: .acquiring) == index { wakeFirst(index) }
  }

  /// Wakes the transaction at the frontier, if it waits for all before it.
  borrowing func wakeFirst(_ index: Int32) {
    let record = records + Int(index)
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    let old = record.pointee.status
    if old.phase == .waiting, record.pointee.waitsForAll.load(ordering: .relaxed),
      record.pointee.move(old, to: TransactionStatus(.pending, old.incarnation))
    {
      setPending(index)
    }
  }

  /// Puts a waiting transaction on another one's list; false when that one has published meanwhile.
  private borrowing func wait(_ index: Int32, for other: Int32) -> Bool {
    let record = records + Int(other)
    record.pointee.waitersLock.lock()
    defer { record.pointee.waitersLock.unlock() }
    // Those who publish change the status first and take the list then.
    if record.pointee.status.isReadable { return false }
    records[Int(index)].nextWaiter = record.pointee.firstWaiter
    record.pointee.firstWaiter = index
    return true
  }

  private borrowing func release(_ index: Int32) {
    let record = records + Int(index)
    record.pointee.waitersLock.lock()
    var waiter = record.pointee.firstWaiter
    record.pointee.firstWaiter = -1
    record.pointee.waitersLock.unlock()
    while waiter >= 0 {
      let next = records[Int(waiter)].nextWaiter
      let old = records[Int(waiter)].status
      if old.phase == .waiting,
        records[Int(waiter)].move(old, to: TransactionStatus(.pending, old.incarnation))
      {
        setPending(waiter)
      }
      waiter = next
    }
  }
}

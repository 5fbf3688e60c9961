import EVM
import Ethereum
import Synchronization

/// Executes the transactions of blocks that came with an access list, independently and on all
/// threads at once.
final class ListedRun {
  private let pool: WorkerPool
  private let workers: [ListedWorker]
  private let memory = ListedMemory()
  /// The block at hand.
  private var listed: UnsafeMutablePointer<ListedBlock>?
  private var gas: [ListedGas] = []
  private var parts: [ListedPart] = []
  private var runs: UInt64 = 0

  init(pool: WorkerPool) {
    self.pool = pool
    workers = (0..<pool.count).map { _ in ListedWorker() }
  }

  /// Executes the transactions of a block and takes what they change into the state; false when the
  /// list does not fit, and nothing has changed.
  func execute(
    _ run: inout BlockRun, _ columns: ListedColumns, runner: TransactionRunner
  ) -> Bool {
    guard let recorder = run.recorder else { return false }
    runner.state.codes.beginTransaction()
    let listed = UnsafeMutablePointer<ListedBlock>.allocate(capacity: 1)
    listed.initialize(to: ListedBlock(run.block, columns, memory, runner: runner))
    self.listed = listed
    let crew = Crew(workers: workers, listed: listed)
    pool.run { _ in crew.listed.pointee.prepare() }
    let before = recorder.list { runner.state.record($0).balance }
    if listed.pointee.differs.load(ordering: .acquiring)
      || !listed.pointee.agrees(beforeTransactions: before)
    {
      return false
    }
    guard let total = execute(&run, crew) else { return false }
    run.outcome.gas = total.gas
    run.outcome.blobGasUsed = UInt64(total.blobs) * BlobGas.perBlob
    run.listed = listed
    return true
  }

  /// Runs the transactions, fills in their outcomes and receipts and takes what they change into the state;
  /// `nil` when anything differs.
  private func execute(_ run: inout BlockRun, _ crew: Crew) -> BlockTotal? {
    let count = run.block.transactions.count
    if count == 0 {
      if !crew.listed.pointee.hasAllChanges { return nil }
      apply(crew, nil)
      return BlockTotal()
    }
    runs += 1
    if gas.count < count {
      gas = [ListedGas](repeating: ListedGas(), count: count)
      parts = [ListedPart](repeating: ListedPart(), count: ListedPart.count(for: count))
    }
    var total: BlockTotal?
    var receipts: [Receipt] = []
    let outcomes = [TransactionOutcome](unsafeUninitializedCapacity: count) {
      outcomes, outcomeCount in
      receipts = [Receipt](unsafeUninitializedCapacity: count) { receipts, receiptCount in
        run.block.transactions.withUnsafeBufferPointer { transactions in
          gas.withUnsafeMutableBufferPointer { gas in
            parts.withUnsafeMutableBufferPointer { parts in
              let places = ListedWorker.Places(
                transactions: transactions.baseAddress!, outcomes: outcomes.baseAddress!,
                receipts: receipts.baseAddress!, gas: gas.baseAddress!,
                parts: parts.baseAddress!, run: runs)
              for worker in workers { worker.begin() }
              pool.run { crew.workers[$0].work(crew.listed, places) }
              if !crew.listed.pointee.differs.load(ordering: .acquiring),
                crew.listed.pointee.hasAllChanges
              {
                total = sum(crew.listed, places)
              }
              if total == nil { clear(places, count) } else { apply(crew, places) }
            }
          }
        }
        receiptCount = total == nil ? 0 : count
        outcomeCount = receiptCount
      }
    }
    if total != nil {
      run.outcome.transactions = outcomes
      run.outcome.receipts = receipts
    }
    return total
  }

  /// What all transactions used.
  private struct BlockTotal {
    var gas = BlockGas()
    var blobs = 0
  }

  /// Adds up what the parts used, and tells each what all before it did; `nil` when a transaction does not
  /// fit into its block any more.
  private func sum(
    _ listed: UnsafeMutablePointer<ListedBlock>, _ places: ListedWorker.Places
  ) -> BlockTotal? {
    var total = BlockTotal()
    let limit = listed.pointee.environment.gasLimit
    let count = listed.pointee.transactionCount
    for number in 0..<ListedPart.count(for: count) {
      let part = places.parts + number
      part.pointee.paidBefore = total.gas.paid
      let before = total.gas
      total.gas += part.pointee.gas
      total.blobs += part.pointee.blobs
      // What fits behind the part's last transaction fits before it.
      if part.pointee.most > total.gas.regularLeft(of: limit)
        || part.pointee.mostState > total.gas.stateLeft(of: limit),
        !fits(ListedPart.range(number, of: count), before, limit, places)
      {
        return nil
      }
    }
    return total.blobs > listed.pointee.maxBlobs ? nil : total
  }

  /// Whether each of these transactions fits into its block, behind what used `before`.
  private func fits(
    _ range: Range<Int>, _ before: BlockGas, _ limit: UInt64, _ places: ListedWorker.Places
  ) -> Bool {
    var total = before
    for place in range {
      let used = places.gas + place
      if used.pointee.most > total.regularLeft(of: limit)
        || used.pointee.mostState > total.stateLeft(of: limit)
      {
        return false
      }
      total += used.pointee.gas
    }
    return true
  }

  private func clear(_ places: ListedWorker.Places, _ count: Int) {
    for place in 0..<count where places.gas[place].run == places.run {
      (places.outcomes + place).deinitialize(count: 1)
      (places.receipts + place).deinitialize(count: 1)
    }
  }

  /// Takes the list's last values into the state, and the cumulative gas into the receipts.
  private func apply(_ crew: Crew, _ places: ListedWorker.Places?) {
    let listed = crew.listed
    listed.pointee.nextAccount.store(0, ordering: .releasing)
    listed.pointee.nextSlot.store(0, ordering: .releasing)
    for worker in workers { worker.beginApplying() }
    pool.run { number in
      if let places {
        // Each its own, which it has at hand; then those of who is asleep.
        for next in 0..<crew.workers.count {
          crew.workers[(number + next) % crew.workers.count].fillCumulativeGas(places)
        }
      }
      crew.workers[number].apply(crew.listed)
    }
    for worker in workers {
      for account in worker.lateAccounts { listed.pointee.apply(account: account) }
    }
    for worker in workers { for slot in worker.lateSlots { listed.pointee.apply(slot: slot) } }
  }

  /// Empties the tables, when the block is over.
  func finish() {
    guard let listed else { return }
    let parts = pool.count
    let crew = Crew(workers: workers, listed: listed)
    pool.forEach(parts) {
      crew.listed.pointee.accountTable.clear(part: $0, of: parts)
      crew.listed.pointee.slotTable.clear(part: $0, of: parts)
    }
    listed.deinitialize(count: 1)
    listed.deallocate()
    self.listed = nil
    memory.isClean = true
  }
}

/// The workers and their block, as the pool's threads take them.
///
/// Each thread touches its own worker only, but for what it has run; the block is made for threads.
private struct Crew: @unchecked Sendable {
  let workers: [ListedWorker]
  let listed: UnsafeMutablePointer<ListedBlock>
}

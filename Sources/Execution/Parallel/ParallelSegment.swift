import EVM
import Ethereum

/// The transactions of a block, or some of them, on their way through the workers.
struct ParallelSegment {
  let count: Int
  let transactions: [PreparedTransaction]
  let block: PreparedBlock
  let runner: TransactionRunner
  let workers: [ParallelWorker]
  let pool: WorkerPool
  let cells: UnsafeMutablePointer<CellStore>
  let delays: ScheduleDelays?
  let memory: RecordMemory
  let rules: ExactnessRules

  init(
    run: BlockRun, runner: TransactionRunner, workers: [ParallelWorker], pool: WorkerPool,
    cells: UnsafeMutablePointer<CellStore>, memory: RecordMemory, delays: ScheduleDelays?,
    rules: ExactnessRules
  ) {
    self.memory = memory
    block = run.block
    transactions = run.block.transactions
    count = run.block.transactions.count
    self.runner = runner
    self.workers = workers
    self.pool = pool
    self.cells = cells
    self.delays = delays
    self.rules = rules
  }

  /// Executes the transactions from a place on, and gives the place up to which they are done: short
  /// of the end when the rest is better executed in another way.
  mutating func execute(
    from first: Int, mayEnd: Bool, into run: inout BlockRun,
    _ statistics: inout ParallelStatistics
  ) throws(ExecutionError) -> Int {
    memory.begin(count)
    var chains = TransactionChains(
      transactions, from: first, hash: runner.sharedTables.pointee.hash, memory)
    let early = chains.early(workers: workers.count)
    // In small blocks the others are not to wait for what the first transactions tell, but for those that are to
    // begin before all others.
    let few = max(TransactionChains.fewTurns, Int(early.last ?? 0) + 1 - first)
    chains.extend(by: count - first < Self.manyTransactions ? few : TransactionChains.stretch)
    // The transactions of a row follow one another in any case.
    if mayEnd && chains.isTelling && chains.isOneRow { return first }
    cells.pointee.begin(
      transactions: count - first, tables: runner.sharedTables,
      coinbase: block.environment.coinbase)
    runner.state.codes.beginTransaction()

    // The workers fill in the arrays where they will stay.
    var end = first
    var failure: ExecutionError?
    var receipts: [Receipt] = []
    let outcomes = [TransactionOutcome](unsafeUninitializedCapacity: count - first) {
      outcomes, outcomeCount in
      receipts = [Receipt](unsafeUninitializedCapacity: count - first) { receipts, receiptCount in
        let places = Places(
          memory: memory, outcomes: outcomes.baseAddress! - first,
          receipts: receipts.baseAddress! - first)
        do throws(ExecutionError) {
          let rejected = run.outcome.rejected.count
          end = try work(
            places, chains, early, from: first, mayEnd: mayEnd, &run, &statistics)
          outcomeCount =
            run.outcome.rejected.count == rejected
            ? end - first : places.compact(first..<end)
        } catch {
          failure = error
          end = first
        }
        receiptCount = outcomeCount
      }
    }
    if let failure { throw failure }
    if run.outcome.transactions.isEmpty {
      run.outcome.transactions = outcomes
      run.outcome.receipts = receipts
    } else {
      run.outcome.transactions += outcomes
      run.outcome.receipts += receipts
    }
    return end
  }

  /// Where records, outcomes and receipts are, by place in the block.
  private struct Places: @unchecked Sendable {
    // Each thread touches places of its own.
    let memory: RecordMemory
    let outcomes: UnsafeMutablePointer<TransactionOutcome>
    let receipts: UnsafeMutablePointer<Receipt>

    /// Moves what is filled in together, without transactions that are not valid; gives their number.
    func compact(_ range: Range<Int>) -> Int {
      var kept = range.lowerBound
      for index in range where memory.hasOutcome(index) {
        if memory.records[index].refusal != nil {
          (outcomes + index).deinitialize(count: 1)
          (receipts + index).deinitialize(count: 1)
          continue
        }
        if kept != index {
          (outcomes + kept).moveInitialize(from: outcomes + index, count: 1)
          (receipts + kept).moveInitialize(from: receipts + index, count: 1)
        }
        kept += 1
      }
      return kept - range.lowerBound
    }

    /// Forgets what is filled in.
    func clear(_ range: Range<Int>) {
      for index in range where memory.hasOutcome(index) {
        (outcomes + index).deinitialize(count: 1)
        (receipts + index).deinitialize(count: 1)
        memory.records[index].hasOutcome = false
      }
    }
  }

  private func work(
    _ places: Places, _ chains: TransactionChains, _ early: [Int32], from first: Int, mayEnd: Bool,
    _ run: inout BlockRun,
    _ statistics: inout ParallelStatistics
  ) throws(ExecutionError) -> Int {
    let schedule = UnsafeMutablePointer<TurnSchedule>.allocate(capacity: 1)
    schedule.initialize(
      to: TurnSchedule(
        memory, from: Int32(first), count: Int32(count),
        early: early, workers: workers.count))
    let flight = UnsafeMutablePointer<BlockInFlight>.allocate(capacity: 1)
    let runner = runner
    transactions.withUnsafeBufferPointer { transactions in
      flight.initialize(
        to: BlockInFlight(
          round: memory.round, fork: block.fork, environment: block.environment,
          maxBlobs: block.maxBlobs,
          transactions: transactions.baseAddress!, schedule: schedule, cells: cells,
          codes: runner.state.codes, rules: rules, outcomes: places.outcomes,
          receipts: places.receipts,
          blockHash: { runner.blockHashes[$0] ?? runner.fallbackBlockHash?($0) }, delays: delays,
          coinbaseBefore: runner.state.record(block.environment.coinbase).balance,
          gas: run.outcome.gas,
          blobsUsed: Int(run.outcome.blobGasUsed / BlobGas.perBlob),
          invalidTransactions: block.invalidTransactions, takesNotes: run.recorder != nil,
          finals: memory.finals,
          throttle: Throttle(workers: workers.count, mayEnd: mayEnd)))
      let crew = Crew(
        workers: workers, flight: flight, pool: pool, chains: chains, mayEnd: mayEnd,
        takesInOthers: count < Self.manyTransactions)
      // Where pauses are made, threads are to meet.
      pool.run(together: delays != nil) { crew.work($0) }
    }
    defer {
      flight.deinitialize(count: 1)
      flight.deallocate()
      schedule.deinitialize(count: 1)
      schedule.deallocate()
    }
    for worker in workers where worker.tookPart(in: memory.round) {
      statistics.executions += worker.counts.executions
      statistics.waits += worker.counts.waits
    }
    statistics.peakBytes = max(
      statistics.peakBytes,
      cells.pointee.byteCount + workers.reduce(0) { $0 + $1.byteCount }
        + count * RecordMemory.bytesEach)
    let prepared = Int(schedule.pointee.prepared.load(ordering: .acquiring))
    if let error = flight.pointee.error {
      places.clear(first..<prepared)
      throw error
    }
    if flight.pointee.isOutOfCells.load(ordering: .acquiring) {
      statistics.isOutOfCells = true
      places.clear(first..<prepared)
      return first
    }
    let end = Int(schedule.pointee.end.load(ordering: .acquiring))
    if let recorder = run.recorder {
      var index = UInt32(run.outcome.transactions.count)
      for place in first..<end where places.memory.records[place].refusal == nil {
        index += 1
        if let notes = places.memory.records[place].notes { recorder.record(notes, index: index) }
      }
    }
    settle(flight)
    run.outcome.rejected += flight.pointee.rejected
    run.outcome.gas = flight.pointee.gas
    run.outcome.blobGasUsed = UInt64(flight.pointee.blobsUsed) * BlobGas.perBlob
    return end
  }

  /// The changes of fewer are taken in sooner than a thread is awake.
  private static let manyTransactions = 1024

  /// Takes the final values into the state, and the cumulative gas into the receipts, as far as the workers
  /// have not done so.
  private func settle(_ flight: UnsafeMutablePointer<BlockInFlight>) {
    let crew = Crew(
      workers: workers, flight: flight, pool: pool, chains: nil, mayEnd: false, takesInOthers: true)
    if count < Self.manyTransactions {
      crew.settle(from: 0)
    } else {
      pool.forEach(workers.count) { crew.settle($0) }
    }
    for worker in workers where worker.tookPart(in: memory.round) {
      worker.lateAccounts.forEachCell {
        cells.pointee.prefetch($0)
      } _: {
        cells.pointee.apply($0, flight.pointee.coinbaseBalance)
      }
    }
    for worker in workers where worker.tookPart(in: memory.round) {
      worker.lateSlots.forEach {
        cells.pointee.prefetch($0)
      } _: {
        cells.pointee.apply($0)
      }
    }
  }
}

/// The workers and their block, as the pool's threads take them.
///
/// Each thread touches its own worker only; the block is made for threads.
private struct Crew: @unchecked Sendable {
  let workers: [ParallelWorker]
  let flight: UnsafeMutablePointer<BlockInFlight>
  let pool: WorkerPool
  /// The turns that are ready; the caller makes the others so.
  let chains: TransactionChains?
  /// Whether the run may be ended where nothing is gained by it.
  let mayEnd: Bool
  /// Whether who is awake in the end takes in what the others made: they sleep, and would be awake later.
  let takesInOthers: Bool

  func work(_ number: Int) {
    if number == 0, let chains { prepare(chains) }
    if !workers[number].work(flight, pool) { return }
    // Each has in its caches what it made.
    settle(number)
    if takesInOthers { settle(from: number + 1) }
  }

  /// Makes the turns ready. The others begin with those that are.
  private func prepare(_ turns: TransactionChains) {
    var chains = turns
    let schedule = flight.pointee.schedule
    var isDecided = !mayEnd || chains.isTelling
    while true {
      if !isDecided && chains.isTelling {
        isDecided = true
        if chains.isOneRow { schedule.pointee.endSoon() }
      }
      schedule.pointee.prepared.store(Int32(chains.end), ordering: .releasing)
      if chains.end >= Int(schedule.pointee.end.load(ordering: .relaxed)) { return }
      chains.extend(by: isDecided ? TransactionChains.stretch : TransactionChains.fewTurns)
    }
  }

  /// Takes in what a worker made.
  func settle(_ number: Int) { workers[number].settle(flight) }

  /// The same of all workers, one after the other.
  func settle(from first: Int) {
    for number in workers.indices { settle((first + number) % workers.count) }
  }
}

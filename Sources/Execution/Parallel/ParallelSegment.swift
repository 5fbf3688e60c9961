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
  let rules: ExactnessRules

  init(
    run: BlockRun, runner: TransactionRunner, workers: [ParallelWorker], pool: WorkerPool,
    cells: UnsafeMutablePointer<CellStore>, delays: ScheduleDelays?, rules: ExactnessRules
  ) {
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
    let records = UnsafeMutablePointer<TransactionRecord>.allocate(capacity: count)
    let outcomes = UnsafeMutablePointer<TransactionOutcome>.allocate(capacity: count)
    let receipts = UnsafeMutablePointer<Receipt>.allocate(capacity: count)
    defer {
      records.deallocate()
      outcomes.deallocate()
      receipts.deallocate()
    }
    for index in first..<count { (records + index).initialize(to: TransactionRecord()) }
    let longest = chainSenders(records, from: first)
    // Chains of nonces follow one another.
    if mayEnd && longest * 2 > count - first { return first }
    cells.pointee.begin(
      transactions: count - first, tables: runner.sharedTables,
      coinbase: block.environment.coinbase)
    runner.state.codes.beginTransaction()

    let schedule = UnsafeMutablePointer<BlockSchedule>.allocate(capacity: 1)
    schedule.initialize(
      to: BlockSchedule(
        records, from: Int32(first), count: Int32(count), window: Int32(64 * workers.count),
        workers: workers.count))
    let flight = UnsafeMutablePointer<BlockInFlight>.allocate(capacity: 1)
    let runner = runner
    transactions.withUnsafeBufferPointer { transactions in
      flight.initialize(
        to: BlockInFlight(
          fork: block.fork, environment: block.environment, maxBlobs: block.maxBlobs,
          transactions: transactions.baseAddress!, schedule: schedule, cells: cells,
          codes: runner.state.codes, rules: rules, outcomes: outcomes, receipts: receipts,
          blockHash: { runner.blockHashes[$0] ?? runner.fallbackBlockHash?($0) }, delays: delays,
          coinbaseBalance: runner.state.record(block.environment.coinbase).balance,
          gasUsed: run.outcome.gasUsed,
          blobsUsed: Int(run.outcome.blobGasUsed / BlobGas.perBlob),
          invalidTransactions: block.invalidTransactions,
          throttle: Throttle(workers: workers.count, mayEnd: mayEnd)))
      let crew = Crew(workers: workers, flight: flight)
      pool.run { crew.work($0) }
    }
    defer {
      flight.deinitialize(count: 1)
      flight.deallocate()
      schedule.deinitialize(count: 1)
      schedule.deallocate()
    }
    for worker in workers {
      statistics.executions += worker.counts.executions
      statistics.waits += worker.counts.waits
    }
    statistics.peakBytes = max(
      statistics.peakBytes,
      cells.pointee.byteCount + workers.reduce(0) { $0 + $1.byteCount }
        + count * MemoryLayout<TransactionRecord>.stride)

    if flight.pointee.isOutOfCells.load(ordering: .acquiring) || flight.pointee.error != nil {
      for index in first..<count where records[index].hasOutcome {
        (outcomes + index).deinitialize(count: 1)
        (receipts + index).deinitialize(count: 1)
      }
      if let error = flight.pointee.error { throw error }
      statistics.isOutOfCells = true
      return first
    }
    let end = Int(schedule.pointee.end.load(ordering: .acquiring))
    for worker in workers {
      cells.pointee.applyAccounts(
        worker.share, coinbaseBalance: flight.pointee.coinbaseBalance)
    }
    for worker in workers { cells.pointee.applySlots(worker.share) }
    collect(records, outcomes, receipts, first..<end, flight, &run)
    return end
  }

  /// Moves the outcomes to where the block's are.
  private func collect(
    _ records: UnsafeMutablePointer<TransactionRecord>,
    _ outcomes: UnsafeMutablePointer<TransactionOutcome>,
    _ receipts: UnsafeMutablePointer<Receipt>, _ range: Range<Int>,
    _ flight: UnsafeMutablePointer<BlockInFlight>, _ run: inout BlockRun
  ) {
    for index in range {
      if !records[index].hasOutcome { continue }
      let outcome = (outcomes + index).move()
      var receipt = (receipts + index).move()
      if records[index].refusal != nil { continue }
      receipt.cumulativeGasUsed = records[index].cumulativeGas
      run.outcome.transactions.append(outcome)
      run.outcome.receipts.append(receipt)
    }
    run.outcome.rejected += flight.pointee.rejected
    run.outcome.gasUsed = flight.pointee.gasUsed
    run.outcome.blobGasUsed = UInt64(flight.pointee.blobsUsed) * BlobGas.perBlob
  }

  /// Notes for each transaction the one before it of the same sender: its nonce follows from that.
  /// Gives the length of the longest such chain.
  private func chainSenders(
    _ records: UnsafeMutablePointer<TransactionRecord>, from first: Int
  ) -> Int {
    var longest: Int32 = 0
    transactions.withUnsafeBufferPointer { transactions in
      var places = 16
      while places < (count - first) * 2 { places *= 2 }
      let table = UnsafeMutablePointer<Int32>.allocate(capacity: places)
      table.initialize(repeating: -1, count: places)
      defer { table.deallocate() }
      let hash = runner.sharedTables.pointee.hash
      for index in first..<count {
        let sender = (transactions.baseAddress! + index).pointee.sender
        var place = Int(truncatingIfNeeded: hash(sender)) & (places - 1)
        while table[place] >= 0,
          (transactions.baseAddress! + Int(table[place])).pointee.sender != sender
        {
          place = (place + 1) & (places - 1)
        }
        let predecessor = table[place]
        records[index].predecessor = predecessor
        if predecessor >= 0 {
          records[index].chainLength = records[Int(predecessor)].chainLength + 1
          longest = max(longest, records[index].chainLength)
        }
        table[place] = Int32(index)
      }
    }
    return Int(longest)
  }
}

/// The workers and their block, as the pool's threads take them.
///
/// Each thread touches its own worker only; the block is made for threads.
private struct Crew: @unchecked Sendable {
  let workers: [ParallelWorker]
  let flight: UnsafeMutablePointer<BlockInFlight>

  func work(_ number: Int) {
    workers[number].begin(flight)
    workers[number].work()
  }
}

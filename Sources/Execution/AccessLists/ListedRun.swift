import EVM
import Ethereum
import Synchronization

/// Executes the transactions of blocks that came with an access list, independently and on all
/// threads at once.
final class ListedRun {
  private let pool: WorkerPool
  private let workers: [ListedWorker]
  private let memory = ListedMemory()
  private var gas: [ListedGas] = []
  private var runs: UInt64 = 0

  init(pool: WorkerPool) {
    self.pool = pool
    workers = (0..<pool.count).map { _ in ListedWorker() }
  }

  /// Executes the transactions of a block and takes what they change into the state; false when the
  /// list does not fit, and nothing has changed.
  func execute(
    _ run: inout BlockRun, _ columns: BlockAccessList.Columns, runner: TransactionRunner
  ) -> Bool {
    guard let recorder = run.recorder else { return false }
    let count = run.block.transactions.count
    runner.state.codes.beginTransaction()
    let listed = ListedBlock(run.block, columns, memory, runner: runner)
    pool.run { _ in listed.prepare() }
    let before = recorder.list { runner.state.record($0).balance }
    if listed.differs.load(ordering: .acquiring) || !listed.agrees(beforeTransactions: before) {
      return false
    }
    runs += 1
    if gas.count < count { gas = [ListedGas](repeating: ListedGas(), count: count) }
    var total: BlockTotal?
    var receipts: [Receipt] = []
    let outcomes = [TransactionOutcome](unsafeUninitializedCapacity: count) {
      outcomes, outcomeCount in
      receipts = [Receipt](unsafeUninitializedCapacity: count) { receipts, receiptCount in
        gas.withUnsafeMutableBufferPointer { gas in
          guard let outcomes = outcomes.baseAddress, let receipts = receipts.baseAddress,
            let gas = gas.baseAddress
          else {
            total = BlockTotal()
            return
          }
          let places = ListedWorker.Places(
            outcomes: outcomes, receipts: receipts, gas: gas, run: runs)
          execute(listed, places)
          total = listed.differs.load(ordering: .acquiring) ? nil : sum(listed, places)
          if total == nil { clear(places, count) }
        }
        outcomeCount = total == nil ? 0 : count
        receiptCount = outcomeCount
      }
    }
    guard let total, listed.hasAllChanges else { return false }
    apply(listed)
    run.outcome.transactions = outcomes
    run.outcome.receipts = receipts
    run.outcome.gas = total.gas
    run.outcome.blobGasUsed = UInt64(total.blobs) * BlobGas.perBlob
    run.listed = listed
    return true
  }

  /// What all transactions used.
  private struct BlockTotal {
    var gas = BlockGas()
    var blobs = 0
  }

  private func execute(_ listed: ListedBlock, _ places: ListedWorker.Places) {
    let crew = Crew(workers: workers, listed: listed)
    pool.run { crew.workers[$0].work(crew.listed, places) }
  }

  /// Adds up what the transactions used; `nil` when one does not fit into its block any more.
  private func sum(_ listed: ListedBlock, _ places: ListedWorker.Places) -> BlockTotal? {
    var total = BlockTotal()
    let limit = listed.block.environment.gasLimit
    for place in 0..<listed.block.transactions.count {
      let used = places.gas + place
      if used.pointee.most > total.gas.regularLeft(of: limit)
        || used.pointee.mostState > total.gas.stateLeft(of: limit)
      {
        return nil
      }
      total.gas += used.pointee.gas
      total.blobs += used.pointee.blobs
      if total.blobs > listed.block.maxBlobs && used.pointee.blobs > 0 { return nil }
      places.receipts[place].cumulativeGasUsed = total.gas.paid
    }
    return total
  }

  private func clear(_ places: ListedWorker.Places, _ count: Int) {
    for place in 0..<count where places.gas[place].run == places.run {
      (places.outcomes + place).deinitialize(count: 1)
      (places.receipts + place).deinitialize(count: 1)
    }
  }

  private func apply(_ listed: ListedBlock) {
    listed.nextAccount.store(0, ordering: .releasing)
    listed.nextSlot.store(0, ordering: .releasing)
    let crew = Crew(workers: workers, listed: listed)
    pool.run { crew.workers[$0].apply(crew.listed) }
    for worker in workers { for account in worker.lateAccounts { listed.apply(account: account) } }
    for worker in workers { for slot in worker.lateSlots { listed.apply(slot: slot) } }
  }

  /// Empties the tables, when the block is over.
  func finish() {
    let memory = memory
    let parts = pool.count
    let shared = SharedMemory(memory: memory)
    pool.run {
      shared.memory.accountTable.clear(part: $0, of: parts)
      shared.memory.slotTable.clear(part: $0, of: parts)
    }
    memory.isClean = true
  }
}

/// The workers and their block, as the pool's threads take them.
///
/// Each thread touches its own worker only; the block is made for threads.
private struct Crew: @unchecked Sendable {
  let workers: [ListedWorker]
  let listed: ListedBlock
}

/// The tables, each thread with a part of its own.
private struct SharedMemory: @unchecked Sendable {
  let memory: ListedMemory
}

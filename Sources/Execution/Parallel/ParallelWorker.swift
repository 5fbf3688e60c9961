import EVM
import Ethereum
import Synchronization

/// One thread's machine: runs transactions on the cells and publishes what they did.
final class ParallelWorker {
  private typealias HostMachine = Machine<ForeignStateView, NoTracer>

  /// What the machine's questions are answered from.
  private struct Context {
    var block: UnsafeMutablePointer<BlockInFlight>?
    var transaction: Int32 = 0
    /// The transaction that has to publish before the running one can go on; -1 for none.
    var blocker: Int32 = -1
    /// Whether all before the transaction are final.
    var isLast = false
    /// Whether it runs for the first time, so that balances need not be right to the wei.
    var isFirst = false
    /// Whether it reads what one nearby wrote that calls the same contract.
    var needsAlike = false
    /// Whether that one is one of the last few before it.
    var needsNeighbour = false
    var share = CellStore.Share()
    var slab: UnsafeMutablePointer<Slab>
  }

  /// What a worker counts.
  struct Counts {
    var executions = 0
    var waits = 0
    var faults = 0
  }

  let number: Int
  private(set) var counts = Counts()
  private let slab: UnsafeMutablePointer<Slab>
  private let context: UnsafeMutablePointer<Context>
  private let machine: UnsafeMutablePointer<HostMachine?>
  private var host: HostWorkspace?
  private var scale = 1
  private let seed = UInt64.random(in: .min ... .max)
  private var delays: DelayStream?

  init(number: Int) {
    self.number = number
    slab = .allocate(capacity: 1)
    slab.initialize(to: Slab())
    context = .allocate(capacity: 1)
    context.initialize(to: Context(slab: slab))
    machine = .allocate(capacity: 1)
    machine.initialize(to: nil)
  }

  deinit {
    machine.deinitialize(count: 1)
    machine.deallocate()
    context.deinitialize(count: 1)
    context.deallocate()
    slab.deinitialize(count: 1)
    slab.deallocate()
  }

  /// The round of work that the worker has taken part in last, and in the lowest bit whether what it made
  /// there is in the state and the receipts, or somebody is at it.
  private let stage = Atomic<UInt64>(0)

  /// Begins with a block, on the worker's own thread: forgets the one before.
  private func begin(_ block: UnsafeMutablePointer<BlockInFlight>) {
    slab.pointee.reset()
    context.pointee.block = block
    context.pointee.share = CellStore.Share()
    machine.pointee = nil
    counts = Counts()
    lateAccounts = CellList()
    lateSlots = SlabList<LateSlot>()
    filled.removeAll(keepingCapacity: true)
    delays = block.pointee.delays.map { DelayStream($0, worker: number) }
    block.pointee.schedule.pointee.callRuns.begin(
      worker: number, targets: Int(block.pointee.schedule.pointee.count))
    stage.store(block.pointee.round << 1, ordering: .releasing)
  }

  /// Whether the worker has taken part in a round. Else what it holds is of an earlier one.
  func tookPart(in round: UInt64) -> Bool { stage.load(ordering: .acquiring) >> 1 == round }

  /// Bytes that the worker's slab holds.
  var byteCount: Int { slab.pointee.byteCount }

  /// Accounts and slots that the worker has listed and that the tables have no row for: one thread takes
  /// them in.
  private(set) var lateAccounts = CellList<AccountCell>()
  private(set) var lateSlots = SlabList<LateSlot>()

  /// The transactions whose receipts the worker filled in.
  private var filled: [Int32] = []

  /// Takes the final values of what the worker was the first to change into the tables, and the cumulative gas
  /// into the receipts that it filled in, once all transactions are final, unless somebody has done so or is at
  /// it. Any thread may: the worker does nothing else any more. The same may be done for other workers meanwhile.
  func settle(_ block: UnsafeMutablePointer<BlockInFlight>) {
    let round = block.pointee.round << 1
    if !stage.compareExchange(
      expected: round, desired: round | 1, ordering: .acquiringAndReleasing
    ).exchanged {
      return
    }
    apply(block)
    let records = block.pointee.schedule.pointee.records
    for index in filled where records[Int(index)].worker == number {
      block.pointee.receipts[Int(index)].cumulativeGasUsed =
        block.pointee.finals[Int(index)].cumulativeGas
    }
  }

  private func apply(_ block: UnsafeMutablePointer<BlockInFlight>) {
    let cells = block.pointee.cells
    context.pointee.share.changedAccounts.forEachCell {
      cells.pointee.prefetch($0)
    } second: {
      $0.pointee.nonce.pointee.prefetchLast()
      $0.pointee.balance.pointee.prefetchLast()
    } _: { cell in
      if cells.pointee.hasRow(cell) {
        cells.pointee.apply(cell, block.pointee.coinbaseBalance)
      } else {
        lateAccounts.append(cell, &slab.pointee)
      }
    }
    context.pointee.share.changedSlots.forEachCell {
      cells.pointee.prefetch($0)
    } _: { cell in
      if !cell.pointee.timeline.isUnchanged, let late = cells.pointee.apply(cell) {
        lateSlots.append(late, &slab.pointee)
      }
    }
  }

  /// Works until the block is over, as one of the pool's threads; gives whether all is final then.
  func work(_ block: UnsafeMutablePointer<BlockInFlight>, _ pool: WorkerPool) -> Bool {
    begin(block)
    let schedule = block.pointee.schedule
    // To wake the caller takes as long as some transactions; its sleep must not be the block's end.
    var backoff = number == 0 ? Backoff(patience: 16_000...64_000) : Backoff()
    var next: TurnSchedule.Turn?
    var runs = 0
    while !schedule.pointee.isOver.load(ordering: .acquiring) {
      if let turn = next ?? take(schedule, block, isIdle: backoff.isLong) {
        backoff.reset()
        // What it has taken and not begun comes earlier in the block: others would wait for that.
        next = run(turn, takesNext: !schedule.pointee.hasClaims(number), block)
        // Who ran the next one to be final makes it so, and all that follow; now and then anybody
        // looks, as two of them may just miss each other.
        runs += 1
        if runs % 8 != 0
          && schedule.pointee.frontier.load(ordering: .acquiring) != turn.transaction
        {
          continue
        }
      } else if schedule.pointee.isDrained {
        break
      } else if let microseconds = backoff.waitOrSleep(),
        !pool.sleep(
          number, microseconds,
          unless: {
            schedule.pointee.isDrained || schedule.pointee.isOver.load(ordering: .acquiring)
          })
      {
        return false
      }
      BlockInFlight.commit(block)
    }
    if number != 0 { pool.wakeCaller() }
    // One that was to be next and never began has no record yet.
    if let next, next.incarnation == 1 {
      (schedule.pointee.records + Int(next.transaction)).initialize(to: TransactionRecord())
    }
    return schedule.pointee.isDrained && !schedule.pointee.isOver.load(ordering: .acquiring)
  }

  private func take(
    _ schedule: UnsafeMutablePointer<TurnSchedule>, _ block: UnsafeMutablePointer<BlockInFlight>,
    isIdle: Bool
  ) -> TurnSchedule.Turn? {
    if number >= schedule.pointee.activeWorkers.load(ordering: .relaxed)
      && !schedule.pointee.hasClaims(number)
    {
      return nil
    }
    return schedule.pointee.take(
      number, isIdle: isIdle, waits: &counts.waits,
      weight: { (block.pointee.transactions + Int($0)).pointee.roughNanoseconds },
      prepare: { block.pointee.prefetch($0) })
  }

  /// Runs a transaction, and gives one that waited for it.
  private func run(
    _ turn: TurnSchedule.Turn, takesNext: Bool, _ block: UnsafeMutablePointer<BlockInFlight>
  ) -> TurnSchedule.Turn? {
    let (transaction, incarnation) = (turn.transaction, turn.incarnation)
    let schedule = block.pointee.schedule
    let record = schedule.pointee.records + Int(transaction)
    if incarnation == 1 { record.initialize(to: TransactionRecord()) }
    context.pointee.transaction = transaction
    record.pointee.lifecycleChanges = schedule.pointee.lifecycleChanges.load(ordering: .acquiring)
    let isLast = schedule.pointee.frontier.load(ordering: .acquiring) == transaction
    if incarnation > Self.patience && !isLast {
      counts.waits += 1
      schedule.pointee.parkForAll(transaction, incarnation)
      return nil
    }
    counts.executions += 1
    if incarnation == 1 {
      let target = (schedule.pointee.turns + Int(transaction)).pointee.target
      if target >= 0 { schedule.pointee.callRuns.add(target, worker: number) }
    }
    record.pointee.ranLast = isLast
    context.pointee.isLast = isLast
    context.pointee.isFirst = incarnation == 1 && !isLast
    let limit = block.pointee.environment.gasLimit
    let gasAvailable = isLast ? block.pointee.gasAvailable : limit
    let stateGasAvailable = isLast ? block.pointee.stateGasAvailable : limit
    let blobsAvailable =
      isLast ? block.pointee.maxBlobs - block.pointee.blobsUsed : block.pointee.maxBlobs
    delays?.pause()
    return PreparedTransaction.withMessage(block.pointee.transactions + Int(transaction)) {
      (message) -> TurnSchedule.Turn? in
      while true {
        context.pointee.blocker = -1
        context.pointee.needsAlike = false
        context.pointee.needsNeighbour = false
        if machine.pointee == nil && !makeMachine(block) {
          return fail(transaction, incarnation, .workspaceExhausted, isLast, block)
        }
        let result = machine.pointee!.run(
          message, gasAvailable: gasAvailable, stateGasAvailable: stateGasAvailable,
          blobsAvailable: blobsAvailable)
        delays?.pause()
        if !result.status.isFault {
          let isRight = publish(transaction, incarnation, message, result, block)
          delays?.pause()
          return schedule.pointee.finish(
            transaction, incarnation, isRight: isRight, takesNext: takesNext)
        }
        if result.status == .workspaceExhausted, scale < HostWorkspace.largestScale {
          scale *= 4
          machine.pointee = nil
          host = nil
          continue
        }
        if context.pointee.blocker >= 0 {
          counts.waits += 1
          schedule.pointee.park(transaction, incarnation, for: context.pointee.blocker)
          return nil
        }
        return fail(transaction, incarnation, result.status, isLast, block)
      }
    }
  }

  /// After so many incarnations in vain a transaction waits for its turn.
  private static let patience: UInt32 = 3

  /// A transaction that can not be executed: when it ran too early, perhaps only therefore.
  private func fail(
    _ transaction: Int32, _ incarnation: UInt32, _ status: ExecutionStatus, _ isLast: Bool,
    _ block: UnsafeMutablePointer<BlockInFlight>
  ) -> TurnSchedule.Turn? {
    counts.faults += 1
    let schedule = block.pointee.schedule
    if block.pointee.isOutOfCells.load(ordering: .acquiring) {
      schedule.pointee.isOver.store(true, ordering: .releasing)
      return nil
    }
    if !isLast {
      schedule.pointee.parkForAll(transaction, incarnation)
      return nil
    }
    schedule.pointee.records[Int(transaction)].fault = status
    return schedule.pointee.finish(transaction, incarnation, isRight: true, takesNext: false)
  }

  private func makeMachine(_ block: UnsafeMutablePointer<BlockInFlight>) -> Bool {
    guard let host = host ?? HostWorkspace(scale: scale) else { return false }
    self.host = host
    machine.pointee = Machine(
      fork: block.pointee.fork, block: block.pointee.environment, view: view, tracer: NoTracer(),
      workspace: host.workspace)
    machine.pointee!.journal.seed = seed
    return true
  }

  // MARK: The machine's questions

  private var view: ForeignStateView {
    ForeignStateView(
      context: UnsafeMutableRawPointer(context),
      account: { context, address, record in
        ParallelWorker.readAccount(
          context.assumingMemoryBound(to: Context.self),
          address.assumingMemoryBound(to: Address.self),
          record.assumingMemoryBound(to: AccountRecord.self))
      },
      storage: { context, _, place, slot, record in
        ParallelWorker.readStorage(
          context.assumingMemoryBound(to: Context.self), place,
          slot.assumingMemoryBound(to: UInt256.self),
          record.assumingMemoryBound(to: StorageRecord.self))
      },
      code: { context, hash, _, place, code in
        let block = context.assumingMemoryBound(to: Context.self).pointee.block!
        let hash = hash.assumingMemoryBound(to: Hash256.self)
        let lifecycle = block.pointee.cells.pointee.lifecycles.base + Int(place)
        guard
          let found = lifecycle.pointee.codeHash == hash.pointee
            ? lifecycle.pointee.code : block.pointee.codes.shared(hash.pointee)
        else { return false }
        code.assumingMemoryBound(to: Code.self).pointee = block.pointee.codes.sharedExecutable(
          found, fork: block.pointee.fork)
        return true
      },
      blockHash: { context, number, hash in
        let block = context.assumingMemoryBound(to: Context.self).pointee.block!
        block.pointee.blockHashLock.lock()
        defer { block.pointee.blockHashLock.unlock() }
        guard let found = block.pointee.blockHash(number) else { return false }
        hash.assumingMemoryBound(to: Hash256.self).pointee = found
        return true
      })
  }

  private static func readAccount(
    _ context: UnsafeMutablePointer<Context>, _ address: UnsafePointer<Address>,
    _ record: UnsafeMutablePointer<AccountRecord>
  ) -> Bool {
    let block = context.pointee.block!
    let transaction = context.pointee.transaction
    guard
      let cell = block.pointee.cells.pointee.account(
        address.pointee, &context.pointee.share, &context.pointee.slab.pointee)
    else {
      block.pointee.isOutOfCells.store(true, ordering: .releasing)
      return false
    }
    let lifecycle = cell.pointee.lifecycle(before: transaction)
    if mustWait(for: lifecycle.pointee.transaction, context) { return false }
    var writer: Int32 = -1
    let nonce = cell.pointee.nonce.pointee.value(before: transaction, writer: &writer).limb0
    if mustWait(for: writer, context) { return false }
    // A balance is not waited for: most transactions only add to it.
    record.pointee.balance =
      cell.pointee.isCoinbase
      ? (context.pointee.isLast
        ? block.pointee.coinbaseBalance : block.pointee.coinbaseBefore)
      : context.pointee.isFirst
        ? cell.pointee.balance.pointee.roughValue(before: transaction)
        : cell.pointee.balance.pointee.value(before: transaction, writer: &writer)
    record.pointee.nonce = nonce
    record.pointee.codeHash = lifecycle.pointee.codeHash
    record.pointee.exists =
      lifecycle.pointee.existsEmpty || nonce != 0 || !record.pointee.balance.isZero
      || lifecycle.pointee.codeHash != .emptyCode
    record.pointee.hasStorage = lifecycle.pointee.hasStorage
    record.pointee.place = UInt32(
      truncatingIfNeeded: lifecycle - block.pointee.cells.pointee.lifecycles.base)
    return true
  }

  private static func readStorage(
    _ context: UnsafeMutablePointer<Context>, _ place: UInt32, _ key: UnsafePointer<UInt256>,
    _ record: UnsafeMutablePointer<StorageRecord>
  ) -> Bool {
    let block = context.pointee.block!
    let lifecycle = block.pointee.cells.pointee.lifecycles.base + Int(place)
    guard
      let cell = block.pointee.cells.pointee.slot(
        key.pointee, of: lifecycle.pointee.account, epoch: lifecycle.pointee.epoch,
        &context.pointee.share)
    else {
      block.pointee.isOutOfCells.store(true, ordering: .releasing)
      return false
    }
    var writer: Int32 = -1
    record.pointee.value = cell.pointee.timeline.value(
      before: context.pointee.transaction, writer: &writer)
    record.pointee.place = block.pointee.cells.pointee.number(of: cell)
    if writer >= 0 { noteWriter(writer, context) }
    return !mustWait(for: writer, context)
  }

  /// How far a transaction is from another one that one worker is likely to take together with it.
  private static var neighbours: Int32 { 4 }

  private static func noteWriter(_ writer: Int32, _ context: UnsafeMutablePointer<Context>) {
    let schedule = context.pointee.block!.pointee.schedule
    let turn = schedule.pointee.turns + Int(context.pointee.transaction)
    if turn.pointee.target >= 0 && schedule.pointee.turns[Int(writer)].target == turn.pointee.target
      && context.pointee.transaction &- writer < schedule.pointee.window.load(ordering: .relaxed)
    {
      context.pointee.needsAlike = true
      if context.pointee.transaction &- writer <= neighbours {
        context.pointee.needsNeighbour = true
      }
    }
  }

  /// Whether what this transaction made of a cell is about to change.
  @inline(__always)
  private static func mustWait(for writer: Int32, _ context: UnsafeMutablePointer<Context>) -> Bool
  {
    if writer < 0 { return false }
    let schedule = context.pointee.block!.pointee.schedule
    if schedule.pointee.turns[Int(writer)].status.isReadable { return false }
    context.pointee.blocker = writer
    return true
  }

  // MARK: Publishing

  /// Publishes what a transaction relied on and what it did; false when it relied on something that
  /// is not so.
  private func publish(
    _ transaction: Int32, _ incarnation: UInt32, _ message: TransactionMessage,
    _ result: TransactionResult, _ block: UnsafeMutablePointer<BlockInFlight>
  ) -> Bool {
    let record = block.pointee.schedule.pointee.records + Int(transaction)
    record.pointee.fault = nil
    record.pointee.refusal = result.error
    record.pointee.mostGas = message.gasLimit
    if block.pointee.fork >= .amsterdam {
      let schedule = machine.pointee!.schedule
      let costs = IntrinsicGas(
        message, schedule, blockGasLimit: block.pointee.environment.gasLimit)
      record.pointee.mostGas = costs.mostRegular(of: message.gasLimit, schedule)
      record.pointee.mostStateGas = costs.mostState(of: message.gasLimit, schedule)
    }
    record.pointee.blobs = UInt16(truncatingIfNeeded: message.blobHashes.count)
    record.pointee.needsAlike = context.pointee.needsAlike
    record.pointee.needsNeighbour = context.pointee.needsNeighbour
    if result.error == nil {
      fill(transaction, message, result, record, block)
    }
    // By pointer: the journal is large.
    return withUnsafePointer(to: &machine.pointee!.journal) { journal in
      var publication = Publication(
        transaction: transaction, incarnation: incarnation, journal: journal, block: block,
        record: record, slab: slab, share: context.pointee.share)
      let isRight = publication.publish()
      context.pointee.share = publication.share
      return isRight
    }
  }

  private func takeNotes(
    _ record: UnsafeMutablePointer<TransactionRecord>,
    _ block: UnsafeMutablePointer<BlockInFlight>
  ) {
    let lifecycles = block.pointee.cells.pointee.lifecycles.base
    record.pointee.notes = withUnsafePointer(to: &machine.pointee!.journal) { journal in
      AccessNotes(journal, &slab.pointee) {
        lifecycles[Int($0.pointee.record.place)].codeHash
      }
    }
  }

  /// Fills in the outcome and the receipt.
  private func fill(
    _ transaction: Int32, _ message: TransactionMessage, _ result: TransactionResult,
    _ record: UnsafeMutablePointer<TransactionRecord>,
    _ block: UnsafeMutablePointer<BlockInFlight>
  ) {
    record.pointee.gas = BlockGas(result)
    record.pointee.worker = UInt16(truncatingIfNeeded: number)
    filled.append(transaction)
    if block.pointee.takesNotes { takeNotes(record, block) }
    let outcome = block.pointee.outcomes + Int(transaction)
    let receipt = block.pointee.receipts + Int(transaction)
    if record.pointee.hasOutcome {
      outcome.deinitialize(count: 1)
      receipt.deinitialize(count: 1)
    }
    record.pointee.hasOutcome = true
    outcome.initialize(
      to: TransactionOutcome(Int(transaction), result, machine.pointee!.output))
    receipt.initialize(
      to: Receipt(
        type: message.type,
        outcome: block.pointee.fork >= .byzantium
          ? .status(result.status.isSuccess) : .stateRoot(.zero),
        cumulativeGasUsed: 0, logs: machine.pointee!.journal.collectLogs()))
  }
}

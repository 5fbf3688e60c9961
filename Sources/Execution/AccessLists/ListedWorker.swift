import EVM
import Ethereum
import Synchronization

/// One thread's machine for blocks with an access list: runs transactions on the list's values, and
/// compares what they do with it.
final class ListedWorker {
  private typealias HostMachine = Machine<ForeignStateView, NoTracer>

  /// What the machine's questions are answered from.
  private struct Context {
    var listed: UnsafeMutablePointer<ListedBlock>?
    /// The transaction's index in the list's sense.
    var index: UInt32 = 0
    /// What was looked at ahead: kept, so that it is loaded.
    var seen: UInt64 = 0
  }

  /// Where transactions put what came of them, by place in the block.
  struct Places: @unchecked Sendable {
    // Each transaction has places of its own, and nobody writes to the transactions.
    let transactions: UnsafePointer<PreparedTransaction>
    let outcomes: UnsafeMutablePointer<TransactionOutcome>
    let receipts: UnsafeMutablePointer<Receipt>
    let gas: UnsafeMutablePointer<ListedGas>
    let parts: UnsafeMutablePointer<ListedPart>
    /// The number of this run: what transactions of another left is not theirs.
    let run: UInt64
  }

  private let context: UnsafeMutablePointer<Context>
  private let machine: UnsafeMutablePointer<HostMachine?>
  private var host: HostWorkspace?
  private var scale = 1
  private let seed = UInt64.random(in: .min ... .max)
  /// Accounts and slots whose rows are new or change more than their values: one thread takes them in.
  private(set) var lateAccounts: [Int] = []
  private(set) var lateSlots: [Int] = []
  /// The parts that it has run.
  private var parts: [Int] = []
  /// Whether their receipts are filled in, or somebody does so.
  private let isFilled = Atomic<Bool>(true)

  init() {
    context = .allocate(capacity: 1)
    context.initialize(to: Context())
    machine = .allocate(capacity: 1)
    machine.initialize(to: nil)
  }

  deinit {
    machine.deinitialize(count: 1)
    machine.deallocate()
    context.deinitialize(count: 1)
    context.deallocate()
  }

  /// Forgets the block before.
  func begin() { parts.removeAll(keepingCapacity: true) }

  /// Runs transactions until all are handed out or something differs.
  func work(_ listed: UnsafeMutablePointer<ListedBlock>, _ places: Places) {
    context.pointee.listed = listed
    machine.pointee = nil
    var made = 0
    while !listed.pointee.differs.load(ordering: .relaxed),
      let range = ListedBlock.take(
        listed.pointee.nextTransaction, listed.pointee.transactionCount, atOnce: ListedPart.size)
    {
      var part = ListedPart()
      context.pointee.seen ^= listed.pointee.look(ahead: range, places.transactions)
      for place in range {
        guard let changes = run(places.transactions + place, place, listed, places) else {
          listed.pointee.differs.store(true, ordering: .relaxed)
          break
        }
        made += changes
        part.add(places.gas[place])
      }
      let number = range.lowerBound / ListedPart.size
      (places.parts + number).initialize(to: part)
      parts.append(number)
    }
    listed.pointee.changesMade.add(made, ordering: .relaxed)
    context.pointee.listed = nil
  }

  /// Runs a transaction; gives how many changes of the list it makes, or `nil` when anything differs.
  private func run(
    _ transaction: UnsafePointer<PreparedTransaction>, _ place: Int,
    _ listed: UnsafeMutablePointer<ListedBlock>, _ places: Places
  ) -> Int? {
    let limit = listed.pointee.environment.gasLimit
    context.pointee.index = UInt32(place + 1)
    return PreparedTransaction.withMessage(transaction) { message in
      while true {
        if machine.pointee == nil && !makeMachine(listed) { return nil }
        let result = machine.pointee!.run(
          message, gasAvailable: limit, stateGasAvailable: limit,
          blobsAvailable: listed.pointee.maxBlobs)
        if result.status == .workspaceExhausted, scale < HostWorkspace.largestScale {
          scale *= 4
          machine.pointee = nil
          host = nil
          continue
        }
        if result.status.isFault || result.error != nil { return nil }
        return withUnsafePointer(to: &machine.pointee!.journal) { journal in
          guard let changes = listed.pointee.changes(of: journal, at: context.pointee.index) else {
            return nil
          }
          fill(places, place, message, result, journal, listed)
          return changes
        }
      }
    }
  }

  private func fill(
    _ places: Places, _ place: Int, _ message: TransactionMessage, _ result: TransactionResult,
    _ journal: UnsafePointer<Journal>, _ listed: UnsafeMutablePointer<ListedBlock>
  ) {
    (places.outcomes + place).initialize(
      to: TransactionOutcome(place, result, machine.pointee!.output))
    (places.receipts + place).initialize(
      to: Receipt(
        type: message.type, outcome: .status(result.status.isSuccess), cumulativeGasUsed: 0,
        logs: journal.pointee.collectLogs()))
    places.gas[place] = ListedGas(
      message, result, machine.pointee!.schedule,
      blockGasLimit: listed.pointee.environment.gasLimit, run: places.run)
  }

  private func makeMachine(_ listed: UnsafeMutablePointer<ListedBlock>) -> Bool {
    guard let host = host ?? HostWorkspace(scale: scale) else { return false }
    self.host = host
    machine.pointee = Machine(
      fork: listed.pointee.fork, block: listed.pointee.environment, view: view, tracer: NoTracer(),
      workspace: host.workspace)
    machine.pointee!.journal.seed = seed
    return true
  }

  /// Forgets what it was late with: a worker that sleeps takes no part in applying.
  func beginApplying() {
    isFilled.store(false, ordering: .relaxed)
    lateAccounts.removeAll(keepingCapacity: true)
    lateSlots.removeAll(keepingCapacity: true)
  }

  /// Fills the cumulative gas into the receipts of the transactions that it has run, unless somebody has.
  func fillCumulativeGas(_ places: Places) {
    if isFilled.exchange(true, ordering: .relaxed) { return }
    for number in parts {
      let part = places.parts + number
      var paid = part.pointee.paidBefore
      let first = number * ListedPart.size
      for place in first..<first + Int(part.pointee.count) {
        paid &+= places.gas[place].gas.paid
        places.receipts[place].cumulativeGasUsed = paid
      }
    }
  }

  /// Takes a share of the list's last values into the state's tables, while the others do the same.
  func apply(_ listed: UnsafeMutablePointer<ListedBlock>) {
    while let range = ListedBlock.take(
      listed.pointee.nextAccount, listed.pointee.columns.accounts.count)
    {
      for account in range where !listed.pointee.applyInPlace(account: account) {
        lateAccounts.append(account)
      }
    }
    while let range = ListedBlock.take(listed.pointee.nextSlot, listed.pointee.columns.slots.count)
    {
      for slot in range where !listed.pointee.applyInPlace(slot: slot) { lateSlots.append(slot) }
    }
  }

  // MARK: The machine's questions

  private var view: ForeignStateView {
    ForeignStateView(
      context: UnsafeMutableRawPointer(context),
      account: { context, address, record in
        let context = context.assumingMemoryBound(to: Context.self)
        return context.pointee.listed!.pointee.read(
          address.assumingMemoryBound(to: Address.self).pointee, before: context.pointee.index,
          into: &record.assumingMemoryBound(to: AccountRecord.self).pointee)
      },
      storage: { context, _, place, slot, record in
        let context = context.assumingMemoryBound(to: Context.self)
        return context.pointee.listed!.pointee.read(
          slot.assumingMemoryBound(to: UInt256.self).pointee, of: place,
          before: context.pointee.index,
          into: &record.assumingMemoryBound(to: StorageRecord.self).pointee)
      },
      code: { context, hash, _, place, code in
        let listed = context.assumingMemoryBound(to: Context.self).pointee.listed!
        guard
          let found = listed.pointee.code(
            hash.assumingMemoryBound(to: Hash256.self).pointee, of: place)
        else { return false }
        code.assumingMemoryBound(to: Code.self).pointee = listed.pointee.codes.sharedExecutable(
          found, fork: listed.pointee.fork)
        return true
      },
      blockHash: { context, number, hash in
        let listed = context.assumingMemoryBound(to: Context.self).pointee.listed!
        listed.pointee.blockHashLock.lock()
        defer { listed.pointee.blockHashLock.unlock() }
        guard let found = listed.pointee.blockHash(number) else { return false }
        hash.assumingMemoryBound(to: Hash256.self).pointee = found
        return true
      })
  }
}

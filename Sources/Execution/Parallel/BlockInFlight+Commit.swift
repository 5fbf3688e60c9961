import EVM
import Ethereum

extension BlockInFlight {
  /// Gas that the transactions that are final have left.
  var gasAvailable: UInt64 { gas.regularLeft(of: environment.gasLimit) }
  /// Gas that they have left for new state (EIP-8037).
  var stateGasAvailable: UInt64 { gas.stateLeft(of: environment.gasLimit) }

  /// Makes the transactions final whose turn it is, in order, as far as their effects are published.
  /// One worker at a time does so; to the others there is nothing to do.
  static func commit(_ block: UnsafeMutablePointer<BlockInFlight>) {
    let schedule = block.pointee.schedule
    while true {
      let first = schedule.pointee.frontier.load(ordering: .acquiring)
      if first >= schedule.pointee.count || schedule.pointee.isOver.load(ordering: .acquiring)
        || schedule.pointee.turns[Int(first)].status.phase != .executed
        || !block.pointee.commitLock.tryLock()
      {
        return
      }
      advance(block)
      block.pointee.commitLock.unlock()
    }
  }

  private static func advance(_ block: UnsafeMutablePointer<BlockInFlight>) {
    let schedule = block.pointee.schedule
    let first = schedule.pointee.frontier.load(ordering: .relaxed)
    var index = first
    while index < schedule.pointee.count {
      let record = schedule.pointee.records + Int(index)
      let turn = schedule.pointee.turns + Int(index)
      let status = turn.pointee.status
      if status.phase != .executed { break }
      if !isRight(index, record, block) {
        // It may begin at once, and is the first one then.
        schedule.pointee.frontier.store(index, ordering: .releasing)
        schedule.pointee.invalidate(index, status.incarnation, by: -1)
        return
      }
      if !settle(index, record, block) {
        schedule.pointee.frontier.store(index, ordering: .releasing)
        schedule.pointee.isOver.store(true, ordering: .releasing)
        return
      }
      schedule.pointee.targets.pointee.countFinal(
        turn.pointee.target, needsAlike: record.pointee.needsAlike,
        runs: schedule.pointee.callRuns)
      block.pointee.throttle.count(
        index, turn, gas: record.pointee.gas.paid,
        needsNeighbour: record.pointee.needsNeighbour, block.pointee.finals, schedule)
      index += 1
      // Who waits to be the first should not wait long, and who reads the frontier all the time should
      // not have to fetch it each time.
      if index & 15 == 0 { schedule.pointee.frontier.store(index, ordering: .releasing) }
    }
    schedule.pointee.frontier.store(index, ordering: .releasing)
    if block.pointee.delays?.endsRun(at: index) == true { schedule.pointee.endSoon() }
    if index < schedule.pointee.count { schedule.pointee.wakeFirst(index) }
  }

  /// Whether what the committer alone can tell is as the next transaction supposed. All else holds
  /// once all before it are final.
  private static func isRight(
    _ index: Int32, _ record: UnsafeMutablePointer<TransactionRecord>,
    _ block: UnsafeMutablePointer<BlockInFlight>
  ) -> Bool {
    if record.pointee.ranLast { return true }
    let rules = block.pointee.rules
    let changes = block.pointee.schedule.pointee.lifecycleChanges.load(ordering: .acquiring)
    if record.pointee.lifecycleChanges != changes && rules.contains(.lifecycles) {
      let base = block.pointee.cells.pointee.lifecycles.base
      for place in 0..<record.pointee.lifecycleCount {
        let seen = base + Int(record.pointee.lifecycles![place])
        let now = seen.pointee.account.pointee.lifecycle(before: index)
        if seen != now && !seen.pointee.isSame(as: now.pointee) { return false }
      }
    }
    if record.pointee.reliesOnCoinbase && rules.contains(.coinbase) {
      if record.pointee.readsCoinbase
        && record.pointee.coinbaseBalance != block.pointee.coinbaseBalance
      {
        return false
      }
      if !record.pointee.coinbaseFloor.isZero
        && (block.pointee.coinbaseBalance < record.pointee.coinbaseFloor
          || block.pointee.coinbaseBalance.limb3 >> 63 != 0)
      {
        return false
      }
    }
    if rules.contains(.gasLimit)
      && (record.pointee.mostGas > block.pointee.gasAvailable
        || record.pointee.mostStateGas > block.pointee.stateGasAvailable)
    {
      return false
    }
    return !rules.contains(.blobs)
      || block.pointee.blobsUsed + Int(record.pointee.blobs) <= block.pointee.maxBlobs
  }

  /// Counts a transaction in; false when the block ends with it.
  private static func settle(
    _ index: Int32, _ record: UnsafeMutablePointer<TransactionRecord>,
    _ block: UnsafeMutablePointer<BlockInFlight>
  ) -> Bool {
    (block.pointee.finals + Int(index)).initialize(
      to: FinalRecord(
        cumulativeGas: block.pointee.gas.paid &+ record.pointee.gas.paid, rowGas: 0))
    if let fault = record.pointee.fault {
      block.pointee.error = ExecutionError(fault: fault, transaction: Int(index))
      return false
    }
    if let refusal = record.pointee.refusal {
      switch block.pointee.invalidTransactions {
      case .failBlock:
        block.pointee.error = ExecutionError(
          .invalidTransaction, refusal.message, transaction: Int(index), transactionError: refusal)
        return false
      case .reject:
        block.pointee.rejected.append((Int(index), refusal))
        return true
      }
    }
    block.pointee.gas += record.pointee.gas
    block.pointee.blobsUsed += Int(record.pointee.blobs)
    block.pointee.coinbaseBalance =
      block.pointee.coinbaseBalance &+ record.pointee.coinbaseChange
    return true
  }
}

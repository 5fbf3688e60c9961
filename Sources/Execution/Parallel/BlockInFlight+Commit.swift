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
        || schedule.pointee.records[Int(first)].status.phase != .executed
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
    var index = schedule.pointee.frontier.load(ordering: .relaxed)
    while index < schedule.pointee.count {
      let record = schedule.pointee.records + Int(index)
      let status = record.pointee.status
      if status.phase != .executed { break }
      if !isRight(index, record, block) {
        schedule.pointee.invalidate(index, status.incarnation)
        return
      }
      if !settle(index, record, block) {
        schedule.pointee.isOver.store(true, ordering: .releasing)
        return
      }
      // All before it are final, so nobody can invalidate it.
      _ = record.pointee.move(status, to: TransactionStatus(.committed, status.incarnation))
      index += 1
      schedule.pointee.frontier.store(index, ordering: .releasing)
      block.pointee.throttle.count(executions: Int(status.incarnation), schedule)
    }
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
    if rules.contains(.coinbase) {
      if let balance = record.pointee.coinbaseBalance, balance != block.pointee.coinbaseBalance {
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
    record.pointee.cumulativeGas = block.pointee.gas.paid
    block.pointee.coinbaseBalance =
      block.pointee.coinbaseBalance &+ record.pointee.coinbaseChange
    return true
  }
}

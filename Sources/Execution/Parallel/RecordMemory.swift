/// The memory of the turns, the records and the called contracts, kept from block to block.
final class RecordMemory: @unchecked Sendable {
  // Grown between blocks only; while workers run, the statuses of the turns order their accesses.

  private(set) var turns = UnsafeMutablePointer<TransactionTurn>.allocate(capacity: 0)
  private(set) var records = UnsafeMutablePointer<TransactionRecord>.allocate(capacity: 0)
  let targets = UnsafeMutablePointer<CallTargets>.allocate(capacity: 1)
  private var capacity = 0

  init() { targets.initialize(to: CallTargets(capacity: 0)) }

  /// Makes room for a block of so many transactions. Nothing in it is initialised.
  func reserve(_ count: Int) {
    if count <= capacity { return }
    turns.deallocate()
    records.deallocate()
    capacity = count
    turns = .allocate(capacity: count)
    records = .allocate(capacity: count)
    targets.pointee = CallTargets(capacity: count)
  }

  /// Whether a transaction whose turn is ready has an outcome and a receipt.
  func hasOutcome(_ index: Int) -> Bool {
    turns[index].status.incarnation > 0 && records[index].hasOutcome
  }

  deinit {
    turns.deallocate()
    records.deallocate()
    targets.deinitialize(count: 1)
    targets.deallocate()
  }
}

import EVM

/// The memory of the turns, the records and the called contracts, kept from block to block.
final class RecordMemory: @unchecked Sendable {
  // Grown between blocks only; while workers run, the statuses of the turns order their accesses.

  private(set) var turns = RecordMemory.allocate(TransactionTurn.self, 0)
  private(set) var records = RecordMemory.allocate(TransactionRecord.self, 0)
  /// For each transaction the one that it waited for last; -1 for none.
  private(set) var waitedFor = RecordMemory.allocate(Int32.self, 0)
  private(set) var finals = RecordMemory.allocate(FinalRecord.self, 0)
  let targets = UnsafeMutablePointer<CallTargets>.allocate(capacity: 1)
  private var capacity = 0

  init() { targets.initialize(to: CallTargets(capacity: 0)) }

  /// Makes room for a block of so many transactions. Nothing in it is initialised.
  func reserve(_ count: Int) {
    if count <= capacity { return }
    free()
    capacity = count
    turns = Self.allocate(TransactionTurn.self, count)
    records = Self.allocate(TransactionRecord.self, count)
    finals = Self.allocate(FinalRecord.self, count)
    waitedFor = Self.allocate(Int32.self, count)
    waitedFor.initialize(repeating: -1, count: count)
    targets.pointee = CallTargets(capacity: count)
  }

  /// Bytes for each transaction.
  static var bytesEach: Int {
    MemoryLayout<TransactionTurn>.stride + MemoryLayout<TransactionRecord>.stride
      + MemoryLayout<FinalRecord>.stride + MemoryLayout<Int32>.stride
  }

  /// Whether a transaction whose turn is ready has an outcome and a receipt.
  func hasOutcome(_ index: Int) -> Bool {
    turns[index].status.incarnation > 0 && records[index].hasOutcome
  }

  deinit {
    free()
    targets.deinitialize(count: 1)
    targets.deallocate()
  }

  private func free() {
    turns.deallocate()
    records.deallocate()
    finals.deallocate()
    waitedFor.deallocate()
  }

  private static func allocate<T: ~Copyable>(_ type: T.Type, _ count: Int)
    -> UnsafeMutablePointer<T>
  {
    UnsafeMutableRawPointer.allocate(
      byteCount: max(1, count) * MemoryLayout<T>.stride, alignment: 64
    ).bindMemory(to: type, capacity: count)
  }
}

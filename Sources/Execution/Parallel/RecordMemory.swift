import EVM

/// The memory of the turns, the records, the called contracts and the rows of transactions, kept from block to
/// block: what is fresh from the system costs a fault for each page.
final class RecordMemory: @unchecked Sendable {
  // Grown between blocks only; while workers run, the statuses of the turns order their accesses.

  private(set) var turns = RecordMemory.allocate(TransactionTurn.self, 0)
  private(set) var records = RecordMemory.allocate(TransactionRecord.self, 0)
  /// For each transaction the one that it waited for last; -1 for none.
  private(set) var waitedFor = RecordMemory.allocate(Int32.self, 0)
  private(set) var finals = RecordMemory.allocate(FinalRecord.self, 0)
  let targets = UnsafeMutablePointer<CallTargets>.allocate(capacity: 1)
  private(set) var callRuns: CallRuns
  /// Where transactions of one sender, of one callee, and payments to one account are found.
  private(set) var links = RecordMemory.allocate(TransactionChains.Link.self, 0)
  private var linkCapacity = 0
  /// The number that links of the block have: 0 is no block's.
  private(set) var linkRound: UInt32 = 0
  private let workers: Int
  private var capacity = 0
  /// The block's number.
  private(set) var round: UInt64 = 0

  init(workers: Int) {
    self.workers = workers
    callRuns = CallRuns(workers: workers, targets: 0)
    targets.initialize(to: CallTargets(capacity: 0))
  }

  /// Begins with a block of so many transactions. Nothing is initialised.
  func begin(_ count: Int) {
    round += 1
    callRuns = callRuns.next()
    let linkCount = TransactionChains.linkCount(transactions: count)
    if linkCount > linkCapacity {
      links.deallocate()
      linkCapacity = linkCount
      links = Self.allocate(TransactionChains.Link.self, linkCount)
      linkRound = 0
    }
    linkRound &+= 1
    if linkRound <= 1 {
      // All numbers are used up, or none.
      linkRound = 1
      links.initialize(
        repeating: TransactionChains.Link(-1, number: 0, round: 0), count: linkCapacity)
    }
    if count <= capacity { return }
    free()
    capacity = count
    callRuns.deallocate()
    callRuns = CallRuns(workers: workers, targets: count)
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
    callRuns.deallocate()
    links.deallocate()
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

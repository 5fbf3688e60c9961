/// What parallel execution took, for one block or several.
public struct ParallelStatistics: Sendable {
  /// Transactions of the blocks.
  public var transactions = 0
  /// Executions of transactions by workers, those that had to be repeated included.
  public var executions = 0
  /// Transactions that were executed one after the other instead.
  public var serialTransactions = 0
  /// Times that a transaction was put aside until another one was done.
  public var waits = 0
  /// Blocks that were not executed in parallel, by reason.
  public var serialBlocks: [SerialReason: Int] {
    var blocks: [SerialReason: Int] = [:]
    for reason in SerialReason.allCases where reasons[reason.place] > 0 {
      blocks[reason] = reasons[reason.place]
    }
    return blocks
  }
  /// Their numbers, without a dictionary: a block of one transaction takes a microsecond.
  private var reasons = SIMD8<Int>.zero
  /// Blocks whose transactions ran independently, on the values of an access list.
  public var listedBlocks = 0
  /// Bytes of the versioned state, at the most.
  public var peakBytes = 0
  /// Whether the memory for cells ran out.
  var isOutOfCells = false
  /// Worker threads.
  public var threads = 0

  /// Nothing yet.
  public init() {}

  /// Executions that were not the first of their transaction.
  public var repetitions: Int { max(0, executions + serialTransactions - transactions) }

  /// The part of the executions that was in vain.
  public var waste: Double {
    executions == 0 ? 0 : Double(repetitions) / Double(executions)
  }

  /// Why a block was executed one transaction after the other.
  public enum SerialReason: String, Sendable, CaseIterable {
    /// Too few transactions to gain.
    case small
    /// Receipts hold state roots before Byzantium.
    case stateRoots
    /// One thread.
    case oneThread
    /// Most of its transactions are of one sender.
    case oneSender
    /// Somebody watches every step.
    case traced
    /// The memory for cells ran out.
    case outOfCells
    /// The access list that came with the block does not fit, or not with this state: execution tells
    /// where.
    case accessList

    fileprivate var place: Int {
      switch self {
      case .small: 0
      case .stateRoots: 1
      case .oneThread: 2
      case .traced: 3
      case .outOfCells: 4
      case .accessList: 5
      case .oneSender: 6
      }
    }
  }

  /// Counts a block that is executed one transaction after the other.
  mutating func countSerialBlock(_ reason: SerialReason) { reasons[reason.place] &+= 1 }

  /// Adds another's counts.
  public mutating func add(_ other: ParallelStatistics) {
    transactions += other.transactions
    executions += other.executions
    serialTransactions += other.serialTransactions
    waits += other.waits
    listedBlocks += other.listedBlocks
    reasons &+= other.reasons
    peakBytes = max(peakBytes, other.peakBytes)
    threads = max(threads, other.threads)
  }
}

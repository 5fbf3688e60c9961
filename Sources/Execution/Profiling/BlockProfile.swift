public import EVM

/// Where the gas and the time of one transaction went.
public struct TransactionProfile: Sendable {
  /// Its place in the block.
  public var index: Int
  /// The hash that names it.
  public var hash: Hash256
  /// How it ended.
  public var status: ExecutionStatus
  /// Gas paid for.
  public var gasUsed: UInt64
  /// Gas given back; the rows are before it.
  public var gasRefunded: UInt64
  /// What was spent, by bucket. Gas sums to what was used before the refund.
  public var rows: [ProfileRow]
  /// The same by call.
  public var call: CallProfile

  /// Whether the gas of the rows, less the refund, is the gas used.
  public var isBalanced: Bool {
    rows.reduce(0) { $0 + $1.gas } - Int64(clamping: gasRefunded) == Int64(clamping: gasUsed)
  }

  /// The time of the work: all rows but the profiler's.
  public var nanoseconds: UInt64 { rows.nanosecondsOfWork }

  /// How much of the gas of signature and execution is a coprocessor's work, from 0 to 1.
  public var coprocessorShareOfGas: Double { rows.coprocessorShare { Double($0.gas) } }
}

/// Where the gas and the time of a block went.
public struct BlockProfile: Sendable {
  /// The name of the case, batch or block.
  public var name: String
  /// The rules.
  public var fork: Fork
  /// Gas paid for by all transactions.
  public var gasUsed: UInt64
  /// Gas given back to all transactions; the rows are before it.
  public var gasRefunded: UInt64
  /// What was spent on all of it, by bucket.
  public var rows: [ProfileRow]
  /// The transactions that were executed.
  public var transactions: [TransactionProfile]
  /// All of it by call.
  public var call: CallProfile
  /// The time of the whole watched run by a clock of its own, in nanoseconds: what the rows sum to.
  public var watchedNanoseconds: UInt64
  /// Times that each kind of run was repeated; the fastest of each counts.
  public var repeats: Int
  /// What the profile lacks, in words.
  public var notes: [String]

  /// The time of the work itself: all rows but the profiler's.
  public var nanoseconds: UInt64 { rows.nanosecondsOfWork }

  /// The time if a bucket were free.
  public func nanoseconds(without row: ProfileRow) -> UInt64 {
    row.bucket == .profiler
      ? nanoseconds : nanoseconds - row.nanoseconds
  }

  /// How much of the gas of signatures and execution is a coprocessor's work, from 0 to 1.
  public var coprocessorShareOfGas: Double { rows.coprocessorShare { Double($0.gas) } }

  /// How much of the time is a coprocessor's work, from 0 to 1.
  public var coprocessorShareOfTime: Double { rows.coprocessorShare { Double($0.nanoseconds) } }
}

package import EVM

/// What a lane gives back for a transaction: a row of fixed size, and records in the batch's arena.
package struct TransactionOutcome: BitwiseCopyable {
  /// What became of the lane's work.
  package enum State: UInt8, BitwiseCopyable, Sendable {
    /// Not run: the launch ended before.
    case pending
    /// Executed, or refused as invalid.
    case done
    /// A fault, `status` says which: to be run again elsewhere.
    case faulted
    /// Executed, but its records found no room.
    case recordsExhausted
  }

  package var state: State
  package var status: ExecutionStatus
  /// `TransactionError.rawValue`, or `valid`.
  package var error: UInt8
  /// Whether the transaction made, or tried to make, a contract.
  package var hasCreated: Bool
  /// Accounts, slots and logs among the records.
  package var accountCount: UInt32
  package var slotCount: UInt32
  package var logCount: UInt32
  package var outputCount: UInt32
  package var recordBytes: UInt32
  package var gasUsed: UInt64
  package var gasRefunded: UInt64
  /// Where the records begin in the arena, in bytes.
  package var records: UInt64

  /// The `error` of a valid transaction.
  package static var valid: UInt8 { 0xff }

  /// A row for a transaction that nobody ran.
  package static var pending: TransactionOutcome {
    TransactionOutcome(
      state: .pending, status: .stopped, error: valid, hasCreated: false, accountCount: 0,
      slotCount: 0, logCount: 0, outputCount: 0, recordBytes: 0, gasUsed: 0, gasRefunded: 0,
      records: 0)
  }
}

/// Which records a launch gives back.
package struct RecordSelection: OptionSet, BitwiseCopyable, Sendable {
  package let rawValue: UInt32

  @inline(__always)
  package init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Accounts and slots that were changed.
  package static var changes: RecordSelection { RecordSelection(rawValue: 1) }
  /// All that was read, with the values seen; the changes with it.
  package static var reads: RecordSelection { RecordSelection(rawValue: 2) }
  /// Logs.
  package static var logs: RecordSelection { RecordSelection(rawValue: 4) }
  /// What the transaction returned.
  package static var output: RecordSelection { RecordSelection(rawValue: 8) }
}

package import EVM
package import Ethereum
package import Kernels

/// What came of a batch: an outcome for each transaction, and records that are read on demand.
package struct BatchOutcome {
  /// Which records there are.
  package let selection: RecordSelection
  /// One for each transaction.
  package var outcomes: [TransactionOutcome]
  /// The records, in pieces: outcomes name a place in their own piece.
  package var pieces: [[UInt8]]
  /// Which piece a transaction's records are in.
  package var piece: [UInt32]

  /// An outcome of nothing.
  package init(selection: RecordSelection, count: Int) {
    self.selection = selection
    outcomes = [TransactionOutcome](repeating: .pending, count: count)
    pieces = []
    piece = [UInt32](repeating: 0, count: count)
  }

  /// The bytes of a transaction's records.
  package func recordBytes(_ index: Int) -> ArraySlice<UInt8> {
    let outcome = outcomes[index]
    if outcome.state != .done || outcome.recordBytes == 0 { return [] }
    let start = Int(outcome.records)
    return pieces[Int(piece[index])][start..<start + Int(outcome.recordBytes)]
  }

  /// A transaction's records, read.
  package func records(_ index: Int) -> TransactionRecords {
    TransactionRecords(outcomes[index], bytes: recordBytes(index))
  }
}

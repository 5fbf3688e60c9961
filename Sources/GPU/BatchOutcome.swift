import EVM
package import Kernels

/// Some outcomes and their records, as an executor hands them over: valid during that call only.
package struct OutcomePiece {
  /// The transactions' numbers in the batch: of the outcomes at the same positions.
  package enum Numbers {
    case range(Range<Int>)
    case list(UnsafeBufferPointer<UInt32>)
  }

  package var numbers: Numbers
  /// By the transaction's number less `firstRow`.
  package var outcomes: UnsafePointer<TransactionOutcome>
  package var firstRow: Int
  package var records: UnsafeRawBufferPointer

  /// Calls `body` with every transaction's number and outcome that is `done` or `faulted`.
  package func forEachEnded(_ body: (Int, TransactionOutcome) -> Void) {
    func visit(_ number: Int) {
      let outcome = outcomes[number - firstRow]
      if outcome.state == .done || outcome.state == .faulted { body(number, outcome) }
    }
    switch numbers {
    case .range(let range): for number in range { visit(number) }
    case .list(let list): for number in list { visit(Int(number)) }
    }
  }
}

/// What came of a batch: an outcome for each transaction, and records that are read on demand.
package struct BatchOutcome {
  /// One for each transaction.
  package private(set) var outcomes: [TransactionOutcome]
  private var pieces: [[UInt8]] = []
  private var piece: [UInt32]

  /// An outcome of nothing.
  package init(count: Int) {
    outcomes = [TransactionOutcome](repeating: .pending, count: count)
    piece = [UInt32](repeating: 0, count: count)
  }

  /// Takes over what is done in a piece, or has come to a fault. `place` gives a transaction's number
  /// here, where the piece's is another.
  package mutating func take(_ given: OutcomePiece, place: (Int) -> Int = { $0 }) {
    let number = UInt32(pieces.count)
    pieces.append([UInt8](given.records))
    given.forEachEnded {
      outcomes[place($0)] = $1
      piece[place($0)] = number
    }
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

  /// How many transactions ended in each way.
  package var endings: [String: Int] {
    var endings: [String: Int] = [:]
    for outcome in outcomes {
      let name =
        switch (outcome.state, TransactionError(rawValue: outcome.error)) {
        case (.done, let error?): "invalid, \(error)"
        case (.done, nil): "\(outcome.status)"
        default: "\(outcome.state)"
        }
      endings[name, default: 0] += 1
    }
    return endings
  }
}

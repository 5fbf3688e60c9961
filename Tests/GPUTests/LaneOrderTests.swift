import EVM
import Kernels
import Testing

@testable import GPU

@Suite struct LaneOrderTests {
  /// A batch of calls of these recipients.
  private func batch(_ recipients: [UInt64]) -> TransactionBatch {
    var batch = TransactionBatch()
    let environment = batch.append(BlockEnvironment())
    for recipient in recipients {
      batch.append(
        TransactionMessage(
          sender: Address(number: 1), recipient: Address(number: recipient), gasLimit: 21_000),
        environment: environment)
    }
    return batch
  }

  @Test func whatIsAlikeNeedsNoOrder() {
    batch([UInt64](repeating: 7, count: 1000)).withColumns { columns in
      var order = LaneOrder()
      let isSorted = order.sort(columns, 0..<1000) || order.sort(columns, 5..<5)
      #expect(!isSorted)
    }
  }

  /// Every row is taken once, those of a kind together, in their own order; also where another kind
  /// comes at a regular distance, which a sample of fixed steps would miss.
  @Test(arguments: [2, 8, 64]) func kindsAreTogether(distance: Int) {
    let recipients = (0..<4096).map { UInt64($0 % distance == 3 % distance ? 8 : 7) }
    batch(recipients).withColumns { columns in
      var order = LaneOrder()
      let range = 100..<4096
      let isSorted = order.sort(columns, range)
      #expect(isSorted)
      #expect(order.positions.sorted() == Array(0..<UInt32(range.count)))
      let kinds = order.positions.map { recipients[100 + Int($0)] }
      #expect(zip(kinds, kinds.dropFirst()).count { $0 != $1 } == 1)
      for kind in [UInt64(7), 8] {
        let rows = order.positions.filter { recipients[100 + Int($0)] == kind }
        #expect(rows == rows.sorted())
      }
    }
  }
}

import EVM
import Ethereum

/// How fast a block can be at most, however many threads there are.
package enum SpeedUpBound {
  /// The time of all transactions over that of the longest row in which each needs the one before. About
  /// right: it counts a payment to somebody who pays later as needed, which an executor need not do.
  package static func bound(of block: PreparedBlock, on state: WorldState) -> Double {
    let machine = HeadMachine()
    let serial = SerialExecutor()
    var state = state
    state.detach()
    let predictions = block.transactions.map { transaction in
      machine.begin(block, state)
      var result = machine.execute(transaction)
      var nanoseconds = UInt64.max
      // The first time brings code and slots into the caches.
      for _ in 0..<3 {
        let start = ContinuousClock.now
        result = machine.execute(transaction)
        nanoseconds = min(nanoseconds, UInt64((ContinuousClock.now - start) / .nanoseconds(1)))
      }
      var one = block
      one.transactions = [transaction]
      one.withdrawals = []
      one.ommers = []
      one.reward = nil
      one.callsSystemContracts = false
      one.invalidTransactions = .reject
      _ = try? serial.execute(one, on: &state)
      return AccessPrediction(
        accesses: AccessSet(result.accesses), gasUsed: nanoseconds, error: nil)
    }
    let all = predictions.reduce(UInt64(0)) { $0 + $1.gasUsed }
    let row = ConflictOrder(predictions).longestRow
    return row == 0 ? 1 : Double(all) / Double(row)
  }
}

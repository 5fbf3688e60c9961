import EVM
import Ethereum
import Execution
import Foundation

/// A block of whole transactions from a warm state in memory, by the serial executor: validity,
/// execution, fees, receipts, and the changes of the state. Senders are known; no root is made.
struct WorkloadCase {
  /// Its first transaction, for the table and for the peers.
  let entry: EVMCase
  private let workload: TransactionWorkload
  /// One for all repetitions: programs stay.
  private let codes = CodeStore()
  private let state: WorldState

  private init(_ workload: TransactionWorkload, name: String) {
    self.workload = workload
    state = WorldState(workload.allocation, codes: codes)
    let first = workload.block.transactions[0]
    entry = EVMCase(
      suite: "transactions", name: name, work: .transaction, fork: workload.block.fork,
      environment: workload.block.environment, pre: workload.allocation, sender: first.sender,
      recipient: first.transaction.to ?? .zero, value: first.transaction.value,
      gas: first.transaction.gasLimit, gasPrice: first.transaction.maxFeePerGas,
      data: first.transaction.data)
  }

  /// The workloads whose byte code lies in a folder of fixtures.
  static func all(fixtures: String) throws(FormatError) -> [WorkloadCase] {
    let contracts = try SwapContracts(fixtures: fixtures)
    return [
      WorkloadCase(.tokenTransfers(code: contracts.token, people: 1000), name: "erc20_transfer"),
      WorkloadCase(.swaps(contracts, people: 64, rounds: 4), name: "uniswap_v3_swap"),
    ]
  }

  /// What is wrong with its outcome. Warms the programs up.
  func faults() throws(ExecutionError) -> [String] {
    let executor = SerialExecutor()
    for _ in 0..<2 {
      var state = state
      let outcome = try executor.execute(workload.block, on: &state)
      let faults = workload.failures(outcome, state)
      if !faults.isEmpty { return faults }
    }
    return []
  }

  /// Samples of a transaction's time in nanoseconds: each a block, divided by its transactions.
  func samples(seconds: Double) throws(ExecutionError) -> [Double] {
    let executor = SerialExecutor()
    var result: [Double] = []
    var left = seconds
    while left > 0 || result.count < 3 {
      // The copy of the tables is made here, not while the clock runs.
      var state = state
      state.detach()
      let taken = try Measurement.seconds { () throws(ExecutionError) in
        _ = try executor.execute(workload.block, on: &state)
      }
      result.append(taken / Double(workload.block.transactions.count) * 1e9)
      left -= taken
    }
    return result
  }
}

import EVM
import Ethereum

extension InputRunner {
  /// Runs code on a state that has nothing else, called with some data and gas; the gas does not
  /// include what a transaction costs before it runs.
  public func run(code: [UInt8], input: [UInt8], gas: UInt64) -> RunReport {
    let fork = fork ?? .osaka
    let sender = Address(number: 0xCA11E4)
    let contract = Address(number: 0xC0DE)
    var environment = BlockEnvironment(number: 1)
    // From Amsterdam on the limit decides what new state costs (EIP-8037).
    let (double, overflow) = gas.multipliedReportingOverflow(by: 2)
    environment.gasLimit =
      fork < .amsterdam || overflow ? UInt64(Int64.max) : max(double, 100_000_000)
    var block = PreparedBlock(fork: fork, environment: environment)
    block.callsSystemContracts = false
    block.invalidTransactions = .reject
    let schedule = GasSchedule(fork)
    var transaction = Transaction(to: contract, data: input)
    let costs = PreparedTransaction(transaction, sender: sender).withMessage {
      IntrinsicGas($0, schedule, blockGasLimit: environment.gasLimit)
    }
    let (limit, isTooMuch) = gas.addingReportingOverflow(UInt64(costs.intrinsic))
    transaction.gasLimit = isTooMuch ? .max : max(limit, UInt64(costs.floor))
    block.transactions = [PreparedTransaction(transaction, sender: sender)]
    var report = RunReport(
      name: "code", fork: fork, state: WorldState(Allocation([contract: .init(code: code)])))
    report.rows = [RunReport.Row(index: 0, transaction: transaction, sender: sender)]
    executor.fallbackBlockHash = StateTestRunner.blockHash
    do throws(ExecutionError) {
      let outcome = try execute(block, into: &report)
      report.record(outcome, places: [0])
    } catch {
      report.failures.append(error.description)
      return report
    }
    report.stateRoot = report.state.stateRoot()
    report.checkRejections(expected: [])
    return report
  }
}

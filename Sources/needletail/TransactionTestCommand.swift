import ArgumentParser
import Ethereum
import Execution

struct TransactionTestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "transactiontest",
    abstract: "Run test files in the transaction-test format.",
    discussion: """
      Reads the bytes of every case under every fork it names, and compares hash, sender and \
      intrinsic gas, or the reason of rejection. Suites of this format: TransactionTests of \
      ethereum/tests, transaction_tests of the execution-spec-tests releases.

        needletail transactiontest fixtures/TransactionTests --filter ttNonce
      """)

  @OptionGroup var options: CaseOptions

  func run() throws {
    let forks = try options.forks()
    try CaseCommand(options: options).run(
      makeWorker: {
        var runner = TransactionTestRunner()
        runner.forks = forks
        return runner
      }
    ) { runner, path throws(FormatError) in
      var reader = try FixtureReader<TransactionTest>(path: path)
      var results: [CaseResult] = []
      while let test = try reader.next() { results.append(contentsOf: runner.run(test)) }
      return results
    }
  }
}

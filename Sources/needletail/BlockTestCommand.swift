import ArgumentParser
import Ethereum
import Execution

struct BlockTestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "blocktest",
    abstract: "Run test files in the blockchain-test format.",
    discussion: """
      Imports the blocks of every case, checks that the invalid ones are rejected for the reason \
      that the case names, and compares the head and its state. Suites of this format: \
      blockchain_tests of the execution-spec-tests releases, BlockchainTests of ethereum/tests.

        needletail blocktest fixtures/blockchain_tests --filter eip7702
      """)

  @OptionGroup var options: CaseOptions
  @OptionGroup var devices: DeviceOptions
  @OptionGroup var execution: ExecutorOptions

  @Flag(
    help: ArgumentHelp(
      "Import blocks without the access list that the case gives.",
      discussion: "Only the header says what the list should be then, and the parallel executor "
        + "takes its ordinary way."))
  var ignoreAccessLists = false

  func run() throws {
    try devices.requireCPU("blocktest")
    let forks = try options.forks()
    let execution = execution
    let ignoreAccessLists = ignoreAccessLists
    try CaseCommand(options: options).run(
      makeWorker: {
        // Test blocks are small: every one that can runs in parallel.
        var runner = BlockchainTestRunner(executor: execution.make(isForced: true))
        runner.forks = forks
        runner.usesAccessLists = !ignoreAccessLists
        return runner
      }
    ) { runner, path throws(FormatError) in
      var reader = try FixtureReader<BlockchainTest>(path: path)
      var results: [CaseResult] = []
      while let test = try reader.next() {
        if let result = runner.run(test) { results.append(result) }
      }
      return results
    }
  }
}

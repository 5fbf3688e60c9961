import ArgumentParser
import EVM
import Ethereum
import Execution
import GPU

struct StateTestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "statetest",
    abstract: "Run test files in the state-test format.",
    discussion: """
      Executes every transaction of every case under every fork it names, and compares the state \
      root, the logs hash and the expected exception. Suites of this format: state_tests of the \
      execution-spec-tests releases, GeneralStateTests of ethereum/tests.

        needletail statetest fixtures/state_tests --fork Osaka --filter eip7939
        needletail statetest fixtures/state_tests --device cuda --strict
      """)

  @OptionGroup var options: CaseOptions
  @OptionGroup var devices: DeviceOptions
  @OptionGroup var batches: BatchOptions

  func run() throws {
    if let runner = try batches.runner(on: devices, threads: options.threads) {
      return try run(in: runner)
    }
    let forks = try options.forks()
    try CaseCommand(options: options).run(
      makeWorker: {
        let runner = StateTestRunner()
        runner.forks = forks
        return runner
      }
    ) { runner, path throws(FormatError) in
      var reader = try FixtureReader<StateTest>(path: path, options: StateTest.Options())
      var results: [CaseResult] = []
      while let test = try reader.next() { results.append(contentsOf: runner.run(test)) }
      return results
    }
  }

  /// Runs all cases in batches.
  private func run(in runner: BatchRunner) throws {
    var choices = BatchedStateTests.Options()
    choices.forks = try options.forks()
    choices.isStrict = devices.strict
    choices.jobs = options.threads
    let tests = BatchedStateTests(runner, options: choices)
    try CaseCommand(options: options).run(
      { try tests.run(files: $0, isWanted: $1, onFile: $2) },
      finish: { tests.statistics.print(batches: tests.batches, places: runner.places, isJSON: $0) })
  }
}

extension CaseOptions {
  /// The forks asked for; `nil` for all.
  func forks() throws -> Set<Fork>? {
    if fork.isEmpty { return nil }
    return Set(try fork.map { try Fork(argument: $0) })
  }
}

extension Fork {
  /// A fork by the name that a user gave.
  init(argument name: String) throws {
    guard let fork = Fork(name: name) else {
      let known = Fork.allCases.map(\.name).joined(separator: ", ")
      throw ValidationError("unknown fork \(name); known are \(known)")
    }
    self = fork
  }
}

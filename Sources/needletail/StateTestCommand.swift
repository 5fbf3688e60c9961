import ArgumentParser
import EVM
import Ethereum
import Execution

struct StateTestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "statetest",
    abstract: "Run test files in the state-test format.",
    discussion: """
      Executes every transaction of every case under every fork it names, and compares the state \
      root, the logs hash and the expected exception. Suites of this format: state_tests of the \
      execution-spec-tests releases, GeneralStateTests of ethereum/tests.

        needletail statetest fixtures/state_tests --fork Osaka --filter eip7939
      """)

  @OptionGroup var options: CaseOptions

  func run() throws {
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

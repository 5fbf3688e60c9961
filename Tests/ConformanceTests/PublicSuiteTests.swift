import Ethereum
import Execution
import Foundation
import TestSupport
import Testing

/// The public test suites, whole: every case has to pass. Not run where the fixtures are missing;
/// README.md says where they come from.
@Suite(.serialized) struct PublicSuiteTests {
  @Test(.enabled(if: Fixtures.has("eest/state_tests"), Fixtures.missing))
  func stateTests() throws {
    try check("eest/state_tests", makeWorker: { StateTestRunner() }) {
      runner, path throws(FormatError) in
      var reader = try FixtureReader<StateTest>(path: path, options: StateTest.Options())
      var results: [CaseResult] = []
      while let test = try reader.next() { results.append(contentsOf: runner.run(test)) }
      return results
    }
  }

  @Test(.enabled(if: Fixtures.has("eest/blockchain_tests"), Fixtures.missing))
  func blockchainTests() throws {
    try checkBlockchainTests { BlockchainTestRunner() }
  }

  @Test(
    .enabled(if: Fixtures.has("eest/blockchain_tests"), Fixtures.missing),
    arguments: ParallelRuns.all)
  func blockchainTestsInParallel(run: ParallelRuns) throws {
    try checkBlockchainTests { BlockchainTestRunner(executor: run.executor()) }
  }

  @Test(.enabled(if: Fixtures.has("eest/amsterdam_devnet"), Fixtures.missing))
  func amsterdamTests() throws {
    try checkBlockchainTests("eest/amsterdam_devnet") { BlockchainTestRunner() }
  }

  /// On the access lists of the blocks, and without them.
  @Test(
    .enabled(if: Fixtures.has("eest/amsterdam_devnet"), Fixtures.missing),
    arguments: ParallelRuns.all, [true, false])
  func amsterdamTestsInParallel(run: ParallelRuns, usesAccessLists: Bool) throws {
    try checkBlockchainTests("eest/amsterdam_devnet") {
      var runner = BlockchainTestRunner(executor: run.executor())
      runner.usesAccessLists = usesAccessLists
      return runner
    }
  }

  private func checkBlockchainTests(
    _ folder: String = "eest/blockchain_tests",
    makeWorker: @escaping @Sendable () -> BlockchainTestRunner
  ) throws {
    try check(folder, makeWorker: makeWorker) {
      runner, path throws(FormatError) in
      var reader = try FixtureReader<BlockchainTest>(path: path)
      var results: [CaseResult] = []
      while let test = try reader.next() {
        if let result = runner.run(test) { results.append(result) }
      }
      return results
    }
  }

  /// Runs a folder's files and prints the counts; a failed or skipped case fails the test.
  private func check<Worker>(
    _ folder: String, makeWorker: @escaping @Sendable () -> Worker,
    work: @escaping @Sendable (Worker, String) throws(FormatError) -> [CaseResult]
  ) throws {
    let run = CaseRun.run(
      files: Fixtures.files(folder), jobs: ProcessInfo.processInfo.activeProcessorCount,
      makeWorker: makeWorker, work: work)
    print("\(folder): \(run.summary)")
    #expect(run.passed > 0)
    for entry in (run.failures + run.skips).prefix(20) {
      Issue.record(
        "\(entry.file): \(entry.result.name): \(entry.result.failures) \(entry.result.skipped ?? "")"
      )
    }
    #expect(run.failures.isEmpty)
    #expect(run.skips.isEmpty)
  }
}

import EVM
import Ethereum
import Execution
import Foundation
import TestSupport
import Testing

/// Main network blocks, transaction tests and the ENS transaction. Not run without fixtures.
@Suite(.serialized) struct InputRunnerSuiteTests {
  @Test(.enabled(if: Fixtures.has("mainnet-blocks"), Fixtures.missing))
  func mainnetBlocks() throws { try checkMainnetBlocks(InputRunner()) }

  /// The serial executor runs beside the parallel one and the states are compared.
  @Test(
    .enabled(if: Fixtures.has("mainnet-blocks"), Fixtures.missing), arguments: ParallelRuns.all)
  func mainnetBlocksInParallel(run: ParallelRuns) throws {
    let executor = run.executor()
    try checkMainnetBlocks(InputRunner(executor: executor))
    #expect(executor.totals.executions > 9000)
  }

  private func checkMainnetBlocks(_ runner: InputRunner) throws {
    let folder = Fixtures.folder.appendingPathComponent("mainnet-blocks").path
    var count = 0
    for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
      try runner.run(path: "\(folder)/\(name)") { (report) throws(FormatError) in
        count += 1
        #expect(report.passed, "block \(name): \(report.failures)")
      }
    }
    print("mainnet-blocks: \(count) blocks")
    #expect(count == 51)
  }

  @Test(.enabled(if: Fixtures.has("ens/setContenthash.json"), Fixtures.missing))
  func gasByOpcodeOfAnENSTransaction() throws {
    let path = Fixtures.folder.appendingPathComponent("ens/setContenthash.json").path
    var reports: [RunReport] = []
    try InputRunner().run(path: path) { (report) throws(FormatError) in reports.append(report) }
    let report = try #require(reports.first)
    // The file's own breakdown is compared by the runner; these are its figures.
    #expect(report.failures == [])
    #expect(report.gasUsed == 46_924)
    let profile = try #require(report.profile)
    let parts = GasBreakdown(report.rows[0].transaction, fork: report.fork)
    let expected: [(String, Int64)] = [
      ("base", 21_000), ("calldata", 1556), ("execution", 24_368), ("SLOAD", 6400),
      ("SSTORE", 10_100), ("LOG", 2149), ("KECCAK256", 282), ("coldAccountAccess", 2600),
      ("other", 2837),
    ]
    for (name, gas) in expected {
      let got = parts.gas(named: name, among: expected.map(\.0), profile: profile)
      #expect(got == gas, "\(name)")
    }
  }

  @Test(.enabled(if: Fixtures.has("ethereum-tests/TransactionTests"), Fixtures.missing))
  func transactionTests() throws {
    let run = CaseRun.run(
      files: Fixtures.files("ethereum-tests/TransactionTests"), jobs: 2,
      makeWorker: { TransactionTestRunner() },
      work: { runner, path throws(FormatError) in
        var reader = try FixtureReader<TransactionTest>(path: path)
        var results: [CaseResult] = []
        while let test = try reader.next() { results.append(contentsOf: runner.run(test)) }
        return results
      })
    print("ethereum-tests/TransactionTests: \(run.summary)")
    for entry in run.failures + run.skips {
      Issue.record("\(entry.file): \(entry.result.name): \(entry.result.failures)")
    }
    #expect(run.passed >= 1830)
  }
}

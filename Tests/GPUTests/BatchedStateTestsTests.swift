import EVM
import Ethereum
import Execution
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import GPU

/// State tests in batches come to the very lines that they come to one by one.
@Suite struct BatchedStateTestsTests {
  /// A case and what it came to.
  private struct Line: Hashable, Comparable, CustomStringConvertible {
    var file: String
    var result: String

    init(_ entry: CaseRun.Entry) {
      file = entry.file
      result =
        "\(entry.result.name) \(entry.result.failures) \(entry.result.skipped ?? "") "
        + "\(entry.result.gasUsed)"
    }

    static func < (a: Line, b: Line) -> Bool { (a.file, a.result) < (b.file, b.result) }
    var description: String { "\(file): \(result)" }
  }

  private func oneByOne(_ files: [String], forks: Set<Fork>? = nil) -> [Line] {
    let lines = Mutex<[Line]>([])
    _ = CaseRun.run(
      files: files, jobs: ProcessInfo.processInfo.activeProcessorCount,
      makeWorker: {
        let runner = StateTestRunner()
        runner.forks = forks
        return runner
      },
      work: { runner, path throws(FormatError) in
        var reader = try FixtureReader<StateTest>(path: path, options: StateTest.Options())
        var results: [CaseResult] = []
        while let test = try reader.next() { results.append(contentsOf: runner.run(test)) }
        return results
      },
      onFile: { entries, _ in lines.withLock { $0 += entries.map(Line.init) } })
    return lines.withLock { $0.sorted() }
  }

  private func inBatches(
    _ files: [String], _ devices: [any LaneExecutor], _ options: BatchedStateTests.Options = .init()
  ) throws -> (lines: [Line], tests: BatchedStateTests, run: CaseRun) {
    var limits = BatchRunner.Options()
    // Some public tests have all the gas there is: the stand-in does them, too.
    limits.gasCeiling = .max
    let tests = BatchedStateTests(BatchRunner(devices, options: limits), options: options)
    var lines: [Line] = []
    let run = try tests.run(files: files, onFile: { entries, _ in lines += entries.map(Line.init) })
    return (lines.sorted(), tests, run)
  }

  @Test(.enabled(if: Fixtures.has("eest/state_tests"), Fixtures.missing))
  func allPublicStateTestsAsOneByOne() throws {
    let files = Fixtures.files("eest/state_tests")
    var options = BatchedStateTests.Options()
    options.isStrict = true
    options.groupBytes = 64 << 20
    let (lines, tests, run) = try inBatches(
      files, [StandInDevice("a"), StandInDevice("b")], options)
    let statistics = tests.statistics
    print(
      "eest/state_tests in batches: \(run.summary), \(statistics.transactions) transactions in "
        + "\(tests.batches) batches and \(statistics.launches) launches, on the host instead: "
        + "\(statistics.rerunsOnHost)")
    #expect(run.passed > 10_000)
    #expect(run.failures.isEmpty)
    #expect(run.skips.isEmpty)
    let expected = oneByOne(files)
    #expect(lines.count == expected.count)
    let differing = zip(lines, expected).filter { $0 != $1 }
    for (got, expected) in differing.prefix(5) { Issue.record("\(got)\nbut \(expected)") }
    #expect(differing.isEmpty)
    // Thousands of cases at once.
    #expect(statistics.transactions / tests.batches > 100)
  }

  // MARK: Files that differ from what comes out

  /// A test with four cases: a transfer under Berlin, to be compared with what `hash` says; one that
  /// is not valid, under London; one whose form is wrong; and one under a fork that nobody knows.
  private func test(
    stateRoot: String = "0x" + String(repeating: "11", count: 32), gas: String = "0x5208",
    exception: String = ""
  ) -> String {
    let empty = "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"
    func post(_ gas: Int, _ exception: String) -> String {
      """
      [{"hash": "\(stateRoot)", "logs": "\(empty)",
        "indexes": {"data": 0, "gas": \(gas), "value": 0}\(exception)}]
      """
    }
    return """
      {"sample": {
        "env": {"currentCoinbase": "0x00000000000000000000000000000000000000cc",
          "currentGasLimit": "0x1000000", "currentNumber": "0x300", "currentTimestamp": "0x1",
          "currentDifficulty": "0x1", "currentBaseFee": "0xa"},
        "pre": {"0xa94f5374fce5edbc8e2a8697c15331677e6ebf0b": {"balance": "0xffffffffffff",
            "nonce": "0x0", "code": "0x", "storage": {}},
          "0x00000000000000000000000000000000000000aa": {"balance": "0x0", "nonce": "0x0",
            "code": "0x6102ff4060005560025460015500", "storage": {"0x02": "0x05"}}},
        "transaction": {"data": ["0x"], "gasLimit": ["\(gas)", "0x1", "0x10000000000000000"],
          "gasPrice": "0xa", "nonce": "0x0", "to": "0x00000000000000000000000000000000000000aa",
          "value": ["0x0"],
          "secretKey": "0x45a915e4d060149eb4365960e6a7a45f334393093061116b197e3240065ff2d8"},
        "post": {"Berlin": \(post(0, "")),
          "London": \(post(1, exception)), "Shanghai": \(post(2, exception)),
          "Atlantis": \(post(0, ""))}}}
      """
  }

  private func withFiles(_ texts: [String], _ body: ([String]) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("needletail-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    var files: [String] = []
    for (number, text) in texts.enumerated() {
      let file = folder.appendingPathComponent("\(number).json")
      try Data(text.utf8).write(to: file)
      files.append(file.path)
    }
    try body(files)
  }

  @Test func differencesAreTheSameLines() throws {
    let invalid = ", \"expectException\": \"TransactionException.INTRINSIC_GAS_TOO_LOW\""
    try withFiles(
      [
        test(gas: "0x186a0"), test(gas: "0x186a0", exception: invalid), "{\"broken\": [}", test(),
      ]
    ) { files in
      let expected = oneByOne(files)
      let (lines, tests, run) = try inBatches(files, [StandInDevice()])
      #expect(lines == expected)
      #expect(run.failures.count == 10)
      #expect(run.skips.count == 3)
      // Two of each test's three forms are transactions; the third never gets to a device.
      #expect(tests.statistics.transactions == 6)
      #expect(tests.batches == 2)
    }
  }

  @Test func smallGroupsAreTheSameLines() throws {
    try withFiles([test(), test(gas: "0x186a0"), test()]) { files in
      var options = BatchedStateTests.Options()
      options.groupBytes = 1
      let (lines, tests, _) = try inBatches(files, [StandInDevice()], options)
      #expect(lines == oneByOne(files))
      #expect(tests.batches == 6)
    }
  }

  @Test func onlyTheForksAndNamesThatAreWantedRun() throws {
    try withFiles([test(gas: "0x186a0")]) { files in
      var options = BatchedStateTests.Options()
      options.forks = [.berlin]
      let (lines, _, _) = try inBatches(files, [StandInDevice()], options)
      #expect(lines == oneByOne(files, forks: [.berlin]))
      #expect(lines.count == 1)
      let tests = BatchedStateTests(BatchRunner([StandInDevice()]))
      let run = try tests.run(files: files, isWanted: { $0.result.name.contains("London") })
      #expect(run.failures.count == 1)
      #expect(tests.statistics.transactions == 1)
    }
  }

  @Test func strictFailsWhatTheHostHadToDo() throws {
    try withFiles([test(gas: "0x186a0")]) { files in
      for (status, isFailure) in [
        (ExecutionStatus.workspaceExhausted, false), (.stateUnavailable, true),
      ] {
        let device = StandInDevice()
        device.leaves = [100_000: status]
        var options = BatchedStateTests.Options()
        options.isStrict = true
        let (lines, tests, _) = try inBatches(files, [device], options)
        #expect(tests.statistics.hostReruns == 1)
        let strict = lines.filter { $0.result.contains("--strict: it ran on the host: ") }
        #expect(strict.count == (isFailure ? 1 : 0))
        // Without --strict it is as if the device had done it.
        device.leaves = [100_000: status]
        #expect(try inBatches(files, [device]).lines == oneByOne(files))
      }
    }
  }
}

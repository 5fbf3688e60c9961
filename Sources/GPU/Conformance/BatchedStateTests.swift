package import EVM
import Ethereum
package import Execution
import Foundation
import Kernels

/// Runs cases in the state-test format in batches: those of many files and one fork in one launch.
/// What they come to is compared by `StateTestRunner`, as on the host.
package final class BatchedStateTests {
  /// How files are read and executed.
  package struct Options: Sendable {
    /// Runs only cases of these forks; `nil` runs all.
    package var forks: Set<Fork>?
    /// Whether a case fails that a device could not do, unless for want of memory.
    package var isStrict = false
    /// Threads that read and compare.
    package var jobs = ProcessInfo.processInfo.activeProcessorCount
    /// Files are read, executed and compared in groups of about so many bytes: what is in memory
    /// is several times as much.
    package var groupBytes = 256 << 20

    /// The defaults.
    package init() {}
  }

  private let runner: BatchRunner
  private let options: Options
  /// What all batches have taken.
  package private(set) var statistics = BatchStatistics()
  /// Batches so far.
  package private(set) var batches = 0

  /// Runs cases by a runner of batches.
  package init(_ runner: BatchRunner, options: Options = Options()) {
    self.runner = runner
    self.options = options
  }

  /// Runs the cases of some files that are wanted. `onFile` hears of every file in order, with its
  /// results and the totals so far.
  package func run(
    files: [String], isWanted: @escaping @Sendable (CaseRun.Entry) -> Bool = { _ in true },
    onFile: ([CaseRun.Entry], CaseRun) -> Void = { _, _ in }
  ) throws(BatchError) -> CaseRun {
    var run = CaseRun()
    for group in groups(files) {
      for (file, results) in zip(group, try results(group, isWanted)) {
        let entries = results.map { CaseRun.Entry(file: file, result: $0) }.filter(isWanted)
        run.add(entries)
        onFile(entries, run)
      }
    }
    run.sort()
    return run
  }

  private func groups(_ files: [String]) -> [[String]] {
    var groups: [[String]] = []
    var room = 0
    for file in files {
      let size = (try? FileManager.default.attributesOfItem(atPath: file)[.size] as? Int) ?? 0
      if groups.isEmpty || size > room {
        groups.append([])
        room = options.groupBytes
      }
      groups[groups.count - 1].append(file)
      room -= size
    }
    return groups
  }

  private func results(
    _ files: [String], _ isWanted: @escaping @Sendable (CaseRun.Entry) -> Bool
  ) throws(BatchError) -> [[CaseResult]] {
    let forks = options.forks
    var cases = Threads.map(files.count, jobs: options.jobs) {
      StateTestCases(file: files[$0], forks: forks, isWanted: isWanted)
    }
    var wanted: Set<Fork> = []
    for file in cases {
      for test in file.tests { wanted.formUnion(test.cases.map(\.fork)) }
    }
    var results: [Fork: BatchResult] = [:]
    for fork in Fork.allCases where wanted.contains(fork) {
      var batch = StateTestBatch(fork: fork)
      for file in cases.indices {
        for test in cases[file].tests.indices { batch.append(&cases[file].tests[test]) }
      }
      if batch.batch.count == 0 { continue }
      let result = try runner.run(
        batch.batch, on: batch.image(), selection: [.changes, .logs])
      statistics.add(result.statistics)
      batches += 1
      results[fork] = result
    }
    let done = results
    let all = cases
    let isStrict = options.isStrict
    return Threads.map(all.count, jobs: options.jobs) {
      Self.compare(all[$0], done, isStrict: isStrict)
    }
  }

  private static func compare(
    _ file: StateTestCases, _ results: [Fork: BatchResult], isStrict: Bool
  ) -> [CaseResult] {
    if let error = file.error { return [CaseResult(name: "", failures: [error.description])] }
    var list: [CaseResult] = []
    for test in file.tests {
      let pre = WorldState(test.test.pre)
      for given in test.cases {
        list.append(compare(given, test.test, pre, results[given.fork], isStrict: isStrict))
      }
      list += test.skipped
    }
    return list
  }

  private static func compare(
    _ given: StateTestCases.Case, _ test: StateTest, _ pre: WorldState, _ batch: BatchResult?,
    isStrict: Bool
  ) -> CaseResult {
    var run = StateTestRunner.Run(test, given.post, given.fork, pre: pre)
    if let fault = given.fault {
      run.error = .format(fault)
      return StateTestRunner.result(of: run, in: test)
    }
    guard let batch, let transaction = given.transaction?.transaction else {
      preconditionFailure("a case with a transaction is in the batch of its fork")
    }
    let outcome = batch.outcome.outcomes[given.row]
    if outcome.state != .done {
      return CaseResult(name: run.name, failures: [outcome.status.words])
    }
    if let error = TransactionError(rawValue: outcome.error) {
      run.error = .transaction(error, transaction.type)
    } else {
      let records = batch.outcome.records(given.row)
      records.apply(to: &run.state, fork: given.fork)
      run.outcome = BlockOutcome(
        gasUsed: outcome.gasUsed, type: transaction.type, isSuccess: outcome.status.isSuccess,
        logs: records.logs)
    }
    var result = StateTestRunner.result(of: run, in: test)
    if isStrict, let reason = batch.onHost[UInt32(given.row)], !reason.isMemoryClass {
      result.failures.append("--strict: it ran on the host: \(reason)")
    }
    return result
  }
}

extension BlockOutcome {
  /// What a runner of tests compares of a single transaction: its gas and its receipt.
  fileprivate init(gasUsed: UInt64, type: TransactionType, isSuccess: Bool, logs: [Log]) {
    self.init()
    gas.regular = gasUsed
    receipts = [
      Receipt(type: type, outcome: .status(isSuccess), cumulativeGasUsed: gasUsed, logs: logs)
    ]
  }
}

import ArgumentParser
import Ethereum
import Execution
import GPU

struct BlockTestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "blocktest",
    abstract: "Run test files in the blockchain-test format.",
    discussion: """
      Imports the blocks of every case, checks that the invalid ones are rejected for the reason \
      that the case names, and compares the head and its state. Suites of this format: \
      blockchain_tests of the execution-spec-tests releases, BlockchainTests of ethereum/tests.

        needletail blocktest fixtures/blockchain_tests --filter eip7702
        needletail blocktest fixtures/blockchain_tests --device cuda --strict
      """)

  @OptionGroup var options: CaseOptions
  @OptionGroup var devices: DeviceOptions
  @OptionGroup var batches: BatchOptions
  @OptionGroup var execution: ExecutorOptions

  @Flag(
    help: ArgumentHelp(
      "Import blocks without the access list that the case gives.",
      discussion: "Only the header says what the list should be then, and the parallel executor "
        + "takes its ordinary way."))
  var ignoreAccessLists = false

  func validate() throws { try execution.validate(beside: devices) }

  func run() throws {
    if let runner = try batches.runner(on: devices, threads: options.threads) {
      return try run(in: runner)
    }
    let forks = try options.forks()
    let execution = execution
    let ignoreAccessLists = ignoreAccessLists
    try CaseCommand(options: options).run(
      makeWorker: {
        // Test blocks are small: every one that can runs in parallel.
        let executor = execution.make(isForced: true)
        var runner = BlockchainTestRunner(executor: executor)
        runner.forks = forks
        runner.usesAccessLists = !ignoreAccessLists
        return (runner, executor as? ParallelExecutor)
      }
    ) { (worker: (BlockchainTestRunner, ParallelExecutor?), path: String) throws(FormatError) in
      try Self.results(
        path, worker.0, repeats: execution.repeats, between: { worker.1?.delays?.seed &+= 1 })
    }
  }

  /// Runs many files at once, the rounds of their blocks in batches.
  private func run(in runner: BatchRunner) throws {
    let lockstep = LockstepRounds(BatchedRounds(runner))
    let places = runner.places
    let forks = try options.forks()
    let isStrict = devices.strict
    try CaseCommand(options: options).run(
      { files, isWanted, onFile in
        // Threads that wait for each other, not for cores.
        let jobs = max(min(files.count, 256), 1)
        lockstep.expect(jobs)
        return CaseRun.run(
          files: files, jobs: jobs,
          makeWorker: {
            let executor = RoundExecutor(lockstep.join())
            let worker = RoundWorker(executor, BlockchainTestRunner(executor: executor))
            worker.runner.forks = forks
            return worker
          },
          work: { (worker: RoundWorker, path: String) throws(FormatError) in
            try Self.results(
              path, worker.runner,
              change: { result in if isStrict { worker.refuseHost(&result) } })
          }, isWanted: isWanted, onFile: onFile)
      },
      finish: { lockstep.statistics.print(batches: lockstep.batches, places: places, isJSON: $0) })
  }

  /// The results of a file's cases. Each runs `repeats` times, until it fails, with `between` called
  /// between.
  private static func results(
    _ path: String, _ runner: BlockchainTestRunner, repeats: Int = 1, between: () -> Void = {},
    change: (inout CaseResult) -> Void = { _ in }
  ) throws(FormatError) -> [CaseResult] {
    var reader = try FixtureReader<BlockchainTest>(path: path)
    var results: [CaseResult] = []
    while let test = try reader.next() {
      guard var result = runner.run(test) else { continue }
      for _ in 1..<max(1, repeats) where result.failures.isEmpty {
        between()
        if let again = runner.run(test) { result = again }
      }
      change(&result)
      results.append(result)
    }
    return results
  }
}

/// A runner of blockchain tests in rounds, and what of the last test ran on the host.
private final class RoundWorker {
  var runner: BlockchainTestRunner
  private var reasons: Set<HostReason> = []

  init(_ executor: RoundExecutor, _ runner: BlockchainTestRunner) {
    self.runner = runner
    executor.onHost = { [unowned self] _, reason in reasons.insert(reason) }
  }

  /// Makes a test fail of which something ran on the host, unless for want of memory.
  func refuseHost(_ result: inout CaseResult) {
    for reason in reasons where !reason.isMemoryClass {
      result.failures.append("--strict: it ran on the host: \(reason)")
    }
    reasons = []
  }
}

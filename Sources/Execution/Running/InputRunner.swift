public import EVM
public import Ethereum

/// Runs whatever a path holds: a file of state tests or batches, or the folder of a block.
public final class InputRunner {
  /// Runs only state tests of this fork, and batches under this fork.
  public var fork: Fork?
  /// Makes a watcher for the transactions of a case, by its fork.
  public var makeTracer: ((Fork) -> any TransactionTracer)?
  /// Whether reports get the gas by opcode.
  public var profilesGas = false
  /// Whether reports get a profile of time and gas, and how often each run is repeated for it.
  public var profileRepeats: Int?
  /// Who does the stages of profiled blocks that are coprocessors' work; `nil` for one core.
  package var profileStages: (any ProfileStages)?

  /// How often a parallel executor runs each block, each time with other pauses where it has any.
  package var repeats = 1

  let executor: any HostBlockExecutor
  let stateTests = StateTestRunner()

  /// A runner of batches and blocks by an executor, and of state tests.
  public init(executor: any HostBlockExecutor = SerialExecutor()) { self.executor = executor }

  /// Runs what is at `path` and hands each report to `body`. An error names what can not be read;
  /// what can be read and does not work out is a failure in its report.
  public func run(path: String, _ body: (RunReport) throws(FormatError) -> Void)
    throws(FormatError)
  {
    if FileBytes.isFolder(path) {
      guard FileBytes.exists(path + "/block.json") else {
        throw FormatError(
          .unreadableFile,
          "this folder has no block.json; test suites are run by `needletail statetest` and "
            + "`needletail blocktest`", file: path)
      }
      return try body(run(try MainnetBlock(folder: path), name: Self.lastComponent(path)))
    }
    let file = try FileBytes(path: path)
    switch try InputKind.detect(file) {
    case .stateTest:
      var reader = FixtureReader<StateTest>(file, options: StateTest.Options())
      var count = 0
      var forks: Set<String> = []
      while let test = try reader.next() {
        forks.formUnion(test.post.map(\.fork.name) + test.unknownForks)
        do throws(FormatError) {
          try run(test) { (report) throws(FormatError) in
            count += 1
            try body(report)
          }
        } catch { throw error.inFile(path) }
      }
      if count == 0 {
        throw FormatError(
          .unknownFork,
          "no case \(fork.map { "for \($0.name)" } ?? "that can be run"); the file has cases for "
            + (forks.isEmpty ? "no fork" : forks.sorted().joined(separator: ", ")), file: path)
      }
    case .batch:
      for batch in try Batch.batches(file) {
        do throws(FormatError) {
          try body(run(batch, name: batch.name.isEmpty ? Self.lastComponent(path) : batch.name))
        } catch { throw error.inFile(path) }
      }
    case .block:
      let folder = path.contains("/") ? String(path[..<path.lastIndex(of: "/")!]) : "."
      try body(run(try MainnetBlock(folder: folder), name: Self.lastComponent(folder)))
    case .blockchainTest:
      throw Self.refusal("these are blockchain tests: use `needletail blocktest \(path)`", path)
    case .transactionTest:
      throw Self.refusal(
        "these are transaction tests: use `needletail transactiontest \(path)`", path)
    case .genesis: throw Self.refusal("this is a genesis file: it has no transactions", path)
    case nil:
      throw Self.refusal(
        "this is neither a state test nor a batch: it has no `transaction` or `transactions`", path)
    }
  }

  /// Executes a block on a report's state, watched as the user asked.
  func execute(_ block: PreparedBlock, into report: inout RunReport, needsProfile: Bool = false)
    throws(ExecutionError) -> BlockOutcome
  {
    if let profileRepeats {
      // A profile is of one transaction after the other, whatever executes the block.
      let serial = SerialExecutor()
      serial.fallbackBlockHash = executor.fallbackBlockHash
      report.blockProfile = try BlockProfiler(repeats: profileRepeats, stages: profileStages)
        .profile(block, on: report.state, name: report.name, executor: serial)
    }
    let tracer = makeTracer?(report.fork)
    executor.tracer = tracer
    if profilesGas || needsProfile {
      let profile = ExecutionProfile()
      executor.tracer = tracer.map { TracerPair($0, profile) } ?? profile
      report.profile = profile
    }
    defer { executor.tracer = nil }
    return try time(block, &report)
  }

  /// Executes a block on the report's state and notes how long that took. Beside a parallel executor
  /// the serial one runs, for the speed-up; another outcome is a failure.
  private func time(_ block: PreparedBlock, _ report: inout RunReport) throws(ExecutionError)
    -> BlockOutcome
  {
    let parallel = executor as? ParallelExecutor
    var serial: (outcome: BlockOutcome, state: WorldState, elapsed: Duration)?
    if parallel != nil, executor.tracer == nil {
      let reference = SerialExecutor()
      reference.fallbackBlockHash = executor.fallbackBlockHash
      var state = report.state
      state.detach()
      let start = ContinuousClock.now
      let outcome = try reference.execute(block, on: &state)
      serial = (outcome, state, ContinuousClock.now - start)
      report.state.detach()
    }
    for _ in 1..<max(1, repeats) {
      guard let parallel, let serial else { break }
      var state = report.state
      state.detach()
      try compare(parallel.execute(block, on: &state), state, serial, &report)
      if !report.failures.isEmpty { break }
      parallel.delays?.seed &+= 1
    }
    var executor = executor
    let start = ContinuousClock.now
    let outcome = try executor.execute(block, on: &report.state)
    report.elapsed = ContinuousClock.now - start
    report.parallel = parallel?.statistics
    if let serial {
      report.serialElapsed = serial.elapsed
      compare(outcome, report.state, serial, &report)
    }
    return outcome
  }

  private func compare(
    _ outcome: BlockOutcome, _ state: WorldState,
    _ serial: (outcome: BlockOutcome, state: WorldState, elapsed: Duration),
    _ report: inout RunReport
  ) {
    var state = state
    var expected = serial.state
    if outcome.receiptsRoot != serial.outcome.receiptsRoot
      || state.stateRoot() != expected.stateRoot()
    {
      report.failures.append("the parallel executor's outcome differs from the serial one's")
    }
  }

  private static func refusal(_ reason: String, _ path: String) -> FormatError {
    FormatError(.missingField, reason, file: path)
  }

  private static func lastComponent(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }
}

import ArgumentParser
import EVM
import Ethereum
import Execution
import Foundation
import GPU

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Execute state tests, batches of transactions, or blocks.",
    discussion: """
      An input is told by its content: a file of state tests, a batch (many transactions on one \
      pre-state), or the folder of a main network block with block.json, pre_state.json, \
      bytecodes.json and block_hashes.json. What an input says of the outcome is compared: a post \
      hash, `expect`, a block's header. A difference is printed and makes the exit status 1.

      A batch is {"name": {"fork", "env", "pre", "transactions", "expect"}}, close to what the \
      transition tool reads. A transaction is signed (v, r, s), or has a secretKey to sign it with, \
      or only a sender.

        needletail run batch.json
        needletail run state_tests/stExample/add11.json --fork Osaka
        needletail run mainnet-blocks/* --quiet
        needletail run batch.json --output result.json --trace steps.jsonl
        needletail run batch.json --profile
        needletail run mainnet-blocks/* --quiet --executor parallel --threads 8
        needletail run mainnet-blocks/* --quiet --device cuda
      """)

  @Argument(help: "Files of state tests or batches, and folders of blocks.")
  var inputs: [String]

  @Option(help: "The rules: runs only state tests of this fork, and batches and blocks under it.")
  var fork: String?

  @Option(
    help: "Write each step as a line of JSON (EIP-3155) into this file; - is standard output.")
  var trace: String?

  @Option(
    help: "Write post-state, receipts and roots as JSON into this file; - is standard output.")
  var output: String?

  @OptionGroup var devices: DeviceOptions
  @OptionGroup var batches: BatchOptions
  @OptionGroup var execution: ExecutorOptions

  @Flag(help: "Print one object of JSON for each case instead of tables.")
  var json = false

  @Flag(help: "Print gas by opcode after each case.")
  var profile = false

  @Flag(name: .shortAndLong, help: "Print one line for each case that is fine.")
  var quiet = false

  func validate() throws {
    try execution.validate(beside: devices)
    if devices.device != .cpu, trace != nil || profile {
      throw ValidationError(
        "--\(profile ? "profile" : "trace") follows each step, which only the CPU does: leave out "
          + "--device \(devices.device)")
    }
  }

  func run() throws {
    var session = try RunSession(self)
    for (index, input) in inputs.enumerated() {
      try session.run(input)
      if !json {
        Terminal.progress(
          done: index + 1, of: inputs.count, "inputs, \(session.failed) cases failed")
      }
    }
    Terminal.clearProgress()
    try session.finish()
  }
}

/// The transactions of a run that devices execute.
private final class DeviceRun {
  let rounds: BatchedRounds
  let executor: RoundExecutor
  let places: [(name: String, lanes: Int)]
  private var onHost: [(transaction: Int, reason: HostReason)] = []

  init(_ batches: BatchRunner) {
    rounds = BatchedRounds(batches)
    executor = RoundExecutor(rounds)
    places = batches.places
    executor.onHost = { [unowned self] in onHost.append(($0, $1)) }
  }

  /// What ran on the host since this was asked before, unless for want of memory.
  func takeFaults() -> [String] {
    defer { onHost = [] }
    return onHost.filter { !$0.reason.isMemoryClass }.map {
      "--strict: transaction \($0.transaction) ran on the host: \($0.reason)"
    }
  }

  func print() {
    let blocks = executor.statistics
    Swift.print(
      "in rounds: \(blocks.transactions) transactions, \(blocks.executions) executions in "
        + "\(blocks.rounds) rounds of \(blocks.blocks) blocks")
    rounds.statistics.print(batches: rounds.batches, places: places, isJSON: false)
  }
}

/// The files and totals of one `run`.
private struct RunSession {
  private let options: RunCommand
  private let runner: InputRunner
  private let device: DeviceRun?
  private let output: OutputFile?
  private let trace: TraceFile?
  private var count = 0
  private var transactions = 0
  private var gas: UInt64 = 0
  private var elapsed = Duration.zero
  private var serialElapsed = Duration.zero
  private var parallel: ParallelStatistics?
  /// Cases that failed.
  private(set) var failed = 0

  init(_ options: RunCommand) throws {
    self.options = options
    let threads = ProcessInfo.processInfo.activeProcessorCount
    if let batches = try options.batches.runner(on: options.devices, threads: threads) {
      let device = DeviceRun(batches)
      self.device = device
      runner = InputRunner(executor: device.executor)
    } else {
      device = nil
      runner = InputRunner(executor: options.execution.make())
    }
    runner.repeats = options.execution.repeats
    runner.fork = try options.fork.map { try Fork(argument: $0) }
    runner.profilesGas = options.profile
    // Opened before any work, so that a path that can not be written is known at once.
    output = try options.output.map { path throws(FormatError) in try OutputFile(path: path) }
    trace = try options.trace.map { path throws(FormatError) in
      TraceFile(try OutputFile(path: path))
    }
    runner.makeTracer = trace.map { trace in { trace.tracer($0) } }
    try output?.write(Array("{\"results\": [\n".utf8))
  }

  mutating func run(_ input: String) throws {
    var session = self
    defer { self = session }
    try runner.run(path: input) { (report) throws(FormatError) in
      try session.record(report, input)
    }
  }

  private mutating func record(_ report: RunReport, _ input: String) throws(FormatError) {
    if let error = trace?.error { throw error }
    var report = report
    if let device, options.devices.strict { report.failures += device.takeFaults() }
    if let output {
      var writer = JSONWriter()
      report.write(to: &writer, input: input, isWhole: true)
      try output.write((count > 0 ? Array(",\n".utf8) : []) + writer.takeBytes())
    }
    count += 1
    transactions += report.rows.count
    gas += report.gasUsed
    elapsed += report.elapsed
    serialElapsed += report.serialElapsed ?? .zero
    if let statistics = report.parallel {
      parallel = parallel ?? ParallelStatistics()
      parallel?.add(statistics)
    }
    if !report.passed { failed += 1 }
    if options.output == "-" || options.trace == "-" { return }
    if options.json {
      var writer = JSONWriter()
      report.write(to: &writer, input: input, isWhole: false)
      print(writer.text)
    } else {
      Terminal.clearProgress()
      report.printText(isShort: options.quiet)
    }
  }

  func finish() throws {
    try output?.write(Array("\n]}\n".utf8))
    try output?.finish()
    try trace?.file.finish()
    let isSilent = options.json || options.output == "-" || options.trace == "-"
    if !isSilent, count > 1 {
      let seconds = elapsed / .seconds(1)
      print(
        "\(count) cases, \(transactions) transactions, \(Text.gas(gas)) gas in "
          + "\(Text.time(elapsed)) of execution (\(Text.rate(gas, seconds)))")
      if let parallel { print(parallel.line(speedUp: serialElapsed / elapsed)) }
      if let device { device.print() }
      let line = "\(count - failed) fine, \(failed) failed"
      print(failed == 0 ? Terminal.green(line) : Terminal.red(line))
    }
    if failed > 0 { throw ExitCode(1) }
  }
}

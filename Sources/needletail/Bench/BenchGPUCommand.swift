import ArgumentParser
import CUDA
import EVM
import Ethereum
import Execution
import Foundation
import GPU
import Kernels

struct BenchGPUCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gpu",
    abstract: "Time batches of transactions on a GPU, after comparing with the host's cores.",
    discussion: """
      Each case is a batch of transactions that all see the same state, which lies in the device's \
      memory. `kernel` is the time in kernels alone; `end to end` goes from the host's columns to \
      the host's columns, outcomes, changes, logs and output included; `host` is the same work by \
      the same code on all cores of this machine. Medians of the repeats. Before that, the device's \
      results are compared with the host's, byte by byte, and gas with what is known; a case that \
      differs has no times and the exit status is 1.

      `re-runs` are transactions that ran again on the device, with more memory or with a \
      coprocessor's answers, and on the host. `kernel` does not count what coprocessors take.

        needletail bench gpu
        needletail bench gpu --case transactions/ --count 1000000 --json
      """)

  @Option(
    name: .customLong("case"), help: "Run only the cases whose full name contains this text.")
  var filter: String?

  @Option(help: "Transactions of a batch.")
  var count = 1 << 19

  @Option(help: "Lanes of the message calls of evm-benchmarks.")
  var lanes = 100_000

  @Option(help: "Timed launches; the median counts.")
  var repeats = 7

  @Option(help: "Lanes of a block.")
  var threads = 128

  @Option(help: "Blocks for each multiprocessor; as many as fit, if not given.")
  var blocks: Int?

  @Option(help: "Transactions of a wave, when timed from columns to columns.")
  var wave = 1 << 17

  @Option(help: "Threads of the host; all cores, if not given.")
  var hostThreads: Int?

  @Option(help: "Which GPU: cuda or cuda:N.")
  var device = DeviceChoice.cuda(0)

  @Option(help: "The folder of the public suites. Else $NEEDLETAIL_FIXTURES, else .fixtures.")
  var fixtures: String?

  @Flag(help: "Print the results as JSON, one object a line.")
  var json = false

  func validate() throws {
    for (name, value) in [
      ("count", count), ("lanes", lanes), ("repeats", repeats), ("threads", threads),
      ("blocks", blocks ?? 1), ("wave", wave), ("host-threads", hostThreads ?? 1),
    ] where value < 1 || value > 1 << 24 {
      throw ValidationError("--\(name): \(value) is not from 1 to \(1 << 24)")
    }
    if threads > 1024 || threads % 32 != 0 {
      throw ValidationError("--threads: \(threads) is no multiple of 32 up to 1024")
    }
    guard case .cuda = device else { throw ValidationError("--device: give cuda or cuda:N") }
  }

  func run() throws {
    let folder =
      fixtures ?? ProcessInfo.processInfo.environment["NEEDLETAIL_FIXTURES"] ?? ".fixtures"
    guard case .cuda(let targets) = try DeviceOptions.resolve(device), let target = targets.first
    else { throw ValidationError("--device: give cuda or cuda:N") }
    let context = try Context(target.device)
    let gpu = try TransactionDevice(context, target.kernels)
    let desk = try PrecompileDesk(context, target.kernels.coprocessors)
    var results: [GPUResult] = []
    var isWrong = false
    let makers = try makers(folder).filter { maker in
      filter.map { maker.name.contains($0) } ?? true
    }
    if makers.isEmpty {
      throw ValidationError("no case contains \"\(filter ?? "")\"; run without --case to see all")
    }
    for (index, maker) in makers.enumerated() {
      if !json { Terminal.progress(done: index, of: makers.count, maker.name) }
      let result = try measure(maker.make(), gpu, desk)
      Terminal.clearProgress()
      for fault in result.faults {
        isWrong = true
        Terminal.note("needletail: \(result.name): \(fault)")
      }
      if !result.faults.isEmpty { continue }
      if json {
        var writer = JSONWriter()
        result.write(to: &writer)
        print(writer.text)
      }
      results.append(result)
    }
    if !json { report(results, try target.device.name()) }
    if isWrong { throw ExitCode(1) }
  }

  /// The cases by name; each is made when its turn comes, for some are large.
  private func makers(_ folder: String) throws -> [(name: String, make: () -> GPUCase)] {
    let contracts = try SwapContracts(fixtures: folder)
    let count = count
    var makers: [(name: String, make: () -> GPUCase)] = [
      (
        "transactions/erc20_transfer",
        { .tokenTransfers(contracts.token, count: count) }
      ),
      (
        "transactions/erc20_hot_recipient",
        { .tokenTransfers(contracts.token, count: count, hot: true) }
      ),
      ("transactions/uniswap_v3_swap", { .swaps(contracts, count: max(1, count / 4)) }),
      ("transactions/mixed", { .mixed(contracts, count: count) }),
      (
        "transactions/signatures",
        { .signatures(count: max(1, count / 4), usesCoprocessors: true) }
      ),
      (
        "transactions/signatures_own_lanes",
        { .signatures(count: max(1, count / 4), usesCoprocessors: false) }
      ),
    ]
    // What lanes do themselves takes them long: fewer of those.
    for (name, precompile) in [("pairings", UInt64(8)), ("modular_powers", 5)] {
      for (usesCoprocessors, share) in [(true, 4), (false, 64)] {
        makers.append(
          (
            "transactions/\(name)\(usesCoprocessors ? "" : "_own_lanes")",
            {
              .precompileCalls(
                name, precompile, count: max(1, count / share), usesCoprocessors: usesCoprocessors)
            }
          ))
      }
    }
    for entry in try EVMSuite.cases(fixtures: folder) where entry.suite != "micro" {
      makers.append((entry.fullName, { GPUCase(entry, count: lanes) }))
    }
    return makers
  }

  private func measure(_ entry: GPUCase, _ gpu: TransactionDevice, _ given: PrecompileDesk) throws
    -> GPUResult
  {
    let desk = entry.usesCoprocessors ? given : nil
    let clock = ContinuousClock()
    let selection: RecordSelection = [.changes, .logs, .output]
    let count = entry.batch.count
    let threads = hostThreads ?? ProcessInfo.processInfo.activeProcessorCount

    // The host: as many rows as fill about a second, compared with the device's afterwards.
    let host = HostLanes(entry.image, threads: threads)
    var reference = BatchOutcome(count: count)
    var hostCount = min(count, threads * 4)
    var hostTime = Duration.zero
    while true {
      hostTime = clock.measure {
        entry.batch.withColumns {
          host.execute($0.prefix(hostCount), selection: selection) { _ in }
        }
      }
      if hostCount == count || hostTime > .milliseconds(500) { break }
      hostCount = min(count, hostCount * 4)
    }
    entry.batch.withColumns {
      host.execute($0.prefix(hostCount), selection: selection) { reference.take($0) }
    }

    try gpu.load(entry.image)
    var options = DeviceExecutor.Options()
    options.threads = self.threads
    options.blocksPerMultiprocessor = blocks
    options.waveRows = count
    let pinned = try PinnedBatch(entry.batch, gpu.context)
    // One wave for the time in kernels.
    var kernelTimes: [Double] = []
    var faults: [String] = []
    var statistics = BatchStatistics()
    var gas: UInt64 = 0
    var lanes = 0
    do {
      let executor = try DeviceExecutor(gpu, options: options, desk: desk)
      lanes = executor.laneCount
      for round in 0...repeats {
        var outcome = BatchOutcome(count: count)
        let (one, left) = try executor.execute(pinned.columns, selection: selection) {
          if round == 0 { outcome.take($0) }
        }
        if round == 0 {
          gas = outcome.outcomes.reduce(0) { $0 + $1.gasUsed }
          faults = Self.faults(entry, outcome, reference, hostCount: hostCount, left: left.count)
          if !faults.isEmpty { break }
        } else {
          kernelTimes.append(one.kernelTime / .seconds(1))
        }
      }
    }
    var wholeTimes: [Double] = []
    options.waveRows = min(wave, count)
    let executor = try DeviceExecutor(gpu, options: options, desk: desk)
    for round in 0...repeats where faults.isEmpty {
      let time = try clock.measure {
        (statistics, _) = try executor.execute(pinned.columns, selection: selection) { _ in }
      }
      if round > 0 { wholeTimes.append(time / .seconds(1)) }
    }
    let memory = try gpu.context.memory()
    return GPUResult(
      name: entry.name, count: count, gas: gas, lanes: lanes,
      kernelSeconds: Self.median(kernelTimes),
      wholeSeconds: Self.median(wholeTimes),
      hostRate: Double(hostCount) / (hostTime / .seconds(1)), hostThreads: threads,
      statistics: statistics, memoryInUse: memory.total - memory.free, faults: faults)
  }

  /// Infinite when there are none.
  private static func median(_ times: [Double]) -> Double {
    times.isEmpty ? .infinity : times.sorted()[times.count / 2]
  }

  /// How the device's results differ from the host's and from what is known.
  private static func faults(
    _ entry: GPUCase, _ outcome: BatchOutcome, _ reference: BatchOutcome, hostCount: Int,
    left: Int
  ) -> [String] {
    var faults: [String] = []
    if left > 0 { faults.append("\(left) transactions can not run on the device") }
    for index in 0..<outcome.outcomes.count where faults.count < 5 {
      let got = outcome.outcomes[index]
      if got.state != .done || got.error != TransactionOutcome.valid || !got.status.isSuccess {
        faults.append("transaction \(index): \(got.state), \(got.status), error \(got.error)")
      }
      if index < entry.expectedGas.count, let gas = entry.expectedGas[index], gas != got.gasUsed {
        faults.append("transaction \(index): expected \(gas) gas, got \(got.gasUsed)")
      }
      if index >= hostCount { continue }
      let expected = reference.outcomes[index]
      if got.gasUsed != expected.gasUsed || got.gasRefunded != expected.gasRefunded
        || got.status != expected.status
        || outcome.recordBytes(index) != reference.recordBytes(index)
      {
        faults.append("transaction \(index): the device and the host differ")
      }
    }
    return faults
  }

  private func report(_ results: [GPUResult], _ name: String) {
    guard let first = results.first else { return }
    var table = TextTable(GPUResult.columns)
    for result in results { table.add(result.cells) }
    print(table.lines.joined(separator: "\n"))
    print(
      "\(name), \(first.lanes) lanes; the host has \(first.hostThreads) threads; all results equal")
  }
}

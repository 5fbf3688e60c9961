import ArgumentParser
import EVM
import Ethereum
import Execution
import Foundation

struct BenchBlockCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "block",
    abstract: "Time blocks by the serial and the parallel executor, in turns.",
    discussion: """
      mainnet/: blocks of the main network, on the part of the state that they touch. gigagas/: \
      made-up blocks of about --gas gas: token transfers between distinct accounts, Uniswap V3 swaps \
      in 256 pools, raw transfers, three that nothing can be gained on, and blocks of which half is \
      such. conflicts/: token transfers of which so many percent go to one account. builder/: swaps \
      pool by pool, as they come and as the block builder orders them. Senders are known and no root \
      is made; the roots of receipts and state are compared before anything is timed, and a \
      difference makes the exit status 1. Times are medians of wall time, both executors in turns on \
      copies of the same state; `bound` is the time of all transactions over that of the longest row in \
      which each needs the one before; `cores` is the CPU time of the parallel executor over the serial one's.

        needletail bench block --threads 2
        needletail bench block --case gigagas/ --threads 1,2,4,8,16 --json
      """)

  @Option(
    name: .customLong("case"), help: "Run only the cases whose full name contains this text.")
  var filter: String?

  @Option(help: "Threads of the parallel executor: one number or several, with commas.")
  var threads: String?

  @Option(help: "Gas of a made-up block.")
  var gas: UInt64 = 1_000_000_000

  @Option(help: "Seconds to time each case, for each number of threads.")
  var seconds = 1.0

  @Option(help: "The folder of the public suites. Else $NEEDLETAIL_FIXTURES, else .fixtures.")
  var fixtures: String?

  @Flag(help: "Run in parallel even where nothing is gained by it, and on one thread.")
  var force = false

  @Flag(
    help: ArgumentHelp(
      "Time each block with its access list, too.",
      discussion:
        "The list is made by a serial execution, written and read again. All transactions "
        + "then run at once on its values, and what they do is compared with it. Reading is not "
        + "timed, as recovering senders is not; a line of its own tells what it takes."))
  var accessList = false

  @Flag(
    help: ArgumentHelp(
      "Push the state out of the core's own caches before each execution.",
      discussion:
        "The state is copied for each execution by the thread that executes serially, which has "
        + "it at hand then, and the other threads have not. A node's state is larger than that."))
  var cold = false

  @Flag(
    help: ArgumentHelp(
      "Execute all blocks in order, round by round, rather than one again and again.",
      discussion:
        "As a node does, which finds nothing of a block in its caches, and its processor knows none of its "
        + "branches. The serial executor's round and those of the parallel one come in turns."))
  var chain = false

  @Flag(
    help: ArgumentHelp(
      "Time the serial executor also while others of its kind run beside it.",
      discussion:
        "As many as --threads in all, each on a state of its own: `crowded` tells what so many threads of "
        + "the machine are worth when none of them waits for another."))
  var crowd = false

  @Flag(help: "Print the results as JSON, one object a line.")
  var json = false

  func validate() throws {
    if chain && crowd { throw ValidationError("--crowd times one block at a time, not a --chain") }
    if !(seconds > 0 && seconds <= 60) {
      throw ValidationError("--seconds: \(seconds) is not above 0 and up to 60")
    }
    if !(1_000_000...10_000_000_000).contains(gas) {
      throw ValidationError("--gas: \(gas) is not from 1,000,000 to 10,000,000,000")
    }
    _ = try threadCounts()
  }

  private func threadCounts() throws -> [Int] {
    guard let threads else { return [ProcessInfo.processInfo.activeProcessorCount] }
    return try threads.split(separator: ",").map {
      guard let count = Int($0), (1...1024).contains(count) else {
        throw ValidationError("--threads: \($0) is not a number from 1 to 1024")
      }
      return count
    }
  }

  func run() throws {
    let folder =
      fixtures ?? ProcessInfo.processInfo.environment["NEEDLETAIL_FIXTURES"] ?? ".fixtures"
    let executors = try threadCounts().map { threads in
      var options = ParallelExecutor.Options(threads: threads)
      options.isForced = force
      return ParallelExecutor(options)
    }
    var cases = try BlockCase.mainnet(fixtures: folder, filter: filter)
    cases += try BlockCase.gigagas(gas, fixtures: folder, filter: filter)
    cases += try BlockCase.built(gas, fixtures: folder, filter: filter)
    guard !cases.isEmpty else {
      throw ValidationError("no case contains \"\(filter ?? "")\"; run without --case to see all")
    }
    var results: [BlockResult] = []
    var wrong = 0
    var checked: [CheckedCase] = []
    for (index, entry) in cases.enumerated() {
      if !json { Terminal.progress(done: index, of: cases.count, entry.name) }
      guard let right = try check(entry, executors) else {
        wrong += 1
        continue
      }
      if chain {
        checked.append(right)
        continue
      }
      for result in try measure(right, executors) {
        results.append(result)
        if json { result.printJSON() }
      }
    }
    if chain {
      results = try measureChain(checked, executors)
      if json { for result in results { result.printJSON() } }
    }
    Terminal.clearProgress()
    if !json { BlockResult.printTable(results) }
    if wrong > 0 { throw ExitCode(1) }
  }

  /// A block that all executors execute rightly.
  private struct CheckedCase {
    let entry: BlockCase
    /// The block as the parallel executor gets it: alone, and with its access list.
    let ways: [BlockCase]
    let gas: UInt64
    let bound: Double?

    /// No times yet.
    func result(_ way: BlockCase) -> BlockResult {
      BlockResult(
        name: way.name, transactions: way.block.transactions.count, gas: gas, bound: bound)
    }
  }

  /// Compares what each executor makes of a block; `nil` when an outcome is wrong.
  private func check(_ entry: BlockCase, _ executors: [ParallelExecutor]) throws -> CheckedCase? {
    let serial = SerialExecutor()
    // Twice: programs are translated in the first.
    var reference = entry.freshState()
    _ = try serial.execute(entry.block, on: &reference)
    reference = entry.freshState()
    let outcome = try serial.execute(entry.block, on: &reference)
    // Before Byzantium a block is executed one transaction after the other in any case.
    let receiptsRoot = outcome.receiptsRoot
    let stateRoot = reference.stateRoot()
    for executor in executors {
      for _ in 0..<2 {
        var state = entry.freshState()
        let parallel = try executor.execute(entry.block, on: &state)
        if parallel.receiptsRoot != receiptsRoot || state.stateRoot() != stateRoot {
          Terminal.note(
            "needletail: \(entry.name): the outcome with \(executor.options.threads) threads "
              + "differs from the serial one")
          return nil
        }
      }
    }
    let bound =
      entry.name.hasPrefix("mainnet/") ? SpeedUpBound.bound(of: entry.block, on: entry.state) : nil
    var ways = [entry]
    if accessList {
      let listed = try entry.withAccessList(by: serial)
      for executor in executors {
        var state = listed.freshState()
        let parallel = try executor.execute(listed.block, on: &state)
        if parallel.receiptsRoot != receiptsRoot || state.stateRoot() != stateRoot
          || executor.statistics.listedBlocks != 1
        {
          Terminal.note(
            "needletail: \(listed.name): the outcome with \(executor.options.threads) threads "
              + "differs from the serial one")
          return nil
        }
      }
      ways.append(listed)
    }
    return CheckedCase(entry: entry, ways: ways, gas: outcome.gasUsed, bound: bound)
  }

  /// The results for each number of threads.
  private func measure(_ checked: CheckedCase, _ executors: [ParallelExecutor]) throws
    -> [BlockResult]
  {
    let serial = SerialExecutor()
    let entry = checked.entry
    return try checked.ways.flatMap { way in
      try executors.map { executor in
        var result = checked.result(way)
        var left = seconds
        while left > 0 || result.serial.count < 3 {
          left -= try result.serial.add(entry, cold: cold) { try serial.execute($0, on: &$1) }
          left -= try result.add(way, executor, cold: cold)
        }
        if crowd {
          let others = SerialCrowd(entry, count: executor.options.threads - 1)
          defer { others.end() }
          left = seconds
          while left > 0 || result.crowded.count < 3 {
            left -= try result.crowded.add(entry, cold: cold) { try serial.execute($0, on: &$1) }
          }
        }
        return result
      }
    }
  }

  /// The same for all blocks, executed one after the other in each round.
  private func measureChain(_ cases: [CheckedCase], _ executors: [ParallelExecutor]) throws
    -> [BlockResult]
  {
    let serial = SerialExecutor()
    var times = cases.map { _ in BlockResult.Samples() }
    var results = cases.map { checked in
      checked.ways.flatMap { way in executors.map { _ in checked.result(way) } }
    }
    let all = seconds * Double(cases.count)
    var left = all
    var rounds = 0
    while left > 0 || rounds < 3 {
      if !json {
        Terminal.progress(done: min(100, Int((all - left) / all * 100)), of: 100, "% of the time")
      }
      rounds += 1
      for (index, checked) in cases.enumerated() {
        left -= try times[index].add(checked.entry, cold: cold) {
          try serial.execute($0, on: &$1)
        }
      }
      for way in 0..<(accessList ? 2 : 1) {
        for (number, executor) in executors.enumerated() {
          for (index, checked) in cases.enumerated() where way < checked.ways.count {
            left -= try results[index][way * executors.count + number].add(
              checked.ways[way], executor, cold: cold)
          }
        }
      }
    }
    return results.enumerated().flatMap { index, each in
      each.map {
        var result = $0
        result.serial = times[index]
        return result
      }
    }
  }
}

/// Times of a block by both executors.
struct BlockResult {
  /// Times of one executor.
  struct Samples {
    private(set) var wall: [Double] = []
    private(set) var cpu: [Double] = []

    var count: Int { wall.count }
    /// The median in seconds.
    var median: Double { wall.sorted()[wall.count / 2] }
    /// The mean of the CPU time in seconds.
    var meanCPU: Double { cpu.reduce(0, +) / Double(cpu.count) }

    /// More than a core has of caches of its own.
    private static let filler = [UInt8](repeating: 1, count: 16 << 20)

    /// Times one execution, on a state that is `cold` or at hand; gives its seconds.
    mutating func add(
      _ entry: BlockCase, cold: Bool,
      _ execute: (PreparedBlock, inout WorldState) throws -> BlockOutcome
    ) throws -> Double {
      var state = entry.freshState()
      // What the state's memory does not fit beside is read instead.
      if cold { precondition(Self.filler.reduce(0) { $0 &+ Int($1) } == Self.filler.count) }
      let cpuStart = clock()
      let start = ContinuousClock.now
      let outcome = try execute(entry.block, &state)
      let taken = (ContinuousClock.now - start) / .seconds(1)
      cpu.append(Double(clock() - cpuStart) / Double(CLOCKS_PER_SEC))
      wall.append(taken)
      // The outcome is let go after the clock was read.
      withExtendedLifetime(outcome) {}
      return taken
    }
  }

  let name: String
  let transactions: Int
  let gas: UInt64
  /// The most that its transactions' need of one another leaves room for, where that was looked for.
  let bound: Double?
  var serial = Samples()
  var parallel = Samples()
  /// The serial executor's, while others of its kind run beside it.
  var crowded = Samples()
  var statistics = ParallelStatistics()

  /// Times one execution by the parallel executor; gives its seconds.
  mutating func add(_ way: BlockCase, _ executor: ParallelExecutor, cold: Bool) throws -> Double {
    let taken = try parallel.add(way, cold: cold) { try executor.execute($0, on: &$1) }
    statistics.add(executor.statistics)
    return taken
  }

  var speedUp: Double { serial.median / parallel.median }
  var cores: Double { parallel.meanCPU / serial.meanCPU }

  static func printTable(_ results: [BlockResult]) {
    let hasCrowd = results.contains { $0.crowded.count > 0 }
    var table = TextTable(
      [
        ("block", .left), ("threads", .right), ("txs", .right), ("Mgas", .right),
        ("serial", .right), ("parallel", .right), ("speed-up", .right), ("bound", .right),
        ("cores", .right),
        ("repeated", .right), ("waits", .right), ("serial txs", .right), ("MB", .right),
      ] + (hasCrowd ? [("crowded", .right)] : []))
    for result in results {
      let runs = max(1, result.parallel.count)
      let statistics = result.statistics
      table.add(
        [
          result.name, "\(statistics.threads)", "\(result.transactions)",
          String(format: "%.1f", Double(result.gas) / 1e6),
          Text.time(.seconds(result.serial.median)), Text.time(.seconds(result.parallel.median)),
          Text.factor(result.speedUp), result.bound.map { Text.factor($0) } ?? "",
          String(format: "%.2f", result.cores),
          "\(statistics.repetitions / runs)", "\(statistics.waits / runs)",
          "\(statistics.serialTransactions / runs)", "\(statistics.peakBytes >> 20)",
        ] + (hasCrowd ? [Text.time(.seconds(result.crowded.median))] : []))
    }
    for line in table.lines { print(line) }
    for (threads, group) in Dictionary(grouping: results, by: \.statistics.threads).sorted(
      by: { $0.key < $1.key })
    {
      for prefix in ["mainnet/", "gigagas/"] {
        let blocks = group.filter { $0.name.hasPrefix(prefix) }.sorted { $0.speedUp < $1.speedUp }
        guard let least = blocks.first, let most = blocks.last else { continue }
        let mean = blocks.reduce(0) { $0 + $1.speedUp } / Double(blocks.count)
        let all =
          blocks.reduce(0) { $0 + $1.serial.median } / blocks.reduce(0) { $0 + $1.parallel.median }
        print(
          "  \(prefix) \(blocks.count) blocks, \(threads) threads: speed-up mean "
            + "\(Text.factor(mean)), of all times together \(Text.factor(all)), least "
            + "\(Text.factor(least.speedUp)) (\(least.name)), most \(Text.factor(most.speedUp)) "
            + "(\(most.name)), \(blocks.count { $0.speedUp < 0.95 }) more than 5 % slower")
      }
    }
  }

  func printJSON() {
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("block", name)
      writer.member("transactions", transactions)
      writer.member("gas", gas)
      for (key, value) in [
        ("serialSeconds", serial.median), ("parallelSeconds", parallel.median),
        ("speedUp", speedUp), ("cores", cores),
      ] {
        writer.key(key)
        writer.value(value)
      }
      if let bound {
        writer.key("bound")
        writer.value(bound)
      }
      if crowded.count > 0 {
        writer.key("crowdedSeconds")
        writer.value(crowded.median)
      }
      writer.member("runs", parallel.count)
      writer.key("parallel")
      statistics.write(to: &writer)
    }
    print(writer.text)
    fflush(nil)
  }
}

import ArgumentParser
import Ethereum
import Execution
import Foundation
import Synchronization

struct SoakCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "soak",
    abstract: "Compare the parallel executor with the serial one on random blocks.",
    discussion: """
      Each seed makes a block and a state on which transactions meet in every way that parallel \
      execution could get wrong; one block in 50 has up to 2,000 transactions, one in 5,000 up to \
      10,000. The serial executor runs it once, the parallel one with each number of threads, every \
      other time with pauses where threads meet. What differs is cut down to the smallest block that \
      does, printed, and makes the exit status 1.

        needletail soak --blocks 100000 --jobs 4
        needletail soak --first 4711 --blocks 1 --threads 8

      --without takes a rule away that makes parallel execution exact: now a difference has to be found, \
      and the exit status is 1 when there is none. --without all takes each away in turn.
      """)

  @Option(help: "How many blocks.")
  var blocks: UInt64 = 10_000

  @Option(help: "The seed of the first block.")
  var first: UInt64 = 1

  @Option(help: "Threads of the parallel executor: numbers with commas.")
  var threads = "1,2,3,8,16"

  @Option(help: "Blocks at once.")
  var jobs = 1

  @Option(help: "End after so many seconds, however many blocks are left.")
  var seconds: Double?

  @Option(
    help: "Take a rule away: all, \(ExactnessRules.named.map(\.name).joined(separator: ", ")).")
  var without: String?

  private var threadCounts: [Int] { threads.split(separator: ",").compactMap { Int($0) } }

  func validate() throws {
    let counts = threadCounts
    if counts.count != threads.split(separator: ",").count || counts.isEmpty
      || !counts.allSatisfy({ (1...256).contains($0) })
    {
      throw ValidationError("--threads: \"\(threads)\" is not a list of numbers from 1 to 256")
    }
    if !(1...64).contains(jobs) { throw ValidationError("--jobs: \(jobs) is not from 1 to 64") }
    if let without, without != "all", !ExactnessRules.named.contains(where: { $0.name == without })
    {
      throw ValidationError("--without: there is no rule \"\(without)\"; see --help")
    }
    if first.addingReportingOverflow(blocks).overflow {
      throw ValidationError("--first: no \(blocks) seeds follow \(first)")
    }
  }

  func run() throws {
    if let without { return try runBroken(without) }
    let soak = Soak(first: first, blocks: blocks, threads: threadCounts, seconds: seconds)
    let start = ContinuousClock.now
    Threads.run(jobs) { soak.work() }
    let taken = (ContinuousClock.now - start) / .seconds(1)
    let (statistics, done, failure) = soak.result
    if let failure {
      print(
        "seed \(failure.seed), \(failure.threads) threads: \(failure.difference)\n"
          + "smallest block:\n\(failure.smallest.description)")
      throw ExitCode(1)
    }
    print(
      "\(done) random blocks, each with \(threads) threads: \(statistics.transactions) transactions, "
        + "\(statistics.executions) executions, \(statistics.repetitions) repeated, "
        + "\(statistics.waits) waits, no difference; \(String(format: "%.0f", taken)) s")
  }
}

extension SoakCommand {
  /// Runs without a rule, or without each.
  private func runBroken(_ name: String) throws {
    var table = TextTable([
      ("without", .left), ("seed", .right), ("blocks", .right), ("smallest", .right),
      ("difference", .left),
    ])
    var isMissed = false
    for (rule, value) in ExactnessRules.named where name == "all" || name == rule {
      let soak = Soak(
        first: first, blocks: blocks, threads: threadCounts, seconds: seconds,
        rules: ExactnessRules.all.subtracting(value))
      Threads.run(jobs) { soak.work() }
      let (_, done, failure) = soak.result
      if let failure {
        table.add([
          rule, "\(failure.seed)", "\(done)", "\(failure.smallest.block.transactions.count) txs",
          String(failure.difference.prefix(60)),
        ])
      } else {
        isMissed = true
        table.add([rule, "", "\(done)", "", "no block differs"])
      }
    }
    for line in table.lines { print(line) }
    if isMissed { throw ExitCode(1) }
  }
}

/// Blocks that several threads share out among themselves.
private final class Soak: Sendable {
  private let first: UInt64
  private let blocks: UInt64
  private let threads: [Int]
  private let deadline: ContinuousClock.Instant?
  private let rules: ExactnessRules
  private let next = Atomic<UInt64>(0)
  private let state = Mutex((statistics: ParallelStatistics(), done: 0, failure: Failure?.none))

  /// A block that comes out differently.
  struct Failure {
    let seed: UInt64
    let threads: Int
    let difference: String
    let smallest: RandomBlock
  }

  init(
    first: UInt64, blocks: UInt64, threads: [Int], seconds: Double?, rules: ExactnessRules = .all
  ) {
    self.rules = rules
    self.first = first
    self.blocks = blocks
    self.threads = threads
    deadline = seconds.map { ContinuousClock.now + .seconds($0) }
  }

  var result: (statistics: ParallelStatistics, done: Int, failure: Failure?) {
    state.withLock { $0 }
  }

  func work() {
    let serial = SerialExecutor()
    let executors = threads.map { threads in
      var options = ParallelExecutor.Options(threads: threads)
      options.isForced = true
      let executor = ParallelExecutor(options)
      executor.rules = rules
      return executor
    }
    while state.withLock({ $0.failure == nil }), deadline.map({ ContinuousClock.now < $0 }) ?? true
    {
      let number = next.add(1, ordering: .relaxed).oldValue
      if number >= blocks { break }
      if let failure = compare(seed: first + number, serial, executors) {
        state.withLock { $0.failure = failure }
        break
      }
      state.withLock { $0.done += 1 }
    }
    state.withLock { for executor in executors { $0.statistics.add(executor.totals) } }
  }

  private func compare(
    seed: UInt64, _ serial: SerialExecutor, _ executors: [ParallelExecutor]
  ) -> Failure? {
    let random = RandomBlock(
      seed: seed, largest: seed % 5000 == 0 ? 10_000 : seed % 50 == 0 ? 2000 : 60)
    let expected = random.run(serial)
    for executor in executors {
      let pauses = (seed ^ UInt64(executor.options.threads)) & 1 == 0
      executor.delays = pauses ? ScheduleDelays(seed: seed) : nil
      guard let difference = RandomBlock.difference(expected, random.run(executor)) else {
        continue
      }
      let smallest = random.shrunk { candidate in
        let expected = candidate.run(serial)
        return (0..<20).contains { _ in
          RandomBlock.difference(expected, candidate.run(executor)) != nil
        }
      }
      return Failure(
        seed: seed, threads: executor.options.threads, difference: difference, smallest: smallest)
    }
    return nil
  }
}

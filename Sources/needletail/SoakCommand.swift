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

  private var threadCounts: [Int] { threads.split(separator: ",").compactMap { Int($0) } }

  func validate() throws {
    let counts = threadCounts
    if counts.count != threads.split(separator: ",").count || counts.isEmpty
      || !counts.allSatisfy({ (1...256).contains($0) })
    {
      throw ValidationError("--threads: \"\(threads)\" is not a list of numbers from 1 to 256")
    }
    if !(1...64).contains(jobs) { throw ValidationError("--jobs: \(jobs) is not from 1 to 64") }
    if first.addingReportingOverflow(blocks).overflow {
      throw ValidationError("--first: no \(blocks) seeds follow \(first)")
    }
  }

  func run() throws {
    let soak = Soak(first: first, blocks: blocks, threads: threadCounts, seconds: seconds)
    let start = ContinuousClock.now
    Threads.run(jobs) { soak.work() }
    let taken = (ContinuousClock.now - start) / .seconds(1)
    let (statistics, done, failure) = soak.result
    if let failure {
      print(failure)
      throw ExitCode(1)
    }
    print(
      "\(done) random blocks, each with \(threads) threads: \(statistics.transactions) transactions, "
        + "\(statistics.executions) executions, \(statistics.repetitions) repeated, "
        + "\(statistics.waits) waits, no difference; \(String(format: "%.0f", taken)) s")
  }
}

/// Blocks that several threads share out among themselves.
private final class Soak: Sendable {
  private let first: UInt64
  private let blocks: UInt64
  private let threads: [Int]
  private let deadline: ContinuousClock.Instant?
  private let next = Atomic<UInt64>(0)
  private let state = Mutex((statistics: ParallelStatistics(), done: 0, failure: String?.none))

  init(first: UInt64, blocks: UInt64, threads: [Int], seconds: Double?) {
    self.first = first
    self.blocks = blocks
    self.threads = threads
    deadline = seconds.map { ContinuousClock.now + .seconds($0) }
  }

  var result: (statistics: ParallelStatistics, done: Int, failure: String?) {
    state.withLock { $0 }
  }

  func work() {
    let serial = SerialExecutor()
    let executors = threads.map { threads in
      var options = ParallelExecutor.Options(threads: threads)
      options.isForced = true
      return ParallelExecutor(options)
    }
    while state.withLock({ $0.failure == nil }), deadline.map({ ContinuousClock.now < $0 }) ?? true {
      let number = next.add(1, ordering: .relaxed).oldValue
      if number >= blocks { break }
      if let failure = compare(seed: first + number, serial, executors) {
        state.withLock { $0.failure = failure }
        return
      }
      state.withLock { $0.done += 1 }
    }
    state.withLock { for executor in executors { $0.statistics.add(executor.totals) } }
  }

  private func compare(
    seed: UInt64, _ serial: SerialExecutor, _ executors: [ParallelExecutor]
  ) -> String? {
    let random = RandomBlock(
      seed: seed, largest: seed % 5000 == 0 ? 10_000 : seed % 50 == 0 ? 2000 : 60)
    let expected = random.run(serial)
    for executor in executors {
      let pauses = (seed ^ UInt64(executor.options.threads)) & 1 == 0
      executor.delays = pauses ? ScheduleDelays(seed: seed) : nil
      guard let difference = RandomBlock.difference(expected, random.run(executor)) else { continue }
      let smallest = random.shrunk { candidate in
        let expected = candidate.run(serial)
        return (0..<20).contains { _ in
          RandomBlock.difference(expected, candidate.run(executor)) != nil
        }
      }
      return "seed \(seed), \(executor.options.threads) threads: \(difference)\nsmallest block:\n"
        + smallest.description
    }
    return nil
  }
}

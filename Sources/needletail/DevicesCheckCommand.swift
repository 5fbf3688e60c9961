import ArgumentParser
import EVM
import Ethereum
import Execution
import Foundation
import GPU

struct DevicesCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Execute random transactions in two ways and compare all that comes of them.",
    discussion: """
      With --device cuda, on the GPU and by the same kernels on the host: status, error, gas, refund, \
      output, logs and every byte of what was read and changed. With --device cpu, by the kernels on \
      the host and by the serial executor: the same, and the state root afterwards.

      Worlds of 8 transactions each are made from numbers that count up from --first; the forks take \
      turns. With --kind precompileCalls they call precompiles, which a GPU hands to coprocessors. A \
      mismatch names its number: --first NUMBER --count 1 makes it again. Exit status 1 when \
      there is one.
      """)

  @Option(help: "Transactions, rounded up to whole worlds.")
  var count = 10_000

  @Option(help: "The number of the first world.")
  var first: UInt64 = 0

  @Option(help: "What the transactions do: code or precompileCalls.")
  var kind = RandomTransactions.Kind.code

  @OptionGroup var device: DeviceOptions

  @OptionGroup var batches: BatchOptions

  @Option(help: "Threads of the host. The default is one for each core.")
  var jobs = ProcessInfo.processInfo.activeProcessorCount

  @Flag(help: "Print one object of JSON.")
  var json = false

  func validate() throws {
    if count < 1 { throw ValidationError("--count: \(count) is not at least 1") }
    if jobs < 1 || jobs > 1024 {
      throw ValidationError("--jobs: \(jobs) is not from 1 to 1024")
    }
    if first > UInt64.max - UInt64(count) {
      throw ValidationError("--first: \(first) is too large")
    }
  }

  func run() throws {
    var check = RandomCheck(
      try batches.runner(on: device, threads: jobs), kind: kind, jobs: jobs)
    let worlds = (count + RandomTransactions.count - 1) / RandomTransactions.count
    do throws(BatchError) {
      try check.run(first: first, worlds: worlds)
    } catch {
      Terminal.clearProgress()
      Terminal.note("needletail: \(error)")
      throw ExitCode(1)
    }
    Terminal.clearProgress()
    if json { check.printJSON(first: first) } else { check.printText() }
    let isIncomplete = device.strict && !check.isComplete
    if !check.mismatches.isEmpty || !check.statistics.lostDevices.isEmpty || isIncomplete {
      throw ExitCode(1)
    }
  }
}

extension RandomTransactions.Kind: ExpressibleByArgument {}

/// Random transactions in two ways, and what was found.
private struct RandomCheck {
  /// The devices; `nil` to compare the host's lanes with the serial executor.
  private let runner: BatchRunner?
  private(set) var statistics = BatchStatistics()
  /// All mismatches.
  private(set) var mismatches: [RandomBatch.Mismatch] = []
  /// Transactions by how they ended.
  private var endings: [String: Int] = [:]
  private var transactions = 0
  private var batchCount = 0
  private var elapsed = Duration.zero
  private let kind: RandomTransactions.Kind
  private let jobs: Int

  /// Worlds of a batch.
  private static let worlds = 2048
  /// Mismatches that are printed.
  private static let shown = 10

  init(_ runner: BatchRunner?, kind: RandomTransactions.Kind, jobs: Int) {
    self.runner = runner
    self.kind = kind
    self.jobs = jobs
  }

  mutating func run(first: UInt64, worlds: Int) throws(BatchError) {
    let clock = ContinuousClock()
    let start = clock.now
    let parts = Self.parts(first: first, worlds: worlds)
    var lastNote = start
    for group in stride(from: 0, to: parts.count, by: jobs) {
      let seeds = Array(parts[group..<min(group + jobs, parts.count)])
      if let runner {
        for batch in Self.make(seeds, kind) { try run(batch, by: runner) }
      } else {
        for (batch, outcome, found) in Self.runOnHost(seeds, kind) { add(batch, outcome, found) }
      }
      elapsed = clock.now - start
      let label =
        "transactions, \(Text.gas(Int(rate))) a second, \(mismatches.count) mismatches"
      Terminal.progress(
        done: transactions, of: worlds * RandomTransactions.count, label)
      if !Terminal.isInteractive, clock.now - lastNote > .seconds(10) {
        Terminal.note("\(Text.gas(transactions)) \(label)")
        lastNote = clock.now
      }
    }
  }

  /// The seeds in groups of one fork.
  private static func parts(first: UInt64, worlds: Int) -> [[UInt64]] {
    var parts: [[UInt64]] = []
    let forks = Fork.allCases.count
    // A group is what a range of seeds has of a fork.
    for start in stride(from: 0, to: worlds, by: Self.worlds * forks) {
      let range = start..<min(start + Self.worlds * forks, worlds)
      for fork in 0..<forks {
        let seeds = range.dropFirst(fork).enumerated()
          .filter { $0.offset % forks == 0 }.map { first + UInt64($0.element) }
        if !seeds.isEmpty { parts.append(seeds) }
      }
    }
    return parts
  }

  /// Makes batches, each on a thread.
  private static func make(_ seeds: [[UInt64]], _ kind: RandomTransactions.Kind) -> [RandomBatch] {
    concurrently(seeds) { RandomBatch(seeds: $0, kind: kind) }
  }

  private static func runOnHost(_ seeds: [[UInt64]], _ kind: RandomTransactions.Kind)
    -> [(RandomBatch, BatchOutcome, [RandomBatch.Mismatch])]
  {
    concurrently(seeds) { seeds in
      let batch = RandomBatch(seeds: seeds, kind: kind)
      let outcome = hostOutcome(batch, threads: 1)
      return (batch, outcome, batch.mismatchesWithSerial(outcome))
    }
  }

  private static func hostOutcome(_ batch: RandomBatch, threads: Int) -> BatchOutcome {
    var outcome = BatchOutcome(count: batch.batch.count)
    batch.batch.withColumns { columns in
      HostLanes(batch.image, threads: threads).execute(
        columns, selection: RandomBatch.selection
      ) { outcome.take($0) }
    }
    return outcome
  }

  /// Every element's result, each made on a thread.
  private static func concurrently<Result>(
    _ seeds: [[UInt64]], _ body: ([UInt64]) -> Result
  ) -> [Result] {
    var results = [Result?](repeating: nil, count: seeds.count)
    results.withUnsafeMutableBufferPointer { results in
      // Each place is one thread's.
      nonisolated(unsafe) let results = results
      nonisolated(unsafe) let body = body
      DispatchQueue.concurrentPerform(iterations: seeds.count) { index in
        results[index] = body(seeds[index])
      }
    }
    return results.compactMap { $0 }
  }

  private mutating func run(_ batch: RandomBatch, by runner: BatchRunner) throws(BatchError) {
    let result = try runner.run(
      batch.batch, on: batch.image, selection: RandomBatch.selection)
    let reference = Self.hostOutcome(batch, threads: jobs)
    statistics.add(result.statistics)
    add(
      batch, reference,
      batch.mismatches(reference, result.outcome, except: Set(result.onHost.keys)))
  }

  private mutating func add(
    _ batch: RandomBatch, _ outcome: BatchOutcome, _ found: [RandomBatch.Mismatch]
  ) {
    transactions += batch.batch.count
    batchCount += 1
    mismatches += found
    for (name, count) in outcome.endings { endings[name, default: 0] += count }
  }

  /// Whether devices did all that they have the memory for.
  var isComplete: Bool { statistics.rerunsOnHost.keys.allSatisfy(\.isMemoryClass) }

  // MARK: Printing

  private var rate: Double {
    Double(transactions) / max(elapsed / .seconds(1), 1e-9)
  }

  private var ways: String {
    runner.map {
      $0.places.map(\.name).joined(separator: ", ") + " and the kernels on the host"
    } ?? "the kernels on the host and the serial executor"
  }

  func printText() {
    print("\(Text.gas(transactions)) random transactions by \(ways)")
    for (name, count) in endings.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
      print("  \(name): \(Text.gas(count))")
    }
    if let runner {
      for line in statistics.lines(batches: batchCount, places: runner.places) { print(line) }
    }
    for mismatch in mismatches.prefix(Self.shown) {
      print(
        "\(Terminal.red("MISMATCH")) \(mismatch.fork.name), transaction \(mismatch.transaction) of "
          + "world \(mismatch.seed): --first \(mismatch.seed) --count 1"
          + (kind == .code ? "" : " --kind \(kind.rawValue)"))
      for line in mismatch.differences { print("     \(line)") }
    }
    let summary =
      "\(Text.gas(mismatches.count)) mismatches, \(Text.gas(Int(rate))) transactions a second"
    print(mismatches.isEmpty ? Terminal.green(summary) : Terminal.red(summary))
  }

  func printJSON(first: UInt64) {
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("transactions", transactions)
      writer.member("first", first)
      writer.key("seconds")
      writer.value(elapsed / .seconds(1))
      writer.key("endings")
      writer.object { writer in
        for (name, count) in endings.sorted(by: { $0.key < $1.key }) {
          writer.member(name, count)
        }
      }
      if let runner {
        writer.key("batches")
        statistics.write(batches: batchCount, places: runner.places, to: &writer)
      }
      writer.member("mismatchCount", mismatches.count)
      writer.key("mismatches")
      writer.array { writer in
        for mismatch in mismatches.prefix(Self.shown) {
          writer.object { writer in
            writer.member("seed", mismatch.seed)
            writer.member("fork", mismatch.fork.name)
            writer.member("transaction", mismatch.transaction)
            writer.key("differences")
            writer.array { writer in
              for line in mismatch.differences { writer.value(line) }
            }
          }
        }
      }
    }
    print(writer.text)
  }
}

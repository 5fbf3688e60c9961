import ArgumentParser
import Ethereum
import Execution
import Foundation
import Synchronization

/// The options that all test runners share.
struct CaseOptions: ParsableArguments {
  @Argument(help: "Test files, or folders to search for .json files.")
  var paths: [String]

  @Option(help: "Run only the cases of this fork, for example Osaka. May be given many times.")
  var fork: [String] = []

  @Option(help: "Run only cases whose file or name contains this text.")
  var filter: String?

  @Option(help: "Threads. The default is one for each core.")
  var jobs: Int?

  @Flag(help: "Print the results as JSON, one object a line.")
  var json = false

  func validate() throws {
    if let jobs, jobs < 1 || jobs > 1024 {
      throw ValidationError("--jobs: \(jobs) is not from 1 to 1024")
    }
  }
}

/// Runs the cases of many files on many threads and reports.
struct CaseCommand {
  let options: CaseOptions

  private struct Totals {
    var passed = 0
    var failures: [(file: String, result: CaseResult)] = []
    var skips: [(file: String, result: CaseResult)] = []
    var gas: UInt64 = 0
    var filesDone = 0
  }

  /// Runs `work` on every file; each thread makes a worker of its own. Throws the exit status.
  func run<Worker>(
    makeWorker: @escaping @Sendable () -> Worker,
    _ work: @escaping @Sendable (Worker, String) throws(FormatError) -> [CaseResult]
  ) throws {
    let files = try FileWalk.jsonFiles(options.paths)
    let jobs = min(
      options.jobs ?? ProcessInfo.processInfo.activeProcessorCount, max(files.count, 1))
    let totals = Mutex(Totals())
    let next = Atomic<Int>(0)
    let start = ContinuousClock.now
    let command = self
    Threads.run(jobs) {
      let worker = makeWorker()
      while true {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        if index >= files.count { return }
        let results: [CaseResult]
        do throws(FormatError) {
          results = try work(worker, files[index])
        } catch {
          results = [CaseResult(name: "", failures: [error.description])]
        }
        totals.withLock { totals in
          command.record(results, file: files[index], in: &totals)
          totals.filesDone += 1
          if !command.options.json {
            Terminal.progress(
              done: totals.filesDone, of: files.count,
              "files, \(totals.passed) passed, \(totals.failures.count) failed")
          }
        }
      }
    }
    Terminal.clearProgress()
    try totals.withLock { totals in
      try report(totals, files: files.count, jobs: jobs, elapsed: ContinuousClock.now - start)
    }
  }

  private func record(_ results: [CaseResult], file: String, in totals: inout Totals) {
    for result in results {
      if let filter = options.filter, !file.contains(filter), !result.name.contains(filter) {
        continue
      }
      totals.gas &+= result.gasUsed
      if result.skipped != nil {
        totals.skips.append((file, result))
      } else if result.passed {
        totals.passed += 1
      } else {
        totals.failures.append((file, result))
      }
      if options.json { Self.printJSON(result, file: file) }
    }
  }

  private static func printJSON(_ result: CaseResult, file: String) {
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("file", file)
      writer.member("name", result.name)
      writer.member("pass", result.passed)
      if let skipped = result.skipped { writer.member("skipped", skipped) }
      writer.key("failures")
      writer.array { writer in
        for failure in result.failures { writer.value(failure) }
      }
    }
    print(String(decoding: writer.takeBytes(), as: UTF8.self))
  }

  private func report(_ totals: Totals, files: Int, jobs: Int, elapsed: Duration) throws {
    let order: ((file: String, result: CaseResult), (file: String, result: CaseResult)) -> Bool = {
      ($0.file, $0.result.name) < ($1.file, $1.result.name)
    }
    if !options.json {
      for (file, result) in totals.failures.sorted(by: order) {
        print("\(Terminal.red("FAIL")) \(file): \(result.name)")
        for failure in result.failures { print("     \(failure)") }
      }
      for (file, result) in totals.skips.sorted(by: order) {
        print("SKIP \(file): \(result.name): \(result.skipped ?? "")")
      }
      let seconds = elapsed / .seconds(1)
      let gas = String(format: "%.1f", Double(totals.gas) / 1e9)
      print(
        "\(files) files, \(gas) Ggas in \(String(format: "%.2f", seconds)) s on \(jobs) threads")
      if totals.passed + totals.failures.count + totals.skips.count == 0 {
        print("no case matches the options")
      }
      let line =
        "\(totals.passed) passed, \(totals.failures.count) failed, \(totals.skips.count) skipped"
      print(totals.failures.isEmpty ? Terminal.green(line) : Terminal.red(line))
    }
    if !totals.failures.isEmpty { throw ExitCode(1) }
  }
}

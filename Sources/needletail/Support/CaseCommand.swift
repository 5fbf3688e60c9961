import ArgumentParser
import Ethereum
import Execution
import Foundation

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

  /// How many threads that is.
  var threads: Int { jobs ?? ProcessInfo.processInfo.activeProcessorCount }

  func validate() throws {
    if let jobs, jobs < 1 || jobs > 1024 {
      throw ValidationError("--jobs: \(jobs) is not from 1 to 1024")
    }
  }
}

/// Runs the cases of many files on many threads and reports.
struct CaseCommand {
  let options: CaseOptions

  /// Runs `work` on every file; each thread makes a worker of its own. Throws the exit status.
  func run<Worker>(
    makeWorker: @escaping @Sendable () -> Worker,
    _ work: @escaping @Sendable (Worker, String) throws(FormatError) -> [CaseResult]
  ) throws {
    try run { files, isWanted, onFile in
      CaseRun.run(
        files: files, jobs: options.threads, makeWorker: makeWorker, work: work,
        isWanted: isWanted, onFile: onFile)
    }
  }

  /// Reports what `execute` makes of all files; `finish` adds to it, as JSON or not. Throws the exit
  /// status.
  func run(
    _ execute: (
      [String], @escaping @Sendable (CaseRun.Entry) -> Bool,
      @escaping @Sendable ([CaseRun.Entry], CaseRun) -> Void
    ) throws -> CaseRun,
    finish: (_ isJSON: Bool) -> Void = { _ in }
  ) throws {
    let files = try FileWalk.jsonFiles(options.paths)
    let filter = options.filter
    let isJSON = options.json
    let start = ContinuousClock.now
    let run = try execute(
      files,
      { entry in
        filter.map { entry.file.contains($0) || entry.result.name.contains($0) } ?? true
      },
      { entries, totals in
        if isJSON {
          for entry in entries { Self.printJSON(entry) }
        } else {
          Terminal.progress(
            done: totals.filesDone, of: files.count,
            "files, \(totals.passed) passed, \(totals.failures.count) failed")
        }
      })
    Terminal.clearProgress()
    if isJSON {
      finish(true)
    } else {
      report(
        run, files: files.count, jobs: options.threads, elapsed: ContinuousClock.now - start
      ) { finish(false) }
    }
    if !run.failures.isEmpty { throw ExitCode(1) }
  }

  private static func printJSON(_ entry: CaseRun.Entry) {
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("file", entry.file)
      writer.member("name", entry.result.name)
      writer.member("pass", entry.result.passed)
      if let skipped = entry.result.skipped { writer.member("skipped", skipped) }
      writer.key("failures")
      writer.array { writer in
        for failure in entry.result.failures { writer.value(failure) }
      }
    }
    print(String(decoding: writer.takeBytes(), as: UTF8.self))
  }

  private func report(
    _ run: CaseRun, files: Int, jobs: Int, elapsed: Duration, _ finish: () -> Void
  ) {
    for entry in run.failures {
      print("\(Terminal.red("FAIL")) \(entry.file): \(entry.result.name)")
      for failure in entry.result.failures { print("     \(failure)") }
    }
    for entry in run.skips {
      print("SKIP \(entry.file): \(entry.result.name): \(entry.result.skipped ?? "")")
    }
    let gas = String(format: "%.1f", Double(run.gas) / 1e9)
    let seconds = String(format: "%.2f", elapsed / .seconds(1))
    print("\(files) files, \(gas) Ggas in \(seconds) s on \(min(jobs, files)) threads")
    finish()
    if run.passed + run.failures.count + run.skips.count == 0 {
      print("no case matches the options")
    }
    print(run.failures.isEmpty ? Terminal.green(run.summary) : Terminal.red(run.summary))
  }
}

public import Ethereum
import Synchronization

/// The results of many test files, run on many threads.
public struct CaseRun: Sendable {
  /// A case and the file that it stands in.
  public struct Entry: Sendable {
    /// The file.
    public var file: String
    /// What came of the case.
    public var result: CaseResult

    /// A case of a file.
    package init(file: String, result: CaseResult) {
      self.file = file
      self.result = result
    }
  }

  /// Cases that ran without a difference.
  public private(set) var passed = 0
  /// Cases that differ, sorted by file and name at the end.
  public private(set) var failures: [Entry] = []
  /// Cases that were not run, each with its reason.
  public private(set) var skips: [Entry] = []
  /// Gas of all cases.
  public private(set) var gas: UInt64 = 0
  /// Files that are done.
  public private(set) var filesDone = 0

  /// The closing line of all runners.
  public var summary: String {
    "\(passed) passed, \(failures.count) failed, \(skips.count) skipped"
  }

  /// Runs `work` on every file, on `jobs` threads; each thread makes a worker of its own. A file
  /// that can not be read is a failed case. `onFile` hears of every file, one at a time, with its
  /// results that `isWanted` and the totals so far.
  public static func run<Worker>(
    files: [String], jobs: Int,
    makeWorker: @escaping @Sendable () -> Worker,
    work: @escaping @Sendable (Worker, String) throws(FormatError) -> [CaseResult],
    isWanted: @escaping @Sendable (Entry) -> Bool = { _ in true },
    onFile: @escaping @Sendable ([Entry], CaseRun) -> Void = { _, _ in }
  ) -> CaseRun {
    let totals = Mutex(CaseRun())
    let next = Atomic<Int>(0)
    Threads.run(max(1, min(jobs, files.count))) {
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
        let entries = results.map { Entry(file: files[index], result: $0) }.filter(isWanted)
        totals.withLock { totals in
          totals.add(entries)
          onFile(entries, totals)
        }
      }
    }
    return totals.withLock { totals in
      totals.sort()
      return totals
    }
  }

  /// No results yet.
  package init() {}

  /// Adds the results of a file.
  package mutating func add(_ entries: [Entry]) {
    filesDone += 1
    for entry in entries {
      gas &+= entry.result.gasUsed
      if entry.result.skipped != nil {
        skips.append(entry)
      } else if entry.result.passed {
        passed += 1
      } else {
        failures.append(entry)
      }
    }
  }

  /// Sorts failures and skips by file and name.
  package mutating func sort() {
    let order: (Entry, Entry) -> Bool = { ($0.file, $0.result.name) < ($1.file, $1.result.name) }
    failures.sort(by: order)
    skips.sort(by: order)
  }
}

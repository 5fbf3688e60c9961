import EVM
import Ethereum
import Execution
import Foundation
import Synchronization
import TestSupport
import Testing

/// Profiles of the ENS transaction, and the sum rules on everything there is. Not run without
/// fixtures.
@Suite(.serialized) struct ProfileSuiteTests {
  @Test(.enabled(if: Fixtures.has("ens/setContenthash.json"), Fixtures.missing))
  func bucketsOfAnENSTransaction() throws {
    let path = Fixtures.folder.appendingPathComponent("ens/setContenthash.json").path
    let runner = InputRunner()
    runner.profileRepeats = 2
    var profiles: [BlockProfile] = []
    try runner.run(path: path) { (report) throws(FormatError) in
      #expect(report.failures == [])
      if let profile = report.blockProfile { profiles.append(profile) }
    }
    let profile = try #require(profiles.first)
    #expect(profile.gasUsed == 46_924)
    #expect(profile.gasRefunded == 0)
    // The figures of the file's own comment: bucket, gas, operations.
    let expected: [(ProfileBucket, Int64, Int)] = [
      (.intrinsicSignature, 3000, 1), (.intrinsicBase, 18_000, 1), (.intrinsicCalldata, 1556, 1),
      (.storageRead, 6400, 4), (.storageWrite, 10_100, 3), (.log, 2149, 1), (.hash, 282, 7),
      (.accountAccess, 2600, 1), (.glue, 2837, 850),
    ]
    for (bucket, gas, calls) in expected {
      let row = try #require(profile.rows.first { $0.bucket == bucket }, "\(bucket)")
      #expect(row.gas == gas, "\(bucket)")
      #expect(row.calls == calls, "\(bucket)")
    }
    #expect(profile.rows.filter { $0.gas != 0 }.count == expected.count)
    #expect((profile.coprocessorShareOfGas * 1000).rounded() == 896)
    // Both contracts, and nothing but the data's gas outside of them.
    let call = try #require(profile.transactions.first?.call.children.first)
    #expect(call.label == "0x231b0ee14048e9dccd1d247744d114a4eb5e8e63 0x304e6ade")
    #expect(call.gas == 24_368)
    #expect(
      call.children.map(\.label) == ["0x00000000000c2e074ec69a0dfb2997ba6c7d2e1e 0x02571be3"])
    let stacks = profile.call.foldedStacks(.gas)
    #expect(stacks.reduce(0) { $0 + (Int($1.split(separator: " ").last ?? "") ?? 0) } == 46_924)
  }

  @Test(.enabled(if: Fixtures.has("mainnet-blocks"), Fixtures.missing))
  func gasAndTimesOfMainnetBlocksSumUp() throws {
    let folder = Fixtures.folder.appendingPathComponent("mainnet-blocks").path
    let sums = Sums()
    for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
      try sums.check("\(folder)/\(name)", InputRunner())
    }
    sums.report("mainnet-blocks")
    #expect(sums.count(of: \.profiles) == 51)
    #expect(sums.count(of: \.transactions) > 5000)
  }

  @Test(.enabled(if: Fixtures.has("eest/state_tests"), Fixtures.missing))
  func gasAndTimesOfStateTestsSumUp() throws {
    let sums = Sums()
    let run = CaseRun.run(
      files: Fixtures.files("eest/state_tests"), jobs: 2, makeWorker: { InputRunner() },
      work: { runner, path throws(FormatError) in
        try sums.check(path, runner)
        return []
      })
    for entry in run.failures { Issue.record("\(entry.file): \(entry.result.failures)") }
    sums.report("eest/state_tests")
    #expect(sums.count(of: \.transactions) > 10_000)
  }
}

/// The sum rules, and how often they were checked.
private final class Sums: Sendable {
  struct Counts {
    var profiles = 0
    var transactions = 0
    var retries = 0
  }

  private let counts = Mutex(Counts())

  func count(of field: KeyPath<Counts, Int>) -> Int { counts.withLock { $0[keyPath: field] } }

  func report(_ name: String) {
    let all = counts.withLock { $0 }
    print(
      "\(name): the rules hold on \(all.transactions) transactions in \(all.profiles) profiles, "
        + "\(all.retries) of them timed again")
  }

  /// Checks every profile of an input. Times are taken again where another program came between.
  func check(_ path: String, _ runner: InputRunner) throws(FormatError) {
    var late = 0
    for repeats in [1, 5, 25] {
      runner.profileRepeats = repeats
      late = 0
      try runner.run(path: path) { (report) throws(FormatError) in
        guard let profile = report.blockProfile else { return }
        if repeats == 1 { check(profile, path) }
        let sum = profile.rows.reduce(UInt64(0)) { $0 + $1.nanoseconds }
        let watched = profile.watchedNanoseconds
        // 2 %, and what the whole's own two readings of the clock take.
        if sum > watched || (watched - sum) * 50 > watched + 5000 { late += 1 }
      }
      if late == 0 { return }
      counts.withLock { $0.retries += 1 }
    }
    Issue.record("\(path): the times of \(late) profiles miss the whole by more than 2 %")
  }

  private func check(_ profile: BlockProfile, _ path: String) {
    counts.withLock {
      $0.profiles += 1
      $0.transactions += profile.transactions.count
    }
    for executed in profile.transactions {
      let sum = executed.rows.reduce(Int64(0)) { $0 + $1.gas } - Int64(executed.gasRefunded)
      if sum != Int64(executed.gasUsed) || executed.rows.contains(where: { $0.gas < 0 }) {
        let place = "\(path): \(profile.name): transaction \(executed.index)"
        Issue.record("\(place): rows less the refund are \(sum), gas used \(executed.gasUsed)")
      }
    }
    let sum = profile.rows.reduce(Int64(0)) { $0 + $1.gas } - Int64(profile.gasRefunded)
    if sum != Int64(profile.gasUsed) || profile.call.gas - Int64(profile.gasRefunded) != sum {
      Issue.record("\(path): \(profile.name): the block's rows less the refund are \(sum)")
    }
  }
}

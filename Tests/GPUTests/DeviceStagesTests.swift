import EVM
import Ethereum
import Execution
import Foundation
import TestSupport
import Testing

@testable import GPU

/// Profiles whose stages are done by the kernels' lanes.
@Suite struct DeviceStagesTests {
  @Test(.enabled(if: Fixtures.has("ens/setContenthash.json"), Fixtures.missing))
  func stagesOfADeviceHaveItsNameAndItsTime() throws {
    let path = Fixtures.folder.appendingPathComponent("ens/setContenthash.json").path
    var profiles: [BlockProfile] = []
    let runner = InputRunner()
    runner.profileRepeats = 2
    runner.profileStages = DeviceStages(HostCoprocessorMachine())
    try runner.run(path: path) { (report) throws(FormatError) in
      #expect(report.failures == [])
      if let profile = report.blockProfile { profiles.append(profile) }
    }
    let profile = try #require(profiles.first)
    #expect(profile.gasUsed == 46_924)
    let stages: Set<ProfileBucket> = [.senderRecovery, .transactionRoot, .receiptRoot, .trieRoot]
    for row in profile.rows {
      if stages.contains(row.bucket) {
        #expect(row.backEnd == "lanes")
        #expect(row.deviceNanoseconds > 0)
        #expect(row.bytesMoved > 0)
      } else {
        #expect(row.backEnd == "cpu")
        #expect(row.deviceNanoseconds == 0)
      }
    }
    // The test names its sender: there is nothing to recover.
    #expect(profile.rows.filter { stages.contains($0.bucket) }.count == 3)
    // The times still sum up to the whole.
    let sum = profile.rows.reduce(UInt64(0)) { $0 + $1.nanoseconds }
    #expect(sum <= profile.watchedNanoseconds)
    #expect((profile.watchedNanoseconds - sum) * 50 <= profile.watchedNanoseconds + 5000)
  }

  @Test(.enabled(if: Fixtures.has("mainnet-blocks/8889776"), Fixtures.missing))
  func stagesOfABlock() throws {
    let path = Fixtures.folder.appendingPathComponent("mainnet-blocks/8889776").path
    let runner = InputRunner()
    runner.profileRepeats = 1
    runner.profileStages = DeviceStages(HostCoprocessorMachine())
    try runner.run(path: path) { (report) throws(FormatError) in
      #expect(report.failures == [])
      let rows = (report.blockProfile?.rows ?? []).filter { $0.backEnd == "lanes" }
      // The state is known in part only: it has no root.
      #expect(
        Set(rows.map(\.bucket)) == [.senderRecovery, .transactionRoot, .receiptRoot])
    }
  }
}

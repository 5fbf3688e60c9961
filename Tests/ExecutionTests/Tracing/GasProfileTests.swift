import EVM
import Ethereum
import Testing

@testable import Execution

struct GasProfileTests {
  @Test func theGasOfAllOpcodesIsWhatExecutionUsed() throws {
    // A call with value, a creation, a precompile, and a halt inside a call.
    let report = try #require(
      Runs.reports(
        Runs.call([
          (
            "0x00000000000000000000000000000000000000c0",
            // CALL(1000, c1, 1), CREATE of one zero byte, STATICCALL(5000, identity, 32 bytes),
            // CALL(3000, c2).
            "0x5f5f5f5f600160c16103e8f1506360015ff35f526004601c5ff0505f5f60205f6004611388fa50"
              + "5f5f5f5f5f60c2610bb8f100"
          ),
          ("0x00000000000000000000000000000000000000c1", "0x5f00"),
          ("0x00000000000000000000000000000000000000c2", "0xfe"),
        ]), profilesGas: true
      ).first)
    let profile = try #require(report.profile)
    let outcome = try #require(report.rows[0].outcome)
    #expect(outcome.status.isSuccess)
    #expect(profile.total == Int64(outcome.gasUsed) - 21_000)
    #expect(profile.deployments == .init(count: 1, gas: 200))
    // Identity: 15 and 3 a word.
    #expect(profile.precompiles == .init(count: 1, gas: 18))
    // Both contracts are cold. The first call: 2600 + 9000 - 2300 of the stipend; the second: 2600;
    // 11,900 together.
    #expect(profile.coldAccounts == .init(count: 2, gas: 5200))
    #expect(profile.gas(named: "CALL") == 11_900)
    // All that the call to c2 got.
    #expect(profile.gas(named: "INVALID") == 3000)
    #expect(profile.gas(named: "CREATE") == 32_002)
    #expect(profile.gas(named: "NOSUCH") == nil)
  }

  @Test func aBreakdownLeavesTheRestToOther() throws {
    let report = try #require(
      Runs.reports(
        Runs.call([("0x00000000000000000000000000000000000000c0", "0x60015f555f545000")]),
        profilesGas: true
      ).first)
    let parts = GasBreakdown(
      report.rows[0].transaction, fork: .osaka, profile: try #require(report.profile))
    let names = ["base", "SSTORE", "SLOAD", "other"]
    #expect(parts.gas(named: "base", among: names) == 21_000)
    #expect(parts.gas(named: "SSTORE", among: names) == 22_100)
    #expect(parts.gas(named: "SLOAD", among: names) == 100)
    // PUSH1 3, PUSH0 2, PUSH0 2, POP 2.
    #expect(parts.gas(named: "other", among: names) == 9)
    #expect(parts.gas(named: "PUSH", among: names) == 7)
  }
}

import EVM
import Ethereum
import Testing

@testable import Execution

struct ExecutionProfileTests {
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
    let profile = try #require(report.profile)
    let parts = GasBreakdown(report.rows[0].transaction, fork: .osaka)
    let names = ["base", "SSTORE", "SLOAD", "other"]
    // PUSH1 3, PUSH0 2, PUSH0 2, POP 2 are the others.
    for (name, gas): (String, Int64) in [
      ("base", 21_000), ("SSTORE", 22_100), ("SLOAD", 100), ("other", 9), ("PUSH", 7),
    ] {
      #expect(parts.gas(named: name, among: names, profile: profile) == gas, "\(name)")
    }
  }

  @Test func aRunWithoutEnoughWorkspaceIsCountedOnce() throws {
    // BALANCE of 0x4800 accounts, more than the first workspace has room for.
    let report = try #require(
      Runs.reports(
        Runs.call(
          [
            ("0x00000000000000000000000000000000000000c0", "0x60005b803150600101806148001160025700")
          ],
          gas: 2_000_000), fork: .homestead, profilesGas: true
      ).first)
    let profile = try #require(report.profile)
    #expect(report.rows[0].outcome?.status.isSuccess == true)
    #expect(profile.total == Int64(report.gasUsed) - 21_000)
    #expect(profile.opcodes[0x31].count == 0x4800)
    let reruns = profile.calls.map { $0.entries[Int(ProfileBucket.rerun.rawValue)].count }
    #expect(reruns.reduce(0, +) == 1)
  }

  @Test func besideAnotherTracerItCountsTheSame() throws {
    let text = Runs.call([
      ("0x00000000000000000000000000000000000000c0", "0x6004601c5ff05060015f5560205f20"),
      ("0x00000000000000000000000000000000000000c1", "0x5f00"),
    ])
    let alone = try #require(Runs.reports(text, profilesGas: true).first?.profile)
    let lines = Runs.Lines()
    let beside = try #require(
      Runs.reports(
        text, tracer: { JSONTracer(fork: $0) { lines.bytes += $0 } }, profilesGas: true
      ).first?.profile)
    #expect(!lines.text.isEmpty)
    #expect(alone.total > 50_000)
    for opcode in 0..<256 { #expect(alone.opcodes[opcode].gas == beside.opcodes[opcode].gas) }
    #expect(alone.coldAccounts == beside.coldAccounts)
  }

  @Test func aHaltTakesGasOfItsOwn() throws {
    // CALL(3000, c1), which ends at INVALID.
    let report = try #require(
      Runs.reports(
        Runs.call([
          ("0x00000000000000000000000000000000000000c0", "0x5f5f5f5f5f60c1610bb8f100"),
          ("0x00000000000000000000000000000000000000c1", "0x5f54fe"),
        ]), profileRepeats: 1
      ).first)
    let executed = try #require(report.blockProfile?.transactions.first)
    #expect(executed.isBalanced)
    func gas(_ bucket: ProfileBucket) -> Int64? {
      executed.rows.first { $0.bucket == bucket }?.gas
    }
    // Of the 3000: 2 for PUSH0, 2100 for SLOAD, the rest for INVALID.
    #expect(gas(.halt) == 898)
    #expect(gas(.storageRead) == 2100)
    #expect(gas(.accountAccess) == 2600)
    // Seven pushes of the caller, five of them PUSH0, and PUSH0 of the callee.
    #expect(gas(.glue) == 18)
  }
}

import EVM
import Ethereum
import Execution
import FakeCUDA
import Foundation
import Kernels
import TestSupport
import Testing

@testable import CUDA
@testable import Coprocessors
@testable import GPU

extension CUDATests {
  /// Transactions that call precompiles, on the fake device: coprocessors do the calls, and what comes of
  /// the transactions is what the host's lanes and the serial executor give.
  @Suite struct PrecompileSuspensionTests {
    /// An executor on a fresh fake device.
    private func executor(
      _ desk: PrecompileDesk?, _ change: (inout DeviceExecutor.Options) -> Void = { _ in }
    ) throws -> DeviceExecutor {
      let context = try FakeLanes.context()
      let images = [try FakeLanes.image(.light), try FakeLanes.image(.complete)]
      let kernels = try TransactionKernelImages(KernelImages(images), for: context.device)
      var options = DeviceExecutor.Options()
      change(&options)
      return try DeviceExecutor(
        try TransactionDevice(context, kernels), options: options, desk: desk)
    }

    private func outcome(_ batch: RandomBatch, _ devices: [any LaneExecutor]) throws -> BatchResult
    {
      try BatchRunner(devices).run(
        batch.batch, on: batch.image, selection: RandomBatch.selection)
    }

    private func expectSame(_ batch: RandomBatch, _ result: BatchResult) throws {
      let found =
        batch.mismatches(try outcome(batch, []).outcome, result.outcome)
        + batch.mismatchesWithSerial(result.outcome)
      for mismatch in found.prefix(3) { Issue.record("\(mismatch)") }
      #expect(found.isEmpty)
      #expect(result.statistics.rerunsOnHost.keys.allSatisfy { $0.isMemoryClass })
      #expect(result.statistics.lostDevices == [])
      #expect(fake_cuda_faults() == 0)
    }

    /// Worlds of one fork.
    private func batch(_ fork: Fork, worlds: UInt64) -> RandomBatch {
      let forks = UInt64(Fork.allCases.count)
      let first = (0..<forks).first { RandomTransactions.fork(seed: $0) == fork } ?? 0
      return RandomBatch(
        seeds: (0..<worlds).map { first + $0 * forks }, kind: .precompileCalls)
    }

    @Test(arguments: Fork.allCases)
    func randomCallsComeToWhatTheyComeToSerially(_ fork: Fork) throws {
      let desk = PrecompileDesk(nil, nil)
      let batch = batch(fork, worlds: fork < .byzantium || fork == .osaka ? 24 : 6)
      let result = try outcome(batch, [try executor(desk)])
      try expectSame(batch, result)
      #expect(result.statistics.suspended > 0)
      #expect(
        result.statistics.answers == desk.statistics.compactMapValues { $0.rows["cpu"] })
      if fork == .osaka {
        // Each of them, and nothing else.
        #expect(
          Set(result.statistics.answers.keys)
            == Set(PrecompileRoute.all.map { $0.coprocessor.name }))
      }
    }

    @Test func withoutADeskLanesDoTheCalls() throws {
      let batch = batch(.osaka, worlds: 4)
      let result = try outcome(batch, [try executor(nil)])
      try expectSame(batch, result)
      #expect(result.statistics.answers == [:])
      #expect((result.statistics.rerunsOnDevice[.medium] ?? 0) > 0)
    }

    /// A machine of lanes does all batches of whatever coprocessor it has a back end for.
    @Test func devicesAnswerFromTheirCrossoverOn() throws {
      var calibration = CoprocessorCalibration()
      for route in PrecompileRoute.all {
        calibration.coprocessors[route.coprocessor.name] = .init(points: [
          "cpu": [.init(rows: 1, nanoseconds: 9)], "lanes": [.init(rows: 1, nanoseconds: 1)],
        ])
      }
      let desk = PrecompileDesk(HostCoprocessorMachine(), calibration)
      let batch = batch(.osaka, worlds: 8)
      try expectSame(batch, try outcome(batch, [try executor(desk)]))
      let statistics = desk.statistics
      #expect(statistics["bn254Pairing"]?.rows.keys.sorted() == ["lanes"])
      #expect(statistics["modexp"]?.rows.keys.sorted() == ["lanes"])
      #expect(statistics["bn254Add"]?.rows.keys.sorted() == ["cpu"])
    }

    /// A device that fails when it is asked first: the CPU does its batches, and somebody is told.
    @Test func theCPUAnswersForADeviceThatFails() throws {
      let machine = HostCoprocessorMachine()
      machine.failure = (.bls12381, CoprocessorError(.deviceLost, "gone"))
      var calibration = CoprocessorCalibration()
      for name in ["bls12381G1Add", "bls12381Pairing"] {
        calibration.coprocessors[name] = .init(points: [
          "cpu": [.init(rows: 1, nanoseconds: 9)], "lanes": [.init(rows: 1, nanoseconds: 1)],
        ])
      }
      let desk = PrecompileDesk(machine, calibration)
      let batch = batch(.osaka, worlds: 8)
      var result = try outcome(batch, [try executor(desk)])
      #expect(result.statistics.lostDevices.count == 2)
      #expect(result.statistics.lostDevices.allSatisfy { $0.contains("gone") })
      result.statistics.lostDevices = []
      try expectSame(batch, result)
      #expect(desk.statistics["bls12381Pairing"]?.rows.keys.sorted() == ["cpu"])
    }

    /// After many small calls a lane does them itself, once it is in a kernel that has them; pairings are
    /// handed over all the same, while another transaction goes on with its own.
    @Test func manySmallCallsGoToTheLane() throws {
      let contract = Address(number: 0xc0de)
      var accounts = [contract: Allocation.Account(nonce: 1, code: PrecompileCalls.code)]
      var batch = TransactionBatch()
      let environment = batch.append(
        BlockEnvironment(
          chainID: UInt256(1), number: 1, timestamp: 1, gasLimit: 30_000_000, coinbase: .zero))
      let sum = PrecompileCalls.Call(6, [UInt8](repeating: 0, count: 128))
      let pairing = PrecompileCalls.Call(8, [])
      for (number, calls) in [
        Array(repeating: sum, count: 70) + [pairing, sum], Array(repeating: pairing, count: 80),
      ].enumerated() {
        let sender = Address(number: UInt64(1000 + number))
        accounts[sender] = Allocation.Account(nonce: 0, balance: UInt256(1 << 60))
        var message = TransactionMessage(
          sender: sender, recipient: contract, gasLimit: 16_000_000)
        PrecompileCalls.data(calls).withUnsafeBufferPointer {
          message.data = $0
          batch.append(message, environment: environment)
        }
      }
      let image = StateImage([Allocation(accounts)], fork: .osaka, translation: .never)
      func run(_ devices: [any LaneExecutor]) throws -> BatchResult {
        try BatchRunner(devices).run(batch, on: image, selection: RandomBatch.selection)
      }
      let (result, host) = (try run([try executor(PrecompileDesk(nil, nil))]), try run([]))
      for index in 0..<2 {
        #expect(host.outcome.outcomes[index].status.isSuccess)
        #expect(result.outcome.outcomes[index].gasUsed == host.outcome.outcomes[index].gasUsed)
        #expect(result.outcome.records(index) == host.outcome.records(index))
      }
      #expect(result.statistics.answers == ["bn254Add": 64, "bn254Pairing": 81])
      #expect(result.statistics.rerunsOnDevice == [.local: 144, .medium: 2])
      #expect(result.onHost.isEmpty)
    }

    /// Rows whose records find no room run again, while others wait for answers.
    @Test func recordsWithoutRoomDoNotLoseQuestions() throws {
      let batch = batch(.osaka, worlds: 200)
      let result = try outcome(
        batch, [try executor(PrecompileDesk(nil, nil)) { $0.recordBytes = 1 }])
      try expectSame(batch, result)
      // More than those that were answered.
      #expect((result.statistics.rerunsOnDevice[.local] ?? 0) > result.statistics.suspended)
    }

    /// Room for a few questions, then for one at most, then for none: those that find none wait, and in the
    /// end lanes do the calls.
    @Test(arguments: [1 << 14, 1024, 64])
    func questionsWaitForRoom(_ bytes: Int) throws {
      let batch = batch(.osaka, worlds: 4)
      let result = try outcome(
        batch, [try executor(PrecompileDesk(nil, nil)) { $0.questionBytes = bytes }])
      try expectSame(batch, result)
      #expect((result.statistics.suspended > 0) == (bytes > 64))
      if bytes == 64 { #expect((result.statistics.rerunsOnDevice[.medium] ?? 0) > 0) }
    }

    /// The suites of precompiles, where nothing but memory is a reason for the host.
    @Test(
      .enabled(if: Fixtures.has("eest/state_tests"), Fixtures.missing),
      arguments: [
        "byzantium/eip196_ec_add_mul", "cancun/eip4844_blobs",
        "osaka/eip7823_modexp_upper_bounds", "osaka/eip7883_modexp_gas_increase",
        "osaka/eip7951_p256verify_precompiles", "prague/eip2537_bls_12_381_precompiles",
      ])
    func publicTestsOfPrecompiles(_ folder: String) throws {
      var options = BatchedStateTests.Options()
      options.isStrict = true
      let desk = PrecompileDesk(nil, nil)
      let tests = BatchedStateTests(BatchRunner([try executor(desk)]), options: options)
      let clock = ContinuousClock.now
      let run = try tests.run(files: Fixtures.files("eest/state_tests/\(folder)"))
      print(
        "\(folder): \(run.summary), \(tests.statistics.answers), \(ContinuousClock.now - clock)")
      #expect(run.passed > 10)
      #expect(run.failures.isEmpty)
      #expect(tests.statistics.suspended > 0)
    }
  }
}

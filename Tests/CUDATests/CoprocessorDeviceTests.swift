import Coprocessors
import FakeCUDA
import Testing

@testable import CUDA
@testable import GPU

extension CUDATests {
  /// Coprocessors' batches over the driver: copies, launches and losses as on a device, where each
  /// launch runs the kernel's lanes on the host.
  @Suite struct CoprocessorDeviceTests {
    private let machine: DeviceCoprocessorMachine

    init() throws {
      machine = try DeviceCoprocessorMachine(
        FakeLanes.context(), [FakeLanes.image(.coprocessors), FakeLanes.image(.precompiles)])
    }

    private func backEnd(_ name: String) throws -> LaneBackEnd {
      try #require(LaneBackEnd.all(on: machine).first { $0.coprocessor == name })
    }

    private func coprocessor(_ name: String) throws -> any Coprocessor {
      try #require(CoprocessorRegistry.standard.first { $0.name == name })
    }

    @Test(arguments: [
      "keccak256", "sha256", "stateRoot", "trieRoot", "orderedRoot", "bn254Pairing",
      "bls12381G1MSM",
    ])
    func batchesGiveTheReferencesResults(_ name: String) throws {
      let coprocessor = try coprocessor(name)
      let backEnd = try backEnd(name)
      for requests in [coprocessor.edgeRequests, coprocessor.typicalRequests(90, seed: 4)] {
        let results = try backEnd.run(requests)
        #expect(results.firstDifference(coprocessor.reference(requests)) == nil)
      }
      #expect(fake_cuda_faults() == 0)
    }

    /// More than the staging buffers hold, so that both are used again and again.
    @Test func copiesOfManyBytesGoInPieces() throws {
      let requests = ByteColumn(
        (0..<1100).map { [UInt8](repeating: UInt8($0 & 255), count: 32_768) })
      let backEnd = try backEnd("keccak256")
      #expect(try backEnd.run(requests) == KeccakCoprocessor().run(requests, rows: 0..<1100))
    }

    @Test func rootsAndProofsOfAResidentState() throws {
      var random = RandomStateChanges(seed: 9, most: 50)
      var comparison = StateComparison(ResidentState(on: machine))
      for round in 0..<12 {
        try comparison.commit(random.next(), "round \(round)")
        try comparison.prove(random.accountKeys(8), random.slotKeys(8), "round \(round)")
      }
      #expect(comparison.differences == [])
      #expect(fake_cuda_faults() == 0)
    }

    /// A launch that fails, a context that is lost when it is waited for, and a copy that is.
    @Test(arguments: [
      ("cuLaunchKernel", 700), ("cuStreamSynchronize", 719), ("cuMemcpyHtoDAsync_v2", 700),
    ])
    func aDeviceThatIsLostLosesNoBatch(_ function: String, _ status: Int32) throws {
      var log: [String] = []
      let check = LossCheck(machine, StateRootCoprocessor(), before: .trieBranches, rows: 400)
      let differences = try check.run(
        exhaust: { () throws(CoprocessorError) in
          fake_cuda_fail("cuMemAlloc_v2", 2)
          return []
        },
        lose: { () throws(CoprocessorError) in fake_cuda_fail(function, status) }, log: &log)
      #expect(differences == [])
      #expect(log.first?.contains("memoryExhausted") == true)
      #expect(log.dropFirst().first?.contains("deviceLost") == true)
      #expect(log.last == "stateRoot: the gpu back end is not used any more")
    }
  }
}

import EVM
import Ethereum
import Execution
import FakeCUDA
import Kernels
import Testing

@testable import CUDA
@testable import Coprocessors
@testable import GPU

extension CUDATests {
  /// Transactions that recover signatures, on the fake device: its lanes lack ECRECOVER, the coprocessor
  /// answers, and what comes of them is what comes of them on the host's cores.
  @Suite struct SuspendedTransactionTests {
    private static let contract = Address(number: 0xc0de)
    private let image: StateImage
    private let batch: TransactionBatch
    /// Calls of each transaction.
    private let calls = [0, 1, 2, 1, 8, 70, 3, 0, 1, 1]

    /// Each transaction recovers its data as often as its first byte says: hash, v, r, s behind that.
    /// The signer takes the place of the hash, and is stored at last.
    private static let code: [UInt8] =
      // PUSH1 32 CALLDATASIZE SUB PUSH1 32 PUSH0 CALLDATACOPY, PUSH0 CALLDATALOAD PUSH1 248 SHR
      [0x60, 32, 0x36, 0x03, 0x60, 32, 0x5f, 0x37, 0x5f, 0x35, 0x60, 248, 0x1c]
      // 13: JUMPDEST DUP1 ISZERO PUSH1 38 JUMPI
      + [0x5b, 0x80, 0x15, 0x60, 38, 0x57]
      // PUSH1 32 PUSH0 PUSH1 160 PUSH0 PUSH1 1 GAS STATICCALL POP: more than four words do not count
      + [0x60, 32, 0x5f, 0x60, 160, 0x5f, 0x60, 1, 0x5a, 0xfa, 0x50]
      // PUSH1 1 SWAP1 SUB PUSH1 13 JUMP
      + [0x60, 1, 0x90, 0x03, 0x60, 13, 0x56, 0x00]
      // 38: JUMPDEST PUSH0 MLOAD RETURNDATASIZE SSTORE PUSH1 32 PUSH0 RETURN
      + [0x5b, 0x5f, 0x51, 0x3d, 0x55, 0x60, 32, 0x5f, 0xf3]

    init() throws {
      var accounts = [Self.contract: Allocation.Account(nonce: 1, code: Self.code)]
      var batch = TransactionBatch()
      let environment = batch.append(
        BlockEnvironment(
          chainID: UInt256(1), number: 1, timestamp: 1, gasLimit: 30_000_000, coinbase: .zero))
      for (number, count) in calls.enumerated() {
        let sender = Address(number: UInt64(1000 + number))
        accounts[sender] = Allocation.Account(nonce: 0, balance: UInt256(1 << 60))
        let hash = Hash256(UInt256(UInt64(number + 1)))
        let made = try #require(Secp256k1.sign(hash: hash, secret: UInt256(UInt64(7 + number))))
        // The ninth names no v that there is.
        let v = UInt256(UInt64(number == 8 ? 29 : 27 + made.yParity))
        let data =
          [UInt8(count)] + [UInt8](repeating: 0, count: 31) + hash.bytes + v.bytes + made.r.bytes
          + made.s.bytes
        var message = TransactionMessage(
          sender: sender, recipient: Self.contract, gasLimit: 500_000 + UInt64(number))
        data.withUnsafeBufferPointer {
          message.data = $0
          batch.append(message, environment: environment)
        }
      }
      image = StateImage([Allocation(accounts)], fork: .osaka, translation: .never)
      self.batch = batch
    }

    /// What came of the batch, on a fresh fake device, with a coprocessor or without.
    private func run(hasDesk: Bool) throws
      -> (result: BatchResult, queues: [String: CoprocessorQueue.Statistics])
    {
      let context = try FakeLanes.context()
      var images = [try FakeLanes.image(.light), try FakeLanes.image(.complete)]
      if hasDesk { images.append(try FakeLanes.image(.coprocessors)) }
      let kernels = try TransactionKernelImages(KernelImages(images), for: context.device)
      let device = try TransactionDevice(context, kernels)
      var desk: PrecompileDesk?
      if hasDesk {
        let machine = try DeviceCoprocessorMachine(context, kernels.coprocessors)
        var calibration = CoprocessorCalibration()
        calibration.coprocessors["recover"] = .init(points: [
          "cpu": [.init(rows: 1, nanoseconds: 9)], "gpu": [.init(rows: 1, nanoseconds: 1)],
        ])
        desk = PrecompileDesk(NarrowMachine(machine), calibration)
      }
      let executor = try DeviceExecutor(device, desk: desk)
      var options = BatchRunner.Options()
      options.hostThreads = 2
      let result = try BatchRunner([executor], options: options)
        .run(batch, on: image, selection: [.changes, .logs, .output])
      return (result, desk?.statistics ?? [:])
    }

    private func expectTheHosts(_ result: BatchResult) throws {
      let host = try BatchRunner([]).run(
        batch, on: image, selection: [.changes, .logs, .output])
      for index in calls.indices {
        let (got, expected) = (result.outcome.outcomes[index], host.outcome.outcomes[index])
        #expect(got.state == .done)
        #expect(got.status == expected.status)
        #expect(got.gasUsed == expected.gasUsed, "transaction \(index)")
        #expect(result.outcome.records(index) == host.outcome.records(index), "\(index)")
      }
      #expect(result.onHost.isEmpty)
    }

    @Test func aCoprocessorAnswersWhatLanesLack() throws {
      let (result, queues) = try run(hasDesk: true)
      try expectTheHosts(result)
      // One with seventy calls goes to the kernel that has all precompiles, after 64 answers.
      let answers = 1 + 2 + 1 + 8 + 64 + 3 + 1 + 1
      #expect(result.statistics.answers == ["recover": answers])
      #expect(result.statistics.rerunsOnDevice == [.local: answers, .medium: 1])
      #expect(queues.mapValues { $0.rows } == ["recover": ["gpu": answers]])
      // All that wait for the same call are one batch.
      #expect(queues["recover"]?.submissions == 64)
      #expect(result.statistics.lostDevices == [])
      #expect(fake_cuda_faults() == 0)
    }

    @Test func withoutOneTheyRunInTheCompleteKernel() throws {
      let (result, _) = try run(hasDesk: false)
      try expectTheHosts(result)
      #expect(result.statistics.answers == [:])
      #expect(result.statistics.rerunsOnDevice[.medium] == 8)
    }
  }
}

/// A machine whose table of the base point is small: on the host a large one takes seconds.
final class NarrowMachine: CoprocessorMachine {
  private let machine: any CoprocessorMachine
  init(_ machine: any CoprocessorMachine) { self.machine = machine }

  var name: String { machine.name }
  var modules: Set<KernelModule> { machine.modules }
  var generatorWidth: Int { 4 }

  func residentLanes(_ kernel: CoprocessorKernel) -> Int { 64 }

  func memory(bytes: Int) throws(CoprocessorError) -> any CoprocessorMemory {
    try machine.memory(bytes: bytes)
  }

  func upload(
    _ bytes: UnsafeRawBufferPointer, to memory: any CoprocessorMemory, at offset: Int
  ) throws(CoprocessorError) {
    try machine.upload(bytes, to: memory, at: offset)
  }

  func upload(
    rows: Int, stride: Int, to memory: any CoprocessorMemory,
    _ write: @Sendable (Int, UnsafeMutableRawPointer) -> Void
  ) throws(CoprocessorError) {
    try machine.upload(rows: rows, stride: stride, to: memory, write)
  }

  func download(_ memory: any CoprocessorMemory, into bytes: UnsafeMutableRawBufferPointer)
    throws(CoprocessorError)
  {
    try machine.download(memory, into: bytes)
  }

  func run(_ kernel: CoprocessorKernel, lanes: Int, _ arguments: UnsafeRawBufferPointer)
    throws(CoprocessorError)
  {
    try machine.run(kernel, lanes: lanes, arguments)
  }

  func finish() throws(CoprocessorError) { try machine.finish() }

  var bytesMoved: Int { machine.bytesMoved }
}

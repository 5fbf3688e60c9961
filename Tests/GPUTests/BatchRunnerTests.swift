import CUDA
import EVM
import Ethereum
import Execution
import Kernels
import Testing

@testable import GPU

/// What becomes of a batch on devices that do all, or some, or fail.
@Suite struct BatchRunnerTests {
  private static let count = 64
  /// An illegal address (CUDA driver API, `CUDA_ERROR_ILLEGAL_ADDRESS`): the context is lost.
  private static let lost = CUDAError(.callFailed, "illegal address", call: "cuX", status: 700)

  private let image: StateImage
  private let batch: TransactionBatch

  /// Transfers of different amounts, each with a gas limit of its own: 100,000 and its number.
  init() {
    var accounts: [Address: Allocation.Account] = [:]
    var batch = TransactionBatch()
    let environment = batch.append(
      BlockEnvironment(
        chainID: UInt256(1), number: 1, timestamp: 1, gasLimit: 30_000_000, coinbase: .zero))
    for number in 0..<Self.count {
      let sender = Address(number: UInt64(1000 + number))
      accounts[sender] = Allocation.Account(nonce: 0, balance: UInt256(1 << 60))
      var message = TransactionMessage(
        sender: sender, recipient: Address(number: UInt64(5000 + number)),
        gasLimit: 100_000 + UInt64(number))
      message.value = UInt256(UInt64(number + 1))
      let data = [UInt8](repeating: 0xff, count: number)
      data.withUnsafeBufferPointer {
        message.data = $0
        batch.append(message, environment: environment)
      }
    }
    image = StateImage([Allocation(accounts)], fork: .shanghai, translation: .never)
    self.batch = batch
  }

  private func run(
    _ devices: [any LaneExecutor], ceiling: UInt64 = 100_000_000, shareRows: Int = 4096
  ) throws -> BatchResult {
    var options = BatchRunner.Options()
    options.gasCeiling = ceiling
    options.shareRows = shareRows
    options.hostThreads = 2
    return try BatchRunner(devices, options: options).run(
      batch, on: image, selection: [.changes, .logs, .output])
  }

  /// The host's cores gave this, with nothing counted as run again.
  private func reference() throws -> BatchResult {
    let result = try run([])
    #expect(result.onHost.isEmpty)
    #expect(result.statistics.hostReruns == 0)
    #expect(result.statistics.transactions == Self.count)
    return result
  }

  private func expectSame(_ result: BatchResult, _ other: BatchResult) {
    for index in 0..<Self.count {
      let (got, expected) = (result.outcome.outcomes[index], other.outcome.outcomes[index])
      #expect(got.state == .done)
      #expect(got.error == TransactionOutcome.valid)
      #expect(got.gasUsed == expected.gasUsed)
      #expect(result.outcome.records(index) == other.outcome.records(index), "row \(index)")
    }
  }

  @Test func everyTransactionIsItsOwn() throws {
    let result = try reference()
    for index in 0..<Self.count {
      #expect(result.outcome.outcomes[index].gasUsed == 21_000 + 16 * UInt64(index))
      #expect(
        result.outcome.records(index).accounts.contains {
          $0.balance == UInt256(UInt64(index + 1))
        })
    }
  }

  @Test func aDeviceGivesWhatTheHostGives() throws {
    let device = StandInDevice()
    let result = try run([device])
    expectSame(result, try reference())
    #expect(result.onHost.isEmpty)
    #expect(device.batches == [Self.count])
    #expect(result.statistics.launches == 1)
  }

  @Test func severalDevicesShareABatch() throws {
    let devices = [StandInDevice("a"), StandInDevice("b"), StandInDevice("c")]
    let result = try run(devices, shareRows: 5)
    expectSame(result, try reference())
    #expect(devices.flatMap(\.batches).reduce(0, +) == Self.count)
    #expect(devices.flatMap(\.batches).count == 13)
    #expect(result.statistics.launches == 13)
    #expect(result.statistics.hostReruns == 0)
  }

  @Test func whatADeviceLeavesRunsOnTheHostAndIsCounted() throws {
    let device = StandInDevice()
    device.leaves = [
      100_003: .workspaceExhausted, 100_004: .workspaceExhausted, 100_007: .stateUnavailable,
      100_060: .precompileUnavailable,
    ]
    let result = try run([device])
    expectSame(result, try reference())
    #expect(result.statistics.rerunsOnHost == [.memory: 2, .blockHash: 1, .precompile: 1])
    #expect(result.onHost == [3: .memory, 4: .memory, 7: .blockHash, 60: .precompile])
    #expect(HostReason.allCases.filter(\.isMemoryClass) == [.memory])
  }

  @Test func aHighGasLimitNeverGetsToADevice() throws {
    let device = StandInDevice()
    let result = try run([device], ceiling: 100_061)
    expectSame(result, try reference())
    #expect(result.onHost == [62: .gasLimit, 63: .gasLimit])
    #expect(result.statistics.rerunsOnHost == [.gasLimit: 2])
    #expect(device.batches == [62])
  }

  @Test func whenAllAreAboveTheCeilingNoDeviceIsAsked() throws {
    let device = StandInDevice()
    let result = try run([device], ceiling: 1)
    expectSame(result, try reference())
    #expect(result.statistics.rerunsOnHost == [.gasLimit: Self.count])
    #expect(device.batches == [])
  }

  @Test func aGasLimitThatTheBlockLacksIsNoDanger() throws {
    var batch = TransactionBatch()
    let environment = batch.append(
      BlockEnvironment(
        chainID: UInt256(1), number: 1, timestamp: 1, gasLimit: 30_000_000, coinbase: .zero))
    batch.append(
      TransactionMessage(
        sender: Address(number: 1000), recipient: .zero, gasLimit: 1_000_000_000),
      environment: environment)
    let result = try BatchRunner([StandInDevice()]).run(batch, on: image, selection: [])
    #expect(result.onHost.isEmpty)
    #expect(
      result.outcome.outcomes[0].error == TransactionError.gasAllowanceExceeded.rawValue)
  }

  @Test func theHostTakesOverFromALostDevice() throws {
    let device = StandInDevice()
    device.failure = (after: 0, error: Self.lost)
    var options = BatchRunner.Options()
    options.hostThreads = 2
    let runner = BatchRunner([device], options: options)
    for round in 0..<2 {
      let result = try runner.run(batch, on: image, selection: [.changes, .logs, .output])
      expectSame(result, try reference())
      #expect(result.statistics.rerunsOnHost == [.deviceLost: Self.count])
      // Reported once, counted every time.
      #expect(result.statistics.lostDevices.count == (round == 0 ? 1 : 0))
    }
    #expect(runner.places.isEmpty)
  }

  @Test func othersAndTheHostTakeOverFromADeviceThatIsLostMidway() throws {
    let devices = [StandInDevice("a"), StandInDevice("b")]
    devices[0].failure = (after: 1, error: Self.lost)
    let result = try run(devices, shareRows: 8)
    expectSame(result, try reference())
    let lost = result.statistics.rerunsOnHost[.deviceLost] ?? 0
    // Whether it got so far is a matter of the threads; never is a row lost or run twice.
    #expect(lost == 0 || lost == 8)
    #expect(result.statistics.lostDevices.count == lost / 8)
    #expect(devices.flatMap(\.batches).reduce(0, +) + lost == Self.count)
  }

  @Test func anotherErrorOfADeviceEndsTheBatch() throws {
    let device = StandInDevice()
    let error = CUDAError(.callFailed, "out of memory", call: "cuMemAlloc_v2", status: 2)
    device.failure = (after: 0, error: error)
    #expect(throws: BatchError.device(name: "stand-in:0", error)) { try run([device]) }
  }

  @Test func whatALaunchDoesNotComeToIsAnError() throws {
    let device = StandInDevice()
    device.cutsOff = [100_010, 100_020]
    #expect(throws: BatchError.overBudget(pending: 2, of: Self.count)) { try run([device]) }
  }

  @Test func aBatchOfNothingIsNothing() throws {
    let result = try BatchRunner([StandInDevice()]).run(
      TransactionBatch(), on: image, selection: [.changes])
    #expect(result.outcome.outcomes.isEmpty)
  }
}

import Foundation
import Testing

@testable import EVM
@testable import Kernels

/// The lanes of the transaction kernel, called one by one.
@Suite struct TransactionKernelTests {
  /// Increments slot 0 by the call data's word, returns the sum:
  /// `PUSH0 CALLDATALOAD PUSH0 SLOAD ADD DUP1 PUSH0 SSTORE PUSH0 MSTORE PUSH1 32 PUSH0 RETURN`.
  private static let counterCode: [UInt8] = [
    0x5f, 0x35, 0x5f, 0x54, 0x01, 0x80, 0x5f, 0x55, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3,
  ]
  private static let counter = Address(number: 0xc0de)

  private static func sender(_ index: Int) -> Address { Address(number: 0x1000 + UInt64(index)) }

  private static func word(_ value: UInt64) -> [UInt8] {
    [UInt8](repeating: 0, count: 24)
      + (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * $0)) }
  }

  /// A call of the counter for each of the words, on a state where it stands at 40.
  private static func launch(_ words: [UInt64]) -> KernelLaunch {
    var launch = KernelLaunch()
    launch.selection = [.output]
    launch.accounts = [
      KernelLaunch.Account(address: counter, nonce: 1, code: counterCode, storage: [0: 40])
    ]
    for (index, word) in words.enumerated() {
      launch.accounts.append(
        KernelLaunch.Account(address: sender(index), balance: 1_000_000_000))
      var transaction = TestTransaction(from: sender(index), to: counter)
      transaction.data = self.word(word)
      launch.transactions.append(transaction)
    }
    return launch
  }

  /// A launch of one call of code.
  private static func launch(code: [UInt8], gasLimit: UInt64 = 100_000) -> KernelLaunch {
    var launch = launch([0])
    launch.accounts[0].code = code
    launch.transactions[0].message.gasLimit = gasLimit
    return launch
  }

  /// The last limb of a word of output.
  private static func value(_ result: KernelLaunch.Result, _ index: Int) -> UInt64 {
    result.records(index)[3].byteSwapped
  }

  @Test(arguments: [false, true]) func everyLaneSeesTheStateBefore(translated: Bool) {
    var launch = Self.launch([2, 0, 255])
    launch.isTranslated = translated
    let result = launch.run()
    for (index, word) in ([2, 0, 255] as [UInt64]).enumerated() {
      #expect(result.outcomes[index].state == .done)
      #expect(result.outcomes[index].error == TransactionOutcome.valid)
      #expect(result.outcomes[index].status == .returned)
      #expect(result.outcomes[index].gasRefunded == 0)
      #expect(!result.outcomes[index].hasCreated)
      #expect(Self.value(result, index) == 40 + word)
    }
    // 21,000, the data at 4 for a zero byte and 16 for another, 28 for the plain opcodes, 2,100
    // for the cold SLOAD (EIP-2929), then 2,900 for a change or 100 for none (EIP-2200).
    let change: UInt64 = 21_000 + 140 + 28 + 2_100 + 2_900
    let noChange: UInt64 = 21_000 + 128 + 28 + 2_100 + 100
    #expect(result.outcomes[0].gasUsed == change)
    #expect(result.outcomes[1].gasUsed == noChange)
    #expect(result.isMemoryKept)
  }

  /// Lanes take every so-manieth transaction; those beyond take none and touch no memory.
  @Test(arguments: [1, 2, 3, 7, 8, 20], [KernelLaunch.Lanes.complete, .all, .light])
  func lanesShareTheTransactions(laneCount: Int, lanes: KernelLaunch.Lanes) {
    let words: [UInt64] = [5, 1, 0, 9, 2, 7, 3]
    var launch = Self.launch(words)
    launch.laneCount = laneCount
    launch.lanes = lanes
    let result = launch.run()
    for (index, word) in words.enumerated() {
      #expect(result.outcomes[index].state == .done)
      #expect(Self.value(result, index) == 40 + word)
    }
    // Nothing ran twice.
    #expect(result.recordsUsed == UInt64(words.count * 32))
    #expect(result.isMemoryKept)
  }

  @Test func anOrderNamesTheRowsToRun() {
    var launch = Self.launch([5, 1, 0, 9])
    launch.order = [3, 1]
    for laneCount in 1...3 {
      launch.laneCount = laneCount
      let result = launch.run()
      #expect(result.outcomes.map(\.state) == [.pending, .done, .pending, .done])
      #expect(Self.value(result, 3) == 49)
      #expect(Self.value(result, 1) == 41)
    }
  }

  @Test func worldsDoNotSeeEachOther() {
    var launch = Self.launch([1, 1, 1])
    for world in 1...2 {
      launch.accounts.append(
        KernelLaunch.Account(
          world: UInt32(world), address: Self.counter, nonce: 1, code: Self.counterCode,
          storage: [0: UInt256(UInt64(world * 100))]))
      launch.accounts.append(
        KernelLaunch.Account(
          world: UInt32(world), address: Self.sender(world), balance: 1_000_000_000))
      launch.transactions[world].world = UInt32(world)
    }
    // The sender of the last is not in world 1.
    launch.transactions.append(launch.transactions[2])
    launch.transactions[3].world = 1
    launch.laneCount = 1
    let result = launch.run()
    #expect((0..<3).map { Self.value(result, $0) } == [41, 101, 201])
    #expect(result.outcomes[3].state == .done)
    #expect(result.outcomes[3].error == TransactionError.insufficientFunds.rawValue)
    #expect(result.outcomes[3].recordBytes == 0)
  }

  /// `NUMBER PUSH0 MSTORE PUSH1 1 NUMBER SUB BLOCKHASH PUSH1 32 MSTORE PUSH1 64 PUSH0 RETURN`.
  @Test func everyTransactionIsInItsBlock() {
    var launch = Self.launch([0, 0, 0, 0])
    launch.accounts[0].code = [
      0x43, 0x5f, 0x52, 0x60, 1, 0x43, 0x03, 0x40, 0x60, 32, 0x52, 0x60, 64, 0x5f, 0xf3,
    ]
    launch.environments = [10, 20, 30].map { (number: UInt64) in
      var environment = KernelLaunch.Environment()
      environment.block.number = number
      environment.hashes = [
        EnvironmentRow.BlockHash(number: number - 2, hash: Hash256(UInt256(1))),
        EnvironmentRow.BlockHash(number: number - 1, hash: Hash256(UInt256(number * 5))),
      ]
      return environment
    }
    launch.environments[2].hashes = []
    for (index, environment) in [1, 0, 1, 2].enumerated() {
      launch.transactions[index].environment = UInt32(environment)
    }
    for laneCount in 1...4 {
      launch.laneCount = laneCount
      let result = launch.run()
      for (index, number) in ([20, 10, 20] as [UInt64]).enumerated() {
        let words = result.records(index)
        #expect(words[3].byteSwapped == number)
        #expect(words[7].byteSwapped == number * 5)
      }
      // A hash that the block does not know is no zero.
      #expect(result.outcomes[3].state == .faulted)
      #expect(result.outcomes[3].status == .stateUnavailable)
    }
  }

  @Test func blocksHaveGasAndBlobsLeft() {
    var launch = Self.launch([0, 0, 0])
    launch.environments.append(KernelLaunch.Environment())
    launch.environments[1].gasAvailable = 99_999
    launch.environments[1].blobsAvailable = 1
    launch.transactions[1].environment = 1
    launch.transactions[2].environment = 1
    launch.transactions[2].message.gasLimit = 99_000
    launch.transactions[2].message.type = .blob
    launch.transactions[2].message.maxFeePerBlobGas = 1
    launch.transactions[2].blobHashes = [Hash256(UInt256(0, 0, 0, 1 << 56)), Hash256(1)]
    let result = launch.run()
    #expect(result.outcomes[0].error == TransactionOutcome.valid)
    #expect(result.outcomes[1].error == TransactionError.gasAllowanceExceeded.rawValue)
    #expect(result.outcomes[2].error == TransactionError.blobAllowanceExceeded.rawValue)
  }

  @Test func aCallAloneTakesNoFee() {
    var launch = Self.launch([2])
    launch.selection = [.changes]
    launch.transactions[0].isCall = true
    // Nothing of it is valid: a nonce of the future, a sender without wei.
    launch.transactions[0].message.nonce = 99
    launch.accounts[1].balance = 0
    for lanes in [KernelLaunch.Lanes.complete, .all, .light] {
      launch.lanes = lanes
      let result = launch.run()
      #expect(result.outcomes[0].state == .done)
      #expect(result.outcomes[0].status == .returned)
      #expect(result.outcomes[0].gasUsed == 28 + 2_100 + 2_900)
      #expect(result.outcomes[0].slotCount == 1)
    }
  }

  @Test func aCreationIsSaidToBeOne() {
    var launch = Self.launch([0])
    launch.transactions = [TestTransaction(from: Self.sender(0), to: nil)]
    #expect(launch.run().outcomes[0].hasCreated)
    // It failed, and still was one.
    launch.transactions[0].data = [0xfe]
    let outcome = launch.run().outcomes[0]
    #expect(outcome.hasCreated && outcome.status == .undefinedOpcode)
  }

  @Test func refundsAreReported() {
    // PUSH0 PUSH0 SSTORE: slot 0 from 40 to nothing, 4,800 back (EIP-3529).
    let outcome = Self.launch(code: [0x5f, 0x5f, 0x55]).run().outcomes[0]
    #expect(outcome.gasRefunded == 4_800)
    #expect(outcome.gasUsed == 21_000 + 128 + 4 + 5_000 - 4_800)
  }

  // MARK: Room

  @Test func tooSmallAWorkspaceIsAFaultNotAnAnswer() {
    var launch = Self.launch([1])
    launch.sizes.stackWords = 16
    let result = launch.run()
    #expect(result.outcomes[0].state == .faulted)
    #expect(result.outcomes[0].status == .workspaceExhausted)
    #expect(result.recordsUsed == 0)
  }

  @Test(arguments: [0, 8, 31, 32, 64, 95, 96]) func recordsWithoutRoomSaySo(capacity: Int) {
    var launch = Self.launch([1, 2, 3])
    launch.laneCount = 1
    launch.recordCapacity = capacity / 8 * 8
    let result = launch.run()
    for index in 0..<3 {
      let fits = (index + 1) * 32 <= capacity / 8 * 8
      #expect(result.outcomes[index].state == (fits ? .done : .recordsExhausted))
      if fits { #expect(Self.value(result, index) == UInt64(41 + index)) }
    }
    // What was claimed says how much room there should have been.
    #expect(result.recordsUsed == 96)
    #expect(result.isMemoryKept)
  }

  // MARK: Precompiles

  /// Calls a precompile with 64 bytes of zeros and returns its status and size of output.
  private static func call(_ precompile: UInt16, inputBytes: UInt8) -> [UInt8] {
    // PUSH0 PUSH0 PUSH1 n PUSH0 PUSH0 PUSH2 address GAS CALL
    [0x5f, 0x5f, 0x60, inputBytes, 0x5f, 0x5f, 0x61, UInt8(precompile >> 8)]
      + [UInt8(precompile & 0xff), 0x5a, 0xf1]
      // PUSH0 MSTORE RETURNDATASIZE PUSH1 32 MSTORE PUSH1 64 PUSH0 RETURN
      + [0x5f, 0x52, 0x3d, 0x60, 32, 0x52, 0x60, 64, 0x5f, 0xf3]
  }

  @Test(arguments: [UInt16](1...17) + [0x100], [UInt8(64), 213])
  func lightMachinesLeaveHeavyPrecompilesToOthers(precompile: UInt16, inputBytes: UInt8) {
    var launch = Self.launch(
      code: Self.call(precompile, inputBytes: inputBytes), gasLimit: 5_000_000)
    launch.selection = [.changes, .reads, .logs, .output]
    launch.accounts[1].balance = UInt256(0, 1, 0, 0)
    let complete = launch.run()
    launch.lanes = .all
    let all = launch.run()
    launch.lanes = .light
    let light = launch.run()
    #expect(complete.outcomes[0].state == .done)
    #expect(Self.isEqual(complete, all))
    if [2, 3, 4, 9].contains(precompile) {
      #expect(Self.isEqual(complete, light))
    } else {
      #expect(light.outcomes[0].state == .faulted)
      #expect(light.outcomes[0].status == .precompileUnavailable)
    }
  }

  /// Without gas for it, a heavy precompile fails on every machine alike.
  @Test func precompilesThatAreNotPaidForAreNotNeeded() {
    // PUSH0 x5 PUSH1 1 PUSH1 9 CALL PUSH0 MSTORE PUSH1 32 PUSH0 RETURN: 9 gas for ECRECOVER.
    let call: [UInt8] = [0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x60, 1, 0x60, 9, 0xf1]
    var launch = Self.launch(code: call + [0x5f, 0x52, 0x60, 32, 0x5f, 0xf3])
    let complete = launch.run()
    launch.lanes = .light
    #expect(complete.outcomes[0].state == .done)
    #expect(Self.isEqual(complete, launch.run()))
  }

  private static func isEqual(_ a: KernelLaunch.Result, _ b: KernelLaunch.Result) -> Bool {
    a.outcomes.count == b.outcomes.count
      && a.outcomes.indices.allSatisfy {
        let (one, other) = (a.outcomes[$0], b.outcomes[$0])
        return one.state == other.state && one.status == other.status
          && one.error == other.error && one.gasUsed == other.gasUsed
          && one.gasRefunded == other.gasRefunded && a.records($0) == b.records($0)
      }
  }

  // MARK: The local workspace

  @Test func theLocalWorkspaceHasItsRoom() throws {
    #expect(TransactionKernel.stride(TransactionKernel.localSizes) <= TransactionKernel.localBytes)
    // And it is not given more than a kilobyte too much.
    #expect(
      TransactionKernel.localBytes - TransactionKernel.stride(TransactionKernel.localSizes)
        < 16 << 10)
  }

  /// The header of the device says the same number of bytes.
  @Test func theHeaderGivesTheLocalWorkspace() throws {
    let header = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Sources/Kernels/Device/CDevice.h")
    let text = try String(contentsOf: header, encoding: .utf8)
    let pattern = /__builtin_alloca_with_align\((\d+) << (\d+), (\d+)\)/
    let match = try #require(text.firstMatch(of: pattern))
    let bytes = try #require(Int(match.1)) << #require(Int(match.2))
    #expect(bytes == TransactionKernel.localBytes)
    // In bits: 16 bytes at least.
    #expect(try #require(Int(match.3)) >= 128)
    #expect(text.matches(of: pattern).count == 1)
  }

  @Test func strideIsAWholeNumberOfAlignments() {
    for words in 0..<40 {
      var sizes = KernelLaunch.sizes
      sizes.returnBytes = words
      let stride = TransactionKernel.stride(sizes)
      #expect(stride % 16 == 0 && stride >= sizes.bytes && stride < sizes.bytes + 16)
    }
  }

  /// The local sizes are enough for a call of a token's size, on every kind of lane.
  @Test func theLocalWorkspaceRunsTransactions() {
    var launch = Self.launch([1, 2])
    launch.sizes = TransactionKernel.localSizes
    launch.lanes = .light
    let result = launch.run()
    #expect(result.outcomes.allSatisfy { $0.state == .done })
    #expect(result.isMemoryKept)
  }

  /// What a lane never uses it does not clear; what it does, it finds clear whatever was there: the table of
  /// a journal with more than twelve entries, and the memo of hashes. Here every other place of the table
  /// looks taken, by entries far outside of memory, and the memo looks as if it knew the hash of eight ones.
  @Test(
    arguments: [[4, 5 << 32 | 0xffff_ffff], [5 << 32 | 0xffff_ffff, 4], [1]] as [[UInt64]],
    [false, true])
  func aLaneClearsWhatItUsesFirst(leftovers: [UInt64], isLight: Bool) {
    var code: [UInt8] = []
    for slot: UInt8 in 1...14 { code += [0x60, slot &* 3, 0x60, slot, 0x55] }
    code += [0x5f]
    for slot: UInt8 in 1...14 { code += [0x60, slot, 0x54, 0x01] }
    // The sum to 64, the ones to 0, and their hash to 96.
    code += [0x60, 0x40, 0x52]
    let input = [UInt8]((0..<64).map { $0 % 8 == 0 ? 1 : 0 })
    code += [0x7f] + input.prefix(32) + [0x5f, 0x52, 0x7f] + input.prefix(32) + [0x60, 0x20, 0x52]
    code += [0x60, 0x40, 0x5f, 0x20, 0x60, 0x60, 0x52, 0x60, 0x40, 0x60, 0x40, 0xf3]
    var launch = Self.launch(code: code, gasLimit: 2_000_000)
    launch.isTranslated = true
    launch.lanes = isLight ? .light : .complete
    launch.leftovers = leftovers
    let result = launch.run()
    #expect(result.outcomes[0].status == .returned)
    #expect(result.outcomes[0].outputCount == 64)
    #expect(Self.value(result, 0) == 3 * 105)
    let hash = input.withUnsafeBufferPointer { Keccak256.hash($0) }.word
    let limbs = [hash.limb3, hash.limb2, hash.limb1, hash.limb0]
    #expect(result.records(0).suffix(4).map(\.byteSwapped) == limbs)
    #expect(result.isMemoryKept)
  }

  /// Output is where the first frame left it, also after calls that returned something else.
  @Test func outputIsTheFirstFramesOwn() {
    // MSTORE8(0, 7), STATICCALL of the identity with one byte, its return data to 32; then 33 bytes from 0.
    let code: [UInt8] = [
      0x60, 7, 0x5f, 0x53, 0x60, 1, 0x60, 32, 0x60, 1, 0x5f, 0x60, 4, 0x5a, 0xfa, 0x50, 0x60, 33,
      0x5f, 0xf3,
    ]
    let result = Self.launch(code: code).run()
    #expect(result.outcomes[0].outputCount == 33)
    #expect(Array(result.records(0).prefix(5)) == [7, 0, 0, 0, 7])
    // A precompile as the recipient has no frame: its output is the return data.
    var launch = Self.launch([5])
    launch.transactions[0].message.recipient = Address(number: 4)
    #expect(launch.run().records(0) == [0, 0, 0, UInt64(5).byteSwapped])
  }

  // MARK: Time

  /// What jumps or calls for ever: JUMP and JUMPI to a known place and to `CALLDATASIZE - 32`, and two
  /// calls to itself a frame.
  private static let loops: [[UInt8]] = [
    [0x5b, 0x5f, 0x56],
    [0x5b, 0x60, 1, 0x5f, 0x57],
    [0x5b, 0x60, 32, 0x36, 0x03, 0x56],
    [0x5b, 0x60, 1, 0x60, 32, 0x36, 0x03, 0x57],
    [
      0x5f, 0x5f, 0x36, 0x5f, 0x5f, 0x30, 0x5a, 0xf1, 0x5f, 0x5f, 0x36, 0x5f, 0x5f, 0x30, 0x5a,
      0xf1,
    ],
  ]

  /// A lane whose time is over gives up in the middle; the same machine ends by gas where there is
  /// time.
  @Test(arguments: loops, [false, true])
  func aLongTransactionEndsWithTheTime(code: [UInt8], translated: Bool) throws {
    var launch = Self.launch(code: code)
    launch.isTranslated = translated
    let sizes = WorkspaceSizes.host(scale: 1)
    let memory = TestMemory()
    let workspace = try #require(
      Workspace(base: memory.raw(sizes.bytes), capacity: sizes.bytes, sizes: sizes))
    var message = TransactionMessage(
      sender: Self.sender(0), recipient: Self.counter, gasLimit: 3_000_000)
    message.data = UnsafeBufferPointer(start: memory.copy(Self.word(32)), count: 32)
    withExtendedLifetime(memory) {
      for budget: UInt64 in [0, 1] {
        var world = World(launch.table(memory), budget: budget)
        let result = withUnsafeMutablePointer(to: &world) { world in
          var machine = Machine(
            fork: launch.fork, block: BlockEnvironment(),
            view: TableStateView<LightPrecompiles>(world), tracer: NoTracer(),
            workspace: workspace)
          return machine.call(message)
        }
        #expect((result.status == .timeExhausted) == (budget == 0))
      }
    }
  }

  /// The outcome of one that gave up is that of one that never began.
  @Test func withoutTimeATransactionStaysPending() {
    var launch = Self.launch([1, 2])
    launch.budget = 0
    for outcome in launch.run().outcomes { #expect(outcome.state == .pending) }
  }

  // MARK: Instructions

  /// One table for all workspaces is what each would have made for itself.
  @Test(arguments: Fork.allCases) func sharedInstructionsAreThoseOfAWorkspace(fork: Fork) throws {
    let sizes = KernelLaunch.sizes
    let memory = TestMemory()
    let workspace = try #require(
      Workspace(base: memory.raw(sizes.bytes), capacity: sizes.bytes, sizes: sizes))
    let shared = InstructionTable.make(GasSchedule(fork))
    defer { shared.deallocate() }
    withExtendedLifetime(memory) {
      var world = World(KernelLaunch().table(memory), budget: 1)
      withUnsafeMutablePointer(to: &world) { world in
        let machine = Machine(
          fork: fork, block: BlockEnvironment(), view: TableStateView<AllPrecompiles>(world),
          tracer: NoTracer(), workspace: workspace)
        let own = UnsafeRawBufferPointer(
          start: machine.instructions, count: (InstructionTable.count + 1) * 8)
        let other = UnsafeRawBufferPointer(start: shared, count: (InstructionTable.count + 1) * 8)
        #expect(MemoryLayout<InstructionCheck>.stride == 8)
        #expect(own.elementsEqual(other))
        #expect(machine.schedule.fork == fork)
        let zeros = UnsafeBufferPointer(
          start: InstructionTable.zeros(of: machine.instructions), count: 128)
        #expect(zeros.allSatisfy { $0 == 0 })
      }
    }
  }
}

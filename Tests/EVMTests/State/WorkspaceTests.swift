import Testing

@testable import EVM

/// A workspace of any size gives the right answer or says that it is too small.
@Suite struct WorkspaceTests {
  private let arenas: [(name: String, path: WritableKeyPath<WorkspaceSizes, Int>)] = [
    ("stackWords", \.stackWords), ("memoryBytes", \.memoryBytes), ("frames", \.frames),
    ("accounts", \.accounts), ("slots", \.slots), ("undoRecords", \.undoRecords),
    ("logs", \.logs), ("logBytes", \.logBytes), ("codeBytes", \.codeBytes),
    ("returnBytes", \.returnBytes),
  ]

  /// Enough for the mixed transaction, and not much more.
  private static let sizes = WorkspaceSizes(
    stackWords: 8 * 1024, memoryBytes: 1 << 16, frames: 8, accounts: 64, slots: 64,
    undoRecords: 256, logs: 16, logBytes: 1024, codeBytes: 2048, returnBytes: 4096)

  @Test func mixedTransactionUsesWhatItShould() {
    let outcome = MixedTransaction.world().run(to: TestWorld.contract)
    #expect(outcome.status == .returned)
    #expect(outcome.logs.count == 3)
    #expect(outcome.output.count == 128)
    #expect(outcome.storage(0) == 1)
    #expect(outcome.storage(2) == 0xb10c_03e7)
    #expect(outcome.storage(3) != 0)
    #expect(outcome.storage(4) == 700)
    #expect(outcome.storage(1, of: TestWorld.other) == 0)
    let created = Address.created(by: TestWorld.contract, nonce: 1)
    #expect((outcome.accounts[created]?.code.count ?? 0) > 1000)
  }

  /// Nothing is asked of what lies in the memory before.
  @Test func whatTheMemoryHeldDoesNotMatter() {
    let world = MixedTransaction.world()
    let memory = UnsafeMutableRawPointer.allocate(byteCount: Self.sizes.bytes, alignment: 16)
    defer { memory.deallocate() }
    let results = [0x00, 0xa5, 0xff].map { (byte: UInt8) in
      memory.initializeMemory(as: UInt8.self, repeating: byte, count: Self.sizes.bytes)
      var machine = Machine(
        fork: world.fork, block: world.block, view: world, tracer: NoTracer(),
        workspace: Workspace(base: memory, capacity: Self.sizes.bytes, sizes: Self.sizes)!)
      let result = machine.execute(
        world.transaction(), gasAvailable: world.block.gasLimit, blobsAvailable: 0)
      return [
        UInt64(result.status.rawValue), result.gasUsed, result.gasRefunded,
        UInt64(machine.journal.accountCount), UInt64(machine.journal.slotCount),
        Keccak256.hash(machine.output).word.limb0,
      ]
    }
    #expect(results[0][0] == UInt64(ExecutionStatus.returned.rawValue))
    #expect(results.allSatisfy { $0 == results[0] })
    // A negative number of frames leaves no room for the message.
    var sizes = Self.sizes
    sizes.frames = -1
    #expect(Workspace(base: memory, capacity: Self.sizes.bytes, sizes: sizes) == nil)
  }

  /// Each arena alone is shrunk to nothing in steps: the outcome is exhaustion or the same.
  @Test func everySizeIsRightOrExhausted() {
    let world = MixedTransaction.world()
    let message = world.transaction()
    let expected = MixedTransaction.summary(world.run(message))
    #expect(MixedTransaction.summary(world.run(message, sizes: Self.sizes)) == expected)
    for arena in arenas {
      let full = Self.sizes[keyPath: arena.path]
      var wasEnough = false
      var exhausted = 0
      for size in Set((0...40).map { full * $0 / 40 }).sorted() {
        var sizes = Self.sizes
        sizes[keyPath: arena.path] = size
        let outcome = world.run(message, sizes: sizes)
        if outcome.status == .workspaceExhausted {
          #expect(!wasEnough, "\(arena.name): \(size) is too small, but less was enough")
          exhausted += 1
        } else {
          wasEnough = true
          #expect(MixedTransaction.summary(outcome) == expected, "\(arena.name): \(size)")
        }
      }
      #expect(exhausted > 0, "\(arena.name) is never exhausted")
      #expect(wasEnough, "\(arena.name) is never enough")
    }
  }

  /// A transaction in a workspace with one size set.
  private func run(
    _ code: Bytecode, data: [UInt8] = [], to recipient: Address? = TestWorld.contract,
    _ path: WritableKeyPath<WorkspaceSizes, Int>, _ size: Int
  ) -> ExecutionStatus {
    var sizes = Self.sizes
    sizes[keyPath: path] = size
    let world = TestWorld(.osaka, code: code)
    world.accounts[TestWorld.other] = .init(nonce: 1, code: [Opcode.stop])
    var sent = world.sent(to: recipient)
    sent.data = data
    return world.run(sent, sizes: sizes).status
  }

  @Test func memoryMayBeUsedToItsLastByte() {
    for (size, status): (Int, ExecutionStatus) in [
      (96, .stopped), (95, .workspaceExhausted), (64, .workspaceExhausted),
    ] {
      #expect(run(.call(Opcode.mload, 64), \.memoryBytes, size) == status)
      #expect(run(.call(Opcode.mstore8, 95, 1), \.memoryBytes, size) == status)
      #expect(run(.call(Opcode.mload, 0) + .call(Opcode.mload, 33), \.memoryBytes, size) == status)
    }
    // Gas comes first.
    #expect(run(.call(Opcode.mload, UInt256(1) << 32), \.memoryBytes, 96) == .outOfGas)
  }

  /// Initialisation code of n bytes takes n, 33 of padding, and a bit for each and one more, in
  /// whole words.
  @Test func initialisationCodeNeedsRoom() {
    // 27 + 33 + 4, and 26 + 33 + 4.
    for (count, size, status): (Int, Int, ExecutionStatus) in [
      (27, 64, .stopped), (27, 63, .workspaceExhausted), (26, 64, .stopped),
      (26, 63, .workspaceExhausted), (28, 64, .workspaceExhausted), (28, 96, .stopped),
    ] {
      let data = [UInt8](repeating: Opcode.stop, count: count)
      #expect(run([], data: data, to: nil, \.memoryBytes, size) == status, "\(count), \(size)")
      // A frame's own creation begins behind its memory, here of one word.
      let code =
        Bytecode.call(Opcode.mstore, 0, 0) + .call(Opcode.create, 0, 0, UInt256(UInt64(count)))
      #expect(run(code, \.memoryBytes, 32 + size) == status, "\(count), \(size)")
    }
  }

  /// Contract, other, and a contract of the same transaction: three frames at once at most.
  @Test func framesAreCounted() {
    let other = TestWorld.other.word
    let call = Bytecode.call(Opcode.call, 9000, other, 0, 0, 0, 0, 0)
    #expect(run([Opcode.stop], \.frames, 0) == .workspaceExhausted)
    #expect(run([Opcode.stop], \.frames, 1) == .stopped)
    #expect(run(call, \.frames, 1) == .workspaceExhausted)
    #expect(run(call, \.frames, 2) == .stopped)
    #expect(run(.call(Opcode.create, 0, 0, 0), \.frames, 1) == .workspaceExhausted)
    #expect(run(.call(Opcode.create, 0, 0, 0), \.frames, 2) == .stopped)
    // Accounts without code and precompiles need none.
    #expect(run(.call(Opcode.call, 9000, 0xffff, 0, 0, 0, 0, 0), \.frames, 1) == .stopped)
    #expect(run(.call(Opcode.call, 9000, 4, 0, 0, 0, 0, 0), \.frames, 1) == .stopped)
    #expect(run([], \.frames, 0) == .stopped)
  }

  /// A frame has a whole stack or none.
  @Test func aFrameNeeds1024Words() {
    #expect(run([Opcode.stop], \.stackWords, 1024) == .stopped)
    #expect(run([Opcode.stop], \.stackWords, 1023) == .workspaceExhausted)
  }

  @Test func returnDataMayFillItsRoom() {
    let end = { (opcode: UInt8, size: UInt256) in Bytecode.call(opcode, 0, size) }
    #expect(run(end(Opcode.`return`, 300), \.returnBytes, 300) == .returned)
    #expect(run(end(Opcode.`return`, 301), \.returnBytes, 300) == .workspaceExhausted)
    #expect(run(end(Opcode.revert, 300), \.returnBytes, 300) == .reverted)
    #expect(run(end(Opcode.revert, 301), \.returnBytes, 300) == .workspaceExhausted)
    // The identity of n bytes asks for 256 more.
    let copy = { (size: UInt256) in Bytecode.call(Opcode.call, 9000, 4, 0, 0, size, 0, 0) }
    #expect(run(copy(44), \.returnBytes, 300) == .stopped)
    #expect(run(copy(45), \.returnBytes, 300) == .workspaceExhausted)
  }

  @Test func aMachineRunsOnAfterExhaustion() {
    // The first transaction needs more slots than there are, the second does not.
    let many = (0..<40).map { Bytecode.call(Opcode.sload, UInt256(UInt64($0))) }
      .reduce(Bytecode(), +)
    let world = TestWorld(.osaka, code: many)
    world.accounts[TestWorld.other] = .init(nonce: 1, code: Bytecode.call(Opcode.sload, 1).bytes)
    var sizes = Self.sizes
    sizes.slots = 20
    let memory = UnsafeMutableRawPointer.allocate(byteCount: sizes.bytes, alignment: 16)
    defer { memory.deallocate() }
    let workspace = Workspace(base: memory, capacity: sizes.bytes, sizes: sizes)!
    var machine = Machine(
      fork: .osaka, block: world.block, view: world, tracer: NoTracer(), workspace: workspace)
    for _ in 0..<3 {
      let first = machine.execute(
        world.transaction(), gasAvailable: 1 << 40, blobsAvailable: 0)
      #expect(first.status == .workspaceExhausted)
      let second = machine.execute(
        world.transaction(to: TestWorld.other), gasAvailable: 1 << 40, blobsAvailable: 0)
      #expect(second.status == .stopped)
      #expect(second.gasUsed == 21000 + 2103)
    }
  }

  /// A designator of 23 bytes is made up in the memory.
  @Test func delegationsNeedRoom() {
    let world = TestWorld(.osaka)
    var sent = world.sent(.setCode)
    sent.authorizations = [
      AuthorizationItem(
        chainID: 0, address: TestWorld.contract, nonce: 0, authority: TestWorld.other,
        isValid: true)
    ]
    for (bytes, status): (Int, ExecutionStatus) in [(22, .workspaceExhausted), (23, .stopped)] {
      var sizes = Self.sizes
      sizes.memoryBytes = bytes
      #expect(world.run(sent, sizes: sizes).status == status)
    }
  }

  /// Whatever lay in the memory before makes no difference.
  @Test func contentsOfTheMemoryDoNotMatter() {
    let world = MixedTransaction.world()
    let expected = world.run(world.transaction())
    for byte: UInt8 in [0x00, 0x5b, 0xff] {
      let sizes = Self.sizes
      let memory = UnsafeMutableRawPointer.allocate(byteCount: sizes.bytes, alignment: 16)
      defer { memory.deallocate() }
      memory.initializeMemory(as: UInt8.self, repeating: byte, count: sizes.bytes)
      let workspace = Workspace(base: memory, capacity: sizes.bytes, sizes: sizes)!
      var machine = Machine(
        fork: .osaka, block: world.block, view: world, tracer: NoTracer(), workspace: workspace)
      let result = machine.execute(
        world.transaction(), gasAvailable: 1 << 40, blobsAvailable: 0)
      #expect(result.status == expected.status && result.gasUsed == expected.gasUsed)
      #expect(Array(machine.output) == expected.output)
    }
  }

  @Test func bytesAreEnoughForAnySizes() {
    var number: UInt64 = 1
    func next(_ bound: Int) -> Int {
      number = number &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(number >> 33) % bound
    }
    for _ in 0..<200 {
      let sizes = WorkspaceSizes(
        stackWords: next(50), memoryBytes: next(50), frames: next(5), accounts: next(50),
        slots: next(50), undoRecords: next(50), logs: next(9), logBytes: next(50),
        codeBytes: next(50), returnBytes: next(50))
      let memory = UnsafeMutableRawPointer.allocate(byteCount: sizes.bytes, alignment: 16)
      defer { memory.deallocate() }
      #expect(Workspace(base: memory, capacity: sizes.bytes, sizes: sizes) != nil)
      #expect(Workspace(base: memory, capacity: sizes.bytes / 2, sizes: sizes) == nil)
    }
  }
}

/// A view that answers a number of questions, then none.
private struct FailingView: StateView {
  let world: TestWorld
  var questionsLeft: Int
  private(set) var asked = 0

  init(_ world: TestWorld, answers: Int) {
    self.world = world
    questionsLeft = answers
  }

  private mutating func answers() -> Bool {
    asked += 1
    questionsLeft -= 1
    return questionsLeft >= 0
  }

  mutating func readAccount(_ address: Address, into record: inout AccountRecord) -> Bool {
    answers() && world.readAccount(address, into: &record)
  }

  mutating func readStorage(
    _ address: Address, place: UInt32, slot: UInt256, into record: inout StorageRecord
  ) -> Bool {
    answers() && world.readStorage(address, place: place, slot: slot, into: &record)
  }

  mutating func readCode(_ hash: Hash256, of address: Address, place: UInt32, into code: inout Code)
    -> Bool
  {
    answers() && world.readCode(hash, of: address, place: place, into: &code)
  }

  mutating func readBlockHash(_ number: UInt64, into hash: inout Hash256) -> Bool {
    answers() && world.readBlockHash(number, into: &hash)
  }
}

/// A view that can not answer.
@Suite struct UnavailableStateTests {
  @Test func everyUnansweredQuestionEndsTheTransaction() {
    let world = MixedTransaction.world()
    let expected = world.run(world.transaction())
    let sizes = TestWorld.sizes
    let memory = UnsafeMutableRawPointer.allocate(byteCount: sizes.bytes, alignment: 16)
    defer { memory.deallocate() }
    let workspace = Workspace(base: memory, capacity: sizes.bytes, sizes: sizes)!
    var machine = Machine(
      fork: .osaka, block: world.block, view: FailingView(world, answers: .max),
      tracer: NoTracer(), workspace: workspace)
    let run = { (answers: Int) -> TransactionResult in
      machine.view = FailingView(world, answers: answers)
      return machine.execute(world.transaction(), gasAvailable: 1 << 40, blobsAvailable: 0)
    }
    #expect(run(.max).gasUsed == expected.gasUsed)
    let questions = machine.view.asked
    // 7 accounts (sender, contract, other, 0xaaaa, 0xdead, modexp, the created one, coinbase), 2
    // codes, slots 0 to 5 of one and 1 of the other, and a block's hash.
    #expect(questions > 15)
    for answers in 0..<questions {
      let result = run(answers)
      #expect(result.status == .stateUnavailable, "question \(answers)")
      #expect(result.error == nil)
      // A retry that is answered is as if nothing had happened.
      let retry = run(.max)
      #expect(retry.status == expected.status && retry.gasUsed == expected.gasUsed)
      #expect(Array(machine.output) == expected.output)
    }
    #expect(run(questions).gasUsed == expected.gasUsed)
  }

  @Test func systemCallsFaultToo() {
    let world = TestWorld(.osaka, code: .call(Opcode.sload, 1))
    let sizes = TestWorld.sizes
    let memory = UnsafeMutableRawPointer.allocate(byteCount: sizes.bytes, alignment: 16)
    defer { memory.deallocate() }
    let workspace = Workspace(base: memory, capacity: sizes.bytes, sizes: sizes)!
    for (answers, status): (Int, ExecutionStatus) in [
      (0, .stateUnavailable), (1, .stateUnavailable), (2, .stateUnavailable), (3, .stopped),
    ] {
      var machine = Machine(
        fork: .osaka, block: world.block, view: FailingView(world, answers: answers),
        tracer: NoTracer(), workspace: workspace)
      let none = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
      #expect(machine.systemCall(to: TestWorld.contract, data: none).status == status)
    }
  }
}

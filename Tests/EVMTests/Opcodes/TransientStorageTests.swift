import Testing

@testable import EVM

/// TLOAD and TSTORE (EIP-1153).
@Suite struct TransientStorageTests {
  /// Runs one program when called without input, another with.
  private func dispatch(_ outer: Bytecode, reentered inner: Bytecode) -> Bytecode {
    let target = outer.bytes.count + 6
    return Bytecode([Opcode.calldatasize, 0x61, UInt8(target >> 8), UInt8(target & 255)])
      + [Opcode.jumpi] + outer + [Opcode.stop, Opcode.jumpdest] + inner
  }

  /// A call of the contract itself, with one byte of input.
  private func callSelf(_ opcode: UInt8 = Opcode.call) -> Bytecode {
    let own = TestWorld.contract.word
    return opcode == Opcode.call
      ? .call(opcode, 50_000, own, 0, 0, 1, 0, 32) : .call(opcode, 50_000, own, 0, 1, 0, 32)
  }

  private func set(_ value: UInt256) -> Bytecode { .call(Opcode.tstore, 1, value) }

  private var get: Bytecode { .call(Opcode.tload, 1) }

  @Test func costsAHundred() {
    #expect(executionGas(.osaka, get) == 103)
    #expect(executionGas(.osaka, set(5)) == 106)
    // No cold price, no refund, and the same for every change.
    let many = set(5) + set(0) + set(7) + get
    let outcome = TestWorld(.cancun, code: many).run()
    #expect(outcome.gasUsed == 21000 + 3 * 106 + 103)
    #expect(outcome.gasRefunded == 0)
  }

  @Test func keepsValuesForTheTransaction() {
    let world = TestWorld(.osaka, code: get + .returnTop)
    #expect(world.run().word == 0)
    world.accounts[TestWorld.contract]?.code = (set(5) + set(6) + get + .returnTop).bytes
    #expect(world.run().word == 6)
    // Across calls.
    let code = dispatch(
      set(7) + callSelf() + .call(Opcode.`return`, 0, 32), reentered: get + .returnTop)
    world.accounts[TestWorld.contract]?.code = code.bytes
    #expect(world.run().word == 7)
    world.accounts[TestWorld.contract]?.code =
      dispatch(callSelf() + get + .returnTop, reentered: set(8)).bytes
    #expect(world.run().word == 8)
  }

  @Test func theNextTransactionStartsWithoutThem() {
    let world = TestWorld(.osaka)
    let code = dispatch(set(5), reentered: get + .returnTop)
    world.accounts[TestWorld.contract]?.code = code.bytes
    let sizes = TestWorld.sizes
    let memory = UnsafeMutableRawPointer.allocate(byteCount: sizes.bytes, alignment: 16)
    defer { memory.deallocate() }
    let workspace = Workspace(base: memory, capacity: sizes.bytes, sizes: sizes)!
    var machine = Machine(
      fork: .osaka, block: world.block, view: world, tracer: NoTracer(), workspace: workspace)
    let input: [UInt8] = [1]
    input.withUnsafeBufferPointer { input in
      var message = world.transaction()
      #expect(
        machine.execute(message, gasAvailable: 10_000_000, blobsAvailable: 0).status == .stopped)
      message.data = input
      #expect(
        machine.execute(message, gasAvailable: 10_000_000, blobsAvailable: 0).status == .returned)
      #expect(machine.output.allSatisfy { $0 == 0 })
      #expect(machine.output.count == 32)
    }
  }

  @Test func isNotStorage() {
    let world = TestWorld(.osaka, code: set(5) + .call(Opcode.sload, 1) + .returnTop)
    world.accounts[TestWorld.contract]?.storage[1] = 3
    let outcome = world.run()
    #expect(outcome.word == 3)
    #expect(outcome.storage(1) == 3)
    world.accounts[TestWorld.contract]?.code = (get + .returnTop).bytes
    #expect(world.run().word == 0)
  }

  @Test func belongsToTheAccountThatRuns() {
    let calling = { (opcode: UInt8) -> Bytecode in
      opcode == Opcode.call
        ? .call(opcode, 50_000, TestWorld.other.word, 0, 0, 0, 0, 32)
        : .call(opcode, 50_000, TestWorld.other.word, 0, 0, 0, 32)
    }
    for (opcode, seen): (UInt8, UInt256) in [
      (Opcode.call, 0), (Opcode.staticcall, 0), (Opcode.delegatecall, 7),
    ] {
      let world = TestWorld(
        .osaka, code: set(7) + calling(opcode) + .call(Opcode.`return`, 0, 32))
      world.accounts[TestWorld.other] = .init(nonce: 1, code: (get + .returnTop).bytes)
      #expect(world.run().word == seen)
    }
  }

  @Test func failureUndoesChanges() {
    for end: Bytecode in [.call(Opcode.revert, 0, 0), [Opcode.invalid]] {
      let code = dispatch(set(7) + callSelf() + get + .returnTop, reentered: set(8) + end)
      #expect(TestWorld(.osaka, code: code).run().word == 7)
    }
  }

  @Test func staticFramesReadButDoNotWrite() {
    let reads = dispatch(
      set(7) + callSelf(Opcode.staticcall) + .call(Opcode.`return`, 0, 32),
      reentered: get + .returnTop)
    #expect(TestWorld(.osaka, code: reads).run().word == 7)
    let writes = dispatch(
      set(7) + callSelf(Opcode.staticcall) + .returnTop, reentered: set(7))
    #expect(TestWorld(.osaka, code: writes).run().word == 0)
  }
}

import Testing

@testable import EVM

/// The message call of a transaction without the rest of it, as `eth_call` has it.
@Suite struct MessageCallTests {
  private struct Called {
    var status: ExecutionStatus
    var gasUsed: UInt64
    var output: [UInt8]
    var sender: TestWorld.Account
    var recipient: TestWorld.Account

    var word: UInt256 { output.withUnsafeBufferPointer { UInt256(bigEndian: $0.baseAddress!) } }
  }

  private func call(_ world: TestWorld, value: UInt256 = .zero) -> Called {
    let sizes = TestWorld.sizes
    let memory = UnsafeMutableRawPointer.allocate(byteCount: sizes.bytes, alignment: 16)
    defer { memory.deallocate() }
    var machine = Machine(
      fork: world.fork, block: world.block, view: world, tracer: NoTracer(),
      workspace: Workspace(base: memory, capacity: sizes.bytes, sizes: sizes)!)
    var message = world.transaction()
    message.value = value
    let result = machine.call(message)
    let output = Array(machine.output)
    let account = { (address: Address) -> TestWorld.Account in
      let entry = machine.journal.entry(address)!
      if !entry.pointee.isLoaded { return .init(nonce: 0, balance: 0) }
      return .init(nonce: entry.pointee.nonce, balance: entry.pointee.balance)
    }
    return Called(
      status: result.status, gasUsed: result.gasUsed, output: output,
      sender: account(TestWorld.sender), recipient: account(TestWorld.contract))
  }

  @Test func takesTheCallsGasAlone() {
    // Two pushes and an addition.
    let called = call(TestWorld(.osaka, code: .call(Opcode.add, 1, 2)))
    #expect(called.status == .stopped)
    #expect(called.gasUsed == 9)
  }

  @Test func movesTheValue() {
    let world = TestWorld(
      .osaka, code: .call(Opcode.balance, TestWorld.sender.word) + .returnTop)
    world.accounts[TestWorld.sender] = .init(nonce: 4, balance: 100)
    world.accounts[TestWorld.contract]?.balance = 3
    let called = call(world, value: 30)
    #expect(called.word == 70)
    #expect(called.sender.balance == 70)
    #expect(called.sender.nonce == 4)
    #expect(called.recipient.balance == 33)
    world.accounts[TestWorld.contract]?.code =
      Bytecode.call(Opcode.revert, 0, 0).bytes
    #expect(call(world, value: 30).sender.balance == 100)
  }

  /// The sender is not asked for where nothing is to be known of it.
  @Test func readsNoMoreThanItNeeds() {
    let world = TestWorld(.osaka, code: [Opcode.stop])
    world.unavailable = [TestWorld.sender]
    #expect(call(world).status == .stopped)
    #expect(call(world, value: 1).status == .stateUnavailable)
    // Looking at it is another thing.
    world.accounts[TestWorld.contract]?.code =
      Bytecode.call(Opcode.balance, TestWorld.sender.word)
      .bytes
    #expect(call(world).status == .stateUnavailable)
  }

  /// EIP-2929 and EIP-3651: sender and recipient begin warm from Berlin on, the coinbase from
  /// Shanghai on.
  @Test func beginsWarmAsTransactionsDo() {
    let looks: [(Address, [(Fork, UInt64)])] = [
      (TestWorld.sender, [(.istanbul, 700), (.berlin, 100), (.london, 100), (.osaka, 100)]),
      (TestWorld.contract, [(.istanbul, 700), (.berlin, 100), (.london, 100), (.osaka, 100)]),
      (TestWorld.coinbase, [(.istanbul, 700), (.berlin, 2600), (.paris, 2600), (.shanghai, 100)]),
      (TestWorld.other, [(.istanbul, 700), (.berlin, 2600), (.london, 2600), (.osaka, 2600)]),
    ]
    for (address, prices) in looks {
      for (fork, price) in prices {
        let called = call(TestWorld(fork, code: .call(Opcode.balance, address.word)))
        #expect(called.gasUsed == 3 + price, "\(address.word) \(fork)")
      }
    }
  }
}

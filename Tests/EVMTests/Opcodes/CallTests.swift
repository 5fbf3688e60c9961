import Testing

@testable import EVM

/// Calls between contracts: context, value, gas, return data, failure.
@Suite struct CallTests {
  private static let other = TestWorld.other.word

  /// A world in which `contract` runs `code` and `other` runs `callee`.
  private func world(_ code: Bytecode, calling callee: Bytecode, fork: Fork = .osaka)
    -> TestWorld
  {
    let world = TestWorld(fork, code: code)
    world.accounts[TestWorld.other] = .init(nonce: 1, balance: 5, code: callee.bytes)
    return world
  }

  private static func calling(
    _ opcode: UInt8, gas: UInt256 = 100_000, value: UInt256 = 0, input: (UInt256, UInt256) = (0, 0),
    output: (UInt256, UInt256) = (0, 0)
  ) -> Bytecode {
    opcode == Opcode.call || opcode == Opcode.callcode
      ? .call(opcode, gas, other, value, input.0, input.1, output.0, output.1)
      : .call(opcode, gas, other, input.0, input.1, output.0, output.1)
  }

  private static let all = [
    Opcode.call, Opcode.callcode, Opcode.delegatecall, Opcode.staticcall,
  ]

  @Test func contextIsTheCalleesOrTheCallers() {
    // The callee returns ADDRESS, CALLER, CALLVALUE and the first word of its input.
    let callee =
      Bytecode([Opcode.address]) + .call(Opcode.mstore, 0) + [Opcode.caller]
      + .call(Opcode.mstore, 32) + [Opcode.callvalue] + .call(Opcode.mstore, 64)
      + .call(Opcode.calldataload, 0) + .call(Opcode.mstore, 96) + .call(Opcode.`return`, 0, 128)
    let expected: [UInt8: (Address, Address, UInt256)] = [
      Opcode.call: (TestWorld.other, TestWorld.contract, 3),
      Opcode.callcode: (TestWorld.contract, TestWorld.contract, 3),
      Opcode.delegatecall: (TestWorld.contract, TestWorld.sender, 9),
      Opcode.staticcall: (TestWorld.other, TestWorld.contract, 0),
    ]
    for opcode in Self.all {
      let code =
        Bytecode.call(Opcode.mstore, 0, 0x77)
        + Self.calling(opcode, value: 3, input: (0, 32), output: (0, 128))
        + .call(Opcode.`return`, 0, 128)
      let world = world(code, calling: callee)
      world.accounts[TestWorld.contract]?.balance = 100
      let output = world.run(value: 9).output
      let words = output.withUnsafeBufferPointer { bytes in
        (0..<4).map { UInt256(bigEndian: bytes.baseAddress! + $0 * 32) }
      }
      let (address, caller, value) = expected[opcode]!
      #expect(words == [address.word, caller.word, value, 0x77])
    }
  }

  @Test func delegateStoresInTheCaller() {
    let callee = Bytecode.push(7) + .store(1)
    for (opcode, owner) in [
      (Opcode.call, TestWorld.other), (Opcode.callcode, TestWorld.contract),
      (Opcode.delegatecall, TestWorld.contract),
    ] {
      let outcome = world(Self.calling(opcode), calling: callee).run()
      #expect(outcome.storage(1, of: owner) == 7)
    }
  }

  @Test func staticForbidsChanges() {
    let changes: [Bytecode] = [
      .push(1) + .store(0), .call(Opcode.tstore, 0, 1), .call(Opcode.log0, 0, 0),
      .call(Opcode.log4, 0, 0, 1, 2, 3, 4), .call(Opcode.create, 0, 0, 0),
      .call(Opcode.create2, 0, 0, 0, 0), .call(Opcode.selfdestruct, 0),
      .call(Opcode.call, 0, 0, 1, 0, 0, 0, 0),
    ]
    for change in changes {
      let code = Self.calling(Opcode.staticcall) + .returnTop
      #expect(world(code, calling: change).run().word == 0)
      // The rule holds in frames below, too.
      let nested = world(
        code, calling: .call(Opcode.call, 50_000, 0xbeef, 0, 0, 0, 0, 0) + .returnTop)
      nested.accounts[Address(number: 0xbeef)] = .init(nonce: 1, code: change.bytes)
      let inner =
        Self.calling(Opcode.staticcall, output: (0, 32)) + .call(Opcode.`return`, 0, 32)
      nested.accounts[TestWorld.contract]?.code = inner.bytes
      #expect(nested.run().word == 0)
    }
    // A call without value is no change; CALLCODE with value changes nothing outside either.
    for harmless: Bytecode in [
      .call(Opcode.call, 0, 0, 0, 0, 0, 0, 0), .call(Opcode.callcode, 0, 0, 1, 0, 0, 0, 0),
    ] {
      #expect(
        world(Self.calling(Opcode.staticcall) + .returnTop, calling: harmless).run().word == 1)
    }
  }

  @Test func failureUndoesTheCalleeAlone() {
    for end: Bytecode in [.call(Opcode.revert, 0, 0), [Opcode.invalid], [Opcode.add]] {
      let callee = Bytecode.push(7) + .store(1) + .call(Opcode.log0, 0, 0) + end
      let code = Bytecode.push(5) + .store(0) + Self.calling(Opcode.call, value: 2) + .store(2)
      let world = world(code, calling: callee)
      world.accounts[TestWorld.contract]?.balance = 10
      let outcome = world.run()
      #expect(outcome.status == .stopped)
      #expect(outcome.storage(0) == 5)
      #expect(outcome.storage(1, of: TestWorld.other) == 0)
      #expect(outcome.storage(2) == 0)
      #expect(outcome.logs.isEmpty)
      #expect(outcome.accounts[TestWorld.other]?.balance == 5)
    }
  }

  @Test func revertReturnsGasAndDataAndAHaltTakesBoth() {
    let reverts = Bytecode.call(Opcode.mstore, 0, 0x42) + .call(Opcode.revert, 0, 32)
    let size = Bytecode([Opcode.pop, Opcode.returndatasize]) + .returnTop
    #expect(world(Self.calling(Opcode.call) + size, calling: reverts).run().word == 32)
    let halts: Bytecode = [Opcode.invalid]
    #expect(world(Self.calling(Opcode.call) + size, calling: halts).run().word == 0)
    let cheap = world(Self.calling(Opcode.call), calling: reverts).run().gasUsed
    let dear = world(Self.calling(Opcode.call), calling: halts).run().gasUsed
    // 100,000 gas were given; the revert used MSTORE 3 + 3 of memory, 4 pushes.
    #expect(dear - cheap == 100_000 - (3 + 3 + 4 * 3))
  }

  @Test func outputGoesWhereTheCallerSaid() {
    let callee = Bytecode.call(Opcode.mstore, 0, .max) + .call(Opcode.`return`, 0, 32)
    let code =
      Self.calling(Opcode.call, output: (10, 4)) + .call(Opcode.mload, 0) + .returnTop
    // Four bytes from position 10 on.
    #expect(world(code, calling: callee).run().word == (UInt256(0xffff_ffff) << 144))
  }

  @Test func returnDataCopyMustStayInside() {
    let callee = Bytecode.call(Opcode.mstore, 0, 0xaabb) + .call(Opcode.`return`, 30, 2)
    let copy = { (offset: UInt256, count: UInt256) in
      Self.calling(Opcode.call) + .call(Opcode.returndatacopy, 30, offset, count)
        + .call(Opcode.`return`, 0, 32)
    }
    #expect(world(copy(0, 2), calling: callee).run().word == 0xaabb)
    #expect(world(copy(1, 2), calling: callee).run().status == .returnDataOutOfBounds)
    #expect(world(copy(3, 0), calling: callee).run().status == .returnDataOutOfBounds)
    #expect(world(copy(2, 0), calling: callee).run().status == .returned)
    #expect(world(copy(.max, 1), calling: callee).run().status == .returnDataOutOfBounds)
  }

  @Test func aNewCallClearsReturnData() {
    let code =
      Self.calling(Opcode.call)
      // Too little balance: the call does not happen, and returns nothing.
      + .call(Opcode.call, 0, 0xdead, .max, 0, 0, 0, 0) + [Opcode.returndatasize] + .returnTop
    #expect(world(code, calling: .call(Opcode.`return`, 0, 7)).run().word == 0)
  }

  /// All but a 64th of the gas goes to the callee at most (EIP-150); before, asking for more than
  /// there is runs out of gas.
  @Test func keepsASixtyFourth() {
    let callee = Bytecode([Opcode.gas]) + .returnTop
    let code = Self.calling(Opcode.call, gas: .max, output: (0, 32)) + .call(Opcode.`return`, 0, 32)
    let outcome = world(code, calling: callee).run()
    // Before the call 7 pushes; memory 3; a cold account 2,600. GAS itself costs 2.
    let before: UInt64 = 1_000_000 - 21_000 - 7 * 3 - 3 - 2600
    #expect(outcome.word == UInt256(before - before / 64 - 2))
    #expect(world(code, calling: callee, fork: .homestead).run().status == .outOfGas)
  }

  /// Before EIP-150 a call may ask for exactly what is left, and not for one more.
  @Test func allGasMayBeGivenBeforeTangerineWhistle() {
    // After 7 pushes and the call's 40.
    let left = 1_000_000 - 21_000 - 21 - 40
    let callee = Bytecode([Opcode.gas]) + .store(1)
    for (gas, status): (Int, ExecutionStatus) in [
      (left - 1, .stopped), (left, .stopped), (left + 1, .outOfGas),
    ] {
      let code = Self.calling(Opcode.call, gas: UInt256(UInt64(gas)))
      let outcome = world(code, calling: callee, fork: .homestead).run()
      #expect(outcome.status == status)
      let told = status == .stopped ? UInt256(UInt64(gas - 2)) : 0
      #expect(outcome.storage(1, of: TestWorld.other) == told)
    }
  }

  /// From EIP-150 on a call gets what it asks for up to all but a 64th, and never fails for asking.
  @Test func asksAroundTheSixtyFourth() {
    // After 7 pushes and a cold account.
    let left = 1_000_000 - 21_000 - 21 - 2600
    let most = left - left / 64
    let callee = Bytecode([Opcode.gas]) + .store(1)
    for (gas, given) in [(most - 1, most - 1), (most, most), (most + 1, most), (left, most)] {
      let code = Self.calling(Opcode.call, gas: UInt256(UInt64(gas)))
      let outcome = world(code, calling: callee).run()
      #expect(outcome.storage(1, of: TestWorld.other) == UInt256(UInt64(given - 2)))
    }
  }

  /// CALLCODE and DELEGATECALL bring no account into being, so they pay for none.
  @Test func otherCallsPayForNoNewAccount() {
    let gas = { (fork: Fork, code: Bytecode) -> UInt64 in
      let world = TestWorld(fork, code: code)
      world.accounts[TestWorld.contract]?.balance = 1
      let outcome = world.run()
      #expect(outcome.status == .stopped)
      return outcome.gasUsed - 21000
    }
    let callCode = { (value: UInt256) in
      Bytecode.call(Opcode.callcode, 0, 0xffff, value, 0, 0, 0, 0)
    }
    let delegate = Bytecode.call(Opcode.delegatecall, 0, 0xffff, 0, 0, 0, 0)
    let look = Bytecode.call(Opcode.staticcall, 0, 0xffff, 0, 0, 0, 0)
    #expect(gas(.frontier, callCode(0)) == 21 + 40)
    #expect(gas(.frontier, callCode(1)) == 21 + 40 + 9000 - 2300)
    #expect(gas(.homestead, delegate) == 18 + 40)
    #expect(gas(.tangerineWhistle, callCode(1)) == 21 + 700 + 9000 - 2300)
    #expect(gas(.byzantium, callCode(1)) == 21 + 700 + 9000 - 2300)
    #expect(gas(.byzantium, delegate) == 18 + 700)
    #expect(gas(.byzantium, look) == 18 + 700)
    #expect(gas(.osaka, callCode(1)) == 21 + 2600 + 9000 - 2300)
  }

  @Test func valueCostsAndGivesAStipend() {
    let callee = Bytecode([Opcode.gas]) + .returnTop
    let code = { (value: UInt256) in
      Self.calling(Opcode.call, gas: 0, value: value, output: (0, 32))
        + .call(Opcode.`return`, 0, 32)
    }
    let world = world(code(1), calling: callee)
    world.accounts[TestWorld.contract]?.balance = 1
    #expect(world.run().word == 2298)
    // 7 pushes, memory 3, cold 2,600, value 9,000; the callee spent 2 + 3 + 3 + 3 + 6 of 2,300.
    let spent = world.run().gasUsed - 21000
    #expect(spent == 21 + 3 + 2600 + 9000 - 2300 + (2 + 3 + 3 + 3 + 3 + 3) + 6)
  }

  @Test func newAccountsCost() {
    let call = { (value: UInt256) in Bytecode.call(Opcode.call, 0, 0xffff, value, 0, 0, 0, 0) }
    let gas = { (fork: Fork, value: UInt256) -> UInt64 in
      let world = TestWorld(fork, code: call(value))
      world.accounts[TestWorld.contract]?.balance = 1
      return world.run().gasUsed - 21000 - 21
    }
    #expect(gas(.frontier, 0) == 40 + 25000)
    #expect(gas(.tangerineWhistle, 0) == 700 + 25000)
    #expect(gas(.spuriousDragon, 0) == 700)
    #expect(gas(.spuriousDragon, 1) == 700 + 25000 + 9000 - 2300)
    #expect(gas(.berlin, 1) == 2600 + 25000 + 9000 - 2300)
  }

  @Test func callWithoutFundsFailsWithoutCost() {
    let code = Self.calling(Opcode.call, value: 1) + .returnTop
    let outcome = world(code, calling: []).run()
    #expect(outcome.word == 0)
    #expect(outcome.gasUsed == 21000 + 21 + 2600 + 9000 - 2300 + 3 + 3 + 3 + 6)
  }

  @Test func depthEndsAt1024() {
    // Each frame calls itself with all gas and adds one to what its callee returned.
    let body =
      Bytecode.push(32) + .push(0) + .push(0) + .push(0) + .push(0)
      + [Opcode.address, Opcode.gas, Opcode.call, Opcode.pop] + .call(Opcode.mload, 0) + .push(1)
      + [Opcode.add] + .returnTop
    let world = TestWorld(.frontier, code: body)
    // Before EIP-150 a frame can give all it has: ask for what is left less what it needs itself.
    let frugal =
      Bytecode.push(32) + .push(0) + .push(0) + .push(0) + .push(0) + [Opcode.address]
      + .push(200) + [Opcode.gas, Opcode.sub, Opcode.call, Opcode.pop] + .call(Opcode.mload, 0)
      + .push(1) + [Opcode.add] + .returnTop
    world.accounts[TestWorld.contract]?.code = frugal.bytes
    let outcome = world.run(gas: 10_000_000)
    #expect(outcome.status == .returned)
    #expect(outcome.word == 1025)
  }

  @Test func accountsWithoutCodeSucceed() {
    let code = Bytecode.call(Opcode.call, 1000, 0xffff, 0, 0, 0, 0, 0) + .returnTop
    let outcome = TestWorld(.osaka, code: code).run()
    #expect(outcome.word == 1)
    // Nothing runs below.
    #expect(outcome.steps.allSatisfy { $0.depth == 1 })
  }

  /// A tracer hears of every call that begins that it is over, of accounts without code too.
  @Test func tracersHearOfEveryCallsEnd() {
    let code =
      Bytecode.call(Opcode.call, 1000, 0xffff, 0, 0, 0, 0, 0)
      + .call(Opcode.staticcall, 1000, 4, 0, 3, 0, 0) + Self.calling(Opcode.delegatecall)
      + .call(Opcode.create, 0, 0, 0)
    let world = world(code, calling: .call(Opcode.revert, 0, 5))
    let sizes = TestWorld.sizes
    let memory = UnsafeMutableRawPointer.allocate(byteCount: sizes.bytes, alignment: 16)
    defer { memory.deallocate() }
    var machine = Machine(
      fork: .osaka, block: world.block, view: world, tracer: FrameRecorder(),
      workspace: Workspace(base: memory, capacity: sizes.bytes, sizes: sizes)!)
    _ = machine.execute(world.transaction(), gasAvailable: 1 << 40, blobsAvailable: 0)
    #expect(
      machine.tracer.lines == [
        "enter 1 0", "enter 2 0", "exit 2 stopped 0", "enter 2 3", "exit 2 returned 3",
        "enter 2 0", "exit 2 reverted 5", "enter 2 0", "exit 2 stopped 0", "exit 1 stopped 0",
      ])
    // So too when the transaction's own recipient has none.
    machine.tracer.lines = []
    _ = machine.execute(
      world.transaction(to: Address(number: 0xffff)), gasAvailable: 1 << 40, blobsAvailable: 0)
    #expect(machine.tracer.lines == ["enter 1 0", "exit 1 stopped 0"])
  }

  @Test func precompilesRunAndFailLikeCalls() {
    // Identity of three bytes, then one gas too few.
    let identity = { (gas: UInt256) in
      Bytecode.call(Opcode.mstore, 0, 0x010203)
        + .call(Opcode.staticcall, gas, 4, 29, 3, 32, 3) + .returnTop
    }
    #expect(TestWorld(.osaka, code: identity(18)).run().word == 1)
    #expect(TestWorld(.osaka, code: identity(17)).run().word == 0)
    // A precompile of a later fork is an account without code.
    let late = Bytecode.call(Opcode.call, 100_000, 9, 0, 0, 1, 0, 0) + .returnTop
    #expect(TestWorld(.byzantium, code: late).run().word == 1)
    #expect(TestWorld(.istanbul, code: late).run().word == 0)
  }

  @Test func precompileKeepsItsFailureFromTheState() {
    // BLAKE2 F with empty input fails: the value comes back.
    let code = Bytecode.call(Opcode.call, 100_000, 9, 3, 0, 0, 0, 0) + .returnTop
    let world = TestWorld(.osaka, code: code)
    world.accounts[TestWorld.contract]?.balance = 3
    let outcome = world.run()
    #expect(outcome.word == 0)
    #expect(outcome.accounts[TestWorld.contract]?.balance == 3)
    #expect(outcome.accounts[Address(number: 9)] == nil)
  }
}

/// Keeps the frames that begin, with the size of their input, and how they end, with that of their
/// output.
private struct FrameRecorder: ExecutionTracer {
  var lines: [String] = []

  static var isEnabled: Bool { true }
  mutating func willExecute(_ step: TraceStep) {}
  mutating func didCharge(gas: Int64) {}
  mutating func willEnter(
    depth: Int, from caller: Address, to address: Address, value: UInt256, gas: Int64,
    input: UnsafeBufferPointer<UInt8>
  ) {
    lines.append("enter \(depth) \(input.count)")
  }
  mutating func didExit(
    depth: Int, status: ExecutionStatus, gas: Int64, output: UnsafeBufferPointer<UInt8>
  ) {
    lines.append("exit \(depth) \(status) \(output.count)")
  }
}

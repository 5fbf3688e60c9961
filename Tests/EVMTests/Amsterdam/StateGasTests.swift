import Testing

@testable import EVM

/// What new state costs, and in which dimension (EIP-8037 as the devnet tests of April 2026 have it).
/// The world's block has 100 M gas: a byte costs 1,174.
@Suite struct StateGasTests {
  private static let byte: UInt64 = 1174
  private static let slot = 32 * byte
  private static let account = 112 * byte
  private static let stranger = Address(number: 0x57a4)

  private func run(
    _ code: Bytecode, gas: UInt64 = 1_000_000, _ edit: (TestWorld) -> Void = { _ in }
  ) -> TestWorld.Outcome {
    let world = TestWorld(.amsterdam, code: code)
    edit(world)
    return world.run(gas: gas)
  }

  /// The EIP's table of prices, by the block's gas limit in millions.
  @Test(arguments: [
    (100, 1174), (150, 1686), (200, 2198), (250, 2710), (300, 3222), (350, 4246), (400, 4758),
    (450, 5270), (500, 5782), (550, 6294), (600, 6806), (650, 7830), (700, 7830), (750, 8854),
    (800, 8854), (850, 9878), (900, 10902), (950, 10902), (1000, 11926),
  ])
  func priceFollowsTheGasLimit(millions: Int, price: Int) {
    #expect(
      StateGas.perByte(.amsterdam, gasLimit: UInt64(millions) * 1_000_000) == Int64(price))
    #expect(StateGas.perByte(.bpo5, gasLimit: UInt64(millions) * 1_000_000) == 0)
  }

  @Test func priceIsOneAtLeastAndAnyGasLimitHasOne() {
    #expect(StateGas.perByte(.amsterdam, gasLimit: 0) == 1)
    #expect(StateGas.perByte(.amsterdam, gasLimit: 5000) == 1)
    #expect(StateGas.perByte(.amsterdam, gasLimit: .max) > 1 << 40)
  }

  // MARK: Slots

  @Test func newSlotTakesStateGas() {
    let outcome = run(.push(1) + .store(0))
    #expect(outcome.stateGas == Self.slot)
    #expect(outcome.regularGas == 21000 + 3 + 3 + 2100 + 2900)
    #expect(outcome.gasUsed == outcome.regularGas + outcome.stateGas)
  }

  @Test func changedSlotTakesNone() {
    let outcome = run(.push(2) + .store(0)) {
      $0.accounts[TestWorld.contract]?.storage[0] = 1
    }
    #expect(outcome.stateGas == 0)
    #expect(outcome.regularGas == 21000 + 3 + 3 + 5000)
  }

  /// The refund of 2,800 is capped and leaves the block's gas as it is; the state gas is not.
  @Test func slotThatIsZeroAgainGivesItsStateGasBack() {
    let outcome = run(.push(1) + .store(0) + .push(0) + .store(0))
    let regular: UInt64 = 21000 + 4 * 3 + 2100 + 2900 + 100
    #expect(outcome.stateGas == 0)
    #expect(outcome.regularGas == regular)
    #expect(outcome.gasRefunded == 2800)
    #expect(outcome.gasUsed == regular - 2800)
  }

  @Test func stateGasThatIsNotThereEndsTheFrame() {
    let needed = 21000 + 3 + 3 + 2100 + 2900 + Self.slot
    #expect(run(.push(1) + .store(0), gas: needed).status == .stopped)
    let outcome = run(.push(1) + .store(0), gas: needed - 1)
    #expect(outcome.status == .outOfGas)
    // All regular gas is gone.
    #expect(outcome.regularGas == needed - 1)
    #expect(outcome.stateGas == 0)
  }

  // MARK: Frames that fail

  private func callOther(_ opcode: UInt8 = Opcode.call) -> Bytecode {
    opcode == Opcode.delegatecall
      ? .call(opcode, 500_000, TestWorld.other.word, 0, 0, 0, 0) + [Opcode.pop]
      : .call(opcode, 500_000, TestWorld.other.word, 0, 0, 0, 0, 0) + [Opcode.pop]
  }

  private func run(_ code: Bytecode, other: Bytecode) -> TestWorld.Outcome {
    run(code) { $0.accounts[TestWorld.other] = .init(nonce: 1, code: other.bytes) }
  }

  private static let revert = Bytecode.call(Opcode.revert, 0, 0)

  @Test func frameThatRevertsGivesItsStateGasBack() {
    let kept = run(callOther(), other: .push(1) + .store(0))
    let reverted = run(callOther(), other: .push(1) + .store(0) + Self.revert)
    #expect(kept.stateGas == Self.slot)
    #expect(reverted.stateGas == 0)
    // The two PUSH of REVERT.
    #expect(reverted.regularGas == kept.regularGas + 6)
    #expect(reverted.gasUsed == reverted.regularGas)
  }

  /// What was given back pays for new state only: it is not the caller's gas again.
  @Test func stateGasThatIsGivenBackPaysForNewState() {
    let probe = Bytecode([Opcode.gas]) + .store(1)
    let outcome = run(callOther() + probe, other: .push(1) + .store(0) + Self.revert)
    #expect(outcome.stateGas == Self.slot)
    #expect(outcome.gasUsed == outcome.regularGas + outcome.stateGas)
  }

  @Test func whatWasCreditedToAFrameThatFailsIsLost() {
    let other = Bytecode.push(1) + .store(0) + .push(0) + .store(0) + Self.revert
    let outcome = run(callOther(), other: other)
    #expect(outcome.stateGas == 0)
    #expect(outcome.gasUsed == outcome.regularGas + Self.slot)
  }

  /// No more is lost than was there, however often the frame took the same slot back.
  @Test func whatWasCreditedAgainAndAgainIsLostOnce() {
    let round = Bytecode.push(1) + .store(0) + .push(0) + .store(0)
    let outcome = run(callOther(), other: round + round + round + Self.revert)
    #expect(outcome.stateGas == 0)
    #expect(outcome.gasUsed == outcome.regularGas + Self.slot)
    // A transaction that has no gas left had used more than its limit.
    let rounds = (0..<20).reduce(Bytecode.push(0)) { sum, _ in sum + round }
    let spent = run(callOther() + [Opcode.invalid], other: rounds + Self.revert)
    #expect(spent.gasUsed == 1_000_000)
  }

  /// The same when a frame between the two fails.
  @Test func whatWasCreditedBelowAFrameThatFailsIsLost() {
    let third = Address(number: 0x3333)
    let other =
      Bytecode.call(Opcode.call, 300_000, third.word, 0, 0, 0, 0, 0) + [Opcode.pop] + Self.revert
    let outcome = run(callOther()) {
      $0.accounts[TestWorld.other] = .init(nonce: 1, code: other.bytes)
      $0.accounts[third] = .init(
        nonce: 1, code: (Bytecode.push(1) + .store(0) + .push(0) + .store(0)).bytes)
    }
    #expect(outcome.stateGas == 0)
    #expect(outcome.gasUsed == outcome.regularGas + Self.slot)
  }

  @Test func firstFrameThatFailsKeepsWhatItWasCredited() {
    let outcome = run(.push(1) + .store(0) + .push(0) + .store(0) + Self.revert)
    #expect(outcome.status == .reverted)
    #expect(outcome.stateGas == 0)
    #expect(outcome.gasUsed == outcome.regularGas)
  }

  @Test func callersSlotThatACalleeClearsIsCreditedToTheCaller() {
    let outcome = run(
      .push(1) + .store(0) + callOther(Opcode.delegatecall), other: .push(0) + .store(0))
    #expect(outcome.stateGas == 0)
    #expect(outcome.gasUsed + outcome.gasRefunded == outcome.regularGas)
  }

  @Test func callersSlotThatACalleeClearsInVainStaysPaidFor() {
    let outcome = run(
      .push(1) + .store(0) + callOther(Opcode.delegatecall),
      other: .push(0) + .store(0) + Self.revert)
    #expect(outcome.stateGas == Self.slot)
    #expect(outcome.gasUsed == outcome.regularGas + outcome.stateGas)
  }

  // MARK: Accounts

  private func pay(_ address: Address) -> Bytecode {
    .call(Opcode.call, 0, address.word, 1, 0, 0, 0, 0) + [Opcode.pop]
  }

  @Test func weiForANewAccountTakeStateGas() {
    let outcome = run(pay(Self.stranger)) { $0.accounts[TestWorld.contract]?.balance = 5 }
    #expect(outcome.stateGas == Self.account)
    // The callee gives its stipend back.
    #expect(outcome.regularGas == 21000 + 7 * 3 + 2600 + 9000 - 2300 + 2)
    let known = run(pay(Self.stranger)) {
      $0.accounts[TestWorld.contract]?.balance = 5
      $0.accounts[Self.stranger] = .init(balance: 1)
    }
    #expect(known.stateGas == 0)
    #expect(known.regularGas == outcome.regularGas)
  }

  @Test func selfDestructInFavourOfANewAccountTakesStateGas() {
    let code = Bytecode.push(Self.stranger) + [Opcode.selfdestruct]
    let outcome = run(code) { $0.accounts[TestWorld.contract]?.balance = 5 }
    #expect(outcome.stateGas == Self.account)
    #expect(outcome.regularGas == 21000 + 3 + 5000 + 2600)
    #expect(run(code).stateGas == 0)
  }

  // MARK: Creations

  private func create(_ initCode: Bytecode) -> Bytecode {
    initCode.inMemory
      + .call(Opcode.create, 0, 0, UInt256(UInt64(initCode.bytes.count))) + [Opcode.pop]
  }

  @Test func creationTakesStateGasForAccountAndCode() {
    let code = Bytecode([0, 0, 0, 0, 0])
    let outcome = run(create(code.deployment))
    #expect(outcome.stateGas == Self.account + 5 * Self.byte)
    let empty = run(create(.call(Opcode.mstore, 0, 0) + .call(Opcode.`return`, 0, 0)))
    #expect(empty.stateGas == Self.account)
    // Six gas for the hash of each word of code.
    #expect(outcome.regularGas == empty.regularGas + 6)
  }

  @Test func creationCosts9000BesidesItsStateGas() {
    #expect(GasSchedule(.amsterdam).cost(.create) == 9000)
    #expect(GasSchedule(.bpo5).cost(.create) == 32000)
    // Three PUSH1, the creation, POP: no code, and an init code of no bytes.
    let outcome = run(.call(Opcode.create, 0, 0, 0) + [Opcode.pop])
    #expect(outcome.regularGas == 21000 + 9 + 9000 + 2)
  }

  @Test func creationThatFailsGivesItsStateGasBack() {
    #expect(run(create(Self.revert)).stateGas == 0)
    #expect(run(create([Opcode.invalid])).stateGas == 0)
    // Wei that the creator has not got, and an address that is taken.
    #expect(run(.call(Opcode.create, 1, 0, 0)).stateGas == 0)
    let taken = Address.created(by: TestWorld.contract, nonce: 1)
    let outcome = run(.call(Opcode.create, 0, 0, 0)) { $0.accounts[taken] = .init(nonce: 1) }
    #expect(outcome.stateGas == 0)
    #expect(outcome.gasUsed == outcome.regularGas)
  }

  @Test func creationTransactionPaysForTheAccountInAdvance() {
    let world = TestWorld(.amsterdam)
    let initCode = Bytecode([0, 0]).deployment
    let outcome = world.run(data: initCode.bytes, to: nil)
    #expect(outcome.status.isSuccess)
    #expect(outcome.stateGas == Self.account + 2 * Self.byte)
    // Also when it fails.
    let failed = world.run(data: [Opcode.invalid], gas: 300_000, to: nil)
    #expect(failed.status == .undefinedOpcode)
    #expect(failed.stateGas == Self.account)
    #expect(failed.gasUsed == 300_000)
  }

  @Test func accountThatGoesWithItsTransactionTakesNone() {
    // It writes a slot, deploys nothing and destroys itself.
    let initCode = Bytecode.push(1) + .store(0) + .push(TestWorld.sender) + [Opcode.selfdestruct]
    let outcome = run(create(initCode))
    #expect(outcome.destroyed.count == 1)
    #expect(outcome.stateGas == 0)
    #expect(outcome.gasUsed == outcome.regularGas)
    // Its code counts as well: deployed, then called.
    let runtime = Bytecode.push(TestWorld.sender) + [Opcode.selfdestruct]
    let child = Address.created(by: TestWorld.contract, nonce: 1)
    let called = run(
      create(runtime.deployment) + .call(Opcode.call, 100_000, child.word, 0, 0, 0, 0, 0))
    #expect(called.destroyed == [child])
    #expect(called.stateGas == 0)
  }

  // MARK: Transactions

  /// Gas above the limit of EIP-7825 can only pay for new state; GAS does not show it.
  @Test func gasAboveTheLimitIsSetAside() {
    let limit: UInt64 = 1 << 24
    let shown = run([Opcode.gas] + .returnTop, gas: limit + 500_000)
    #expect(shown.word == UInt256(limit - 21000 - 2))
    let stored = run(.push(1) + .store(0) + [Opcode.gas] + .returnTop, gas: limit + 500_000)
    #expect(stored.word == UInt256(limit - 21000 - 6 - 5000 - 2))
    #expect(stored.stateGas == Self.slot)
    // The rest comes back.
    #expect(stored.gasUsed == stored.regularGas + stored.stateGas)
  }

  @Test func whatIsSetAsideIsUsedFirstAndThenTheFramesOwnGas() {
    let limit: UInt64 = 1 << 24
    let outcome = run(.push(1) + .store(0) + [Opcode.gas] + .returnTop, gas: limit + 10_000)
    #expect(outcome.word == UInt256(limit - 21000 - 6 - 5000 - 2 - (Self.slot - 10_000)))
  }

  @Test func onlyRegularCostsAreBoundByTheLimit() {
    let world = TestWorld(.amsterdam)
    #expect(world.run(gas: 20_000_000).error == nil)
    world.fork = .osaka
    #expect(world.run(gas: 20_000_000).error == .gasLimitExceedsMaximum)
    world.fork = .amsterdam
    // Data whose floor alone is above it.
    let data = [UInt8](repeating: 1, count: 262_000)
    #expect(world.run(data: data, gas: 20_000_000).error == .gasLimitExceedsMaximum)
    #expect(world.run(data: Array(data.prefix(261_000)), gas: 20_000_000).error == nil)
  }

  /// The block has room for the most that a transaction could take of each kind.
  @Test func blockHasRoomForBothKinds() {
    let world = TestWorld(.amsterdam)
    let message = world.transaction()
    #expect(world.run(message, gasAvailable: 1_000_000).error == nil)
    #expect(world.run(message, gasAvailable: 999_999).error == .gasAllowanceExceeded)
    let rest: UInt64 = 1_000_000 - 21000
    #expect(world.run(message, stateGasAvailable: rest).error == nil)
    #expect(world.run(message, stateGasAvailable: rest - 1).error == .gasAllowanceExceeded)
    var large = message
    large.gasLimit = 1 << 24 + 1
    #expect(world.run(large, gasAvailable: 1 << 24).error == nil)
    #expect(world.run(large, gasAvailable: 1 << 24 - 1).error == .gasAllowanceExceeded)
    world.fork = .osaka
    #expect(world.run(message, stateGasAvailable: 0).error == nil)
  }

  @Test func authorizationsPayForAccountAndDelegationInAdvance() {
    let world = TestWorld(.amsterdam)
    var sent = world.sent(.setCode)
    for authority in [Self.stranger, TestWorld.other] {
      sent.authorizations.append(
        AuthorizationItem(
          chainID: 1, address: TestWorld.contract, nonce: 0, authority: authority, isValid: true))
    }
    let outcome = world.run(sent)
    // 21,000 and 7,500 each.
    #expect(outcome.regularGas == 21000 + 2 * 7500)
    #expect(outcome.stateGas == 2 * (112 + 23) * Self.byte)
    #expect(outcome.gasUsed == outcome.regularGas + outcome.stateGas)
    // An account that is there is paid back, but counts in the block.
    world.accounts[TestWorld.other] = .init(balance: 1)
    let known = world.run(sent)
    #expect(known.regularGas == outcome.regularGas)
    #expect(known.stateGas == outcome.stateGas)
    #expect(known.gasUsed == outcome.gasUsed - Self.account)
  }

  /// Refunds are the sender's, and the block's gas is without them (EIP-7778).
  @Test func refundsDoNotMakeRoomInTheBlock() {
    let clear = Bytecode.push(0) + .store(0)
    let outcome = run(clear) { $0.accounts[TestWorld.contract]?.storage[0] = 1 }
    #expect(outcome.gasRefunded == 4800)
    #expect(outcome.regularGas == 21000 + 6 + 5000)
    #expect(outcome.gasUsed == outcome.regularGas - 4800)
    let world = TestWorld(.bpo5, code: clear)
    world.accounts[TestWorld.contract]?.storage[0] = 1
    let before = world.run()
    #expect(before.regularGas == before.gasUsed)
    #expect(before.stateGas == 0)
  }

  /// The floor counts in the block, too.
  @Test func floorCountsInTheBlock() {
    let outcome = TestWorld(.amsterdam).run(data: [UInt8](repeating: 0, count: 1000))
    #expect(outcome.gasUsed == 21000 + 64 * 1000)
    #expect(outcome.regularGas == outcome.gasUsed)
  }

  @Test func workspaceOfOneTransactionForgetsTheLast() {
    // A failed frame's loss must not count in the next transaction.
    let world = TestWorld(.amsterdam, code: .push(1) + .store(0))
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: TestWorld.sizes.bytes, alignment: 16)
    defer { memory.deallocate() }
    let workspace = Workspace(
      base: memory, capacity: TestWorld.sizes.bytes, sizes: TestWorld.sizes)!
    var machine = Machine(
      fork: .amsterdam, block: world.block, view: world, tracer: NoTracer(), workspace: workspace)
    var message = world.transaction()
    message.gasLimit = 1 << 24 + 100_000
    for _ in 0..<2 {
      let result = machine.execute(message, gasAvailable: 1 << 40, blobsAvailable: 0)
      #expect(result.stateGas == Self.slot)
      #expect(result.gasUsed == result.regularGas + result.stateGas)
    }
  }
}

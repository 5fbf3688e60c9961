import Testing

@testable import EVM

/// Accounts that are touched and empty are deleted from Spurious Dragon on (EIP-161).
@Suite struct EmptyAccountTests {
  private static let empty = TestWorld.other

  private func world(_ fork: Fork, _ code: Bytecode, hasEmpty: Bool = true) -> TestWorld {
    let world = TestWorld(fork, code: code)
    if hasEmpty { world.accounts[Self.empty] = .init() }
    return world
  }

  private func call(_ address: Address, value: UInt256 = 0, gas: UInt256 = 1000) -> Bytecode {
    .call(Opcode.call, gas, address.word, value, 0, 0, 0, 0)
  }

  private func exists(_ outcome: TestWorld.Outcome, _ address: Address = empty) -> Bool {
    outcome.accounts[address] != nil
  }

  @Test func aCallOfNothingDeletes() {
    let code = call(Self.empty)
    #expect(exists(world(.tangerineWhistle, code).run()))
    #expect(!exists(world(.spuriousDragon, code).run()))
    #expect(!exists(world(.osaka, code).run()))
    // Before, it even brings an account into being.
    #expect(exists(world(.tangerineWhistle, code, hasEmpty: false).run()))
    #expect(!exists(world(.spuriousDragon, code, hasEmpty: false).run()))
  }

  @Test func aTransferOfNothingDeletes() {
    let world = world(.spuriousDragon, [])
    #expect(!exists(world.run(to: Self.empty)))
    #expect(exists(world.run(value: 1, to: Self.empty)))
    world.fork = .tangerineWhistle
    #expect(exists(world.run(to: Self.empty)))
    world.accounts[Self.empty] = nil
    #expect(exists(world.run(to: Self.empty)))
  }

  @Test func lookingDoesNotTouch() {
    for opcode in [Opcode.balance, Opcode.extcodesize, Opcode.extcodehash] {
      #expect(exists(world(.osaka, .call(opcode, Self.empty.word)).run()))
    }
    // Its code runs on the caller's account.
    let delegates = Bytecode.call(Opcode.delegatecall, 1000, Self.empty.word, 0, 0, 0, 0)
    #expect(exists(world(.osaka, delegates).run()))
    let codes = Bytecode.call(Opcode.callcode, 1000, Self.empty.word, 0, 0, 0, 0, 0)
    #expect(exists(world(.osaka, codes).run()))
  }

  @Test func staticCallsTouch() {
    let code = Bytecode.call(Opcode.staticcall, 1000, Self.empty.word, 0, 0, 0, 0)
    #expect(!exists(world(.osaka, code).run()))
  }

  @Test func destructionTouchesItsBeneficiary() {
    #expect(!exists(world(.osaka, .call(Opcode.selfdestruct, Self.empty.word)).run()))
    let world = world(.osaka, .call(Opcode.selfdestruct, Self.empty.word))
    world.accounts[TestWorld.contract]?.balance = 1
    #expect(exists(world.run()))
  }

  @Test func failureTakesTheTouchBack() {
    let code = call(Self.empty) + .call(Opcode.revert, 0, 0)
    #expect(exists(world(.osaka, code).run()))
    #expect(exists(world(.osaka, call(Self.empty) + [Opcode.invalid]).run()))
  }

  /// A coinbase is touched though it earns nothing.
  @Test func coinbaseIsTouched() {
    let world = TestWorld(.london)
    world.accounts[TestWorld.coinbase] = .init()
    #expect(!exists(world.run(), TestWorld.coinbase))
    world.fork = .tangerineWhistle
    world.block.baseFeePerGas = 0
    #expect(exists(world.run(), TestWorld.coinbase))
    world.accounts[TestWorld.coinbase] = nil
    #expect(exists(world.run(), TestWorld.coinbase))
    world.fork = .spuriousDragon
    #expect(!exists(world.run(), TestWorld.coinbase))
  }

  @Test func whatIsNotEmptyStays() {
    for account: TestWorld.Account in [
      .init(nonce: 1), .init(balance: 1), .init(code: [0]),
    ] {
      let world = world(.osaka, call(Self.empty))
      world.accounts[Self.empty] = account
      #expect(exists(world.run()))
    }
  }

  /// Storage alone makes no account.
  @Test func storageDoesNotCount() {
    let world = world(.osaka, call(Self.empty))
    world.accounts[Self.empty]?.storage[1] = 1
    #expect(!exists(world.run()))
  }

  /// Block 2,675,119 deleted the account of the RIPEMD-160 precompile although the call that
  /// touched it ran out of gas: so do all since, for this address alone (EIP-161's note, EIP-716).
  @Test func ripemd160StaysTouchedWhenItFails() {
    for (address, survives): (UInt64, Bool) in [(2, true), (3, false), (4, true)] {
      let precompile = Address(number: address)
      let world = TestWorld(.spuriousDragon, code: call(precompile, gas: 0))
      world.accounts[precompile] = .init()
      let outcome = world.run()
      #expect(outcome.status == .stopped)
      #expect(exists(outcome, precompile) == survives)
    }
  }

  @Test func ripemd160StaysTouchedWhenItsCallerFails() {
    let precompile = Address(number: 3)
    let world = TestWorld(
      .osaka, code: call(precompile, gas: 10_000) + .call(Opcode.revert, 0, 0))
    world.accounts[precompile] = .init()
    #expect(!exists(world.run(), precompile))
    // Not empty: it stays.
    world.accounts[precompile] = .init(balance: 1)
    #expect(exists(world.run(), precompile))
  }
}

import Testing

@testable import EVM

/// CREATE, CREATE2, deployment, and SELFDESTRUCT.
@Suite struct CreationTests {
  /// Code that writes initialisation code to memory and creates with it; leaves the address.
  private func creating(
    _ initCode: Bytecode, value: UInt256 = 0, salt: UInt256? = nil
  ) -> Bytecode {
    let count = UInt256(UInt64(initCode.bytes.count))
    let create =
      salt.map { Bytecode.call(Opcode.create2, value, 0, count, $0) }
      ?? .call(Opcode.create, value, 0, count)
    return initCode.inMemory + create
  }

  private static let runtime: Bytecode = [0x60, 0x2a, Opcode.stop]

  @Test func deploysWhatInitialisationReturns() {
    let code = creating(Self.runtime.deployment, value: 4) + .returnTop
    let world = TestWorld(.osaka, code: code)
    world.accounts[TestWorld.contract]?.balance = 10
    let outcome = world.run()
    let address = Address.created(by: TestWorld.contract, nonce: 1)
    #expect(outcome.word == address.word)
    let created = outcome.accounts[address]
    #expect(created?.code == Self.runtime.bytes)
    #expect(created?.nonce == 1)
    #expect(created?.balance == 4)
    #expect(outcome.accounts[TestWorld.contract]?.nonce == 2)
    #expect(outcome.accounts[TestWorld.contract]?.balance == 6)
  }

  @Test func nonceOfANewContractIsZeroBeforeSpuriousDragon() {
    for (fork, nonce): (Fork, UInt64) in [(.tangerineWhistle, 0), (.spuriousDragon, 1)] {
      let outcome = TestWorld(fork, code: creating(Self.runtime.deployment)).run()
      #expect(
        outcome.accounts[Address.created(by: TestWorld.contract, nonce: 1)]?.nonce == nonce)
    }
  }

  @Test func create2DependsOnSaltAndCode() {
    let initCode = Self.runtime.deployment
    for salt: UInt256 in [0, 7] {
      let outcome = TestWorld(.osaka, code: creating(initCode, salt: salt) + .returnTop).run()
      let expected = initCode.bytes.withUnsafeBufferPointer {
        Address.created(by: TestWorld.contract, salt: salt, initCode: $0)
      }
      #expect(outcome.word == expected.word)
    }
  }

  @Test func failedInitialisationLeavesTheNonceOnly() {
    for (end, returned): (Bytecode, UInt256) in [
      (.call(Opcode.revert, 0, 5), 5), ([Opcode.invalid], 0),
    ] {
      let initCode = Bytecode.push(1) + .store(0) + end
      let code =
        creating(initCode) + .store(0) + [Opcode.returndatasize] + .returnTop
      let outcome = TestWorld(.osaka, code: code).run()
      let address = Address.created(by: TestWorld.contract, nonce: 1)
      #expect(outcome.accounts[address] == nil)
      #expect(outcome.storage(0) == 0)
      #expect(outcome.accounts[TestWorld.contract]?.nonce == 2)
      #expect(outcome.word == returned)
    }
  }

  @Test func collisionTakesTheGas() {
    let address = Address.created(by: TestWorld.contract, nonce: 1)
    let occupants: [TestWorld.Account] = [
      .init(nonce: 1), .init(code: [0]), .init(storage: [1: 1]),
    ]
    for occupant in occupants {
      let world = TestWorld(.osaka, code: creating(Self.runtime.deployment) + .returnTop)
      world.accounts[address] = occupant
      let outcome = world.run()
      #expect(outcome.word == 0)
      #expect(outcome.gasUsed > 960_000)
      #expect(outcome.accounts[TestWorld.contract]?.nonce == 2)
    }
    // Wei alone are no obstacle.
    let world = TestWorld(.osaka, code: creating(Self.runtime.deployment) + .returnTop)
    world.accounts[address] = .init(balance: 9)
    let outcome = world.run()
    #expect(outcome.word == address.word)
    #expect(outcome.accounts[address]?.balance == 9)
  }

  @Test func depositCosts200AByte() {
    let gas = { (size: UInt64) in
      executionGas(.osaka, self.creating(.call(Opcode.`return`, 0, UInt256(size))))
    }
    #expect(gas(33) - gas(32) == 200 + 3)
    #expect(gas(1) - gas(0) == 200 + 3)
  }

  @Test func depositThatCanNotBePaid() {
    // 5,000 gas for the creation and what it deploys; 100 bytes would cost 20,000.
    let initCode = Bytecode.call(Opcode.`return`, 0, 100)
    let creation = creating(initCode)
    let outcomes = [Fork.frontier, .homestead].map { fork -> TestWorld.Outcome in
      let world = TestWorld(fork, code: creation)
      return world.run(gas: 21000 + 32000 + 50 + 19_000)
    }
    // Frontier: the contract exists without code, and the address is given.
    let address = Address.created(by: TestWorld.contract, nonce: 1)
    #expect(outcomes[0].accounts[address]?.code == [])
    // Homestead: the creation fails and takes its gas.
    #expect(outcomes[1].accounts[address] == nil)
  }

  @Test func deployedCodeIsAtMost24576Bytes() {
    for (fork, size, works): (Fork, UInt64, Bool) in [
      (.tangerineWhistle, 24577, true), (.spuriousDragon, 24576, true),
      (.spuriousDragon, 24577, false), (.osaka, 24577, false),
    ] {
      let code = creating(.call(Opcode.`return`, 0, UInt256(size))) + .returnTop
      let outcome = TestWorld(fork, code: code).run(gas: 10_000_000)
      #expect((outcome.word != 0) == works)
    }
  }

  @Test func codeMayNotBeginWithEFFromLondonOn() {
    for (fork, works): (Fork, Bool) in [(.berlin, true), (.london, false)] {
      let initCode =
        Bytecode.call(Opcode.mstore8, 0, 0xef) + .call(Opcode.`return`, 0, 1)
      #expect((TestWorld(fork, code: creating(initCode) + .returnTop).run().word != 0) == works)
    }
  }

  @Test func initialisationCodeIsBoundedFromShanghaiOn() {
    for (fork, size, status): (Fork, UInt64, ExecutionStatus) in [
      (.paris, 49153, .stopped), (.shanghai, 49152, .stopped),
      (.shanghai, 49153, .initCodeTooLarge),
    ] {
      for opcode in [Opcode.create, Opcode.create2] {
        let code =
          opcode == Opcode.create
          ? Bytecode.call(opcode, 0, 0, UInt256(size))
          : Bytecode.call(opcode, 0, 0, UInt256(size), 0)
        #expect(TestWorld(fork, code: code).run().status == status)
      }
    }
    // Two gas a word.
    let gas = { (fork: Fork) in executionGas(fork, .call(Opcode.create, 0, 0, 64)) }
    #expect(gas(.shanghai) - gas(.paris) == 4)
  }

  @Test func create2PaysForHashing() {
    let gas = { (size: UInt256) in
      executionGas(.constantinople, .call(Opcode.create2, 0, 0, size, 0))
    }
    #expect(gas(33) - gas(1) == 6 + 3)
  }

  @Test func creationTransactionDeploys() {
    let world = TestWorld(.osaka)
    let initCode = Self.runtime.deployment.bytes
    let outcome = world.run(data: initCode, value: 3, to: nil)
    let address = Address.created(by: TestWorld.sender, nonce: 0)
    #expect(outcome.created == address)
    #expect(outcome.accounts[address]?.code == Self.runtime.bytes)
    #expect(outcome.accounts[address]?.balance == 3)
    #expect(outcome.accounts[TestWorld.sender]?.nonce == 1)
  }

  @Test func creationTransactionToATakenAddressUsesAllGas() {
    let world = TestWorld(.osaka)
    world.accounts[Address.created(by: TestWorld.sender, nonce: 0)] = .init(nonce: 1)
    let outcome = world.run(data: [0], gas: 100_000, to: nil)
    #expect(outcome.status == .addressCollision)
    #expect(outcome.gasUsed == 100_000)
    #expect(outcome.accounts[TestWorld.sender]?.nonce == 1)
  }

  // MARK: SELFDESTRUCT

  private func destroying(_ fork: Fork, to beneficiary: Address, balance: UInt256 = 5)
    -> TestWorld.Outcome
  {
    let world = TestWorld(fork, code: .call(Opcode.selfdestruct, beneficiary.word))
    world.accounts[TestWorld.contract]?.balance = balance
    return world.run()
  }

  @Test func destructionDeletesBeforeCancunAndSendsAfter() {
    for (fork, isDeleted): (Fork, Bool) in [(.shanghai, true), (.cancun, false)] {
      let outcome = destroying(fork, to: TestWorld.other)
      #expect((outcome.accounts[TestWorld.contract] == nil) == isDeleted)
      #expect(outcome.accounts[TestWorld.other]?.balance == 5)
    }
  }

  @Test func destructionToItselfBurnsBeforeCancunOnly() {
    #expect(destroying(.shanghai, to: TestWorld.contract).accounts[TestWorld.contract] == nil)
    #expect(
      destroying(.cancun, to: TestWorld.contract).accounts[TestWorld.contract]?.balance == 5)
  }

  @Test func contractsOfTheSameTransactionAreDeletedInCancun() {
    // The initialisation code destroys its own contract; the wei go to the caller.
    let initCode = Bytecode([Opcode.caller, Opcode.selfdestruct])
    let world = TestWorld(.cancun, code: creating(initCode, value: 2))
    world.accounts[TestWorld.contract]?.balance = 2
    let outcome = world.run()
    #expect(outcome.accounts[Address.created(by: TestWorld.contract, nonce: 1)] == nil)
    #expect(outcome.destroyed == [Address.created(by: TestWorld.contract, nonce: 1)])
    #expect(outcome.accounts[TestWorld.contract]?.balance == 2)
    // To itself: burnt.
    let itself = TestWorld(
      .cancun, code: creating([Opcode.address, Opcode.selfdestruct], value: 2))
    itself.accounts[TestWorld.contract]?.balance = 2
    #expect(itself.run().accounts[TestWorld.contract]?.balance == 0)
  }

  @Test func destructionGas() {
    let gas = { (fork: Fork, beneficiary: Address, balance: UInt256) -> UInt64 in
      let outcome = self.destroying(fork, to: beneficiary, balance: balance)
      return outcome.gasUsed + outcome.gasRefunded - 21003
    }
    let new = Address(number: 0xffff)
    #expect(gas(.frontier, new, 5) == 0)
    #expect(gas(.tangerineWhistle, new, 0) == 5000 + 25000)
    #expect(gas(.spuriousDragon, new, 0) == 5000)
    #expect(gas(.spuriousDragon, new, 5) == 5000 + 25000)
    #expect(gas(.berlin, new, 5) == 5000 + 25000 + 2600)
    #expect(gas(.berlin, TestWorld.sender, 5) == 5000)
    #expect(gas(.berlin, Address(number: 1), 0) == 5000)
  }

  @Test func destructionRefunds24000OnceBeforeLondon() {
    let code =
      Bytecode.call(Opcode.call, 30_000, TestWorld.other.word, 0, 0, 0, 0, 0) * 2
      + .call(Opcode.keccak256, 0, 40_000)
    for (fork, refund): (Fork, UInt64) in [(.berlin, 24000), (.london, 0)] {
      let world = TestWorld(fork, code: code)
      world.accounts[TestWorld.other] = .init(
        nonce: 1, code: Bytecode.call(Opcode.selfdestruct, TestWorld.sender.word).bytes)
      let outcome = world.run()
      let cap = (outcome.gasUsed + outcome.gasRefunded) / (fork == .berlin ? 2 : 5)
      #expect(outcome.gasRefunded == min(refund, cap))
      #expect(refund == 0 || cap >= 24000)
    }
  }
}

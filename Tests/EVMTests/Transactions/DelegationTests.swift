import Testing

@testable import EVM

/// Delegations of externally owned accounts to code (EIP-7702).
@Suite struct DelegationTests {
  private static let alice = Address(number: 0xa11ce)
  private static let bob = Address(number: 0xb0b)
  private static let code = TestWorld.other

  private func item(
    _ authority: Address = alice, to address: Address = code, nonce: UInt64 = 0,
    chainID: UInt256 = 1, isValid: Bool = true
  ) -> AuthorizationItem {
    AuthorizationItem(
      chainID: chainID, address: address, nonce: nonce, authority: authority, isValid: isValid)
  }

  private func run(
    _ items: [AuthorizationItem], in world: TestWorld = TestWorld(.osaka),
    to recipient: Address = TestWorld.contract
  ) -> TestWorld.Outcome {
    var sent = world.sent(.setCode, to: recipient)
    sent.authorizations = items
    return world.run(sent)
  }

  private func world(alice account: TestWorld.Account, fork: Fork = .osaka) -> TestWorld {
    let world = TestWorld(fork)
    world.accounts[Self.alice] = account
    return world
  }

  // MARK: Setting

  @Test func writesTheDesignatorAndRaisesTheNonce() {
    let outcome = run([item()])
    #expect(outcome.status == .stopped)
    #expect(outcome.accounts[Self.alice]?.code == delegation(to: Self.code))
    #expect(outcome.accounts[Self.alice]?.nonce == 1)
    // The account did not exist: nothing is refunded.
    #expect(outcome.gasUsed == 46000)
  }

  @Test func replacesADelegation() {
    let world = world(alice: .init(nonce: 4, code: delegation(to: Self.bob)))
    let account = run([item(nonce: 4)], in: world).accounts[Self.alice]
    #expect(account?.code == delegation(to: Self.code))
    #expect(account?.nonce == 5)
  }

  @Test func zeroAddressClearsADelegation() {
    let world = world(alice: .init(nonce: 4, balance: 1, code: delegation(to: Self.bob)))
    let account = run([item(to: .zero, nonce: 4)], in: world).accounts[Self.alice]
    #expect(account?.code == [])
    #expect(account?.nonce == 5)
    // Without a delegation the nonce alone changes.
    let plain = run([item(to: .zero)]).accounts[Self.alice]
    #expect(plain?.code == [])
    #expect(plain?.nonce == 1)
  }

  @Test func clearedAccountsHaveTheEmptyHash() {
    let world = world(alice: .init(code: delegation(to: Self.bob)))
    world.accounts[TestWorld.contract]?.code =
      (Bytecode.call(Opcode.extcodehash, Self.alice.word) + .returnTop).bytes
    #expect(run([item(to: .zero)], in: world).word == Hash256.emptyCode.word)
  }

  @Test func chainMustBeThisOrZero() {
    for (chainID, applies): (UInt256, Bool) in [
      (0, true), (1, true), (2, false), (UInt256(1) << 64 | 1, false), (.max, false),
    ] {
      let outcome = run([item(chainID: chainID)])
      #expect((outcome.accounts[Self.alice] != nil) == applies)
      #expect(outcome.warmAccounts.contains(Self.alice) == applies)
    }
  }

  @Test func nonceMustBeTheAuthoritys() {
    for (nonce, applies): (UInt64, Bool) in [(4, false), (5, true), (6, false)] {
      let outcome = run([item(nonce: nonce)], in: world(alice: .init(nonce: 5)))
      #expect((outcome.accounts[Self.alice]?.code == delegation(to: Self.code)) == applies)
      #expect(outcome.accounts[Self.alice]?.nonce == (applies ? 6 : 5))
      // It is accessed all the same.
      #expect(outcome.warmAccounts.contains(Self.alice))
    }
    let last = run([item(nonce: .max)], in: world(alice: .init(nonce: .max)))
    #expect(last.accounts[Self.alice]?.code == [])
    #expect(!last.warmAccounts.contains(Self.alice))
    let almost = run([item(nonce: .max - 1)], in: world(alice: .init(nonce: .max - 1)))
    #expect(almost.accounts[Self.alice]?.nonce == .max)
  }

  @Test func contractsAreNoAuthorities() {
    let outcome = run([item(nonce: 1)], in: world(alice: .init(nonce: 1, code: [0])))
    #expect(outcome.accounts[Self.alice]?.code == [0])
    #expect(outcome.accounts[Self.alice]?.nonce == 1)
    #expect(outcome.warmAccounts.contains(Self.alice))
    // It is paid for, and nothing comes back.
    #expect(outcome.gasUsed == 46000)
  }

  @Test func invalidSignaturesAreSkipped() {
    let outcome = run([item(isValid: false), item(Self.bob)])
    #expect(outcome.accounts[Self.alice] == nil)
    #expect(!outcome.warmAccounts.contains(Self.alice))
    #expect(outcome.accounts[Self.bob]?.code == delegation(to: Self.code))
    #expect(outcome.gasUsed == 71000)
  }

  @Test func laterAuthorizationsSeeEarlierOnes() {
    let both = run([item(to: Self.bob), item(nonce: 1)])
    #expect(both.accounts[Self.alice]?.code == delegation(to: Self.code))
    #expect(both.accounts[Self.alice]?.nonce == 2)
    // The second finds the account existing.
    #expect(both.gasUsed == 71000 - 12500)
    let same = run([item(to: Self.bob), item()])
    #expect(same.accounts[Self.alice]?.code == delegation(to: Self.bob))
    #expect(same.accounts[Self.alice]?.nonce == 1)
    #expect(same.gasUsed == 71000)
  }

  @Test func sendersAuthorizeWithTheirNextNonce() {
    // The transaction itself took nonce 0.
    let outcome = run([item(TestWorld.sender, nonce: 1)])
    #expect(outcome.accounts[TestWorld.sender]?.code == delegation(to: Self.code))
    #expect(outcome.accounts[TestWorld.sender]?.nonce == 2)
    let early = run([item(TestWorld.sender, nonce: 0)])
    #expect(early.accounts[TestWorld.sender]?.code == [])
    #expect(early.accounts[TestWorld.sender]?.nonce == 1)
  }

  // MARK: Refund

  @Test func existingAccountsRefund12500() {
    let world = world(alice: .init(balance: 1))
    // A fifth of 46,000 at most.
    #expect(run([item()], in: world).gasUsed == 46000 - 9200)
    world.accounts[TestWorld.contract]?.code =
      Bytecode.call(Opcode.keccak256, 0, 32000).bytes
    // 6,036 for hashing, and memory: 3 x 1,000 and 1,000^2 / 512.
    let spent: UInt64 = 46000 + 6036 + 3000 + 1953
    #expect(run([item()], in: world).gasUsed == spent - spent / 5)
    world.accounts[Self.bob] = .init(balance: 1)
    world.accounts[TestWorld.contract]?.code = [Opcode.invalid]
    #expect(run([item()], in: world).gasUsed == 1_000_000 - 12500)
    #expect(run([item(), item(Self.bob)], in: world).gasUsed == 1_000_000 - 25000)
  }

  @Test func failureOfTheCallKeepsDelegationAndRefund() {
    for end: Bytecode in [.call(Opcode.revert, 0, 0), [Opcode.invalid]] {
      let world = world(alice: .init(balance: 1))
      world.accounts[TestWorld.contract]?.code = end.bytes
      let outcome = run([item()], in: world)
      #expect(!outcome.status.isSuccess)
      #expect(outcome.gasRefunded == (outcome.status == .reverted ? 9201 : 12500))
      #expect(outcome.accounts[Self.alice]?.code == delegation(to: Self.code))
      #expect(outcome.accounts[Self.alice]?.nonce == 1)
    }
  }

  // MARK: Running

  @Test func aTransactionRunsTheDelegatesCode() {
    let world = TestWorld(.osaka)
    world.accounts[Self.code] = .init(
      nonce: 1, code: (Bytecode([Opcode.address]) + .store(0)).bytes)
    let outcome = run([item()], in: world, to: Self.alice)
    #expect(outcome.storage(0, of: Self.alice) == Self.alice.word)
    #expect(outcome.storage(0, of: Self.code) == 0)
    // Reading the delegate is free for the transaction's own call, and warms it.
    #expect(outcome.gasUsed == 46000 + 2 + 3 + 22100)
    #expect(outcome.warmAccounts.contains(Self.code))
  }

  @Test func codeOpcodesInsideShowTheDelegate() {
    let code = Bytecode([Opcode.codesize]) + .returnTop
    let world = world(alice: .init(code: delegation(to: Self.code)))
    world.accounts[Self.code] = .init(nonce: 1, code: code.bytes)
    #expect(world.run(to: Self.alice).word == UInt256(UInt64(code.bytes.count)))
  }

  private func calling(_ opcode: UInt8, _ address: Address = alice) -> Bytecode {
    opcode == Opcode.call || opcode == Opcode.callcode
      ? .call(opcode, 50_000, address.word, 0, 0, 0, 0, 32)
      : .call(opcode, 50_000, address.word, 0, 0, 0, 32)
  }

  @Test func callsRunTheDelegateInTheCalleesContext() {
    let expected: [(UInt8, Address)] = [
      (Opcode.call, Self.alice), (Opcode.staticcall, Self.alice),
      (Opcode.callcode, TestWorld.contract), (Opcode.delegatecall, TestWorld.contract),
    ]
    for (opcode, address) in expected {
      let world = world(alice: .init(code: delegation(to: Self.code)))
      world.accounts[Self.code] = .init(
        nonce: 1, code: (Bytecode([Opcode.address]) + .returnTop).bytes)
      world.accounts[TestWorld.contract]?.code =
        (calling(opcode) + .call(Opcode.`return`, 0, 32)).bytes
      #expect(world.run().word == address.word)
    }
  }

  @Test func callsPayForTheDelegatesAccess() {
    for opcode in [Opcode.call, Opcode.callcode, Opcode.delegatecall, Opcode.staticcall] {
      let pushes: UInt64 = opcode == Opcode.call || opcode == Opcode.callcode ? 21 : 18
      let world = world(alice: .init(code: delegation(to: Self.code)))
      world.accounts[TestWorld.contract]?.code = calling(opcode).bytes
      // Memory 3; alice cold 2,600; her delegate cold 2,600.
      #expect(world.run().gasUsed == 21000 + pushes + 3 + 2600 + 2600)
      world.accounts[TestWorld.contract]?.code = (calling(opcode) * 2).bytes
      #expect(world.run().gasUsed == 21000 + 2 * pushes + 3 + 2 * 2600 + 2 * 100)
      // A warm delegate costs 100.
      world.accounts[TestWorld.contract]?.code =
        (Bytecode.call(Opcode.balance, Self.code.word) + calling(opcode)).bytes
      #expect(world.run().gasUsed == 21000 + 2603 + pushes + 3 + 2600 + 100)
    }
  }

  @Test func gasRunsOutAtTheDelegate() {
    let world = world(alice: .init(code: delegation(to: Self.code)))
    let code = Bytecode.call(Opcode.call, 0, Self.alice.word, 0, 0, 0, 0, 0)
    world.accounts[TestWorld.contract]?.code = code.bytes
    #expect(world.run(gas: 21000 + 21 + 5200).status == .stopped)
    #expect(world.run(gas: 21000 + 21 + 5199).status == .outOfGas)
    #expect(world.run(gas: 21000 + 21 + 2600 + 99).status == .outOfGas)
  }

  @Test func chainsOfDelegationsAreNotFollowed() {
    // Bob's designator runs as code, and 0xef is no opcode.
    let world = world(alice: .init(code: delegation(to: Self.bob)))
    world.accounts[Self.bob] = .init(code: delegation(to: Self.code))
    world.accounts[Self.code] = .init(nonce: 1, code: [Opcode.stop])
    #expect(world.run(to: Self.alice).status == .undefinedOpcode)
    world.accounts[TestWorld.contract]?.code = (calling(Opcode.call) + .returnTop).bytes
    #expect(world.run().word == 0)
    // An account that delegates to itself does no better.
    world.accounts[Self.alice]?.code = delegation(to: Self.alice)
    #expect(world.run(to: Self.alice).status == .undefinedOpcode)
    #expect(world.run().word == 0)
  }

  @Test func precompilesAreNoCodeForDelegates() {
    for number: UInt64 in [1, 4, 9, 0x100] {
      let world = world(alice: .init(code: delegation(to: Address(number: number))))
      let outcome = world.run(data: [1, 2, 3], to: Self.alice)
      #expect(outcome.status == .stopped)
      #expect(outcome.output.isEmpty)
      #expect(outcome.gasUsed == 21000 + 3 * 40)
      world.accounts[TestWorld.contract]?.code =
        (calling(Opcode.call) + [Opcode.returndatasize] + .returnTop).bytes
      #expect(world.run().word == 0)
      // The precompile is warm.
      world.accounts[TestWorld.contract]?.code = (calling(Opcode.call) + .returnTop).bytes
      #expect(world.run().word == 1)
      #expect(world.run().gasUsed == 21000 + 21 + 3 + 2600 + 100 + 3 + 3 + 3 + 3)
    }
  }

  @Test func absentDelegatesAreNoCode() {
    let world = world(alice: .init(code: delegation(to: Self.bob)))
    let outcome = world.run(value: 3, to: Self.alice)
    #expect(outcome.status == .stopped)
    #expect(outcome.accounts[Self.alice]?.balance == 3)
    #expect(outcome.accounts[Self.bob] == nil)
  }

  @Test func codeIsReadAsTheDesignator() {
    let designator = delegation(to: Self.code)
    let world = world(alice: .init(code: designator))
    world.accounts[Self.code] = .init(nonce: 1, code: [Opcode.stop])
    let run = { (code: Bytecode) -> TestWorld.Outcome in
      world.accounts[TestWorld.contract]?.code = code.bytes
      return world.run()
    }
    let alice = Self.alice.word
    #expect(run(.call(Opcode.extcodesize, alice) + .returnTop).word == 23)
    #expect(
      run(.call(Opcode.extcodehash, alice) + .returnTop).word == TestWorld.hash(designator).word)
    let copy = Bytecode.call(Opcode.extcodecopy, alice, 0, 0, 32) + .call(Opcode.`return`, 0, 23)
    #expect(run(copy).output == designator)
    // The delegate is not looked at.
    #expect(run(.call(Opcode.extcodesize, alice)).gasUsed == 21000 + 3 + 2600)
    #expect(!run(.call(Opcode.extcodehash, alice)).warmAccounts.contains(Self.code))
  }

  @Test func delegatedSendersSend() {
    let world = TestWorld(.osaka)
    world.accounts[TestWorld.sender]?.code = delegation(to: Self.code)
    world.accounts[Self.code] = .init(
      nonce: 1, code: (Bytecode([Opcode.caller]) + .store(0)).bytes)
    let outcome = world.run(to: TestWorld.sender)
    #expect(outcome.storage(0, of: TestWorld.sender) == TestWorld.sender.word)
  }

  /// EIP-7702: a delegate that is a precompile is empty code, whatever its account holds.
  @Test func codeAtAPrecompilesAddressIsNotRun() {
    for number: UInt64 in [1, 4, 0x100] {
      let address = Address(number: number)
      let world = world(alice: .init(code: delegation(to: address)))
      world.accounts[address] = .init(nonce: 1, code: [Opcode.invalid])
      #expect(world.run(gas: 50_000, to: Self.alice).status == .stopped)
      world.accounts[TestWorld.contract]?.code = (calling(Opcode.call) + .returnTop).bytes
      #expect(world.run().word == 1)
    }
  }

  /// Transactions and calls follow delegations from Prague on, the first fork that has them.
  @Test func delegationsAreFollowedFromPragueOn() {
    for (fork, isFollowed): (Fork, Bool) in [
      (.shanghai, false), (.cancun, false), (.prague, true), (.osaka, true), (.bpo1, true),
    ] {
      let world = world(alice: .init(code: delegation(to: Self.code)), fork: fork)
      world.accounts[Self.code] = .init(
        nonce: 1, code: (Bytecode([Opcode.address]) + .store(0)).bytes)
      let sent = world.run(to: Self.alice)
      #expect(sent.status == (isFollowed ? .stopped : .undefinedOpcode))
      #expect(sent.storage(0, of: Self.alice) == (isFollowed ? Self.alice.word : 0))
      for opcode in [Opcode.call, Opcode.callcode, Opcode.delegatecall] {
        world.accounts[TestWorld.contract]?.code = (calling(opcode) + .returnTop).bytes
        let called = world.run()
        #expect(called.word == (isFollowed ? 1 : 0))
        let owner = opcode == Opcode.call ? Self.alice : TestWorld.contract
        #expect(called.storage(0, of: owner) == (isFollowed ? owner.word : 0))
      }
    }
  }

  /// The code's hash is that of the designator's 23 bytes, of which none depends on the memory.
  @Test func designatorsAreMadeOfTheirBytesAlone() {
    let world = TestWorld(
      .osaka, code: .call(Opcode.extcodehash, Self.alice.word) + .returnTop)
    let sizes = TestWorld.sizes
    let memory = UnsafeMutableRawPointer.allocate(byteCount: sizes.bytes, alignment: 16)
    defer { memory.deallocate() }
    for byte: UInt8 in [0, 0x5a, 0xff] {
      memory.initializeMemory(as: UInt8.self, repeating: byte, count: sizes.bytes)
      var machine = Machine(
        fork: .osaka, block: world.block, view: world, tracer: NoTracer(),
        workspace: Workspace(base: memory, capacity: sizes.bytes, sizes: sizes)!)
      var sent = world.sent(.setCode)
      sent.authorizations = [item()]
      let result = sent.withMessage {
        machine.execute($0, gasAvailable: 1 << 40, blobsAvailable: 0)
      }
      #expect(result.status == .returned)
      let designator = delegation(to: Self.code)
      var view = world
      let alice = machine.journal.loaded(Self.alice, &view)!
      #expect(Array(alice.pointee.changedCode) == designator)
      let word = machine.output.baseAddress.map { UInt256(bigEndian: $0) }
      #expect(word == TestWorld.hash(designator).word)
    }
  }

  @Test func designatorsAreCodeLikeAnyBeforePrague() {
    let world = world(alice: .init(code: delegation(to: Self.code)), fork: .cancun)
    #expect(world.run(to: Self.alice).status == .undefinedOpcode)
    world.accounts[TestWorld.contract]?.code = (calling(Opcode.call) + .returnTop).bytes
    #expect(world.run().word == 0)
  }

  /// Only 0xef0100 and 20 bytes are a designator.
  @Test func otherCodeIsNoDesignator() {
    let designator = delegation(to: Self.code)
    for code in [
      [0xef, 0x01, 0x01] + designator[3...], [0xef, 0x00, 0x00] + designator[3...],
      [0xee, 0x01, 0x00] + designator[3...], designator + [0], Array(designator.dropLast()),
    ] {
      let world = world(alice: .init(code: Array(code)))
      #expect(world.run(to: Self.alice).status == .undefinedOpcode)
    }
  }
}

import Testing

@testable import EVM

/// Logs of wei that move or are burnt (EIP-7708).
@Suite struct TransferLogTests {
  private static let transfer = TestWorld.hash([UInt8]("Transfer(address,address,uint256)".utf8))
  private static let burn = TestWorld.hash([UInt8]("Burn(address,uint256)".utf8))
  private static let system = Address(
    UInt256(0xffff_ffff_ffff_fffe, ~0, 0xffff_ffff, 0))

  /// A log as a test reads it.
  private struct Moved: Equatable {
    var from: Address
    var to: Address?
    var wei: UInt256
  }

  private func moved(_ outcome: TestWorld.Outcome) -> [Moved] {
    outcome.logs.compactMap { log -> Moved? in
      guard log.address == Self.system else { return nil }
      let wei = log.data.withUnsafeBufferPointer { UInt256(bigEndian: $0.baseAddress!) }
      #expect(log.data.count == 32)
      #expect(log.topics[0] == (log.topics.count == 3 ? Self.transfer : Self.burn).word)
      return Moved(
        from: Address(log.topics[1]), to: log.topics.count == 3 ? Address(log.topics[2]) : nil,
        wei: wei)
    }
  }

  private func run(
    _ code: Bytecode, fork: Fork = .amsterdam, value: UInt256 = 0, balance: UInt256 = 100,
    other: Bytecode = []
  ) -> TestWorld.Outcome {
    let world = TestWorld(fork, code: code)
    world.accounts[TestWorld.contract]?.balance = balance
    world.accounts[TestWorld.other] = .init(nonce: 1, code: other.bytes)
    return world.run(value: value)
  }

  @Test func transactionsThatMoveWeiLogThemFirst() {
    let log = Bytecode.call(Opcode.log0, 0, 0)
    let outcome = run(log, value: 5)
    #expect(moved(outcome) == [Moved(from: TestWorld.sender, to: TestWorld.contract, wei: 5)])
    #expect(outcome.logs.map(\.address) == [Self.system, TestWorld.contract])
    #expect(moved(run(log)) == [])
    #expect(moved(run(log, fork: .bpo5, value: 5)) == [])
  }

  @Test func weiToOneselfAreNotLogged() {
    let world = TestWorld(.amsterdam)
    #expect(moved(world.run(value: 5, to: TestWorld.sender)) == [])
    let own = Bytecode.call(Opcode.call, 0, TestWorld.contract.word, 0, 0, 0, 0, 0)
    #expect(moved(run(own)) == [])
    let callCode = Bytecode.call(Opcode.callcode, 50_000, TestWorld.other.word, 3, 0, 0, 0, 0)
    #expect(moved(run(callCode)) == [])
  }

  @Test func callsThatMoveWeiLogThem() {
    let call = Bytecode.call(Opcode.call, 50_000, TestWorld.other.word, 3, 0, 0, 0, 0)
    #expect(
      moved(run(call)) == [Moved(from: TestWorld.contract, to: TestWorld.other, wei: 3)])
    // Not when the call fails, or has not got them.
    #expect(moved(run(call, other: [Opcode.invalid])) == [])
    #expect(moved(run(call, balance: 2)) == [])
  }

  @Test func creationsThatMoveWeiLogThem() {
    let child = Address.created(by: TestWorld.contract, nonce: 1)
    #expect(
      moved(run(.call(Opcode.create, 4, 0, 0)))
        == [Moved(from: TestWorld.contract, to: child, wei: 4)])
    let created = TestWorld(.amsterdam).run(value: 9, to: nil)
    #expect(moved(created) == [Moved(from: TestWorld.sender, to: created.created, wei: 9)])
  }

  @Test func selfDestructLogsWhatItMoves() {
    let destroy = Bytecode.push(TestWorld.other) + [Opcode.selfdestruct]
    #expect(
      moved(run(destroy)) == [Moved(from: TestWorld.contract, to: TestWorld.other, wei: 100)])
    #expect(moved(run(destroy, balance: 0)) == [])
    // To itself, by an account that stays: nothing moves and nothing is burnt.
    let own = Bytecode.push(TestWorld.contract) + [Opcode.selfdestruct]
    #expect(moved(run(own)) == [])
  }

  @Test func weiThatAreDestroyedAreLoggedAsBurnt() {
    // A child that destroys itself in its own favour.
    let child = Address.created(by: TestWorld.contract, nonce: 1)
    let initCode = Bytecode([Opcode.address, Opcode.selfdestruct])
    let create = initCode.inMemory + .call(Opcode.create, 4, 0, 2)
    #expect(
      moved(run(create)) == [
        Moved(from: TestWorld.contract, to: child, wei: 4), Moved(from: child, to: nil, wei: 4),
      ])
  }

  /// What accounts got after they were destroyed is burnt at the end, in the order of addresses.
  @Test func whatDestroyedAccountsHaveAtTheEndIsBurntLast() {
    let first = Address.created(by: TestWorld.contract, nonce: 1)
    let second = Address.created(by: TestWorld.contract, nonce: 2)
    let initCode = Bytecode.push(TestWorld.other) + [Opcode.selfdestruct]
    let create =
      initCode.inMemory + .call(Opcode.create, 0, 0, UInt256(UInt64(initCode.bytes.count)))
    func pay(_ address: Address, _ wei: UInt64) -> Bytecode {
      .call(Opcode.call, 0, address.word, UInt256(wei), 0, 0, 0, 0)
    }
    let log = Bytecode.call(Opcode.log0, 0, 0)
    let outcome = run(create + create + pay(first, 7) + pay(second, 8) + log)
    #expect(outcome.destroyed == [first, second])
    let burnt = [Moved(from: first, to: nil, wei: 7), Moved(from: second, to: nil, wei: 8)]
      .sorted { $0.from.word < $1.from.word }
    #expect(moved(outcome).suffix(2) == burnt[...])
    #expect(outcome.logs[outcome.logs.count - 3].address == TestWorld.contract)
  }

  /// The fee is paid before, so that a coinbase which was destroyed burns it as well.
  @Test func coinbaseThatWasDestroyedBurnsItsFee() {
    let child = Address.created(by: TestWorld.contract, nonce: 1)
    let initCode = Bytecode.push(TestWorld.other) + [Opcode.selfdestruct]
    let world = TestWorld(
      .amsterdam,
      code: initCode.inMemory
        + .call(Opcode.create, 0, 0, UInt256(UInt64(initCode.bytes.count))))
    world.block.coinbase = child
    var message = world.transaction()
    message.maxFeePerGas = world.block.baseFeePerGas &+ 2
    message.maxPriorityFeePerGas = message.maxFeePerGas
    let outcome = world.run(message)
    #expect(
      moved(outcome).last == Moved(from: child, to: nil, wei: UInt256(outcome.gasUsed * 2)))
  }
}

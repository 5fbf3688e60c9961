import Testing

@testable import EVM

/// Who pays what to whom: gas bought in advance, what is left returned, the priority fee to the
/// coinbase, the rest burnt (EIP-1559, EIP-4844).
@Suite struct FeeTests {
  private static let wealth = UInt256(1) << 100

  /// Wei that the sender has less.
  private func spent(_ outcome: TestWorld.Outcome) -> UInt64 {
    (Self.wealth &- (outcome.accounts[TestWorld.sender]?.balance ?? 0)).clampedToUInt64
  }

  /// Wei that the coinbase has.
  private func earned(_ outcome: TestWorld.Outcome) -> UInt64 {
    (outcome.accounts[TestWorld.coinbase]?.balance ?? 0).clampedToUInt64
  }

  @Test func coinbaseGetsTheWholePriceBeforeLondon() {
    let world = TestWorld(.berlin)
    var sent = world.sent()
    sent.message.maxFeePerGas = 10
    sent.message.maxPriorityFeePerGas = 10
    sent.message.value = 3
    let outcome = world.run(sent)
    #expect(outcome.gasUsed == 21000)
    #expect(spent(outcome) == 210_003)
    #expect(earned(outcome) == 210_000)
    #expect(outcome.accounts[TestWorld.contract]?.balance == 3)
    #expect(outcome.accounts[TestWorld.sender]?.nonce == 1)
  }

  @Test func baseFeeIsBurnt() {
    let world = TestWorld(.london)
    var sent = world.sent()
    sent.message.maxFeePerGas = 10
    sent.message.maxPriorityFeePerGas = 10
    let outcome = world.run(sent)
    #expect(spent(outcome) == 210_000)
    #expect(earned(outcome) == 63_000)
  }

  /// The base fee is 7: the price is 7 and the tip, but not above the cap.
  @Test func effectivePriceIsCappedTwice() {
    let world = TestWorld(.osaka)
    var sent = world.sent(.dynamicFee)
    for (max, priority, price): (UInt64, UInt64, UInt64) in [
      (7, 7, 7), (12, 5, 12), (100, 5, 12), (10, 5, 10), (100, 0, 7),
    ] {
      sent.message.maxFeePerGas = UInt256(max)
      sent.message.maxPriorityFeePerGas = UInt256(priority)
      let outcome = world.run(sent)
      #expect(spent(outcome) == 21000 * price)
      #expect(earned(outcome) == 21000 * (price - 7))
    }
  }

  @Test func gasIsBoughtInAdvanceAtTheEffectivePrice() {
    let world = TestWorld(
      .osaka, code: .call(Opcode.balance, TestWorld.sender.word) + .returnTop)
    var sent = world.sent(.blob)
    sent.blobHashes = [.blob(1), .blob(2)]
    sent.message.maxFeePerBlobGas = 50
    sent.message.maxFeePerGas = 100
    sent.message.maxPriorityFeePerGas = 5
    sent.message.value = 9
    world.block.blobBaseFee = 3
    // 12,000,000 for gas, 2 x 131,072 x 3 for blobs, and the value.
    #expect(world.run(sent).word == Self.wealth &- 12_786_441)
  }

  @Test func blobFeeIsBurntAndNeverReturned() {
    for code: Bytecode in [[], [Opcode.invalid], .call(Opcode.revert, 0, 0)] {
      let world = TestWorld(.osaka, code: code)
      var sent = world.sent(.blob)
      sent.blobHashes = [.blob(1), .blob(2), .blob(3)]
      sent.message.maxFeePerBlobGas = 50
      world.block.blobBaseFee = 4
      let outcome = world.run(sent)
      #expect(spent(outcome) == outcome.gasUsed * 7 + 1_572_864)
      #expect(earned(outcome) == 0)
    }
  }

  @Test func failureKeepsNonceAndFee() {
    let world = TestWorld(.osaka, code: .push(1) + .store(0) + [Opcode.invalid])
    var sent = world.sent()
    sent.message.maxFeePerGas = 8
    sent.message.maxPriorityFeePerGas = 8
    sent.message.value = 5
    let halted = world.run(sent)
    #expect(halted.status == .undefinedOpcode)
    #expect(halted.gasUsed == 1_000_000)
    #expect(halted.accounts[TestWorld.sender]?.nonce == 1)
    #expect(spent(halted) == 8_000_000)
    #expect(earned(halted) == 1_000_000)
    #expect(halted.accounts[TestWorld.contract]?.balance == 0)
    #expect(halted.storage(0) == 0)
    world.accounts[TestWorld.contract]?.code = Bytecode.call(Opcode.revert, 0, 0).bytes
    let reverted = world.run(sent)
    #expect(reverted.status == .reverted)
    #expect(reverted.gasUsed == 21006)
    #expect(spent(reverted) == 21006 * 8)
    #expect(reverted.accounts[TestWorld.contract]?.balance == 0)
  }

  @Test func revertReturnsItsData() {
    let code = Bytecode.call(Opcode.mstore, 0, 7) + .call(Opcode.revert, 0, 32)
    #expect(TestWorld(.osaka, code: code).run().word == 7)
    #expect(TestWorld(.osaka, code: [Opcode.invalid]).run().output.isEmpty)
  }

  // MARK: One account in two roles

  @Test func coinbaseMayBeTheSender() {
    let world = TestWorld(.osaka)
    world.block.coinbase = TestWorld.sender
    var sent = world.sent()
    sent.message.maxFeePerGas = 10
    sent.message.maxPriorityFeePerGas = 10
    #expect(spent(world.run(sent)) == 147_000)
  }

  @Test func coinbaseMayBeTheRecipient() {
    let world = TestWorld(.osaka)
    world.block.coinbase = TestWorld.contract
    var sent = world.sent()
    sent.message.maxFeePerGas = 10
    sent.message.maxPriorityFeePerGas = 10
    sent.message.value = 4
    #expect(world.run(sent).accounts[TestWorld.contract]?.balance == 63004)
  }

  @Test func coinbaseIsPaidAtTheEnd() {
    let world = TestWorld(
      .osaka, code: .call(Opcode.balance, TestWorld.coinbase.word) + .returnTop)
    world.accounts[TestWorld.coinbase] = .init(balance: 11)
    var sent = world.sent()
    sent.message.maxFeePerGas = 10
    sent.message.maxPriorityFeePerGas = 10
    let outcome = world.run(sent)
    #expect(outcome.word == 11)
    #expect(earned(outcome) == 11 + outcome.gasUsed * 3)
  }

  @Test func sendersMayPayThemselves() {
    let world = TestWorld(.osaka)
    var sent = world.sent(to: TestWorld.sender)
    sent.message.value = Self.wealth &- 7_000_000
    let outcome = world.run(sent)
    #expect(outcome.status == .stopped)
    #expect(spent(outcome) == 147_000)
    #expect(outcome.accounts[TestWorld.sender]?.nonce == 1)
  }

  // MARK: Creation

  @Test func creationUsesTheNonceBefore() {
    let world = TestWorld(.osaka)
    world.accounts[TestWorld.sender]?.nonce = 6
    var sent = world.sent(to: nil)
    // Initialisation code that returns one zero byte.
    sent.data = Bytecode.call(Opcode.`return`, 0, 1).bytes
    sent.message.value = 2
    let outcome = world.run(sent)
    let address = Address.created(by: TestWorld.sender, nonce: 6)
    #expect(outcome.created == address)
    #expect(outcome.accounts[address]?.code == [0])
    #expect(outcome.accounts[address]?.nonce == 1)
    #expect(outcome.accounts[address]?.balance == 2)
    #expect(outcome.accounts[TestWorld.sender]?.nonce == 7)
    // 53,000; data 4 x 16 + 1 x 4; a word of code 2; pushes 6, memory 3, deposit 200.
    #expect(outcome.gasUsed == 53000 + 68 + 2 + 9 + 200)
  }
}

import Testing

@testable import EVM

/// What a transaction costs before it runs (yellow paper, section 6.2, and the EIPs named below),
/// and at least (EIP-7623).
@Suite struct IntrinsicGasTests {
  private func costs(_ fork: Fork, _ sent: SentTransaction) -> IntrinsicGas {
    sent.withMessage { IntrinsicGas($0, GasSchedule(fork), blockGasLimit: 100_000_000) }
  }

  private func sent(data: [UInt8] = [], creates: Bool = false) -> SentTransaction {
    var sent = TestWorld(.osaka).sent(to: creates ? nil : TestWorld.contract)
    sent.data = data
    return sent
  }

  @Test func everyTransactionCosts21000() {
    for fork in Fork.allCases { #expect(costs(fork, sent()).intrinsic == 21000) }
  }

  /// EIP-2028 made bytes that are not zero cheaper.
  @Test func dataCostsByTheByte() {
    let data: [UInt8] = [0, 0, 0, 1, 255]
    #expect(costs(.frontier, sent(data: data)).intrinsic == 21000 + 3 * 4 + 2 * 68)
    #expect(costs(.petersburg, sent(data: data)).intrinsic == 21000 + 3 * 4 + 2 * 68)
    #expect(costs(.istanbul, sent(data: data)).intrinsic == 21000 + 3 * 4 + 2 * 16)
    #expect(costs(.osaka, sent(data: data)).intrinsic == 21000 + 3 * 4 + 2 * 16)
  }

  /// EIP-2.
  @Test func creationCosts32000FromHomesteadOn() {
    #expect(costs(.frontier, sent(creates: true)).intrinsic == 21000)
    #expect(costs(.homestead, sent(creates: true)).intrinsic == 53000)
    #expect(costs(.osaka, sent(creates: true)).intrinsic == 53000)
  }

  /// EIP-3860: 2 gas a word.
  @Test func initCodeCostsByTheWordFromShanghaiOn() {
    let zeros = { (count: Int) in [UInt8](repeating: 0, count: count) }
    for (count, words): (Int, Int64) in [(1, 1), (32, 1), (33, 2), (64, 2), (65, 3)] {
      let bytes = Int64(count * 4)
      let creation = sent(data: zeros(count), creates: true)
      #expect(costs(.paris, creation).intrinsic == 53000 + bytes)
      #expect(costs(.shanghai, creation).intrinsic == 53000 + bytes + 2 * words)
      #expect(costs(.shanghai, sent(data: zeros(count))).intrinsic == 21000 + bytes)
    }
  }

  /// EIP-2930: 2,400 an address, 1,900 a slot, repeated ones too.
  @Test func accessListsCost() {
    var sent = sent()
    sent.accessList = [
      (TestWorld.contract, [1, 2, 2]), (TestWorld.other, []), (TestWorld.contract, [1]),
    ]
    #expect(costs(.berlin, sent).intrinsic == 21000 + 3 * 2400 + 4 * 1900)
  }

  /// EIP-7702.
  @Test func authorizationsCost25000() {
    var sent = sent()
    let item = AuthorizationItem(
      chainID: 0, address: TestWorld.other, nonce: 0, authority: TestWorld.other, isValid: true)
    sent.authorizations = [item, item]
    #expect(costs(.prague, sent).intrinsic == 21000 + 2 * 25000)
  }

  /// 10 gas a token; a zero byte is one token, another is four.
  @Test func floorCountsTokensFromPragueOn() {
    let data: [UInt8] = [0, 0, 0, 1, 255]
    #expect(costs(.cancun, sent(data: data)).floor == 0)
    #expect(costs(.prague, sent(data: data)).floor == 21000 + 10 * (3 + 8))
    // Neither creation nor lists raise it.
    var creation = sent(data: data, creates: true)
    creation.accessList = [(TestWorld.other, [1])]
    #expect(costs(.prague, creation).floor == 21000 + 110)
  }

  @Test func floorIsPaidWhenExecutionUsesLess() {
    // 100 bytes: 1,600 gas by the byte, 4,000 by tokens.
    let data = [UInt8](repeating: 1, count: 100)
    #expect(TestWorld(.cancun).run(data: data).gasUsed == 22600)
    #expect(TestWorld(.prague).run(data: data).gasUsed == 25000)
    // Execution may take it above: 22,600 and 2,103 for a cold load are below, two are not.
    let load = { (slot: UInt256) in Bytecode.call(Opcode.sload, slot) }
    #expect(TestWorld(.prague, code: load(0)).run(data: data).gasUsed == 25000)
    #expect(TestWorld(.prague, code: load(0) + load(1)).run(data: data).gasUsed == 26806)
  }

  @Test func floorComesAfterTheRefund() {
    let data = [UInt8](repeating: 1, count: 100)
    let world = TestWorld(.cancun, code: .call(Opcode.sstore, 0, 0))
    world.accounts[TestWorld.contract]?.storage[0] = 1
    // 22,600 and 5,006 for clearing a slot, of which 4,800 come back.
    #expect(world.run(data: data).gasUsed == 22806)
    world.fork = .prague
    let outcome = world.run(data: data)
    #expect(outcome.gasUsed == 25000)
    let paid = (UInt256(1) << 100) &- (outcome.accounts[TestWorld.sender]?.balance ?? 0)
    #expect(paid == 175_000)
  }

  @Test func gasForExecutionIsWhatIsLeft() {
    let world = TestWorld(.osaka, code: [Opcode.gas] + .returnTop)
    // 20 for the data, 2 for GAS.
    #expect(world.run(data: [0, 1], gas: 30000).word == 8978)
  }
}

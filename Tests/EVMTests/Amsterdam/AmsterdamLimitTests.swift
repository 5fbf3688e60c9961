import Testing

@testable import EVM

/// Sizes and prices of data in Amsterdam, and what is read only when it is paid for.
@Suite struct AmsterdamLimitTests {
  private func costs(_ fork: Fork, _ sent: SentTransaction) -> IntrinsicGas {
    sent.withMessage { IntrinsicGas($0, GasSchedule(fork), blockGasLimit: 100_000_000) }
  }

  /// EIP-7976: 64 gas for each byte at least, zero or not.
  @Test func everyByteOfDataCosts64AtLeast() {
    var sent = TestWorld(.amsterdam).sent()
    sent.data = [0, 0, 0, 1, 255]
    #expect(costs(.bpo5, sent).floor == 21000 + (3 + 2 * 4) * 10)
    #expect(costs(.amsterdam, sent).floor == 21000 + 5 * 64)
    #expect(costs(.amsterdam, sent).regular == 21000 + 3 * 4 + 2 * 16)
  }

  /// EIP-7981: so does every byte of an access list, on top of its own price.
  @Test func accessListsPayForTheirBytes() {
    var sent = TestWorld(.amsterdam).sent(.accessList)
    sent.accessList = [(TestWorld.other, [1, 2, 3]), (TestWorld.contract, [])]
    let bytes: Int64 = 2 * 20 + 3 * 32
    #expect(costs(.bpo5, sent).regular == 21000 + 2 * 2400 + 3 * 1900)
    #expect(costs(.amsterdam, sent).regular == 21000 + 2 * 2400 + 3 * 1900 + bytes * 64)
    #expect(costs(.bpo5, sent).floor == 21000)
    #expect(costs(.amsterdam, sent).floor == 21000 + bytes * 64)
  }

  @Test func intrinsicStateGasIsForAccountsAndDelegations() {
    let world = TestWorld(.amsterdam)
    var sent = world.sent(.setCode)
    for _ in 0..<3 {
      sent.authorizations.append(
        AuthorizationItem(
          chainID: 1, address: .zero, nonce: 0, authority: TestWorld.other, isValid: true))
    }
    #expect(costs(.amsterdam, sent).state == 3 * 135 * 1174)
    #expect(costs(.amsterdam, sent).regular == 21000 + 3 * 7500)
    #expect(costs(.bpo5, sent).state == 0)
    #expect(costs(.bpo5, sent).regular == 21000 + 3 * 25000)
    let creation = world.sent(to: nil)
    #expect(costs(.amsterdam, creation).state == 112 * 1174)
    #expect(costs(.amsterdam, creation).regular == 21000 + 9000)
    // Too much for a number is more than any gas.
    let dear = sent.withMessage {
      IntrinsicGas($0, GasSchedule(.amsterdam), stateByteGas: Int64.max / 100)
    }
    #expect(dear.intrinsic == Int64.max)
  }

  /// EIP-7954.
  @Test func codeOf32KiBMayBeDeployed() {
    func deploy(_ count: UInt64, _ fork: Fork) -> TestWorld.Outcome {
      let world = TestWorld(fork)
      world.block.gasLimit = 100_000_000
      let code = Bytecode.call(Opcode.`return`, 0, UInt256(count))
      return world.run(
        data: code.bytes, gas: fork < .amsterdam ? 16_000_000 : 60_000_000, to: nil)
    }
    #expect(deploy(0x6000, .bpo5).status == .returned)
    #expect(deploy(0x6001, .bpo5).status == .codeTooLarge)
    #expect(deploy(0x8000, .amsterdam).status == .returned)
    #expect(deploy(0x8001, .amsterdam).status == .codeTooLarge)
  }

  @Test func initialisationCodeMayHave64KiB() {
    func create(_ count: Int, _ fork: Fork) -> TransactionError? {
      TestWorld(fork).run(
        data: [UInt8](repeating: 0, count: count), gas: 16_000_000, to: nil
      ).error
    }
    #expect(create(0xc000, .bpo5) == nil)
    #expect(create(0xc001, .bpo5) == .initCodeTooLarge)
    #expect(create(0x10000, .amsterdam) == nil)
    #expect(create(0x10001, .amsterdam) == .initCodeTooLarge)
  }

  /// EIP-7928: a call with wei pays for access and transfer before it reads the account.
  @Test func calleeIsReadOnlyWhenItIsPaidFor() {
    let code = Bytecode.call(Opcode.call, 0, TestWorld.other.word, 1, 0, 0, 0, 0)
    let world = TestWorld(.amsterdam, code: code)
    world.accounts[TestWorld.contract]?.balance = 5
    let paid = 21000 + 7 * 3 + 2600 + UInt64(9000)
    #expect(world.run(gas: paid).readAccounts.contains(TestWorld.other))
    #expect(!world.run(gas: paid - 1).readAccounts.contains(TestWorld.other))
  }
}

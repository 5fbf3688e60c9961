import Testing

@testable import EVM

/// Warm and cold accesses (EIP-2929, EIP-2930, EIP-3651), and the flat prices before.
@Suite struct AccessGasTests {
  private static let accountOpcodes: [(opcode: UInt8, pops: Int)] = [
    (Opcode.balance, 1), (Opcode.extcodesize, 1), (Opcode.extcodehash, 1),
    (Opcode.extcodecopy, 4),
  ]

  private func access(_ opcode: UInt8, _ address: UInt256) -> Bytecode {
    opcode == Opcode.extcodecopy
      ? .call(opcode, address, 0, 0, 0) : .call(opcode, address) + [Opcode.pop]
  }

  /// Gas without the pushes and the POP.
  private func gas(_ fork: Fork, _ opcode: UInt8, _ address: UInt256, times: Int = 1) -> UInt64 {
    let around: UInt64 = opcode == Opcode.extcodecopy ? 12 : 5
    return executionGas(fork, access(opcode, address) * times) - around * UInt64(times)
  }

  @Test func accountsAreColdOnce() {
    for (opcode, _) in Self.accountOpcodes {
      #expect(gas(.berlin, opcode, 0xaaaa) == 2600)
      #expect(gas(.berlin, opcode, 0xaaaa, times: 3) == 2600 + 200)
    }
  }

  @Test func sendersRecipientsAndPrecompilesAreWarm() {
    for address in [TestWorld.sender.word, TestWorld.contract.word, 1, 9] {
      #expect(gas(.berlin, Opcode.balance, address) == 100)
    }
    #expect(gas(.berlin, Opcode.balance, 10) == 2600)
    #expect(gas(.cancun, Opcode.balance, 10) == 100)
    #expect(gas(.cancun, Opcode.balance, 11) == 2600)
    #expect(gas(.prague, Opcode.balance, 17) == 100)
    #expect(gas(.prague, Opcode.balance, 18) == 2600)
    #expect(gas(.prague, Opcode.balance, 0x100) == 2600)
    #expect(gas(.osaka, Opcode.balance, 0x100) == 100)
  }

  @Test func coinbaseIsWarmFromShanghaiOn() {
    #expect(gas(.paris, Opcode.balance, TestWorld.coinbase.word) == 2600)
    #expect(gas(.shanghai, Opcode.balance, TestWorld.coinbase.word) == 100)
  }

  @Test func flatPricesBeforeBerlin() {
    let prices: [(Fork, UInt8, UInt64)] = [
      (.frontier, Opcode.balance, 20), (.tangerineWhistle, Opcode.balance, 400),
      (.istanbul, Opcode.balance, 700), (.frontier, Opcode.extcodesize, 20),
      (.tangerineWhistle, Opcode.extcodesize, 700), (.frontier, Opcode.extcodecopy, 20),
      (.tangerineWhistle, Opcode.extcodecopy, 700), (.constantinople, Opcode.extcodehash, 400),
      (.istanbul, Opcode.extcodehash, 700),
    ]
    for (fork, opcode, price) in prices {
      #expect(gas(fork, opcode, 0xaaaa, times: 2) == 2 * price)
    }
    let load = Bytecode.call(Opcode.sload, 0) + [Opcode.pop]
    for (fork, price): (Fork, UInt64) in [
      (.frontier, 50), (.tangerineWhistle, 200), (.istanbul, 800),
    ] {
      #expect(executionGas(fork, load) == price + 5)
    }
  }

  @Test func slotsAreColdOnce() {
    let load = Bytecode.call(Opcode.sload, 0) + [Opcode.pop]
    #expect(executionGas(.berlin, load) == 2105)
    #expect(executionGas(.berlin, load * 2) == 2105 + 105)
  }

  @Test func accessListsWarmAndCost() {
    let code = Bytecode.call(Opcode.sload, 7) + [Opcode.pop] + .call(Opcode.balance, 0xaaaa)
    let world = TestWorld(.berlin, code: code)
    var message = world.transaction()
    message.type = .accessList
    let items = [
      AccessListItem(address: TestWorld.contract, firstSlot: 0, slotCount: 2),
      AccessListItem(address: Address(number: 0xaaaa), firstSlot: 2, slotCount: 0),
    ]
    let slots: [UInt256] = [7, 8]
    items.withUnsafeBufferPointer { items in
      slots.withUnsafeBufferPointer { slots in
        message.accessList = items
        message.accessSlots = slots
        let gas = world.run(message).gasUsed
        #expect(gas == 21000 + 2 * 2400 + 2 * 1900 + 105 + 103)
      }
    }
  }

  @Test func failureCoolsDownAgain() {
    // The callee warms an account and a slot of its own, then reverts.
    let callee =
      Bytecode.call(Opcode.balance, 0xaaaa) + .call(Opcode.sload, 3) + .call(Opcode.revert, 0, 0)
    let call = Bytecode.call(Opcode.call, 50_000, TestWorld.other.word, 0, 0, 0, 0, 0)
    let world = TestWorld(.osaka, code: call + .call(Opcode.balance, 0xaaaa))
    world.accounts[TestWorld.other] = .init(nonce: 1, code: callee.bytes)
    let outcome = world.run()
    let calleeGas: UInt64 = 2603 + 2103 + 6
    #expect(outcome.gasUsed == 21000 + 21 + 2600 + calleeGas + 2603)
  }

  @Test func aCallWarmsItsCalleeEvenIfItFails() {
    let call = Bytecode.call(Opcode.call, 50_000, TestWorld.other.word, 0, 0, 0, 0, 0)
    let world = TestWorld(.osaka, code: call * 2)
    world.accounts[TestWorld.other] = .init(nonce: 1, code: [Opcode.revert])
    // The callee underflows and takes its gas, both times; the second access is warm.
    #expect(world.run().gasUsed == 21000 + 2 * (21 + 50_000) + 2600 + 100)
  }

  @Test func codeHashTellsAbsentFromEmpty() {
    let hash = { (address: UInt256) in Bytecode.call(Opcode.extcodehash, address) + .returnTop }
    #expect(TestWorld(.osaka, code: hash(0xaaaa)).run().word == 0)
    #expect(
      TestWorld(.osaka, code: hash(TestWorld.sender.word)).run().word == Hash256.emptyCode.word)
    let own = TestWorld(.osaka, code: hash(TestWorld.contract.word))
    #expect(own.run().word == TestWorld.hash(hash(TestWorld.contract.word).bytes).word)
    let empty = TestWorld(.osaka, code: hash(TestWorld.other.word))
    empty.accounts[TestWorld.other] = .init()
    #expect(empty.run().word == 0)
  }
}

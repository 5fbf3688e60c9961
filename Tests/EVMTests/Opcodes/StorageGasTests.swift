import Testing

@testable import EVM

/// SSTORE's gas and refunds, with the tables of EIP-1283, EIP-2200, EIP-2929 and EIP-3529.
@Suite struct StorageGasTests {
  /// One row of an EIP's table: the values that are stored one after the other into slot 0, the
  /// value before, the gas of the whole code, and the refund before the cap.
  struct Row: CustomStringConvertible, Sendable {
    var original: UInt64
    var values: [UInt64]
    var gas: UInt64
    var refund: Int64

    var description: String { "\(original) -> \(values)" }
  }

  private func check(_ fork: Fork, _ row: Row) {
    var code = Bytecode()
    for value in row.values { code = code + .push(UInt256(value)) + .store(0) }
    let world = TestWorld(fork, code: code)
    world.accounts[TestWorld.contract]?.storage[0] = UInt256(row.original)
    let outcome = world.run()
    #expect(outcome.status == .stopped)
    let spent = outcome.gasUsed + outcome.gasRefunded - 21000
    #expect(spent == row.gas)
    // Gas enough is used for no refund here to be capped, except where the test says so.
    let cap = Int64(spent + 21000) / (fork >= .london ? 5 : 2)
    #expect(Int64(outcome.gasRefunded) == min(row.refund, cap))
    #expect(outcome.storage(0) == UInt256(row.values.last ?? row.original))
  }

  // The rows of EIP-1283's test table; PUSH1 costs 3 each.
  @Test(arguments: [
    Row(original: 0, values: [0, 0], gas: 412, refund: 0),
    Row(original: 0, values: [0, 1], gas: 20212, refund: 0),
    Row(original: 0, values: [1, 0], gas: 20212, refund: 19800),
    Row(original: 0, values: [1, 2], gas: 20212, refund: 0),
    Row(original: 0, values: [1, 1], gas: 20212, refund: 0),
    Row(original: 1, values: [0, 0], gas: 5212, refund: 15000),
    Row(original: 1, values: [0, 1], gas: 5212, refund: 4800),
    Row(original: 1, values: [0, 2], gas: 5212, refund: 0),
    Row(original: 1, values: [2, 0], gas: 5212, refund: 15000),
    Row(original: 1, values: [2, 3], gas: 5212, refund: 0),
    Row(original: 1, values: [2, 1], gas: 5212, refund: 4800),
    Row(original: 1, values: [2, 2], gas: 5212, refund: 0),
    Row(original: 1, values: [1, 0], gas: 5212, refund: 15000),
    Row(original: 1, values: [1, 2], gas: 5212, refund: 0),
    Row(original: 1, values: [1, 1], gas: 412, refund: 0),
    Row(original: 0, values: [1, 0, 1], gas: 40218, refund: 19800),
    Row(original: 1, values: [0, 1, 0], gas: 10218, refund: 19800),
  ])
  func netMeteringOfConstantinople(_ row: Row) { check(.constantinople, row) }

  // The rows of EIP-2200's test table.
  @Test(arguments: [
    Row(original: 0, values: [0, 0], gas: 1612, refund: 0),
    Row(original: 0, values: [0, 1], gas: 20812, refund: 0),
    Row(original: 0, values: [1, 0], gas: 20812, refund: 19200),
    Row(original: 0, values: [1, 2], gas: 20812, refund: 0),
    Row(original: 1, values: [0, 0], gas: 5812, refund: 15000),
    Row(original: 1, values: [0, 1], gas: 5812, refund: 4200),
    Row(original: 1, values: [0, 2], gas: 5812, refund: 0),
    Row(original: 1, values: [2, 0], gas: 5812, refund: 15000),
    Row(original: 1, values: [2, 1], gas: 5812, refund: 4200),
    Row(original: 1, values: [1, 1], gas: 1612, refund: 0),
    Row(original: 0, values: [1, 0, 1], gas: 40818, refund: 19200),
    Row(original: 1, values: [0, 1, 0], gas: 10818, refund: 19200),
  ])
  func netMeteringOfIstanbul(_ row: Row) { check(.istanbul, row) }

  // EIP-3529's table; the first access pays 2,100 for the cold slot.
  @Test(arguments: [
    Row(original: 0, values: [0, 0], gas: 2312, refund: 0),
    Row(original: 0, values: [0, 1], gas: 22212, refund: 0),
    Row(original: 0, values: [1, 0], gas: 22212, refund: 19900),
    Row(original: 0, values: [1, 2], gas: 22212, refund: 0),
    Row(original: 1, values: [0, 0], gas: 5112, refund: 4800),
    Row(original: 1, values: [0, 1], gas: 5112, refund: 2800),
    Row(original: 1, values: [0, 2], gas: 5112, refund: 0),
    Row(original: 1, values: [2, 0], gas: 5112, refund: 4800),
    Row(original: 1, values: [2, 1], gas: 5112, refund: 2800),
    Row(original: 1, values: [1, 1], gas: 2312, refund: 0),
    Row(original: 0, values: [1, 0, 1], gas: 42218, refund: 19900),
    Row(original: 1, values: [0, 1, 0], gas: 8018, refund: 7600),
  ])
  func netMeteringOfLondon(_ row: Row) { check(.london, row) }

  @Test(arguments: [Fork.frontier, .byzantium, .petersburg])
  func simpleMeteringLooksAtTheCurrentValueOnly(_ fork: Fork) {
    check(fork, Row(original: 0, values: [0, 0], gas: 10012, refund: 0))
    check(fork, Row(original: 0, values: [1, 0], gas: 25012, refund: 15000))
    check(fork, Row(original: 1, values: [0, 1], gas: 25012, refund: 15000))
    check(fork, Row(original: 1, values: [1, 1], gas: 10012, refund: 0))
  }

  @Test func berlinKeepsTheLargeClearingRefund() {
    check(.berlin, Row(original: 1, values: [0, 0], gas: 5112, refund: 15000))
  }

  @Test func storeNeedsMoreThanTheStipendFromIstanbulOn() {
    let code = Bytecode.push(1) + .store(0)
    for (fork, gas, status): (Fork, UInt64, ExecutionStatus) in [
      (.istanbul, 21006 + 2300, .outOfGas), (.istanbul, 21006 + 2301, .stopped),
    ] {
      let world = TestWorld(fork, code: code)
      world.accounts[TestWorld.contract]?.storage[0] = 1
      #expect(world.run(gas: gas).status == status)
    }
  }

  @Test func refundIsCappedAtAHalfBeforeLondonAndAFifthAfter() {
    let code = (0..<10).map { Bytecode.push(0) + .store(UInt256(UInt64($0))) }
      .reduce(Bytecode(), +)
    for (fork, quotient): (Fork, UInt64) in [(.berlin, 2), (.london, 5)] {
      let world = TestWorld(fork, code: code)
      for slot in 0..<10 { world.accounts[TestWorld.contract]?.storage[UInt256(UInt64(slot))] = 1 }
      let outcome = world.run()
      let spent = outcome.gasUsed + outcome.gasRefunded
      #expect(spent == 21000 + 10 * 5006)
      #expect(
        outcome.gasRefunded == min(spent / quotient, 10 * (fork == .berlin ? 15000 : 4800)))
    }
  }

  @Test func revertTakesTheRefundBack() {
    let code = Bytecode.push(0) + .store(0) + .call(Opcode.revert, 0, 0)
    let world = TestWorld(.osaka, code: code)
    world.accounts[TestWorld.contract]?.storage[0] = 1
    let outcome = world.run()
    #expect(outcome.status == .reverted)
    #expect(outcome.gasRefunded == 0)
    #expect(outcome.storage(0) == 1)
  }
}

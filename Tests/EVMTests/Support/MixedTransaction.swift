@testable import EVM

/// One transaction that uses everything a workspace holds, and asks a view every question.
enum MixedTransaction {
  /// The world and the transaction's input.
  static func world() -> TestWorld {
    let other = TestWorld.other.word
    let world = TestWorld(.osaka)
    world.accounts[TestWorld.contract]?.balance = 1000
    world.accounts[TestWorld.contract]?.storage = [0: 7, 5: 9]
    world.accounts[TestWorld.contract]?.code = contract(calling: other).bytes
    world.accounts[TestWorld.other] = .init(
      nonce: 1, code: callee.bytes, storage: [1: 1])
    return world
  }

  private static func contract(calling other: UInt256) -> Bytecode {
    // 1,024 bytes that another code has not, deployed and then called.
    let deployed = Bytecode.call(Opcode.log0, 0, 10) + .call(Opcode.`return`, 0, 700)
    let initCode = (deployed + Bytecode([UInt8](repeating: 0x5b, count: 1000))).deployment
    var code = Bytecode.call(Opcode.sstore, 0, 1) + .call(Opcode.sload, 5)
    code = code + .call(Opcode.tstore, 1, 2) + .call(Opcode.log0 + 2, 0, 64, 3, 4)
    code = code + .call(Opcode.call, 200_000, other, 1, 0, 32, 0, 96)
    code = code + .call(Opcode.blockhash, 999) + .call(Opcode.sstore, 2)
    // A power with numbers of 64 bytes, taken from this code.
    code = code + .call(Opcode.mstore, 0, 64) + .call(Opcode.mstore, 32, 1)
    code = code + .call(Opcode.mstore, 64, 64) + .call(Opcode.codecopy, 96, 0, 129)
    code = code + .call(Opcode.staticcall, 50_000, 5, 0, 225, 0, 64)
    code = code + .call(Opcode.mload, 32) + .call(Opcode.sstore, 3)
    code = code + initCode.inMemory + [Opcode.pop]
    code = code + .call(Opcode.create, 1, 0, UInt256(UInt64(initCode.bytes.count)))
    // Its address is on top: call it for 700 bytes.
    code = code + .push(0) + .push(0) + .push(0) + .push(0) + .push(0)
    code = code + [Opcode.dup1 + 5] + .push(100_000) + [Opcode.call]
    code = code + [Opcode.returndatasize] + .call(Opcode.sstore, 4)
    return code + .call(Opcode.`return`, 0, 128)
  }

  /// Stores, logs, looks at an account, fails in a frame below, and returns 96 bytes.
  private static var callee: Bytecode {
    let fails = Bytecode.call(Opcode.delegatecall, 10_000, 0xdead, 0, 0, 0, 0)
    return .call(Opcode.sstore, 1, 0) + .call(Opcode.balance, 0xaaaa) + .call(Opcode.log0, 0, 100)
      + fails + .call(Opcode.extcodehash, TestWorld.contract.word)
      + .call(Opcode.mstore, 64) + .call(Opcode.`return`, 0, 96)
  }

  /// Everything that a test can see of an outcome.
  static func summary(_ outcome: TestWorld.Outcome) -> [String] {
    var lines = [
      "\(outcome.status) \(outcome.gasUsed) \(outcome.gasRefunded)", "\(outcome.output)",
      "\(outcome.logs)", "\(outcome.steps.count)",
    ]
    for (address, account) in outcome.accounts {
      let storage = account.storage.filter { !$0.value.isZero }
        .map { "\($0.key)=\($0.value)" }.sorted()
      lines.append(
        "\(address.word) \(account.nonce) \(account.balance) \(account.code) \(storage)")
    }
    return lines.sorted()
  }
}

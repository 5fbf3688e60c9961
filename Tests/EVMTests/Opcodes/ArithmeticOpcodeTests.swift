import Testing

@testable import EVM

/// Each arithmetic and bitwise opcode through the interpreter: operand order, result, gas.
@Suite struct ArithmeticOpcodeTests {
  private static let minusOne = UInt256.max
  private static let lowest = UInt256(1) << 255

  /// `opcode` with its arguments (the top of the stack first) gives `result`.
  private func check(
    _ opcode: UInt8, _ arguments: [UInt256], _ result: UInt256, fork: Fork = .osaka,
    _ location: SourceLocation = #_sourceLocation
  ) {
    let code =
      arguments.reversed().map { Bytecode.push($0) }.reduce(Bytecode(), +) + [opcode]
      + .returnTop
    let outcome = TestWorld(fork, code: code).run()
    #expect(outcome.status == .returned, sourceLocation: location)
    #expect(outcome.word == result, sourceLocation: location)
  }

  @Test func takesOperandsInOrder() {
    check(Opcode.add, [5, 3], 8)
    check(Opcode.sub, [5, 3], 2)
    check(Opcode.mul, [5, 3], 15)
    check(Opcode.div, [7, 2], 3)
    check(Opcode.mod, [7, 4], 3)
    check(Opcode.addmod, [7, 8, 10], 5)
    check(Opcode.mulmod, [7, 8, 10], 6)
    check(Opcode.exp, [3, 5], 243)
    check(Opcode.lt, [1, 2], 1)
    check(Opcode.lt, [2, 1], 0)
    check(Opcode.gt, [2, 1], 1)
    check(Opcode.gt, [1, 1], 0)
    check(Opcode.eq, [4, 4], 1)
    check(Opcode.eq, [4, 5], 0)
    check(Opcode.iszero, [0], 1)
    check(Opcode.iszero, [9], 0)
    check(Opcode.and, [12, 10], 8)
    check(Opcode.or, [12, 10], 14)
    check(Opcode.xor, [12, 10], 6)
    check(Opcode.not, [0], .max)
    check(Opcode.byte, [31, 0xabcd], 0xcd)
    check(Opcode.byte, [30, 0xabcd], 0xab)
    check(Opcode.shl, [4, 1], 16)
    check(Opcode.shr, [4, 16], 1)
    check(Opcode.sar, [4, 16], 1)
    check(Opcode.signextend, [0, 0x80], UInt256(0x7f).negated &- 1)
    check(Opcode.clz, [1], 255)
  }

  @Test func wrapsAndSaturates() {
    check(Opcode.add, [.max, 1], 0)
    check(Opcode.sub, [0, 1], .max)
    check(Opcode.mul, [.max, .max], 1)
    check(Opcode.exp, [2, 256], 0)
    check(Opcode.exp, [0, 0], 1)
    check(Opcode.shl, [256, 1], 0)
    check(Opcode.shr, [.max, .max], 0)
    check(Opcode.sar, [.max, .max], .max)
    check(Opcode.sar, [256, 1], 0)
    check(Opcode.byte, [32, .max], 0)
    check(Opcode.signextend, [31, 0x80], 0x80)
    check(Opcode.signextend, [.max, 0x80], 0x80)
    check(Opcode.clz, [0], 256)
    check(Opcode.clz, [.max], 0)
  }

  @Test func dividesByZeroToZero() {
    for opcode in [Opcode.div, Opcode.sdiv, Opcode.mod, Opcode.smod] { check(opcode, [7, 0], 0) }
    check(Opcode.addmod, [7, 8, 0], 0)
    check(Opcode.mulmod, [7, 8, 0], 0)
  }

  @Test func signedFormsUseTwosComplement() {
    check(Opcode.sdiv, [UInt256(7).negated, 2], UInt256(3).negated)
    check(Opcode.sdiv, [Self.lowest, Self.minusOne], Self.lowest)
    check(Opcode.smod, [UInt256(7).negated, 4], UInt256(3).negated)
    check(Opcode.smod, [7, UInt256(4).negated], 3)
    check(Opcode.slt, [Self.minusOne, 0], 1)
    check(Opcode.slt, [0, Self.minusOne], 0)
    check(Opcode.sgt, [0, Self.minusOne], 1)
    check(Opcode.sgt, [Self.lowest, 0], 0)
  }

  @Test func modularFormsDoNotWrapInBetween() {
    check(Opcode.addmod, [.max, 2, .max], 2)
    check(Opcode.mulmod, [.max, .max, 12], 9)
  }

  /// Yellow paper, appendix G: very low 3, low 5, mid 8, EXP 10 and 50 a byte.
  @Test func costsByTier() {
    let tiers: [(UInt64, [UInt8])] = [
      (
        3,
        [
          Opcode.add, Opcode.sub, Opcode.lt, Opcode.gt, Opcode.slt, Opcode.sgt, Opcode.eq,
          Opcode.and, Opcode.or, Opcode.xor, Opcode.byte, Opcode.shl, Opcode.shr, Opcode.sar,
        ]
      ),
      (
        5,
        [
          Opcode.mul, Opcode.div, Opcode.sdiv, Opcode.mod, Opcode.smod, Opcode.signextend,
        ]
      ),
    ]
    for (gas, opcodes) in tiers {
      for opcode in opcodes { #expect(executionGas(.osaka, .call(opcode, 1, 1)) == gas + 6) }
    }
    for opcode in [Opcode.iszero, Opcode.not] {
      #expect(executionGas(.osaka, .call(opcode, 1)) == 3 + 3)
    }
    #expect(executionGas(.osaka, .call(Opcode.clz, 1)) == 5 + 3)
    for opcode in [Opcode.addmod, Opcode.mulmod] {
      #expect(executionGas(.osaka, .call(opcode, 1, 1, 1)) == 8 + 9)
    }
  }

  @Test func exponentiationPaysForEachByteOfTheExponent() {
    for (fork, byte): (Fork, UInt64) in [(.tangerineWhistle, 10), (.spuriousDragon, 50)] {
      #expect(executionGas(fork, .call(Opcode.exp, 2, 0)) == 16)
      #expect(executionGas(fork, .call(Opcode.exp, 2, 255)) == 16 + byte)
      #expect(executionGas(fork, .call(Opcode.exp, 2, 256)) == 16 + 2 * byte)
      #expect(executionGas(fork, .call(Opcode.exp, 2, .max)) == 16 + 32 * byte)
    }
  }
}

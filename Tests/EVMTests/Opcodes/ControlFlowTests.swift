import Testing

@testable import EVM

/// Jumps, stack and memory opcodes.
@Suite struct ControlFlowTests {
  private func run(_ code: Bytecode, _ fork: Fork = .osaka) -> TestWorld.Outcome {
    TestWorld(fork, code: code).run()
  }

  @Test func jumpsToDestinationsOnly() {
    #expect(run([0x60, 4, Opcode.jump, 0xfe, Opcode.jumpdest]).status == .stopped)
    #expect(run([0x60, 3, Opcode.jump, 0xfe, Opcode.jumpdest]).status == .invalidJump)
    #expect(run([0x60, 9, Opcode.jump]).status == .invalidJump)
    #expect(run(.push(UInt256(1) << 64) + [Opcode.jump, Opcode.jumpdest]).status == .invalidJump)
  }

  @Test func immediateDataIsNoDestination() {
    // PUSH1 4; JUMP; PUSH1 0x5b; STOP: position 4 is data.
    #expect(run([0x60, 4, Opcode.jump, 0x60, 0x5b, 0]).status == .invalidJump)
  }

  @Test func conditionalJumpLooksAtTheWholeWord() {
    let high = UInt256(1) << 255
    let code = Bytecode.push(high) + .push(37) + [Opcode.jumpi, 0xfe, Opcode.jumpdest]
    #expect(run(code).status == .stopped)
    // A jump not taken may name any place.
    #expect(run(.call(Opcode.jumpi, .max, 0)).status == .stopped)
  }

  @Test func takenJumpsNeedADestination() {
    // PUSH1 1; PUSH1 place; JUMPI; STOP; INVALID; JUMPDEST: only place 7 will do.
    for place: UInt8 in 0...9 {
      let code = Bytecode([0x60, 1, 0x60, place, Opcode.jumpi, Opcode.stop, 0xfe, Opcode.jumpdest])
      #expect(run(code).status == (place == 7 ? .stopped : .invalidJump), "place \(place)")
    }
    for place in [UInt256(1) << 64 | 7, UInt256(UInt64.max), .max] {
      let code = Bytecode.push(1) + .push(place) + [Opcode.jumpi, Opcode.stop]
      #expect(run(code).status == .invalidJump)
    }
  }

  @Test func pushPastTheEndReadsZeros() {
    let outcome = run([0x61, 0xab])
    #expect(outcome.status == .stopped)
    // The value is seen by the next opcode, which is the STOP behind the code.
    #expect(outcome.steps.last?.opcode == Opcode.stop)
    #expect(run([0x60, 1] + [0x62, 0xab]).status == .stopped)
  }

  @Test func pushesOfAllWidths() {
    for width in 1...32 {
      let bytes = (0..<width).map { UInt8(0x11 + $0) }
      let code = Bytecode([UInt8(0x5f + width)] + bytes) + .returnTop
      let expected = bytes.reduce(UInt256.zero) { ($0 << 8) | UInt256(UInt64($1)) }
      #expect(run(code).word == expected)
    }
    #expect(run(Bytecode([Opcode.push0]) + .returnTop).word == 0)
  }

  @Test func duplicatesAndSwaps() {
    let sixteen = (1...16).map { Bytecode.push(UInt256(UInt64($0))) }.reduce(Bytecode(), +)
    for n in 1...16 {
      // 16 is on top.
      #expect(run(sixteen + [UInt8(0x7f + n)] + .returnTop).word == UInt256(UInt64(17 - n)))
    }
    let seventeen = Bytecode.push(0x99) + sixteen
    for n in 1...16 {
      let expected: UInt256 = n == 16 ? 0x99 : UInt256(UInt64(16 - n))
      #expect(run(seventeen + [UInt8(0x8f + n)] + .returnTop).word == expected)
    }
  }

  @Test func tellsPositionGasAndMemorySize() {
    #expect(run(Bytecode([Opcode.pc, Opcode.pop, Opcode.pc]) + .returnTop).word == 2)
    // 1,000,000 - 21,000 - 2: GAS tells what is left after itself.
    #expect(run(Bytecode([Opcode.gas]) + .returnTop).word == 978_998)
    #expect(run(.call(Opcode.mload, 33) + [Opcode.pop, Opcode.msize] + .returnTop).word == 96)
  }

  @Test func memoryIsZeroAndByteAddressed() {
    #expect(run(.call(Opcode.mload, 0) + .returnTop).word == 0)
    let code =
      Bytecode.call(Opcode.mstore, 1, 0x1122) + .call(Opcode.mstore8, 0, 0xffee)
      + .call(Opcode.mload, 1) + .returnTop
    #expect(run(code).word == 0x1122)
    let byte = Bytecode.call(Opcode.mstore8, 31, 0xffee) + .call(Opcode.`return`, 0, 32)
    #expect(run(byte).word == 0xee)
  }

  /// 3 gas a word, and words^2 / 512 (yellow paper, appendix H).
  @Test func memoryCostsGrowQuadratically() {
    #expect(executionGas(.osaka, .call(Opcode.mstore8, 0, 0)) == 3 * 3 + 3)
    #expect(executionGas(.osaka, .call(Opcode.mload, 0)) == 2 * 3 + 3)
    #expect(executionGas(.osaka, .call(Opcode.mload, 1)) == 2 * 3 + 6)
    // 1,024 words: 3,072 + 2,048.
    #expect(executionGas(.osaka, .call(Opcode.mload, 32736)) == 2 * 3 + 3072 + 2048)
    // Growing again pays the difference.
    let twice = Bytecode.call(Opcode.mload, 32704) + .call(Opcode.mload, 32736)
    #expect(executionGas(.osaka, twice) == 4 * 3 + 3072 + 2048)
  }

  @Test func absurdMemoryRunsOutOfGas() {
    for offset: UInt256 in [.max, UInt256(1) << 64, UInt256(1) << 38, UInt256(1) << 32] {
      #expect(run(.call(Opcode.mload, offset)).status == .outOfGas)
      #expect(run(.call(Opcode.mstore, offset, 1)).status == .outOfGas)
      #expect(run(.call(Opcode.mstore8, offset, 1)).status == .outOfGas)
      #expect(run(.call(Opcode.`return`, offset, 1)).status == .outOfGas)
      #expect(run(.call(Opcode.keccak256, 0, offset)).status == .outOfGas)
      #expect(run(.call(Opcode.log0, offset, 1)).status == .outOfGas)
      #expect(run(.call(Opcode.calldatacopy, 0, 0, offset)).status == .outOfGas)
      // Nothing at an absurd place is nothing.
      #expect(run(.call(Opcode.`return`, offset, 0)).status == .returned)
      #expect(run(.call(Opcode.keccak256, offset, 0)).status == .stopped)
      #expect(run(.call(Opcode.mcopy, offset, offset, 0)).status == .stopped)
    }
  }

  @Test func memoryCopyHandlesOverlap() {
    let setUp = Bytecode.call(Opcode.mstore, 0, 0x0102_0304)
    // The bytes 01 02 03 04 are at 28 to 31: move them up by two.
    let up = setUp + .call(Opcode.mcopy, 30, 28, 4) + .call(Opcode.mload, 2) + .returnTop
    #expect(run(up).word == 0x0102_0102_0304)
    let down = setUp + .call(Opcode.mcopy, 26, 28, 4) + .call(Opcode.mload, 0) + .returnTop
    #expect(run(down).word == 0x0102_0304_0304)
    // 3 + 3 a word + growth to cover the larger of the two ranges.
    #expect(executionGas(.osaka, .call(Opcode.mcopy, 0, 32, 33)) == 9 + 3 + 6 + 9)
  }

  @Test func runsOutOfGasOneShort() {
    let code = Bytecode.call(Opcode.add, 1, 2)
    #expect(TestWorld(.osaka, code: code).run(gas: 21009).status == .stopped)
    let outcome = TestWorld(.osaka, code: code).run(gas: 21008)
    #expect(outcome.status == .outOfGas)
    #expect(outcome.gasUsed == 21008)
  }
}

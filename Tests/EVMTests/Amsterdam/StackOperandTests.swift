import Testing

@testable import EVM

/// DUPN, SWAPN and EXCHANGE (EIP-8024).
@Suite struct StackOperandTests {
  private func run(_ code: Bytecode, _ fork: Fork = .amsterdam) -> TestWorld.Outcome {
    TestWorld(fork, code: code).run()
  }

  /// Pushes `count` numbers, the last of which is `count`.
  private func numbers(_ count: UInt64) -> Bytecode {
    (1...count).map { Bytecode.push(UInt256($0)) }.reduce([], +)
  }

  /// The EIP's own examples.
  @Test func operandsAreAsTheSpecificationHasThem() {
    #expect(StackOperand.single(0x80) == 17)
    #expect(StackOperand.single(0xdb) == 108)
    #expect(StackOperand.pair(0x9d)! == (2, 3))
    #expect(StackOperand.pair(0x2f)! == (1, 19))
    for byte in UInt8(91)...127 { #expect(StackOperand.single(byte) == nil) }
    for byte in UInt8(82)...127 { #expect(StackOperand.pair(byte) == nil) }
    #expect(StackOperand.single(90) != nil && StackOperand.single(128) != nil)
    #expect(StackOperand.pair(81) != nil && StackOperand.pair(128) != nil)
  }

  /// Every number can be written, and in one way only.
  @Test func operandsAreDifferentNumbersInRange() {
    let singles = Set((UInt8.min...UInt8.max).compactMap { StackOperand.single($0) })
    #expect(singles == Set(17...235))
    var pairs: Set<[Int]> = []
    for byte in UInt8.min...UInt8.max {
      guard let (first, second) = StackOperand.pair(byte) else { continue }
      #expect(first >= 1 && first < second && first + second <= 30)
      #expect(pairs.insert([first, second]).inserted)
    }
    #expect(pairs.count == 256 - 46)
  }

  @Test func dupCopiesADeepWord() {
    let outcome = run(numbers(20) + [Opcode.dupn, 0x80] + .returnTop)
    #expect(outcome.word == 4)
    #expect(outcome.regularGas == 21000 + 20 * 3 + 3 + 4 * 3 + 3)
    // The deepest, by the last byte before the gap: 90 + 145 = 235.
    #expect(run(numbers(235) + [Opcode.dupn, 90] + .returnTop).word == 1)
  }

  @Test func swapExchangesTheTopWithADeepWord() {
    let swapped = numbers(20) + [Opcode.swapn, 0x80]
    #expect(run(swapped + .returnTop).word == 3)
    #expect(run(swapped + Bytecode([Opcode.pop]) * 17 + .returnTop).word == 20)
  }

  @Test func exchangeLeavesTheTop() {
    let exchanged = numbers(5) + [Opcode.exchange, 0x9d]
    #expect(run(exchanged + .returnTop).word == 5)
    #expect(run(exchanged + [Opcode.pop, Opcode.pop] + .returnTop).word == 2)
    #expect(run(exchanged + [Opcode.pop, Opcode.pop, Opcode.pop] + .returnTop).word == 3)
  }

  @Test func wordsThatAreNotThereEndTheFrame() {
    #expect(run(numbers(16) + [Opcode.dupn, 0x80]).status == .stackUnderflow)
    #expect(run(numbers(17) + [Opcode.dupn, 0x80]).status == .stopped)
    #expect(run(numbers(17) + [Opcode.swapn, 0x80]).status == .stackUnderflow)
    #expect(run(numbers(18) + [Opcode.swapn, 0x80]).status == .stopped)
    #expect(run(numbers(3) + [Opcode.exchange, 0x9d]).status == .stackUnderflow)
    #expect(run(numbers(4) + [Opcode.exchange, 0x9d]).status == .stopped)
  }

  @Test func dupNeedsRoomOnTheStack() {
    let loop = Bytecode.push(0) * 1023
    #expect(run(loop + [Opcode.dupn, 0x80]).status == .stopped)
    #expect(run(loop + .push(0) + [Opcode.dupn, 0x80]).status == .stackOverflow)
  }

  @Test func bytesThatAreNoOperandEndTheFrame() {
    let words = numbers(100)
    for opcode in [Opcode.dupn, Opcode.swapn, Opcode.exchange] {
      for byte in [UInt8(0x5b), 0x60, 0x7f] {
        #expect(run(words + [opcode, byte]).status == .undefinedOpcode)
      }
    }
    #expect(run(words + [Opcode.exchange, 82]).status == .undefinedOpcode)
  }

  /// Behind the end of the code there are zeros: DUPN 145, and EXCHANGE 9 16.
  @Test func operandBehindTheEndIsZero() {
    #expect(run(numbers(145) + [Opcode.dupn]).status == .stopped)
    #expect(run(numbers(144) + [Opcode.dupn]).status == .stackUnderflow)
  }

  @Test func jumpDestinationsStayWhatTheyAre() {
    // JUMPDEST behind DUPN, jumped to.
    let code = Bytecode.push(4) + [Opcode.jump, Opcode.dupn, Opcode.jumpdest, Opcode.stop]
    #expect(run(code).status == .stopped)
    // A PUSH1 behind DUPN hides the JUMPDEST in its data.
    let hidden = Bytecode.push(5) + [Opcode.jump, Opcode.dupn, 0x60, Opcode.jumpdest]
    #expect(run(hidden).status == .invalidJump)
  }

  @Test func operandIsNoOpcode() {
    // The operand 0x00 would be STOP; what follows it is run.
    #expect(run(numbers(150) + [Opcode.dupn, 0x00, Opcode.invalid]).status == .undefinedOpcode)
    #expect(
      run(numbers(150) + [Opcode.dupn, 0x00] + .push(7) + .returnTop).word == 7)
  }

  @Test func earlierForksDoNotHaveThem() {
    for opcode in [Opcode.dupn, Opcode.swapn, Opcode.exchange, Opcode.slotnum] {
      #expect(run(numbers(100) + [opcode, 0x80], .bpo5).status == .undefinedOpcode)
    }
  }

  /// A word far below, in a block of code that has gone far down already.
  @Test func deepWordsOfADeepStack() {
    let code = Bytecode.push(1) * 1000 + Bytecode([Opcode.pop]) * 750 + [Opcode.dupn, 90]
    #expect(run(code).status == .stopped)
    let jump = Bytecode.push(1) * 1000 + [Opcode.pc] + .push(3) + [Opcode.add, Opcode.jumpi]
    let far = jump + [Opcode.jumpdest] + Bytecode([Opcode.pop]) * 760 + [Opcode.swapn, 90]
    #expect(run(far).status.isHalt || run(far).status == .stopped)
  }

  /// EIP-7843.
  @Test func slotNumberIsTheBlocks() {
    let world = TestWorld(.amsterdam, code: [Opcode.slotnum] + .returnTop)
    world.block.slotNumber = 0x1234_5678_9abc
    let outcome = world.run()
    #expect(outcome.word == 0x1234_5678_9abc)
    #expect(outcome.regularGas == 21000 + 2 + 4 * 3 + 3)
  }
}

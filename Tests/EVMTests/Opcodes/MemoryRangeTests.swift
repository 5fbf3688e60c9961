import Testing

@testable import EVM

/// Ranges of memory, of call data and of other bytes at the ends of what numbers can hold.
@Suite struct MemoryRangeTests {
  private func run(_ code: Bytecode, _ fork: Fork = .osaka) -> TestWorld.Outcome {
    let world = TestWorld(fork, code: code)
    world.accounts[TestWorld.other] = .init(
      nonce: 1, code: Bytecode.call(Opcode.`return`, 0, 40).bytes)
    return world.run()
  }

  private static let other = TestWorld.other.word

  /// A call that leaves 40 bytes of return data.
  private static let answer = Bytecode.call(Opcode.call, 9000, Self.other, 0, 0, 0, 0, 0)

  /// Sizes and places that no gas pays for. Low limbs alone would be small, negative or wrap.
  private static let absurd: [UInt256] = [
    UInt256(1) << 32, UInt256((1 << 38) - 1), UInt256(1 << 38), UInt256((1 << 38) + 1),
    UInt256(1 << 39), UInt256(1 << 40), UInt256(1 << 62), UInt256(1 << 63),
    UInt256(UInt64.max - 31),
    UInt256(UInt64.max), UInt256(1) << 64, (UInt256(1) << 64) | 1, (UInt256(1) << 64) | 32,
    (UInt256(1) << 128) | 7, (UInt256(1) << 255) | 64, .max,
  ]

  /// Every opcode that names a range of memory, as `(offset, count)`.
  private static let users: [(name: String, code: @Sendable (UInt256, UInt256) -> Bytecode)] = [
    ("KECCAK256", { .call(Opcode.keccak256, $0, $1) }),
    ("CALLDATACOPY", { .call(Opcode.calldatacopy, $0, 0, $1) }),
    ("CODECOPY", { .call(Opcode.codecopy, $0, 0, $1) }),
    ("EXTCODECOPY", { .call(Opcode.extcodecopy, Self.other, $0, 0, $1) }),
    ("MCOPY to", { .call(Opcode.mcopy, $0, 0, $1) }),
    ("MCOPY from", { .call(Opcode.mcopy, 0, $0, $1) }),
    ("LOG0", { .call(Opcode.log0, $0, $1) }),
    ("LOG4", { .call(Opcode.log4, $0, $1, 1, 2, 3, 4) }),
    ("CALL's input", { .call(Opcode.call, 9000, Self.other, 0, $0, $1, 0, 0) }),
    ("CALL's output", { .call(Opcode.call, 9000, Self.other, 0, 0, 0, $0, $1) }),
    ("CALLCODE's input", { .call(Opcode.callcode, 9000, Self.other, 0, $0, $1, 0, 0) }),
    ("DELEGATECALL's input", { .call(Opcode.delegatecall, 9000, Self.other, $0, $1, 0, 0) }),
    ("DELEGATECALL's output", { .call(Opcode.delegatecall, 9000, Self.other, 0, 0, $0, $1) }),
    ("STATICCALL's input", { .call(Opcode.staticcall, 9000, Self.other, $0, $1, 0, 0) }),
    ("STATICCALL's output", { .call(Opcode.staticcall, 9000, Self.other, 0, 0, $0, $1) }),
    ("RETURN", { .call(Opcode.`return`, $0, $1) }),
    ("REVERT", { .call(Opcode.revert, $0, $1) }),
  ]

  @Test func absurdPlacesAndSizesRunOutOfGas() {
    for (name, code) in Self.users {
      for number in Self.absurd {
        #expect(run(code(number, 1)).status == .outOfGas, "\(name): offset \(number)")
        #expect(run(code(0, number)).status == .outOfGas, "\(name): count \(number)")
        #expect(run(code(32, number)).status == .outOfGas, "\(name): count \(number)")
        #expect(run(code(number, number)).status == .outOfGas, "\(name): both \(number)")
        // Nothing at an absurd place is nothing.
        #expect(!run(code(number, 0)).status.isHalt, "\(name): nothing at \(number)")
      }
    }
  }

  /// Places whose number of words has a square past 63 bits. Taking the low bits of it, the price
  /// comes out small or negative, and the workspace is asked for memory that was not paid for.
  @Test func pricesPastAnIntegerRunOutOfGas() {
    for power: UInt64 in 32...43 {
      for eighth: UInt64 in 8..<16 {
        let place = UInt256(eighth << (power - 3))
        #expect(run(.call(Opcode.mload, place)).status == .outOfGas, "\(place)")
        #expect(run(.call(Opcode.`return`, 0, place)).status == .outOfGas, "\(place)")
        #expect(run(.call(Opcode.`return`, place, place)).status == .outOfGas, "\(place)")
      }
    }
  }

  @Test func creationsOfAbsurdPlacesRunOutOfGas() {
    for number in Self.absurd {
      let create = { (offset: UInt256, count: UInt256) in
        Bytecode.call(Opcode.create, 0, offset, count)
      }
      let create2 = { (offset: UInt256, count: UInt256) in
        Bytecode.call(Opcode.create2, 0, offset, count, 5)
      }
      #expect(run(create(number, 1)).status == .outOfGas)
      #expect(run(create2(number, 1)).status == .outOfGas)
      #expect(run(create(number, 0) + .returnTop).word != 0)
      #expect(run(create2(number, 0) + .returnTop).word != 0)
      for fork in [Fork.constantinople, .paris, .osaka] {
        #expect(run(create(0, number), fork).status.isHalt)
        #expect(run(create2(0, number), fork).status.isHalt)
      }
    }
  }

  /// Memory that is there does not make a place of 2^64 and more a small one.
  @Test func wordsOfPlacesAreWhole() {
    let grown = Bytecode.call(Opcode.mstore, 96, 7)
    for place in [UInt256(1) << 64, (UInt256(1) << 64) | 32, UInt256(1) << 128, UInt256(1) << 192] {
      for use: Bytecode in [
        .call(Opcode.mload, place), .call(Opcode.mstore, place, 1), .call(Opcode.mstore8, place, 1),
        .call(Opcode.keccak256, place, 32), .call(Opcode.`return`, place, 32),
      ] {
        #expect(run(grown + use).status == .outOfGas)
      }
    }
  }

  /// The last word of memory and the first beyond it.
  @Test func growsAtItsEndAlone() {
    let grown = Bytecode.call(Opcode.mstore, 32, 7)
    let size = { (use: Bytecode) in self.run(grown + use + [Opcode.msize] + .returnTop).word }
    #expect(size([]) == 64)
    for (place, expected): (UInt256, UInt256) in [(31, 64), (32, 64), (33, 96), (64, 96)] {
      #expect(size(.call(Opcode.mload, place)) == expected)
      #expect(size(.call(Opcode.mstore, place, 1)) == expected)
      #expect(size(.call(Opcode.keccak256, place, 32)) == expected)
    }
    for (place, expected): (UInt256, UInt256) in [(63, 64), (64, 96)] {
      #expect(size(.call(Opcode.mstore8, place, 1)) == expected)
    }
    // 3 + 3 + 3 and two words; then nothing more for what is there.
    #expect(executionGas(.osaka, grown) == 9 + 6)
    #expect(executionGas(.osaka, grown + .call(Opcode.mload, 32)) == 9 + 6 + 6)
    #expect(executionGas(.osaka, grown + .call(Opcode.mload, 33)) == 9 + 6 + 6 + 3)
  }

  // MARK: Return data

  @Test func returnDataIsCopiedInsideItsBoundsOnly() {
    let copy = { (destination: UInt256, offset: UInt256, count: UInt256) in
      self.run(Self.answer + .call(Opcode.returndatacopy, destination, offset, count)).status
    }
    for (offset, count): (UInt256, UInt256) in [(0, 40), (40, 0), (39, 1), (8, 32), (0, 0)] {
      #expect(copy(0, offset, count) == .stopped)
    }
    for (offset, count): (UInt256, UInt256) in [(0, 41), (41, 0), (40, 1), (39, 2), (9, 32)] {
      #expect(copy(0, offset, count) == .returnDataOutOfBounds)
    }
    let high = UInt256(1) << 64
    for number in [high, high | 1, high | 40, UInt256(1) << 128, UInt256(UInt64.max), .max] {
      #expect(copy(0, number, 0) == .returnDataOutOfBounds)
      #expect(copy(0, number, 1) == .returnDataOutOfBounds)
      #expect(copy(0, 0, number) == .returnDataOutOfBounds)
      #expect(copy(0, 1, number) == .returnDataOutOfBounds)
      #expect(copy(0, number, number) == .returnDataOutOfBounds)
      // What is there may not go to absurd places, unless it is nothing.
      #expect(copy(number, 0, 1) == .outOfGas)
      #expect(copy(number, 0, 0) == .stopped)
    }
    #expect(copy(UInt256(1 << 40), 0, 40) == .outOfGas)
    // The bounds come before the gas.
    #expect(copy(UInt256(1 << 40), 0, 41) == .returnDataOutOfBounds)
  }

  // MARK: Logs and hashes

  @Test func logsOfNothingHaveNoPlace() {
    let outcome = run(.call(Opcode.log0 + 1, .max, 0, 9))
    #expect(outcome.status == .stopped)
    #expect(outcome.logs.count == 1)
    #expect(outcome.logs.first?.topics == [9])
    #expect(outcome.logs.first?.data == [])
  }

  /// Around 64 bytes, whose hashes are remembered.
  @Test func hashesAroundTwoWords() {
    let bytes = (1...96).map { UInt8($0) }
    for count in [0, 1, 31, 32, 33, 63, 64, 65, 95, 96] {
      let code =
        Bytecode(bytes).inMemory + .call(Opcode.keccak256, 0, UInt256(UInt64(count))) + .returnTop
      let expected = bytes[..<count].withUnsafeBufferPointer { Keccak256.hash($0) }
      #expect(run(code).word == expected.word, "\(count) bytes")
      // Again, when it is remembered.
      let twice =
        Bytecode(bytes).inMemory
        + Bytecode.call(Opcode.keccak256, 0, UInt256(UInt64(count))) * 2 + [Opcode.xor]
        + .returnTop
      #expect(run(twice).word == 0)
    }
  }
}

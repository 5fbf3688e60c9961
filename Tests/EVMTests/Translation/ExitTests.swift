import Testing

@testable import EVM

/// Every kind of exit from a block, taken and not, with just enough gas and with too little, and
/// jumps to places that are not known. `TestWorld.run` compares with the plain interpreter.
@Suite struct ExitTests {
  /// The words of the call data.
  private static func data(_ words: UInt256...) -> [UInt8] {
    words.flatMap { word in
      var bytes = [UInt8](repeating: 0, count: 32)
      word.store(bigEndian: &bytes)
      return bytes
    }
  }

  private static func word(_ index: UInt64) -> Bytecode {
    .push(UInt256(index * 32)) + [Opcode.calldataload]
  }

  /// `condition`, then JUMPI: returns 2 where it is taken, else 1 after a few opcodes of gas.
  private static func branch(_ condition: Bytecode) -> Bytecode {
    let other: Bytecode = .push(1) + [Opcode.msize, Opcode.pop] + .returnTop
    let target = condition.bytes.count + 3 + 1 + other.bytes.count
    return condition + [0x61, UInt8(target >> 8), UInt8(target & 255), Opcode.jumpi] + other
      + [Opcode.jumpdest] + .push(2) + .returnTop
  }

  /// Runs with enough gas, then with just enough and with less; gives the word returned.
  @discardableResult
  private static func sweep(_ code: Bytecode, _ data: [UInt8]) -> UInt256? {
    // Cancun: later forks have a least gas for the data.
    let world = TestWorld(.cancun, code: code)
    let whole = world.run(data: data)
    if whole.status == .returned {
      let exact = world.run(data: data, gas: whole.gasUsed)
      #expect(exact.status == .returned)
      for less: UInt64 in [1, 4, 9, 16, 25] {
        let short = world.run(data: data, gas: whole.gasUsed - less)
        #expect(short.status == .outOfGas || short.error == .intrinsicGasTooLow)
      }
    }
    return whole.word
  }

  private static let comparisons: [(opcode: UInt8, holds: @Sendable (UInt256, UInt256) -> Bool)] = [
    (Opcode.lt, { $0 < $1 }), (Opcode.gt, { $1 < $0 }),
    (Opcode.slt, { UInt256.signedLess($0, $1) }), (Opcode.sgt, { UInt256.signedLess($1, $0) }),
    (Opcode.eq, { $0 == $1 }), (Opcode.sub, { $0 != $1 }),
  ]

  /// Small, wider than 32 bits, wider than 64, and negative.
  private static let pivots: [UInt256] = [
    7, 0x1_0000_0007, UInt256(7, 0, 1, 0), UInt256(7).negated,
  ]

  @Test(arguments: 0..<3) func comparisons(negations: Int) {
    let not = Bytecode([Opcode.iszero]) * negations
    for (opcode, holds) in Self.comparisons {
      for pivot in Self.pivots {
        for value in [pivot &- .one, pivot, pivot &+ .one] {
          let expected: UInt256 = holds(value, pivot) != (negations == 1) ? 2 : 1
          let data = Self.data(value, pivot)
          // Both words unknown; the second known; the first known. The first is on top.
          let unknown = Self.branch(Self.word(1) + Self.word(0) + [opcode] + not)
          #expect(Self.sweep(unknown, data) == expected)
          let second = Self.branch(.push(pivot) + Self.word(0) + [opcode] + not)
          #expect(Self.sweep(second, data) == expected)
          let first = Self.branch(Self.word(1) + .push(value) + [opcode] + not)
          #expect(Self.sweep(first, data) == expected)
        }
      }
    }
  }

  /// The condition is needed on the way, too, so that the comparison stays.
  @Test func conditionsThatAreUsedAgain() {
    for (opcode, holds) in Self.comparisons {
      for (value, pivot) in [(6, 7), (7, 7), (8, 7)] as [(UInt256, UInt256)] {
        for negations in 0..<3 {
          let condition =
            .push(pivot) + Self.word(0) + [opcode, Opcode.dup1]
            + Bytecode([Opcode.iszero]) * negations
          let target = condition.bytes.count + 3 + 1 + 1
          let code =
            condition + [0x61, 0, UInt8(target), Opcode.jumpi, Opcode.jumpdest]
            + [Opcode.jumpdest] + .returnTop
          let word = TestWorld(.osaka, code: code).run(data: Self.data(value)).word
          let difference = opcode == Opcode.sub ? value &- pivot : UInt256(holds(value, pivot))
          #expect(word == difference)
        }
      }
    }
  }

  /// Jumps to a word of the call data: to a jump destination, beside it, into data, beyond the end.
  @Test func jumpsToUnknownPlaces() {
    let jump: Bytecode = Self.word(0) + [Opcode.jump]
    let tail: Bytecode =
      [Opcode.stop, 0x60, Opcode.jumpdest, Opcode.jumpdest] + .push(2) + .returnTop
    let place = UInt256(UInt64(jump.bytes.count + 3))
    #expect(Self.sweep(jump + tail, Self.data(place)) == 2)
    let count = UInt256(UInt64((jump + tail).bytes.count))
    for wrong in [
      place &- .one, place &+ .one, 0, count, count &+ .one, UInt256(place.limb0, 1, 0, 0),
      UInt256(place.limb0, 0, 1, 0), UInt256(place.limb0, 0, 0, 1), .max,
    ] {
      let outcome = TestWorld(.osaka, code: jump + tail).run(data: Self.data(wrong))
      #expect(outcome.status == .invalidJump)
      // A known place is refused as well, but only when the jump is taken.
      for taken: UInt256 in [0, 1] {
        let code: Bytecode =
          Self.word(1) + .push(wrong) + [Opcode.jumpi] + .push(1) + .returnTop
        let known = TestWorld(.osaka, code: code).run(data: Self.data(0, taken))
        #expect(known.status == (taken == 0 ? .returned : .invalidJump))
      }
    }
  }

  /// Returns from functions whose callers are not known: what is on the stack then.
  @Test func returnsToUnknownPlaces() {
    let (a, b) = (Self.word(1), Self.word(2))
    let (swap1, swap2, dup1, dup2) = (0x90 as UInt8, 0x91 as UInt8, 0x80 as UInt8, 0x81 as UInt8)
    // With 5, 1 and the return address on the stack: the body, and the two words on top behind the jump (`nil`
    // for the address).
    let bodies: [(body: Bytecode, top: UInt256?, next: UInt256)] = [
      // The result takes the return address's place; it may be an argument, or be used twice.
      (a + b + [Opcode.add, swap1], 23, 1),
      (a + b + [Opcode.pop, swap1], 20, 1),
      ([dup2, swap1], 1, 1),
      // The address lies elsewhere, or stays.
      (a + [swap2, Opcode.pop], 20, 5),
      (a + b + [swap2], 20, 3),
      ([dup1, swap1], nil, 1),
      ([dup1], nil, 1),
      // A constant, and two words.
      (.push(7) + [swap1], 7, 1),
      (a + [swap1, dup1], nil, 20),
      (a + [swap2, swap1], 1, 20),
      (a + b + [swap1, swap2], 3, 20),
    ]
    for (body, top, next) in bodies {
      let start: Bytecode = Self.word(3) + Self.word(4) + Self.word(0) + body + [Opcode.jump]
      let tail: Bytecode =
        [Opcode.stop, Opcode.jumpdest] + .push(9) + [Opcode.mul, Opcode.add] + .returnTop
      let place = UInt256(UInt64(start.bytes.count + 1))
      let word = Self.sweep(start + tail, Self.data(place, 20, 3, 5, 1))
      #expect(word == (top ?? place) &* 9 &+ next, "\(body)")
      for wrong in [place &- .one, UInt256(place.limb0, 0, 1, 0)] {
        let outcome = TestWorld(.osaka, code: start + tail).run(
          data: Self.data(wrong, 20, 3, 5, 1))
        #expect(outcome.status == .invalidJump)
      }
    }
  }

  /// MULMOD by a constant, 2^256 - 1 among them.
  @Test func productsByAKnownModulus() {
    for modulus: UInt256 in [.max, .max &- .one, 0, 7] {
      for (x, y): (UInt256, UInt256) in [
        (3, 5), (.max, .max), (.max, 2), (UInt256(1) << 255, 6), (0, .max), (.max &- .one, .max),
      ] {
        let code: Bytecode =
          .push(modulus) + Self.word(1) + Self.word(0) + [Opcode.mulmod] + .returnTop
        let known: Bytecode = .push(modulus) + .push(y) + .push(x) + [Opcode.mulmod] + .returnTop
        let product = UInt256.multiplyModulo(x, y, modulus)
        #expect(Self.sweep(code, Self.data(x, y)) == product)
        #expect(Self.sweep(known, []) == product)
      }
    }
  }

  @Test func conditionalJumpsToUnknownPlaces() {
    let jump: Bytecode = Self.word(1) + Self.word(0) + [Opcode.jumpi]
    let code: Bytecode =
      jump + .push(1) + .returnTop + [Opcode.jumpdest] + .push(2) + .returnTop
    let place = UInt256(UInt64((jump + .push(1) + .returnTop).bytes.count))
    #expect(Self.sweep(code, Self.data(place, 1)) == 2)
    #expect(Self.sweep(code, Self.data(place, UInt256(0, 0, 0, 1))) == 2)
    #expect(Self.sweep(code, Self.data(place, 0)) == 1)
    #expect(Self.sweep(code, Self.data(3, 0)) == 1)
    let wrong = TestWorld(.osaka, code: code).run(data: Self.data(3, 1))
    #expect(wrong.status == .invalidJump)
  }

  /// Opcodes that pay for what follows them, and memory that can not be paid for.
  @Test func gasBehindEveryPayer() {
    let bodies: [Bytecode] = [
      Self.word(0) + [Opcode.sload], .push(1) + [Opcode.balance],
      .push(1) + [Opcode.extcodesize], .push(1) + [Opcode.extcodehash],
      .call(Opcode.keccak256, 0, 64), .call(Opcode.exp, 3, 300), [Opcode.gas],
      .call(Opcode.sstore, 1, 2) + .push(1),
      .call(Opcode.mstore, 320, 2) + .call(Opcode.mload, 640),
      .call(Opcode.mstore8, 1000, 2) + Self.word(0) + [Opcode.mload],
      .call(Opcode.log0 + 1, 0, 40, 7) + .push(1),
    ]
    for body in bodies {
      Self.sweep(body + [Opcode.pop] + .push(3) + .returnTop, Self.data(5))
    }
    // Offsets that no gas pays for, known and not.
    for offset in [UInt256(1) << 38, UInt256(1) << 64, .max] {
      for code: Bytecode in [
        .push(offset) + [Opcode.mload], Self.word(0) + [Opcode.mload],
        .push(1) + .push(offset) + [Opcode.mstore], .push(1) + Self.word(0) + [Opcode.mstore],
        .push(1) + .push(offset) + [Opcode.mstore8],
      ] {
        let outcome = TestWorld(.osaka, code: code + [Opcode.stop]).run(data: Self.data(offset))
        #expect(outcome.status == .outOfGas)
      }
    }
  }
}

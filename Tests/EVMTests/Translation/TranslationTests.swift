import Testing

@testable import EVM

/// Programs against the plain interpreter: `TestWorld.run` executes everything both ways.
@Suite struct TranslationTests {
  /// Every gas limit up to the one that suffices: the frame must end with the same gas.
  @Test func anyGasLimitEndsAlike() {
    // i = 3; do { memory[32 i] = f(i); slot[i] = i; slot[i + 8] is read; i -= 1 } while i != 0
    let f = 0x50
    let end = 0x70
    var code: Bytecode = .push(3)
    code = code + [Opcode.jumpdest, 0x80, Opcode.iszero] + .push(UInt256(UInt64(end)))
    code = code + [Opcode.jumpi]
    let back = code.bytes.count + 6
    code = code + .push(UInt256(UInt64(back))) + [0x81] + .push(UInt256(UInt64(f)))
    code = code + [Opcode.jump, Opcode.jumpdest]
    code = code + [0x81] + .push(32) + [Opcode.mul, Opcode.mstore]
    code = code + [0x80, 0x80, Opcode.sstore]
    code = code + [0x80] + .push(8) + [Opcode.add, Opcode.sload, Opcode.pop]
    code = code + .push(1) + [0x90, Opcode.sub] + .push(2) + [Opcode.jump]
    code = code + [Opcode.stop] * (f - code.bytes.count)
    code = code + [Opcode.jumpdest, 0x80, 0x80, Opcode.mul] + .push(7)
    code = code + [Opcode.add, 0x90, 0x50, 0x90, Opcode.jump]
    code = code + [Opcode.stop] * (end - code.bytes.count)
    code = code + [Opcode.jumpdest, Opcode.msize, Opcode.gas] + .returnTop
    let world = TestWorld(.osaka, code: code)
    let whole = world.run(gas: 200_000)
    #expect(whole.status == .returned)
    #expect(whole.storage(3) == 3)
    for gas in stride(from: UInt64(21000), through: whole.gasUsed + whole.gasRefunded + 1, by: 1)
    where gas < 21300 || gas % 23 == 0 || gas > whole.gasUsed - 300 {
      _ = world.run(gas: gas)
    }
  }

  /// Stacks at and beyond both limits.
  @Test func stackLimitsEndAlike() {
    for depth in [0, 1, 15, 16, 17, 1007, 1008, 1009, 1022, 1023, 1024, 1025] {
      let pushes = Bytecode([UInt8](repeating: Opcode.push0, count: depth))
      for rest: Bytecode in [
        [Opcode.add], [Opcode.pop], [Opcode.dup16], [Opcode.swap16], [Opcode.push0],
        [Opcode.addmod], [Opcode.jumpdest, Opcode.add, Opcode.jumpdest, Opcode.add],
        [Opcode.dup1, Opcode.pop, Opcode.pop, Opcode.pop],
        Bytecode([UInt8](repeating: Opcode.dup1, count: 20)),
      ] {
        _ = TestWorld(.osaka, code: pushes + rest + [Opcode.stop]).run()
        _ = TestWorld(.osaka, code: pushes + [Opcode.jumpdest] + rest + [Opcode.stop]).run()
      }
    }
  }

  /// SWAPs make every permutation of the words below; none may lose a word.
  @Test func permutationsKeepEveryWord() {
    var generator = SplitMixGenerator(seed: 0x5e7)
    for _ in 0..<400 {
      var code = Bytecode()
      for word in 1...8 { code = code + .push(UInt256(UInt64(word))) + [Opcode.calldataload] }
      // The words are known to the block that follows only by their places.
      code = code + [Opcode.jumpdest]
      for _ in 0..<Int.random(in: 1...24, using: &generator) {
        switch Int.random(in: 0..<8, using: &generator) {
        case 0: code = code + [UInt8(0x80 + Int.random(in: 0..<8, using: &generator))] + [0x50]
        case 1: code = code + [UInt8(0x80 + Int.random(in: 0..<8, using: &generator)), 0x01]
        default: code = code + [UInt8(0x90 + Int.random(in: 0..<7, using: &generator))]
        }
      }
      code = code + .push(UInt256(UInt64(code.bytes.count + 3))) + [Opcode.jump, Opcode.jumpdest]
      for word in 0..<8 { code = code + .push(UInt256(UInt64(word * 32))) + [Opcode.mstore] }
      code = code + .call(Opcode.`return`, 0, 256)
      let data = (0..<64).map { UInt8($0 * 3 + 1) }
      let outcome = TestWorld(.osaka, code: code).run(data: data)
      #expect(outcome.output.count == 256 || outcome.status == .invalidJump)
    }
  }

  @Test func randomCodeEndsAlike() {
    var ends: [ExecutionStatus: Int] = [:]
    for seed in 0..<1200 {
      var generator = RandomCode(seed: UInt64(seed))
      let fork = Fork.allCases[Int(truncatingIfNeeded: seed) % Fork.allCases.count]
      let world = TestWorld(fork, code: Bytecode(generator.code()))
      world.accounts[TestWorld.other] = TestWorld.Account(
        nonce: 1, code: generator.code(), storage: [1: 1, 2: 5])
      let outcome = world.run(
        data: generator.data(), gas: 30_000 + UInt64(seed % 7) * 30_000)
      ends[outcome.status, default: 0] += 1
    }
    // The generator is of use only while much of its code comes to its end.
    #expect(ends[.returned, default: 0] > 240)
    #expect(ends[.outOfGas, default: 0] > 24)
  }

  @Test func forksHaveTheirOwnPrograms() {
    // PUSH0 is undefined before Shanghai.
    let code: Bytecode = [Opcode.push0] + .returnTop
    #expect(TestWorld(.london, code: code).run().status == .undefinedOpcode)
    #expect(TestWorld(.shanghai, code: code).run().status == .returned)
  }
}

/// Code that mostly keeps its stack, jumps to jump destinations, and uses constants and words that
/// are not known alike.
private struct RandomCode {
  private var generator: SplitMixGenerator

  init(seed: UInt64) { generator = SplitMixGenerator(seed: seed &* 0x9e37 &+ 1) }

  private mutating func pick(_ count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }

  private mutating func word() -> UInt256 {
    let edges = UInt256IdentityTests.edges
    switch pick(4) {
    case 0: return edges[pick(edges.count)]
    case 1: return UInt256(UInt64(pick(300)))
    default: return UInt256(UInt64(pick(33)))
    }
  }

  mutating func data() -> [UInt8] { (0..<128).map { _ in UInt8(pick(6) == 0 ? pick(256) : 0) } }

  mutating func code() -> [UInt8] {
    var bytes: [UInt8] = []
    var holes: [Int] = []
    var destinations: [Int] = []
    var height = 0
    func byte(_ opcode: UInt8, _ change: Int) {
      bytes.append(opcode)
      height += change
    }
    func push(_ word: UInt256) {
      bytes += Bytecode.push(word).bytes
      height += 1
    }
    let unary: [UInt8] = [0x15, 0x19, 0x35, 0x51, 0x54]
    let binary: [UInt8] =
      Array(0x01...0x07) + [0x0b] + Array(0x10...0x14) + Array(0x16...0x18)
      + Array(0x1a...0x1d)
    for _ in 0..<(20 + pick(120)) {
      while height < 3 { push(word()) }
      switch pick(30) {
      case 0...3: push(word())
      case 4:  // a word that is not known
        push(UInt256(UInt64(pick(96))))
        byte(Opcode.calldataload, 0)
      case 5...7: byte(UInt8(0x80 + pick(min(height, 16))), 1)
      case 8...10: byte(UInt8(0x90 + pick(min(height - 1, 16))), 0)
      case 11: byte(Opcode.pop, -1)
      case 12...13: byte(unary[pick(3)], 0)
      case 14...20: byte(binary[pick(binary.count)], -1)
      case 21: byte(pick(2) == 0 ? Opcode.addmod : Opcode.mulmod, -2)
      case 22:
        push(UInt256(UInt64(pick(200))))
        byte(pick(2) == 0 ? Opcode.mstore : Opcode.mstore8, -2)
      case 23:
        push(UInt256(UInt64(pick(200))))
        byte(pick(2) == 0 ? Opcode.mload : Opcode.sload, 0)
      case 24:
        push(UInt256(UInt64(pick(4))))
        byte(Opcode.sstore, -2)
      case 25:
        let environment: [UInt8] = [
          0x30, 0x32, 0x33, 0x34, 0x36, 0x38, 0x3a, 0x42, 0x58, 0x59, 0x5a,
        ]
        byte(environment[pick(environment.count)], 1)
      case 26:
        destinations.append(bytes.count)
        byte(Opcode.jumpdest, 0)
      case 27:  // a conditional jump
        if pick(3) == 0 { byte(Opcode.iszero, 0) }
        bytes += [0x61, 0, 0]
        holes.append(bytes.count - 2)
        byte(Opcode.jumpi, -1)
      case 28:
        if pick(3) == 0 {
          bytes += [0x61, 0, 0]
          holes.append(bytes.count - 2)
          byte(Opcode.jump, 0)
          destinations.append(bytes.count)
          byte(Opcode.jumpdest, 0)
        } else {
          push(UInt256(UInt64(pick(100))))
          push(UInt256(UInt64(pick(64))))
          byte(Opcode.keccak256, -1)
        }
      default:
        if pick(3) == 0 {
          for argument: UInt64 in [32, 64, 32, 0] { push(UInt256(argument)) }
          push(UInt256(UInt64(pick(2))))
          push(pick(4) == 0 ? UInt256(4) : TestWorld.other.word)
          push(UInt256(UInt64(pick(20000))))
          byte(Opcode.call, -6)
        } else {
          push(UInt256(UInt64(pick(40))))
          push(UInt256(UInt64(pick(100))))
          byte(Opcode.log0 + 1, -3)
        }
      }
    }
    for offset in 0..<min(height, 6) {
      push(UInt256(UInt64(offset * 32)))
      byte(Opcode.mstore, -2)
    }
    bytes += Bytecode.call(Opcode.`return`, 0, 224).bytes
    for hole in holes {
      // Mostly forward, so that much of the code comes to its end.
      let ahead = destinations.filter { $0 > hole }
      let choice = pick(8)
      let target =
        choice == 0 || destinations.isEmpty
        ? pick(bytes.count)
        : choice < 7 && !ahead.isEmpty
          ? ahead[pick(ahead.count)] : destinations[pick(destinations.count)]
      bytes[hole] = UInt8(target >> 8)
      bytes[hole + 1] = UInt8(target & 255)
    }
    return bytes
  }
}

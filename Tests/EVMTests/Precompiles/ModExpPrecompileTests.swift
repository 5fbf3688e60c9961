import TestSupport
import Testing

@testable import EVM

@Suite struct ModExpPrecompileTests {
  private typealias Precompile = ModExpPrecompile

  /// Go-ethereum's vectors, each file under the fork whose gas it holds.
  @Test(.enabled(if: Fixtures.has("precompiles"))) func goEthereumVectors() throws {
    let files: [(String, Fork)] = [
      ("modexp.json", .byzantium), ("modexp_eip2565.json", .berlin),
      ("modexp_eip7883.json", .osaka),
    ]
    for (file, fork) in files {
      try checkVectors(file: file, fork: fork, gas: Precompile.gas, run: Precompile.run)
    }
  }

  /// A word of 32 bytes.
  private func word(_ value: UInt256) -> [UInt8] { bytes(Hash256(value)) }

  private func input(_ base: [UInt8], _ exponent: [UInt8], _ modulus: [UInt8]) -> [UInt8] {
    [base, exponent, modulus].flatMap { word(UInt256(UInt64($0.count))) }
      + base + exponent + modulus
  }

  private func run(
    _ input: [UInt8], fork: Fork = .berlin, outputCapacity: Int? = nil
  ) -> PrecompileResult {
    runPrecompile(input, fork: fork, outputCapacity: outputCapacity, run: Precompile.run)
  }

  private func gas(_ input: [UInt8], _ fork: Fork) -> Int64 {
    precompileGas(input, fork: fork, gas: Precompile.gas)
  }

  @Test func agreesWithPython() throws {
    let lines = vectorLines(file: "modexp.txt")
    #expect(lines.count == 1000)
    for line in lines {
      let fields = line.split(separator: " ").compactMap {
        bytes(hexadecimal: String($0.dropFirst()))
      }
      try #require(fields.count == 4)
      #expect(run(input(fields[0], fields[1], fields[2])) == .success(fields[3]), "\(line)")
    }
  }

  @Test func degenerateNumbers() {
    // 0^0 is 1, and everything modulo 0 and 1 is 0.
    #expect(run(input([], [], [7])) == .success([1]))
    #expect(run(input([0], [0, 0], [0, 7])) == .success([0, 1]))
    #expect(run(input([5], [], [0, 0, 0])) == .success([0, 0, 0]))
    #expect(run(input([5], [3], [0])) == .success([0]))
    #expect(run(input([5], [0], [1])) == .success([0]))
    #expect(run(input([0], [3], [7])) == .success([0]))
    #expect(run(input([3], [5], [])) == .success([]))
    #expect(run(input([], [], [])) == .success([]))
    #expect(run([]) == .success([]))
  }

  /// EIP-198: numbers may end past the input; what is not there are zero bytes.
  @Test func readsZerosPastTheEnd() {
    let lengths = word(UInt256(1)) + word(UInt256(2)) + word(UInt256(3))
    // 3^0x0200 modulo 0x800000, 3^0 modulo 0, and nothing at all.
    #expect(run(lengths + [3, 2, 0, 0x80]) == run(input([3], [2, 0], [0x80, 0, 0])))
    #expect(run(lengths + [3, 2]) == .success([0, 0, 0]))
    #expect(run(lengths) == .success([0, 0, 0]))
    // Half a length: 2^248 bytes of modulus can not be paid for.
    #expect(gas(word(UInt256(1)) + word(UInt256(1)) + [1], .berlin) == Int64.max)
  }

  /// Fermat's little theorem at sizes around the borders of the forms: a^(p-1) = 1.
  @Test func fermat() throws {
    // The Mersenne primes 2^521 - 1 and 2^607 - 1, and 2^255 - 19.
    let primes: [[UInt8]] = [
      [0x01] + [UInt8](repeating: 0xFF, count: 65),
      [0x7F] + [UInt8](repeating: 0xFF, count: 75),
      [0x7F] + [UInt8](repeating: 0xFF, count: 30) + [0xED],
    ]
    for prime in primes {
      var exponent = prime
      exponent[exponent.count - 1] -= 1
      let one = [UInt8](repeating: 0, count: prime.count - 1) + [1]
      for base in [[2], [0xAB, 0xCD], [UInt8](repeating: 0x55, count: 200)] as [[UInt8]] {
        #expect(run(input(base, exponent, prime)) == .success(one))
      }
    }
  }

  @Test func lengthsThatNoMemoryHolds() {
    // No modulus and no base: nothing to do, whatever the exponent's length says (EIP-2565: 200).
    let hugeExponent = word(.zero) + word(.max) + word(.zero)
    #expect(run(hugeExponent) == .success([]))
    #expect(gas(hugeExponent, .byzantium) == 0)
    #expect(gas(hugeExponent, .berlin) == 200)
    #expect(gas(hugeExponent, .osaka) == Int64.max)
    for index in 0..<3 {
      for length in [UInt256.max, UInt256.one << 255, UInt256.one << 64, UInt256(1 << 63)] {
        var lengths = [UInt256](repeating: .one, count: 3)
        lengths[index] = length
        let input = lengths.flatMap(word) + [3, 5, 7]
        for fork in [Fork.byzantium, .berlin, .osaka] {
          #expect(gas(input, fork) > 1 << 58)
          #expect(run(input, fork: fork) == .failure)
        }
      }
    }
  }

  /// The same, computed by hand from the EIPs' formulas: sizes in bytes of base, exponent and
  /// modulus, the exponent all zeros but its first byte 1.
  @Test func gasByTheFormulas() {
    let rows: [(Int, Int, Int, Int64, Int64, Int64)] = [
      // Highest bit of the exponent's head 0: one iteration. 32^2/20, (4*4)/3 below 200, 500.
      (32, 1, 32, 51, 200, 500),
      // 33 bytes: head's bit 248, and one byte more: 256 and 264 iterations.
      // 33^2*256/20; 25*256/3; 2*25*264.
      (33, 33, 1, 13939, 2133, 13200),
      // 64^2*248/20; 64*248/3; 2*64*248
      (64, 32, 1, 50790, 5290, 31744),
      // 65: 4225/4=1056 + 6240 - 3072 = 4224, *1/20; 81/3 below 200; 2*81 below 500.
      (1, 1, 65, 211, 200, 500),
      // 1024: 262144 + 98304 - 3072 = 357376, *1/20; 128^2/3; 2*128^2
      (1024, 1, 1024, 17868, 5461, 32768),
      // 1025: 1050625/16=65664 + 492000 - 199680 = 357984, /20; 129^2/3; 2*129^2
      (1025, 1, 3, 17899, 5547, 33282),
    ]
    for (base, exponent, modulus, byzantium, berlin, osaka) in rows {
      let head: [UInt8] = [1] + [UInt8](repeating: 0, count: exponent - 1)
      let input = self.input(
        [UInt8](repeating: 1, count: base), head, [UInt8](repeating: 1, count: modulus))
      #expect(gas(input, .byzantium) == byzantium)
      #expect(gas(input, .berlin) == berlin)
      #expect(gas(input, .osaka) == osaka)
    }
  }

  /// The pieces of the formulas meet: by hand from the EIPs on both sides of each border.
  @Test func gasAroundTheBorders() {
    // The length of the exponent, all zeros but its first byte 1; base and modulus have 96 bytes:
    // 12 words. EIP-198: 96^2 / 4 + 96 x 96 - 3072 = 8448, by the iterations and a 20th.
    for (length, iterations): (Int, Int64) in [(31, 240), (32, 248), (33, 256), (34, 264)] {
      let number = [UInt8](repeating: 1, count: 96)
      let exponent: [UInt8] = [1] + [UInt8](repeating: 0, count: length - 1)
      let input = self.input(number, exponent, number)
      #expect(gas(input, .byzantium) == 8448 * iterations / 20)
      #expect(gas(input, .berlin) == 144 * iterations / 3)
      // EIP-7883: 16 for each byte past 32.
      let more = Int64(max(0, length - 32)) * 8
      #expect(gas(input, .osaka) == 288 * (iterations + more))
    }
    // Sizes at each border of EIP-198 and of EIP-7883, by 255 iterations.
    for (size, byzantium, berlin, osaka): (Int, Int64, Int64, Int64) in [
      (31, 961, 16, 16), (32, 1024, 16, 16), (33, 1089, 25, 50), (63, 3969, 64, 128),
      (64, 4096, 64, 128), (65, 4224, 81, 162), (1023, 356_768, 16384, 32768),
      (1024, 357_376, 16384, 32768), (1025, 357_984, 16641, 33282),
    ] {
      let number = [UInt8](repeating: 1, count: size)
      let input = self.input(number, [UInt8](repeating: 255, count: 32), [1])
      #expect(gas(input, .byzantium) == byzantium * 255 / 20, "\(size)")
      #expect(gas(input, .berlin) == berlin * 255 / 3, "\(size)")
      #expect(gas(input, .osaka) == osaka * 255, "\(size)")
    }
  }

  /// A base that ends past the input leaves an exponent of zeros.
  @Test func exponentsPastTheEndAreZero() {
    let lengths = { (base: UInt256) in self.word(base) + self.word(32) + self.word(1) }
    let ones = [UInt8](repeating: 255, count: 40)
    // 136 bytes of input: the exponent begins at 96 and more.
    for (base, iterations): (UInt64, Int64) in [(8, 255), (9, 255), (39, 255), (40, 1), (136, 1)] {
      let size = Int64(base + 7) / 8
      #expect(
        gas(lengths(UInt256(base)) + ones, .osaka)
          == max(500, (base <= 32 ? 16 : 2 * size * size) * iterations))
    }
    // As numbers of 64 bits these would be places before the input.
    for place: UInt64 in [97, 128, 200, 1 << 40] {
      let base = UInt256(0 &- place)
      for fork in [Fork.byzantium, .berlin, .osaka] {
        #expect(gas(lengths(base) + ones, fork) == Int64.max)
        #expect(gas(lengths(base | UInt256(1) << 64) + ones, fork) == Int64.max)
      }
    }
  }

  /// Numbers that no memory holds are fine as long as they are zero.
  @Test func theLongestNumbers() {
    let most = UInt256(UInt64(Int.max >> 4))
    #expect(run(word(most) + word(0) + word(1)) == .success([0]))
    #expect(run(word(most &+ 1) + word(0) + word(1)) == .failure)
    #expect(run(word(0) + word(most) + word(1)) == .success([0]))
    #expect(run(word(0) + word(most &+ 1) + word(1)) == .failure)
    #expect(run(word(0) + word(0) + word(most &+ 1)) == .failure)
  }

  /// EIP-7823: more than 1,024 bytes fail from Osaka on.
  @Test func boundsOfOsaka() {
    let full = [UInt8](repeating: 0, count: 1023) + [3]
    for numbers in [(full, [2], full), ([2], full, [7]), (full, full, full)]
      as [([UInt8], [UInt8], [UInt8])]
    {
      #expect(run(input(numbers.0, numbers.1, numbers.2), fork: .osaka) != .failure)
    }
    for index in 0..<3 {
      var numbers: [[UInt8]] = [[3], [2], [7]]
      numbers[index] = [0] + full
      let long = input(numbers[0], numbers[1], numbers[2])
      #expect(run(long, fork: .osaka) == .failure)
      #expect(run(long, fork: .prague) != .failure)
    }
    // The bound comes before the rule for an empty modulus.
    #expect(run(word(.zero) + word(UInt256(1025)) + word(.zero), fork: .osaka) == .failure)
  }

  @Test func saysWhenScratchIsTooSmall() {
    let number = [UInt8](repeating: 0xFF, count: 100)
    let input = self.input(number, [5], number)
    var output = [UInt8](repeating: 0, count: 400)
    let memory = UnsafeMutableRawPointer.allocate(byteCount: 1 << 16, alignment: 16)
    defer { memory.deallocate() }
    var outcomes: [PrecompileOutcome] = []
    for capacity in stride(from: 0, through: 4096, by: 16) {
      var arena = Arena(base: memory, capacity: capacity)
      let outcome = input.withUnsafeBufferPointer { bytes in
        output.withUnsafeMutableBufferPointer {
          Precompile.run(
            input: bytes, output: $0.baseAddress!, fork: .berlin, scratch: &arena)
        }
      }
      #expect(arena.used == 0)
      outcomes.append(outcome)
    }
    let first = outcomes.firstIndex(of: .success(count: 100)) ?? 0
    #expect(first > 0)
    #expect(outcomes[..<first].allSatisfy { $0 == .workspaceExhausted })
    #expect(outcomes[first...].allSatisfy { $0 == .success(count: 100) })
  }
}

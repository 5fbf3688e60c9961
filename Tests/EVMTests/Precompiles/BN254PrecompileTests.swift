import TestSupport
import Testing

@testable import EVM

/// The bn254 precompiles of EIP-196 and EIP-197, against `Tools/vectors/bn254.py` (py-ecc) and
/// go-ethereum's vectors.
@Suite struct BN254PrecompileTests {
  private func check(_ operation: String, count: Int, run: PrecompileRun) throws {
    let lines = vectorLines(file: "bn254.txt").map { $0.split(separator: " ") }
      .filter { $0[0] == operation }
    #expect(lines.count == count)
    for line in lines {
      let input = try #require(line[1] == "-" ? [] : bytes(hexadecimal: String(line[1])))
      let result = runPrecompile(input, fork: .byzantium, run: run)
      if line[2] == "fail" {
        #expect(result == .failure, "\(line[1])")
      } else {
        #expect(result == .success(try #require(bytes(hexadecimal: String(line[2])))), "\(line[1])")
      }
    }
  }

  @Test func addsAsPyECCDoes() throws {
    try check("add", count: 94, run: BN254AddPrecompile.run)
  }

  @Test func multipliesAsPyECCDoes() throws {
    try check("multiply", count: 135, run: BN254MultiplyPrecompile.run)
  }

  @Test func checksPairings() throws {
    try check("pairing", count: 113, run: BN254PairingPrecompile.run)
  }

  /// More pairs than are worked on at once: pairs whose product is one, again and again, in no more
  /// scratch than for 16.
  @Test func anyNumberOfPairsNeedsRoomFor16() throws {
    let one = String(repeating: "0", count: 63) + "1"
    // Two pairs, none of whose points is infinity.
    let infinity = String(repeating: "0", count: 64)
    let lines = vectorLines(file: "bn254.txt").filter { (line: Substring) -> Bool in
      let fields = line.split(separator: " ")
      return fields[0] == "pairing" && fields[1].utf8.count == 768 && fields[2] == one
        && !fields[1].contains(infinity)
    }
    let line = try #require(lines.first)
    let twoPairs = try #require(bytes(hexadecimal: String(line.split(separator: " ")[1])))
    let room = 16 * MemoryLayout<BN254MillerPair>.stride
    let capacity = room + (1 << 16)
    let memory = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
    defer { memory.deallocate() }
    for times in [1, 7, 8, 9, 16, 17, 24] {
      memory.initializeMemory(as: UInt8.self, repeating: 0xA5, count: capacity)
      var arena = Arena(base: memory, capacity: room)
      var output = [UInt8](repeating: 0, count: 32)
      let input = Array(repeatElement(twoPairs, count: times).joined())
      let outcome = input.withUnsafeBufferPointer { input in
        output.withUnsafeMutableBufferPointer {
          BN254PairingPrecompile.run(
            input: input, output: $0.baseAddress!, fork: .osaka, scratch: &arena)
        }
      }
      #expect(outcome == .success(count: 32), "\(times)")
      #expect(hexadecimal(output) == one, "\(times)")
      let beyond = UnsafeRawBufferPointer(start: memory + room, count: capacity - room)
      #expect(beyond.allSatisfy { $0 == 0xA5 }, "\(times)")
      // A pair less, and the product is another.
      let less = Array(input.dropLast(192))
      let result = runPrecompile(less, fork: .osaka, run: BN254PairingPrecompile.run)
      #expect(result == .success([UInt8](repeating: 0, count: 32)), "\(times)")
    }
  }

  @Test(.enabled(if: Fixtures.has("precompiles"))) func passesPublicVectors() throws {
    try checkVectors(
      file: "bn256Add.json", fork: .istanbul, gas: BN254AddPrecompile.gas,
      run: BN254AddPrecompile.run)
    try checkVectors(
      file: "bn256ScalarMul.json", fork: .istanbul, gas: BN254MultiplyPrecompile.gas,
      run: BN254MultiplyPrecompile.run)
    try checkVectors(
      file: "bn256Pairing.json", fork: .istanbul, gas: BN254PairingPrecompile.gas,
      run: BN254PairingPrecompile.run)
  }

  /// EIP-196, EIP-197 and EIP-1108.
  @Test func chargesByTheFork() {
    for (fork, add, multiply, base, pair) in [
      (Fork.byzantium, 500, 40_000, 100_000, 80_000), (.petersburg, 500, 40_000, 100_000, 80_000),
      (.istanbul, 150, 6_000, 45_000, 34_000), (.osaka, 150, 6_000, 45_000, 34_000),
    ] as [(Fork, Int64, Int64, Int64, Int64)] {
      for size in [0, 1, 128, 191, 192, 193, 384] {
        let input = [UInt8](repeating: 0, count: size)
        #expect(precompileGas(input, fork: fork, gas: BN254AddPrecompile.gas) == add)
        #expect(precompileGas(input, fork: fork, gas: BN254MultiplyPrecompile.gas) == multiply)
        #expect(
          precompileGas(input, fork: fork, gas: BN254PairingPrecompile.gas)
            == base + pair * Int64(size / 192))
      }
    }
  }
}

import TestSupport
import Testing

@testable import EVM

/// The BLS12-381 precompiles of EIP-2537 and point evaluation of EIP-4844, against
/// `Tools/vectors/bls12381.py` (py-ecc and ckzg) and go-ethereum's vectors.
@Suite struct BLSPrecompileTests {
  private func check(_ operation: String, atLeast count: Int, run: PrecompileRun) throws {
    let lines = vectorLines(file: "bls12381.txt").map { $0.split(separator: " ") }
      .filter { $0[0] == operation }
    #expect(lines.count >= count)
    for line in lines {
      let input = try #require(line[1] == "-" ? [] : bytes(hexadecimal: String(line[1])))
      let result = runPrecompile(input, fork: .prague, run: run)
      if line[2] == "fail" {
        #expect(result == .failure, "\(operation) \(line[1])")
      } else {
        let output = try #require(bytes(hexadecimal: String(line[2])))
        #expect(result == .success(output), "\(operation) \(line[1])")
      }
    }
  }

  @Test func addsOnG1() throws {
    try check("g1add", atLeast: 60, run: BLSG1AddPrecompile.run)
  }

  @Test func addsOnG2() throws {
    try check("g2add", atLeast: 60, run: BLSG2AddPrecompile.run)
  }

  @Test func sumsMultiplesOnG1() throws {
    try check("g1msm", atLeast: 90, run: BLSG1MSMPrecompile.run)
  }

  @Test func sumsMultiplesOnG2() throws {
    try check("g2msm", atLeast: 85, run: BLSG2MSMPrecompile.run)
  }

  @Test func checksPairings() throws {
    try check("pairing", atLeast: 70, run: BLSPairingPrecompile.run)
  }

  @Test func mapsToG1() throws {
    try check("mapg1", atLeast: 35, run: BLSMapFpToG1Precompile.run)
  }

  @Test func mapsToG2() throws {
    try check("mapg2", atLeast: 40, run: BLSMapFp2ToG2Precompile.run)
  }

  @Test func evaluatesPoints() throws {
    try check("kzg", atLeast: 200, run: PointEvaluationPrecompile.run)
  }

  @Test(.enabled(if: Fixtures.has("precompiles"))) func agreesWithGoEthereumOnG1() throws {
    for file in ["blsG1Add.json", "fail-blsG1Add.json"] {
      try checkVectors(
        file: file, fork: .prague, gas: BLSG1AddPrecompile.gas, run: BLSG1AddPrecompile.run)
    }
    // The draft's multiplications by one scalar are sums of one multiple since.
    for file in [
      "blsG1Mul.json", "fail-blsG1Mul.json", "blsG1MultiExp.json", "fail-blsG1MultiExp.json",
    ] {
      try checkVectors(
        file: file, fork: .prague, gas: BLSG1MSMPrecompile.gas, run: BLSG1MSMPrecompile.run)
    }
    for file in ["blsMapG1.json", "fail-blsMapG1.json"] {
      try checkVectors(
        file: file, fork: .prague, gas: BLSMapFpToG1Precompile.gas,
        run: BLSMapFpToG1Precompile.run)
    }
  }

  @Test(.enabled(if: Fixtures.has("precompiles"))) func agreesWithGoEthereumOnG2() throws {
    for file in ["blsG2Add.json", "fail-blsG2Add.json"] {
      try checkVectors(
        file: file, fork: .prague, gas: BLSG2AddPrecompile.gas, run: BLSG2AddPrecompile.run)
    }
    for file in [
      "blsG2Mul.json", "fail-blsG2Mul.json", "blsG2MultiExp.json", "fail-blsG2MultiExp.json",
    ] {
      try checkVectors(
        file: file, fork: .prague, gas: BLSG2MSMPrecompile.gas, run: BLSG2MSMPrecompile.run)
    }
    for file in ["blsMapG2.json", "fail-blsMapG2.json"] {
      try checkVectors(
        file: file, fork: .prague, gas: BLSMapFp2ToG2Precompile.gas,
        run: BLSMapFp2ToG2Precompile.run)
    }
  }

  @Test(.enabled(if: Fixtures.has("precompiles"))) func agreesWithGoEthereumOnPairings() throws {
    for file in ["blsPairing.json", "fail-blsPairing.json"] {
      try checkVectors(
        file: file, fork: .prague, gas: BLSPairingPrecompile.gas, run: BLSPairingPrecompile.run)
    }
    try checkVectors(
      file: "pointEvaluation.json", fork: .cancun, gas: PointEvaluationPrecompile.gas,
      run: PointEvaluationPrecompile.run)
  }

  /// EIP-2537, "Gas schedule": values worked out by hand from its table.
  @Test func discountsMultiplesByTheirNumber() {
    for (count, g1, g2) in [
      (0, 0, 0), (1, 12_000, 22_500), (2, 22_776, 45_000), (3, 30_528, 62_302),
      (128, 797_184, 1_509_120), (129, 803_412, 1_520_910), (1000, 6_228_000, 11_790_000),
    ] as [(Int, Int64, Int64)] {
      // Bytes beyond a whole number of items do not count.
      for extra in [0, 159] {
        let input1 = [UInt8](repeating: 0, count: 160 * count + extra)
        #expect(precompileGas(input1, fork: .prague, gas: BLSG1MSMPrecompile.gas) == g1)
        let input2 = [UInt8](repeating: 0, count: 288 * count + extra)
        #expect(precompileGas(input2, fork: .prague, gas: BLSG2MSMPrecompile.gas) == g2)
      }
    }
  }

  /// The whole tables, by sums over 1 to 128 points that Python made from the tables of the
  /// executable specification (`ethereum-execution` 2.20.0): of the gas of n points times n^2.
  @Test func discountsAreTheTables() {
    var (g1, g2) = (Int64(0), Int64(0))
    for count in 1...128 {
      let square = Int64(count * count)
      let input1 = [UInt8](repeating: 0, count: 160 * count)
      g1 += square * precompileGas(input1, fork: .prague, gas: BLSG1MSMPrecompile.gas)
      let input2 = [UInt8](repeating: 0, count: 288 * count)
      g2 += square * precompileGas(input2, fork: .prague, gas: BLSG2MSMPrecompile.gas)
    }
    #expect(g1 == 441_538_266_132)
    #expect(g2 == 834_376_912_501)
  }

  /// EIP-2537 and EIP-4844.
  @Test func chargesFixedPrices() {
    for size in [0, 1, 64, 192, 256, 383] {
      let input = [UInt8](repeating: 0, count: size)
      #expect(precompileGas(input, fork: .prague, gas: BLSG1AddPrecompile.gas) == 375)
      #expect(precompileGas(input, fork: .prague, gas: BLSG2AddPrecompile.gas) == 600)
      #expect(precompileGas(input, fork: .prague, gas: BLSMapFpToG1Precompile.gas) == 5_500)
      #expect(precompileGas(input, fork: .prague, gas: BLSMapFp2ToG2Precompile.gas) == 23_800)
      #expect(precompileGas(input, fork: .prague, gas: BLSPairingPrecompile.gas) == 37_700)
      #expect(precompileGas(input, fork: .cancun, gas: PointEvaluationPrecompile.gas) == 50_000)
    }
    let input = [UInt8](repeating: 0, count: 3 * 384)
    #expect(precompileGas(input, fork: .prague, gas: BLSPairingPrecompile.gas) == 135_500)
  }

  /// Pairs of points at infinity in all, but the input ends inside one.
  @Test func pairingsTakeWholePairsOnly() {
    let zeros = [UInt8](repeating: 0, count: 4 * 384)
    for (size, isWhole) in [
      (0, false), (1, false), (383, false), (384, true), (385, false), (576, false), (767, false),
      (768, true), (1000, false), (1152, true),
    ] {
      var output = [UInt8](repeating: 0, count: 32)
      let memory = UnsafeMutableRawPointer.allocate(byteCount: 1 << 16, alignment: 16)
      defer { memory.deallocate() }
      var arena = Arena(base: memory, capacity: 1 << 16)
      let outcome = zeros.withUnsafeBufferPointer { zeros in
        output.withUnsafeMutableBufferPointer {
          BLSPairingPrecompile.run(
            input: UnsafeBufferPointer(rebasing: zeros[..<size]), output: $0.baseAddress!,
            fork: .prague, scratch: &arena)
        }
      }
      #expect(outcome == (isWhole ? .success(count: 32) : .failure), "\(size) bytes")
    }
  }

  @Test func saysWhenScratchIsTooSmall() {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 16)
    defer { memory.deallocate() }
    var arena = Arena(base: memory, capacity: 64)
    var output = [UInt8](repeating: 0, count: 256)
    for (run, size) in [
      (BLSG1MSMPrecompile.run, 160), (BLSG2MSMPrecompile.run, 288), (BLSPairingPrecompile.run, 384),
    ] as [(PrecompileRun, Int)] {
      let input = [UInt8](repeating: 0, count: size)
      let outcome = input.withUnsafeBufferPointer { input in
        output.withUnsafeMutableBufferPointer { run(input, $0.baseAddress!, .prague, &arena) }
      }
      #expect(outcome == .workspaceExhausted)
      #expect(arena.used == 0)
    }
  }
}

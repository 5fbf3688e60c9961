import Testing

@testable import EVM

@Suite struct IdentityPrecompileTests {
  @Test func copiesItsInput() {
    for count in [0, 1, 31, 32, 33, 1000] {
      let input = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
      #expect(
        runPrecompile(input, fork: .frontier, run: IdentityPrecompile.run) == .success(input))
    }
  }

  /// Yellow paper, appendix E.1: 15 + 3 * ceil(bytes / 32).
  @Test func chargesByTheWord() {
    let expected: [(Int, Int64)] = [(0, 15), (1, 18), (32, 18), (33, 21), (64, 21), (1000, 111)]
    for (count, gas) in expected {
      let input = [UInt8](repeating: 1, count: count)
      #expect(precompileGas(input, fork: .osaka, gas: IdentityPrecompile.gas) == gas)
    }
  }
}

import Testing

@testable import EVM

@Suite struct RIPEMD160PrecompileTests {
  /// The authors' test values for "" and "abc", after twelve zero bytes.
  @Test func knownAnswers() throws {
    let zeros = [UInt8](repeating: 0, count: 12)
    let none = try #require(bytes(hexadecimal: "9c1185a5c5e9fc54612808977ee8f548b2258d31"))
    let abc = try #require(bytes(hexadecimal: "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"))
    #expect(
      runPrecompile([], fork: .frontier, run: RIPEMD160Precompile.run) == .success(zeros + none))
    #expect(
      runPrecompile(Array("abc".utf8), fork: .osaka, run: RIPEMD160Precompile.run)
        == .success(zeros + abc))
  }

  /// Yellow paper, appendix E.1: 600 + 120 * ceil(bytes / 32).
  @Test func chargesByTheWord() {
    for (count, gas) in [(0, 600), (1, 720), (32, 720), (33, 840), (1000, 4440)]
      as [(Int, Int64)]
    {
      let input = [UInt8](repeating: 1, count: count)
      #expect(precompileGas(input, fork: .osaka, gas: RIPEMD160Precompile.gas) == gas)
    }
  }
}

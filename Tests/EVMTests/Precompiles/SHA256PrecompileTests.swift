import Testing

@testable import EVM

@Suite struct SHA256PrecompileTests {
  /// FIPS 180-4's example "abc" and the hash of nothing.
  @Test func knownAnswers() throws {
    let abc = try #require(
      bytes(hexadecimal: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"))
    let none = try #require(
      bytes(hexadecimal: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"))
    #expect(
      runPrecompile(Array("abc".utf8), fork: .frontier, run: SHA256Precompile.run)
        == .success(abc))
    #expect(runPrecompile([], fork: .osaka, run: SHA256Precompile.run) == .success(none))
    #expect(bytes(SHA256.hash(UnsafeBufferPointer(start: nil, count: 0))) == none)
  }

  /// Yellow paper, appendix E.1: 60 + 12 * ceil(bytes / 32).
  @Test func chargesByTheWord() {
    for (count, gas) in [(0, 60), (1, 72), (32, 72), (33, 84), (1000, 444)] as [(Int, Int64)] {
      let input = [UInt8](repeating: 1, count: count)
      #expect(precompileGas(input, fork: .osaka, gas: SHA256Precompile.gas) == gas)
    }
  }
}

import TestSupport
import Testing

@testable import EVM

@Suite struct BLAKE2FPrecompileTests {
  /// EIP-152's test vectors (the one of 2^32 - 1 rounds is not in the file).
  @Test(.enabled(if: Fixtures.has("precompiles"))) func goEthereumVectors() throws {
    try checkVectors(
      file: "blake2F.json", fork: .istanbul, gas: BLAKE2FPrecompile.gas,
      run: BLAKE2FPrecompile.run)
    try checkVectors(
      file: "fail-blake2f.json", fork: .istanbul, gas: BLAKE2FPrecompile.gas,
      run: BLAKE2FPrecompile.run)
  }

  /// EIP-152, test vector 5: BLAKE2b of "abc" (RFC 7693, appendix A).
  static func input(rounds: UInt32 = 12, flag: UInt8 = 1) -> [UInt8] {
    var input = (0..<4).map { UInt8(truncatingIfNeeded: rounds >> (24 - 8 * $0)) }
    let state: [UInt64] = [
      0x6A09_E667_F2BD_C948, 0xBB67_AE85_84CA_A73B, 0x3C6E_F372_FE94_F82B,
      0xA54F_F53A_5F1D_36F1, 0x510E_527F_ADE6_82D1, 0x9B05_688C_2B3E_6C1F,
      0x1F83_D9AB_FB41_BD6B, 0x5BE0_CD19_137E_2179,
    ]
    for word in state {
      input += (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
    }
    input += Array("abc".utf8) + [UInt8](repeating: 0, count: 125)
    input += [3] + [UInt8](repeating: 0, count: 15)
    return input + [flag]
  }

  @Test func hashesABC() throws {
    let expected = try #require(
      bytes(
        hexadecimal: "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
          + "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"))
    #expect(
      runPrecompile(Self.input(), fork: .istanbul, run: BLAKE2FPrecompile.run)
        == .success(expected))
  }

  /// EIP-152, test vectors 0 to 3.
  @Test func refusesOtherSizesAndFlags() {
    let input = Self.input()
    for wrong in [[], Array(input.dropLast()), input + [0], Self.input(flag: 2)] {
      #expect(runPrecompile(wrong, fork: .istanbul, run: BLAKE2FPrecompile.run) == .failure)
    }
  }

  @Test func chargesByTheRound() {
    for rounds in [0, 1, 12, 0xFFFF_FFFF] as [UInt32] {
      #expect(
        precompileGas(
          Self.input(rounds: rounds), fork: .istanbul, gas: BLAKE2FPrecompile.gas)
          == Int64(rounds))
    }
    #expect(precompileGas([1, 2], fork: .istanbul, gas: BLAKE2FPrecompile.gas) == 0)
  }

  /// EIP-152, test vector 4.
  @Test func noRoundsMixNothingIn() throws {
    let result = runPrecompile(Self.input(rounds: 0), fork: .istanbul, run: BLAKE2FPrecompile.run)
    // v is state and initialisation vector, so state ^ v0..7 ^ v8..15 is the vector with the
    // offset and the flag in it.
    let expected = try #require(
      bytes(
        hexadecimal: "08c9bcf367e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5"
          + "d282e6ad7f520e511f6c3e2b8c68059b9442be0454267ce079217e1319cde05b"))
    #expect(result == .success(expected))
  }
}

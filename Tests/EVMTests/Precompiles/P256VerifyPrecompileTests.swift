import TestSupport
import Testing

@testable import EVM

@Suite struct P256VerifyPrecompileTests {
  /// go-ethereum's `p256Verify.json`, entry "CallP256Verify".
  private static let hash = "4cee90eb86eaa050036147a12d49004b6b9c72bd725d39d4785011fe190f0b4d"
  private static let r = "a73bd4903f0ce3b639bbbf6e8e80d16931ff4bcf5993d58468e8fb19086e8cac"
  private static let s = "36dbcd03009df8c59286b162af3bd7fcc0450c9aa81be5d10d312af6c66b1d60"
  private static let x = "4aebd3099c618202fcfe16ae7770b0c49ab5eadf74b754204a3bb6060e44eff3"
  private static let y = "7618b065f9832de4ca6ca971a7a1adc826d0f7c00181a5fb2ddf79ae00b4e10e"
  private static let valid = String(repeating: "0", count: 63) + "1"

  private func run(_ hexadecimalInput: String) throws -> String {
    let input = try #require(bytes(hexadecimal: hexadecimalInput))
    switch runPrecompile(input, fork: .osaka, run: P256VerifyPrecompile.run) {
    case .success(let output): return hexadecimal(output)
    case .failure: return "failure"
    }
  }

  @Test(.enabled(if: Fixtures.has("precompiles"))) func agreesWithGoEthereumsVectors() throws {
    try checkVectors(
      file: "p256Verify.json", fork: .osaka, gas: P256VerifyPrecompile.gas,
      run: P256VerifyPrecompile.run)
  }

  @Test func takesExactlyFiveWords() throws {
    let input = Self.hash + Self.r + Self.s + Self.x + Self.y
    #expect(try run(input) == Self.valid)
    #expect(try run(input + "00") == "")
    #expect(try run(String(input.dropLast(2))) == "")
    #expect(try run("") == "")
  }

  @Test func everyByteCounts() throws {
    let input = try #require(bytes(hexadecimal: Self.hash + Self.r + Self.s + Self.x + Self.y))
    for index in input.indices {
      var changed = input
      changed[index] ^= 1
      #expect(try run(hexadecimal(changed)) == "", "byte \(index)")
    }
  }

  @Test func costs6900() {
    #expect(precompileGas([], fork: .osaka, gas: P256VerifyPrecompile.gas) == 6900)
  }
}

import TestSupport
import Testing

@testable import EVM

@Suite struct ECRecoverPrecompileTests {
  /// go-ethereum's `ecRecover.json`, entry "ValidKey".
  private static let hash = "18c547e4f7b0f325ad1e56f57e26c745b09a3e503d86e00e5255ff7f715d3d1c"
  private static let v28 = String(repeating: "0", count: 62) + "1c"
  private static let r = "73b1693892219d736caba55bdb67216e485557ea6b6af75f37096c9aa6a5a75f"
  private static let s = "eeb940b1d03b21e36b0e47e79769f095fe2ab855bd91e3a38756b7d75a9c4549"
  private static let signer =
    String(repeating: "0", count: 24) + "a94f5374fce5edbc8e2a8697c15331677e6ebf0b"

  private func run(_ hexadecimalInput: String) throws -> String {
    let input = try #require(bytes(hexadecimal: hexadecimalInput))
    switch runPrecompile(input, fork: .osaka, run: ECRecoverPrecompile.run) {
    case .success(let output): return hexadecimal(output)
    case .failure: return "failure"
    }
  }

  @Test(.enabled(if: Fixtures.has("precompiles"))) func agreesWithGoEthereumsVectors() throws {
    try checkVectors(
      file: "ecRecover.json", fork: .osaka, gas: ECRecoverPrecompile.gas,
      run: ECRecoverPrecompile.run)
  }

  @Test func recoversAnAddressAndIgnoresFurtherBytes() throws {
    let input = Self.hash + Self.v28 + Self.r + Self.s
    #expect(try run(input) == Self.signer)
    #expect(try run(input + "ff00ff") == Self.signer)
  }

  @Test func takesOnly27And28AsTheWholeWordV() throws {
    for v in [0, 1, 26, 27, 29, 255] {
      let word = String(repeating: "0", count: 62) + hexadecimal([UInt8(v)])
      let output = try run(Self.hash + word + Self.r + Self.s)
      // 27 names the other point, thus another signer.
      #expect(output != Self.signer)
      #expect(output.isEmpty == (v != 27), "v = \(v)")
    }
    for place in 0..<31 {
      var word = [UInt8](repeating: 0, count: 32)
      word[31] = 28
      word[place] = 1
      #expect(try run(Self.hash + hexadecimal(word) + Self.r + Self.s) == "", "byte \(place)")
    }
  }

  @Test func readsMissingBytesAsZeros() throws {
    let input = Self.hash + Self.v28 + Self.r + Self.s
    // Without bytes of s it is another signature; as full words of zeros it has the same answer.
    for count in stride(from: 0, through: input.count, by: 2) {
      let padded = input.prefix(count) + String(repeating: "0", count: input.count - count)
      #expect(try run(String(input.prefix(count))) == run(String(padded)), "\(count / 2) bytes")
    }
    #expect(try run("") == "")
  }

  @Test func givesNothingWhereRAndSAreOutOfRange() throws {
    let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
    let zero = String(repeating: "0", count: 64)
    let most = String(repeating: "f", count: 64)
    for bad in [zero, order, most] {
      #expect(try run(Self.hash + Self.v28 + bad + Self.s) == "")
      #expect(try run(Self.hash + Self.v28 + Self.r + bad) == "")
    }
  }

  @Test func costs3000() {
    for fork in [Fork.frontier, .osaka] {
      #expect(precompileGas([], fork: fork, gas: ECRecoverPrecompile.gas) == 3000)
    }
  }
}

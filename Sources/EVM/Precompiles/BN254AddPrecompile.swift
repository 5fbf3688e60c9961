/// Precompile 0x06: the sum of two points of bn254 (EIP-196).
package enum BN254AddPrecompile {
  /// 500 gas, 150 from Istanbul (EIP-1108).
  package static func gas(input: UnsafeBufferPointer<UInt8>, fork: Fork) -> Int64 {
    fork >= .istanbul ? 150 : 500
  }

  /// The input is two points, continued with zeros or cut to 128 bytes; the output one point of 64
  /// bytes. Fails when a coordinate is not below p or a point is not on the curve.
  package static func run(
    input: UnsafeBufferPointer<UInt8>, output: UnsafeMutablePointer<UInt8>, fork: Fork,
    scratch: inout Arena
  ) -> PrecompileOutcome {
    guard
      let a = BN254.decodeG1(x: BN254.word(input, at: 0), y: BN254.word(input, at: 32)),
      let b = BN254.decodeG1(x: BN254.word(input, at: 64), y: BN254.word(input, at: 96))
    else { return .failure }
    BN254.encode(a + b, to: output)
    return .success(count: 64)
  }
}

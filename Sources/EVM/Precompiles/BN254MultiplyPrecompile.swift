/// Precompile 0x07: a point of bn254 times a scalar (EIP-196).
package enum BN254MultiplyPrecompile {
  /// 40,000 gas, 6,000 from Istanbul (EIP-1108).
  package static func gas(input: UnsafeBufferPointer<UInt8>, fork: Fork) -> Int64 {
    fork >= .istanbul ? 6_000 : 40_000
  }

  /// The input is a point and a scalar (any 256-bit number), continued with zeros or cut to 96
  /// bytes; the output one point of 64 bytes. Fails when a coordinate is not below p or the point
  /// is not on the curve.
  package static func run(
    input: UnsafeBufferPointer<UInt8>, output: UnsafeMutablePointer<UInt8>, fork: Fork,
    scratch: inout Arena
  ) -> PrecompileOutcome {
    guard let point = BN254.decodeG1(x: BN254.word(input, at: 0), y: BN254.word(input, at: 32))
    else { return .failure }
    BN254.encode(BN254.multiply(point, by: BN254.word(input, at: 64)), to: output)
    return .success(count: 64)
  }
}

/// Precompile 0x0b: the sum of two points of BLS12-381's curve (EIP-2537, BLS12_G1ADD).
package enum BLSG1AddPrecompile {
  /// 375 gas.
  package static func gas(input: UnsafeBufferPointer<UInt8>, fork: Fork) -> Int64 { 375 }

  /// The input is two points of 128 bytes, the output their sum. Fails when the size differs, a
  /// coordinate is not canonical or a point is not on the curve; points outside G1 are fine.
  @inline(never)
  package static func run(
    input: UnsafeBufferPointer<UInt8>, output: UnsafeMutablePointer<UInt8>, fork: Fork,
    scratch: inout Arena
  ) -> PrecompileOutcome {
    guard input.count == 256, let base = input.baseAddress,
      let a = BLS12381.decodeG1(base), let b = BLS12381.decodeG1(base + 128)
    else { return .failure }
    BLS12381.encode(a + b, to: output)
    return .success(count: 128)
  }
}

/// Precompile 0x0d: the sum of two points of BLS12-381's twist (EIP-2537, BLS12_G2ADD).
package enum BLSG2AddPrecompile {
  /// 600 gas.
  package static func gas(input: UnsafeBufferPointer<UInt8>, fork: Fork) -> Int64 { 600 }

  /// The input is two points of 256 bytes, the output their sum. Fails when the size differs, a
  /// coordinate is not canonical or a point is not on the twist; points outside G2 are fine.
  @inline(never)
  package static func run(
    input: UnsafeBufferPointer<UInt8>, output: UnsafeMutablePointer<UInt8>, fork: Fork,
    scratch: inout Arena
  ) -> PrecompileOutcome {
    guard input.count == 512, let base = input.baseAddress,
      let a = BLS12381.decodeG2(base), let b = BLS12381.decodeG2(base + 256)
    else { return .failure }
    BLS12381.encode(a + b, to: output)
    return .success(count: 256)
  }
}

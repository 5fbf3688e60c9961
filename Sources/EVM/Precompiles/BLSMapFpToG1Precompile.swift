/// Precompile 0x10: the point of G1 of BLS12-381 that belongs to an element of `Fp` (EIP-2537,
/// BLS12_MAP_FP_TO_G1; RFC 9380's map to the curve with the cofactor cleared, without hashing).
package enum BLSMapFpToG1Precompile {
  /// 5,500 gas.
  package static func gas(input: UnsafeBufferPointer<UInt8>, fork: Fork) -> Int64 { 5_500 }

  /// The input is an element of 64 bytes, the output a point of 128. Fails when the size differs or
  /// the element is not canonical.
  @inline(never)
  package static func run(
    input: UnsafeBufferPointer<UInt8>, output: UnsafeMutablePointer<UInt8>, fork: Fork,
    scratch: inout Arena
  ) -> PrecompileOutcome {
    guard input.count == 64, let base = input.baseAddress,
      let element = BLS12381.Fp(bigEndian64: base)
    else { return .failure }
    BLS12381.encode(BLS12381.mapToG1(element).affine, to: output)
    return .success(count: 128)
  }
}

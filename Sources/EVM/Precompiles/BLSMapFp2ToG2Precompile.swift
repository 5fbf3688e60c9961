/// Precompile 0x11: the point of G2 of BLS12-381 that belongs to an element of `Fp2` (EIP-2537,
/// BLS12_MAP_FP2_TO_G2; RFC 9380's map to the curve with the cofactor cleared, without hashing).
package enum BLSMapFp2ToG2Precompile {
  /// 23,800 gas.
  package static func gas(input: UnsafeBufferPointer<UInt8>, fork: Fork) -> Int64 { 23_800 }

  /// The input is an element of 128 bytes, the output a point of 256. Fails when the size differs or
  /// the element is not canonical.
  @inline(never)
  package static func run(
    input: UnsafeBufferPointer<UInt8>, output: UnsafeMutablePointer<UInt8>, fork: Fork,
    scratch: inout Arena
  ) -> PrecompileOutcome {
    guard input.count == 128, let base = input.baseAddress,
      let element = BLS12381.Fp2(bigEndian128: base)
    else { return .failure }
    BLS12381.encode(BLS12381.mapToG2(element).affine, to: output)
    return .success(count: 256)
  }
}

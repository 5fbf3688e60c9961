/// Precompile 0x0a: a proof that a blob's polynomial has a value at a point (EIP-4844).
package enum PointEvaluationPrecompile {
  /// 50,000 gas.
  package static func gas(input: UnsafeBufferPointer<UInt8>, fork: Fork) -> Int64 { 50_000 }

  /// The input is a versioned hash (32 bytes), z (32), y (32), a commitment (48) and a proof (48);
  /// the output the words 4,096 (elements in a blob) and the order of BLS12-381's groups. Fails when
  /// the size differs, the hash is not the commitment's, z or y is not below the order, a point
  /// is not a compressed point of G1, or the proof does not hold.
  @inline(never)
  package static func run(
    input: UnsafeBufferPointer<UInt8>, output: UnsafeMutablePointer<UInt8>, fork: Fork,
    scratch: inout Arena
  ) -> PrecompileOutcome {
    guard input.count == 192, let base = input.baseAddress else { return .failure }
    let z = UInt256(bigEndian: base + 32)
    let y = UInt256(bigEndian: base + 64)
    guard Hash256(bytes: base) == versionedHash(base + 96), z < BLS12381.order, y < BLS12381.order,
      let commitment = BLS12381.decodeCompressedG1(base + 96),
      let proof = BLS12381.decodeCompressedG1(base + 144)
    else { return .failure }
    guard
      let holds = KZG.verify(
        commitment: commitment, z: z, y: y, proof: proof, scratch: &scratch)
    else { return .workspaceExhausted }
    if !holds { return .failure }
    UInt256(4096).store(bigEndian: output)
    BLS12381.order.store(bigEndian: output + 32)
    return .success(count: 64)
  }

  /// SHA-256 of a commitment's 48 bytes, its first byte replaced by the version 1.
  private static func versionedHash(_ commitment: UnsafePointer<UInt8>) -> Hash256 {
    var word = SHA256.hash(UnsafeRawPointer(commitment), count: 48).word
    word.limb3 = word.limb3 & (~0 >> 8) | 1 << 56
    return Hash256(word)
  }
}

/// Precompile 0x100: verifies a P-256 signature, from Osaka (EIP-7951).
///
/// The input is exactly five words: the hash, r, s, and the public key's x and y.
package enum P256VerifyPrecompile {
  /// 6900 gas.
  static func gas(input: UnsafeBufferPointer<UInt8>, fork: Fork) -> Int64 { 6900 }

  /// Writes the word 1 for a valid signature. Anything else succeeds with no output.
  static func run(
    input: UnsafeBufferPointer<UInt8>, output: UnsafeMutablePointer<UInt8>, fork: Fork,
    scratch: inout Arena
  ) -> PrecompileOutcome {
    guard let bytes = input.baseAddress, input.count == 160 else { return .success(count: 0) }
    let isValid = P256.verify(
      hash: Hash256(bytes: bytes), r: UInt256(bigEndian: bytes + 32),
      s: UInt256(bigEndian: bytes + 64), x: UInt256(bigEndian: bytes + 96),
      y: UInt256(bigEndian: bytes + 128))
    if !isValid { return .success(count: 0) }
    UInt256.one.store(bigEndian: output)
    return .success(count: 32)
  }
}

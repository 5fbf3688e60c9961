/// Precompile 3: RIPEMD-160 of the input (yellow paper, appendix E.1, RIP160).
package enum RIPEMD160Precompile {
  /// 600 gas and 120 for each word of 32 bytes.
  static func gas(input: UnsafeBufferPointer<UInt8>, fork: Fork) -> Int64 {
    // A count of bytes in memory is far below 2^56.
    600 &+ 120 &* Int64((input.count &+ 31) >> 5)
  }

  /// Writes 12 zero bytes and the 20 bytes of the hash.
  static func run(
    input: UnsafeBufferPointer<UInt8>, output: UnsafeMutablePointer<UInt8>, fork: Fork,
    scratch: inout Arena
  ) -> PrecompileOutcome {
    RIPEMD160.hash(input).word.store(bigEndian: output)
    return .success(count: 32)
  }
}

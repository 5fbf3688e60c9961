/// Precompile 2: SHA-256 of the input (yellow paper, appendix E.1, SHA256).
package enum SHA256Precompile {
  /// 60 gas and 12 for each word of 32 bytes.
  static func gas(input: UnsafeBufferPointer<UInt8>, fork: Fork) -> Int64 {
    // A count of bytes in memory is far below 2^59.
    60 &+ 12 &* Int64((input.count &+ 31) >> 5)
  }

  /// Writes the 32 bytes of the hash.
  static func run(
    input: UnsafeBufferPointer<UInt8>, output: UnsafeMutablePointer<UInt8>, fork: Fork,
    scratch: inout Arena
  ) -> PrecompileOutcome {
    SHA256.hash(input).store(bytes: output)
    return .success(count: 32)
  }
}

/// Precompile 4: the output is the input (yellow paper, appendix E.1, IDENTITY).
package enum IdentityPrecompile {
  /// 15 gas and 3 for each word of 32 bytes.
  static func gas(input: UnsafeBufferPointer<UInt8>, fork: Fork) -> Int64 {
    // A count of bytes in memory is far below 2^60.
    15 &+ 3 &* Int64((input.count &+ 31) >> 5)
  }

  /// Copies the input; needs as much output room as there is input.
  static func run(
    input: UnsafeBufferPointer<UInt8>, output: UnsafeMutablePointer<UInt8>, fork: Fork,
    scratch: inout Arena
  ) -> PrecompileOutcome {
    if let bytes = input.baseAddress {
      UnsafeMutableRawPointer(output).copyMemory(from: bytes, byteCount: input.count)
    }
    return .success(count: input.count)
  }
}

/// Precompile 9, from Istanbul: the compression function F of BLAKE2b (EIP-152).
///
/// The input is 213 bytes: rounds (4, big-endian), chaining value (64), message block (128), offset
/// (16), each of 64-bit words in little-endian order, and the last-block flag (1).
package enum BLAKE2FPrecompile {
  private static var inputSize: Int { 213 }

  /// One gas a round; nothing for an input of another size, which fails anyway.
  static func gas(input: UnsafeBufferPointer<UInt8>, fork: Fork) -> Int64 {
    guard input.count == inputSize, let bytes = input.baseAddress else { return 0 }
    return Int64(rounds(UnsafeRawPointer(bytes)))
  }

  /// Writes the 64 bytes of the new chaining value. Fails for an input of another size than 213 or
  /// a flag other than 0 and 1.
  static func run(
    input: UnsafeBufferPointer<UInt8>, output: UnsafeMutablePointer<UInt8>, fork: Fork,
    scratch: inout Arena
  ) -> PrecompileOutcome {
    guard input.count == inputSize, let base = input.baseAddress else { return .failure }
    let bytes = UnsafeRawPointer(base)
    let flag = bytes.load(fromByteOffset: 212, as: UInt8.self)
    if flag > 1 { return .failure }
    var state = BLAKE2.State(repeating: 0)
    for index in 0..<8 { state[index] = word(bytes, 4 &+ index &* 8) }
    var block = BLAKE2.Block(repeating: 0)
    for index in 0..<16 { block[index] = word(bytes, 68 &+ index &* 8) }
    BLAKE2.compress(
      &state, block, rounds: rounds(bytes), offset: (word(bytes, 196), word(bytes, 204)),
      isLast: flag == 1)
    let result = UnsafeMutableRawPointer(output)
    for index in 0..<8 {
      result.storeBytes(
        of: state[index].littleEndian, toByteOffset: index &* 8, as: UInt64.self)
    }
    return .success(count: 64)
  }

  @inline(__always)
  private static func rounds(_ bytes: UnsafeRawPointer) -> UInt32 {
    UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self))
  }

  @inline(__always)
  private static func word(_ bytes: UnsafeRawPointer, _ offset: Int) -> UInt64 {
    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }
}

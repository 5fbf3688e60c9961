/// Precompile 1: the address that signed a hash (yellow paper, appendix E.1, ECREC).
///
/// The input is four words: the hash, v (27 or 28), r, s. Zeros stand in for missing bytes; bytes
/// past the fourth word do not count.
package enum ECRecoverPrecompile {
  /// 3000 gas.
  static func gas(input: UnsafeBufferPointer<UInt8>, fork: Fork) -> Int64 { 3000 }

  /// Writes the address as a word. An input that is no signature succeeds with no output.
  static func run(
    input: UnsafeBufferPointer<UInt8>, output: UnsafeMutablePointer<UInt8>, fork: Fork,
    scratch: inout Arena
  ) -> PrecompileOutcome {
    let v = word(1, of: input)
    // v is compared as a whole word. High values of s are fine here, unlike in transactions.
    if !v.fitsUInt64 || v.limb0 < 27 || v.limb0 > 28 { return .success(count: 0) }
    guard
      let address = Secp256k1.recover(
        hash: Hash256(word(0, of: input)), r: word(2, of: input), s: word(3, of: input),
        yParity: UInt8(truncatingIfNeeded: v.limb0 &- 27))
    else { return .success(count: 0) }
    address.word.store(bigEndian: output)
    return .success(count: 32)
  }

  /// Word number `index` of the input, with zeros for missing bytes.
  private static func word(_ index: Int, of input: UnsafeBufferPointer<UInt8>) -> UInt256 {
    let start = index &* 32
    guard let bytes = input.baseAddress, input.count > start else { return .zero }
    let count = input.count &- start
    if count >= 32 { return UInt256(bigEndian: bytes + start) }
    // The missing bytes are the low-order ones.
    return UInt256(bigEndian: bytes + start, count: count) << UInt64((32 &- count) &* 8)
  }
}

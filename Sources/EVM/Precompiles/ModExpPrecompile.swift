/// Precompile 5, from Byzantium: a power modulo a number, of any sizes (EIP-198).
///
/// The input is three words with the lengths in bytes of base, exponent and modulus, then the three
/// numbers. Bytes past the input's end are zeros.
package enum ModExpPrecompile {
  /// The price of the multiplications by the larger of base and modulus, times the exponent's bits:
  /// EIP-198, from Berlin EIP-2565, from Osaka EIP-7883.
  static func gas(input: UnsafeBufferPointer<UInt8>, fork: Fork) -> Int64 {
    let baseLength = word(input, 0)
    let exponentLength = word(input, 32)
    let modulusLength = word(input, 64)
    // From 2^40 bytes on the gas is beyond 2^63 in each fork; up to there nothing below overflows
    // 256 bits.
    let limit = UInt256(1 << 40)
    var size = baseLength < modulusLength ? modulusLength : baseLength
    if size > limit { size = limit }
    let complexity = multiplicationComplexity(size: size, fork: fork)
    // The exponent's price is linear: 2^80 bytes of it are beyond any gas too.
    let exponentLimit = UInt256(0, 1 << 16, 0, 0)
    var iterations = UInt256.zero
    if exponentLength > UInt256(32) {
      let rest =
        (exponentLength < exponentLimit ? exponentLength : exponentLimit) &- UInt256(32)
      iterations = rest &* UInt256(fork >= .osaka ? 16 : 8)
    }
    let head = exponentHead(input, baseLength: baseLength, exponentLength: exponentLength)
    if !head.isZero { iterations = iterations &+ UInt256(UInt64(head.bitWidth &- 1)) }
    if iterations.isZero { iterations = .one }
    let cost = complexity &* iterations
    if fork >= .osaka { return clamped(cost, atLeast: 500) }
    if fork >= .berlin { return clamped(UInt256.divide(cost, UInt256(3)), atLeast: 200) }
    return clamped(UInt256.divide(cost, UInt256(20)), atLeast: 0)
  }

  /// The longest number that is computed with: no gas pays for more. Sums of the three lengths, and
  /// the bits of an exponent, stay in an Int.
  private static var lengthLimit: UInt256 { UInt256(UInt64(Int.max >> 4)) }

  /// Bytes of output, the modulus' length: 0 where `run` fails for it.
  static func outputCount(input: UnsafeBufferPointer<UInt8>) -> Int {
    let length = word(input, 64)
    return length > lengthLimit ? 0 : Int(truncatingIfNeeded: length.limb0)
  }

  /// Writes as many bytes as the modulus has. From Osaka on fails where one of the three has more
  /// than 1,024 bytes (EIP-7823).
  package static func run(
    input: UnsafeBufferPointer<UInt8>, output: UnsafeMutablePointer<UInt8>, fork: Fork,
    scratch: inout Arena
  ) -> PrecompileOutcome {
    let baseLength = word(input, 0)
    let exponentLength = word(input, 32)
    let modulusLength = word(input, 64)
    if fork >= .osaka {
      let bound = UInt256(1024)
      if baseLength > bound || exponentLength > bound || modulusLength > bound { return .failure }
    }
    if modulusLength.isZero { return .success(count: 0) }
    let limit = lengthLimit
    if baseLength > limit || exponentLength > limit || modulusLength > limit { return .failure }
    let baseCount = Int(truncatingIfNeeded: baseLength.limb0)
    let exponentCount = Int(truncatingIfNeeded: exponentLength.limb0)
    let modulusCount = Int(truncatingIfNeeded: modulusLength.limb0)
    let base = BigEndianNumber(input, start: 96, length: baseCount)
    let exponent = BigEndianNumber(input, start: 96 &+ baseCount, length: exponentCount)
    let modulus = BigEndianNumber(
      input, start: 96 &+ baseCount &+ exponentCount, length: modulusCount)
    let isDone = ModularPower.power(
      base, exponent, modulus: modulus, output: output, outputCount: modulusCount,
      scratch: &scratch)
    return isDone ? .success(count: modulusCount) : .workspaceExhausted
  }

  /// The price of one multiplication of numbers of `size` bytes, at most 2^40.
  private static func multiplicationComplexity(size: UInt256, fork: Fork) -> UInt256 {
    if fork < .berlin {
      let square = size &* size
      if size <= UInt256(64) { return square }
      if size <= UInt256(1024) { return (square >> 2) &+ size &* UInt256(96) &- UInt256(3072) }
      return (square >> 4) &+ size &* UInt256(480) &- UInt256(199_680)
    }
    let words = (size &+ UInt256(7)) >> 3
    if fork < .osaka { return words &* words }
    return size <= UInt256(32) ? UInt256(16) : words &* words &* UInt256(2)
  }

  /// The exponent's first 32 bytes, or all of it when it is shorter.
  private static func exponentHead(
    _ input: UnsafeBufferPointer<UInt8>, baseLength: UInt256, exponentLength: UInt256
  ) -> UInt256 {
    // An exponent that begins past the input's end is zero.
    if baseLength >= UInt256(UInt64(input.count)) { return .zero }
    let start = 96 &+ Int(truncatingIfNeeded: baseLength.limb0)
    let count = exponentLength < UInt256(32) ? Int(truncatingIfNeeded: exponentLength.limb0) : 32
    return BigEndianNumber(input, start: start, length: count).word
  }

  /// The word at byte `offset` of the input.
  private static func word(_ input: UnsafeBufferPointer<UInt8>, _ offset: Int) -> UInt256 {
    BigEndianNumber(input, start: offset, length: 32).word
  }

  private static func clamped(_ cost: UInt256, atLeast minimum: Int64) -> Int64 {
    if !cost.fitsUInt64 || cost.limb0 > UInt64(Int64.max) { return Int64.max }
    let gas = Int64(truncatingIfNeeded: cost.limb0)
    return gas < minimum ? minimum : gas
  }
}

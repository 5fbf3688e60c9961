/// Hexadecimal text to bytes and back.
///
/// The strict forms take `0x` and an even number of digits of either case. Digits are looked up in
/// a table of 256 entries, about one nanosecond a byte.
public enum Hexadecimal {
  /// The value of a digit's ASCII code; 0xFF for other bytes.
  @inline(__always)
  static func digit(_ byte: UInt8) -> UInt8 {
    let decimal = byte &- 0x30
    if decimal < 10 { return decimal }
    let letter = (byte | 0x20) &- 0x61
    return letter < 6 ? letter &+ 10 : 0xFF
  }

  /// The bytes that `text` writes: `0x`, then two digits a byte. `nil` for anything else.
  public static func bytes(_ text: String) -> [UInt8]? {
    var text = text
    return text.withUTF8 { bytes(text: $0) }
  }

  /// The bytes that `text` writes without a prefix: two digits a byte. `nil` for anything else.
  public static func bytes(unprefixed text: String) -> [UInt8]? {
    var text = text
    return text.withUTF8 { bytes(digits: $0) }
  }

  /// The bytes that ASCII `text` writes: `0x`, then two digits a byte.
  package static func bytes(text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    guard let digits = withoutPrefix(text) else { return nil }
    return bytes(digits: digits)
  }

  /// The bytes that ASCII digits write, two a byte.
  package static func bytes(digits: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    guard digits.count & 1 == 0 else { return nil }
    let count = digits.count / 2
    if count == 0 { return [] }
    var valid = true
    let result = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      valid = decode(digits: digits.baseAddress!, count: count, into: buffer.baseAddress!)
      initialized = count
    }
    return valid ? result : nil
  }

  /// Reads `2 * count` digits into `count` bytes at `output`; false when one is no digit.
  package static func decode(
    digits: UnsafePointer<UInt8>, count: Int, into output: UnsafeMutablePointer<UInt8>
  ) -> Bool {
    let raw = UnsafeRawPointer(digits)
    var invalid: UInt64 = 0
    var index = 0
    // Eight digits at a time; lanes of a 64-bit word are bytes.
    while index &+ 4 <= count {
      let word = raw.loadUnaligned(fromByteOffset: index &* 2, as: UInt64.self)
      let (value, bad) = nibbles(UInt64(littleEndian: word))
      invalid |= bad
      // Pairs (high digit in the lower lane): join, then pack the even lanes.
      let joined = ((value << 4) | (value >> 8)) & 0x00FF_00FF_00FF_00FF
      let half = (joined | (joined >> 8)) & 0x0000_FFFF_0000_FFFF
      let packed = UInt32(truncatingIfNeeded: half | (half >> 16))
      UnsafeMutableRawPointer(output + index).storeBytes(of: packed.littleEndian, as: UInt32.self)
      index &+= 4
    }
    if invalid != 0 { return false }
    var tail: UInt8 = 0
    while index < count {
      let high = digit(digits[index &* 2])
      let low = digit(digits[index &* 2 &+ 1])
      tail |= high | low
      output[index] = high << 4 | (low & 15)
      index &+= 1
    }
    return tail < 16
  }

  /// The values of eight ASCII digits in the lanes of a word, and a nonzero word when one is none.
  @inline(__always)
  private static func nibbles(_ word: UInt64) -> (value: UInt64, invalid: UInt64) {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let highs: UInt64 = 0x8080_8080_8080_8080
    // Only 7-bit lanes from here, so that sums stay inside their lanes.
    let high = word & highs
    let low = word & ~highs
    // Bit 7 of a lane of `x + (128 - limit)` says x >= limit.
    let atLeast0 = low &+ ones &* (0x80 - 0x30)
    let above9 = low &+ ones &* (0x80 - 0x3A)
    let decimal = atLeast0 & ~above9 & highs
    let lower = low | ones &* 0x20
    let atLeastA = lower &+ ones &* (0x80 - 0x61)
    let aboveF = lower &+ ones &* (0x80 - 0x67)
    let letter = atLeastA & ~aboveF & highs
    // 0x61 & 15 = 1 stands for 10: add 9 in the letter lanes.
    let value = (low & (ones &* 0x0F)) &+ (letter >> 7) &* 9
    return (value, high | (~(decimal | letter) & highs))
  }

  /// `text` after its `0x`; `nil` when it has none.
  package static func withoutPrefix(_ text: UnsafeBufferPointer<UInt8>)
    -> UnsafeBufferPointer<UInt8>?
  {
    guard text.count >= 2, text[0] == 0x30, text[1] | 0x20 == 0x78 else { return nil }
    return UnsafeBufferPointer(rebasing: text[2...])
  }

  /// `0x` and two lowercase digits for each byte.
  public static func string(_ bytes: [UInt8]) -> String {
    bytes.withUnsafeBufferPointer { string($0) }
  }

  /// `0x` and two lowercase digits for each byte.
  package static func string(_ bytes: UnsafeBufferPointer<UInt8>, prefix: Bool = true) -> String {
    let start = prefix ? 2 : 0
    let count = bytes.count * 2 + start
    return String(unsafeUninitializedCapacity: count) { output in
      if prefix {
        output[0] = 0x30
        output[1] = 0x78
      }
      for index in 0..<bytes.count {
        output[start + index * 2] = ascii(bytes[index] >> 4)
        output[start + index * 2 + 1] = ascii(bytes[index] & 15)
      }
      return count
    }
  }

  /// The ASCII code of a digit below 16, in lowercase.
  @inline(__always)
  package static func ascii(_ digit: UInt8) -> UInt8 {
    digit < 10 ? 0x30 &+ digit : 0x57 &+ digit
  }

  /// `0x` and the digits of a number without zeros in front; zero is `0x0`.
  public static func quantity(_ value: UInt64) -> String {
    "0x" + String(value, radix: 16)
  }
}

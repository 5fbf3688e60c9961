/// A string or number of a JSON text, as the bytes between the quotes.
package struct JSONString {
  let base: UnsafePointer<UInt8>
  let count: Int
  /// Whether a backslash stands in it.
  let hasEscapes: Bool

  /// The bytes as they stand in the text, escapes not replaced.
  package var rawBytes: UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: base, count: count)
  }

  /// The bytes of the string with escapes replaced. The reader has checked them.
  package var bytes: [UInt8] {
    guard hasEscapes else { return [UInt8](rawBytes) }
    var output: [UInt8] = []
    output.reserveCapacity(count)
    var index = 0
    while index < count {
      let byte = base[index]
      guard byte == 0x5C else {
        output.append(byte)
        index += 1
        continue
      }
      let escape = base[index + 1]
      index += 2
      switch escape {
      case 0x62: output.append(0x08)
      case 0x66: output.append(0x0C)
      case 0x6E: output.append(0x0A)
      case 0x72: output.append(0x0D)
      case 0x74: output.append(0x09)
      case 0x75:
        var scalar = unit(at: index)
        index += 4
        if scalar & 0xFC00 == 0xD800 {
          scalar = 0x10000 + (scalar & 0x3FF) << 10 + unit(at: index + 2) & 0x3FF
          index += 6
        }
        // The reader lets no lone surrogate pass, so that the scalar exists.
        if let scalar = UnicodeScalar(scalar) { output.append(contentsOf: UTF8.encode(scalar)!) }
      default: output.append(escape)
      }
    }
    return output
  }

  private func unit(at index: Int) -> UInt32 {
    var value: UInt32 = 0
    for offset in 0..<4 { value = value << 4 | UInt32(Hexadecimal.digit(base[index + offset])) }
    return value
  }

  /// The string's characters.
  package var text: String {
    hasEscapes ? String(decoding: bytes, as: UTF8.self) : String(decoding: rawBytes, as: UTF8.self)
  }

  /// Whether the string is `word`; escapes in it never match.
  @inline(__always)
  package static func == (string: JSONString, word: StaticString) -> Bool {
    guard string.count == word.utf8CodeUnitCount else { return false }
    for index in 0..<string.count where string.base[index] != word.utf8Start[index] {
      return false
    }
    return true
  }

  /// For `switch` over keys.
  @inline(__always)
  package static func ~= (word: StaticString, string: JSONString) -> Bool { string == word }
}

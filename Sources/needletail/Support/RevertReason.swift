import EVM
import Ethereum

/// What contracts say when they revert, in the encodings that compilers agree on.
enum RevertReason {
  /// The message of `Error(string)`, or the code of `Panic(uint256)`; `nil` for other data.
  static func text(_ output: [UInt8]) -> String? {
    if output.starts(with: [0x4E, 0x48, 0x7B, 0x71]), output.count == 36 {
      return "panic 0x" + String(output[35], radix: 16)
    }
    guard output.starts(with: [0x08, 0xC3, 0x79, 0xA0]), output.count >= 68 else { return nil }
    let length = output[36..<68].reduce(UInt64(0)) { $0 &<< 8 | UInt64($1) }
    guard length <= UInt64(output.count - 68) else { return nil }
    let bytes = output[68..<(68 + Int(length))]
    // Contracts say what they like: nothing that would move a terminal's cursor.
    return String(
      String.UnicodeScalarView(
        String(decoding: bytes, as: UTF8.self).unicodeScalars.filter {
          $0.value >= 0x20 && $0.value != 0x7F && !(0x80..<0xA0).contains($0.value)
        }))
  }
}

import ArgumentParser
import Ethereum
import Foundation

/// Bytes that a user gives: as hexadecimal digits, or as a file of them or of plain bytes.
enum CodeInput {
  /// The bytes of an argument: hexadecimal digits with or without `0x`, `-` for standard input, or
  /// a file whose text is hexadecimal digits.
  static func bytes(_ argument: String) throws -> [UInt8] {
    if let bytes = digits(argument) { return bytes }
    if argument.hasPrefix("0x") {
      throw ValidationError(
        "0x should be followed by two hexadecimal digits for each byte: \(argument.prefix(40))")
    }
    let text = try contents(argument)
    guard let bytes = digits(String(decoding: text, as: UTF8.self)) else {
      throw FormatError(
        .malformedHexadecimal, "the file should hold hexadecimal digits, two for each byte",
        file: argument)
    }
    return bytes
  }

  /// The bytes of a file, or of standard input for `-`.
  static func contents(_ path: String) throws(FormatError) -> [UInt8] {
    do throws(FormatError) {
      return try FileBytes(path: path == "-" ? "/dev/stdin" : path).array
    } catch {
      guard path != "-", !path.contains("/"), !path.contains(".") else { throw error }
      throw FormatError(
        error.code, "neither hexadecimal digits nor a file that can be read (\(error.reason))",
        file: path)
    }
  }

  private static func digits(_ text: String) -> [UInt8]? {
    let plain = text.filter { !$0.isWhitespace }
    return Hexadecimal.bytes(plain) ?? Hexadecimal.bytes(unprefixed: plain)
  }
}

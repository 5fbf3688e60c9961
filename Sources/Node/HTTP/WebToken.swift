import EVM
import Ethereum

/// The tokens of the Engine API: HS256, issued at most a minute ago (execution-apis, authentication).
package enum WebToken {
  /// What is wrong with a token; `nil` for one that is good at `now`, in seconds since 1970.
  static func fault(_ token: String, secret: [UInt8], now: Int64) -> String? {
    let parts = token.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3, let header = decode(parts[0]), let claims = decode(parts[1]),
      let signature = decode(parts[2])
    else { return "malformed token" }
    guard let algorithm = member("alg", header), algorithm == .string("HS256") else {
      return "the token's algorithm is not HS256"
    }
    let signed = [UInt8]((parts[0] + "." + parts[1]).utf8)
    let expected = authentication(signed, key: secret)
    // In constant time.
    guard signature.count == expected.count,
      zip(signature, expected).reduce(UInt8(0), { $0 | ($1.0 ^ $1.1) }) == 0
    else { return "the token's signature is wrong" }
    guard case .number(let text)? = member("iat", claims), let issued = Int64(text) else {
      return "the token does not say when it was issued"
    }
    let (age, overflow) = now.subtractingReportingOverflow(issued)
    if overflow || age.magnitude > 60 { return "the token is stale, or from the future" }
    return nil
  }

  /// A token issued now.
  package static func make(secret: [UInt8], now: Int64) -> String {
    let head =
      encode([UInt8](#"{"alg":"HS256","typ":"JWT"}"#.utf8)) + "."
      + encode([UInt8](#"{"iat":\#(now)}"#.utf8))
    return head + "." + encode(authentication([UInt8](head.utf8), key: secret))
  }

  private static func member(_ name: String, _ json: [UInt8]) -> JSONValue? {
    json.withUnsafeBufferPointer { buffer in
      var cursor = JSONCursor(buffer)
      return (try? JSONValue(from: &cursor))?[name]
    }
  }

  /// HMAC-SHA-256 (RFC 2104).
  private static func authentication(_ message: [UInt8], key: [UInt8]) -> [UInt8] {
    func hash(_ bytes: [UInt8]) -> [UInt8] {
      bytes.withUnsafeBufferPointer { SHA256.hash($0) }.bytes
    }
    var block = key.count > 64 ? hash(key) : key
    block += [UInt8](repeating: 0, count: 64 - block.count)
    return hash(block.map { $0 ^ 0x5C } + hash(block.map { $0 ^ 0x36 } + message))
  }

  private static let alphabet = [UInt8](
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

  private static func decode(_ text: Substring) -> [UInt8]? {
    var bytes: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    for character in text.utf8 {
      guard let digit = alphabet.firstIndex(of: character) else { return nil }
      bits = bits << 6 | UInt32(digit)
      count += 6
      if count >= 8 {
        count -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
      }
    }
    return bytes
  }

  private static func encode(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    for byte in bytes {
      bits = bits << 8 | UInt32(byte)
      count += 8
      while count >= 6 {
        count -= 6
        text.append(alphabet[Int(bits >> UInt32(count)) & 63])
      }
    }
    if count > 0 { text.append(alphabet[Int(bits << UInt32(6 - count)) & 63]) }
    return String(decoding: text, as: UTF8.self)
  }
}

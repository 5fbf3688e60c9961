import EVM

/// An RLP test: bytes and the tree they encode, or that they encode none (ethereum/tests,
/// "RLPTests").
public struct RLPTest: Sendable {
  /// What the bytes are.
  public enum Expectation: Hashable, Sendable {
    /// The encoding of a tree.
    case tree(RLP)
    /// The encoding of some tree.
    case valid
    /// No encoding.
    case invalid
  }

  /// The test's name.
  public var name: String
  /// What the bytes are.
  public var expectation: Expectation
  /// The bytes.
  public var encoding: [UInt8]
}

extension RLPTest: FixtureCase {
  /// Reads the test whose value comes next.
  public static func read(
    name: String, from cursor: inout FixtureCursor, options: Void
  ) throws(FormatError) -> RLPTest {
    try RLPTest(name: name, from: &cursor.json)
  }

  package init(name: String, from cursor: inout JSONCursor) throws(FormatError) {
    var expectation: Expectation?
    var encoding: [UInt8]?
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key {
      case "in":
        let tree = try cursor.rlpTree(depth: 0)
        switch tree {
        case .string(Array("INVALID".utf8)): expectation = .invalid
        case .string(Array("VALID".utf8)): expectation = .valid
        default: expectation = .tree(tree)
        }
      case "out":
        let text = try cursor.string()
        let bytes =
          Hexadecimal.bytes(text: text.rawBytes) ?? Hexadecimal.bytes(digits: text.rawBytes)
        guard let bytes else {
          throw cursor.failure(
            .malformedHexadecimal, "bytes should be two hexadecimal digits each",
            at: cursor.offset(of: text))
        }
        encoding = bytes
      default: try cursor.skipValue()
      }
    }
    self.name = name
    self.expectation = try cursor.required(expectation, "in")
    self.encoding = try cursor.required(encoding, "out")
  }
}

extension JSONCursor {
  /// A tree of arrays, texts, numbers, and `#` with decimal digits for large numbers. The reader's
  /// limit of nesting bounds the recursion.
  fileprivate mutating func rlpTree(depth: Int) throws(FormatError) -> RLP {
    switch try kind() {
    case .array:
      return .list(
        try array { (cursor) throws(FormatError) in try cursor.rlpTree(depth: depth + 1) })
    case .number: return .string(try uint256().minimalBytes)
    default:
      let text = try string()
      if let first = text.rawBytes.first, first == UInt8(ascii: "#") {
        var digits = text.rawBytes.dropFirst()
        var bytes: [UInt8] = []
        // The numbers may be larger than 256 bits.
        while let digit = digits.popFirst() {
          guard digit &- 0x30 < 10 else {
            throw failure(
              .malformedNumber, "decimal digits should follow #", at: offset(of: text))
          }
          var carry = Int(digit &- 0x30)
          for index in bytes.indices.reversed() {
            carry += Int(bytes[index]) * 10
            bytes[index] = UInt8(truncatingIfNeeded: carry)
            carry >>= 8
          }
          if carry > 0 { bytes.insert(UInt8(carry), at: 0) }
        }
        return .string(bytes)
      }
      return .string(text.bytes)
    }
  }
}

/// Input that is not what its format asks for: what is wrong, and where.
///
/// `description` is one line that names the file, the place in it and the reason.
public struct FormatError: Error, Hashable, Sendable {
  /// What kind of thing is wrong; the words of `reason` may change, this does not.
  public enum Code: String, Hashable, Sendable {
    /// The file can not be read.
    case unreadableFile
    /// The text is not JSON (RFC 8259).
    case malformedJSON
    /// Not hexadecimal digits, or without `0x`, or an odd number of them.
    case malformedHexadecimal
    /// Not a number in any notation that is allowed here.
    case malformedNumber
    /// A value of another JSON or RLP kind than the field has.
    case unexpectedKind
    /// A field that must be there is not.
    case missingField
    /// A field that may stand once stands twice.
    case duplicateField
    /// A field that this format does not have here.
    case unexpectedField
    /// A value beyond the range of its field.
    case valueOutOfRange
    /// A fork or network name that is not known.
    case unknownFork
    /// An item that ends beyond its container.
    case truncated
    /// Bytes after the end.
    case trailingBytes
    /// A length in more bytes than it needs, or the long form for a short item.
    case nonCanonicalLength
    /// A single byte below 0x80 that is written with a length.
    case nonCanonicalByte
    /// An integer with zero bytes in front.
    case leadingZeros
    /// Deeper nesting than is allowed.
    case tooDeep
    /// Fewer items in a list than the structure has.
    case tooFewItems
    /// More items in a list than the structure has.
    case tooManyItems
    /// Fewer bytes than a field of fixed size has.
    case tooShort
    /// More bytes than a field of fixed size has.
    case tooLong
    /// Items that stand in another order than the format has, or twice.
    case outOfOrder
    /// A typed transaction or receipt of a type that is not known.
    case unknownTransactionType
    /// A transaction of a type that came with a later fork; `field` is the type's number.
    case unsupportedTransactionType
    /// A signature's `v` or parity that no signature has.
    case invalidYParity
    /// A signature's `r` or `s` outside 1 to n - 1, or `s` above n / 2 where that is not allowed.
    case invalidSignatureValue
    /// No public key gives this signature.
    case unrecoverableSignature
    /// A `v` that names no chain, or another chain than this one.
    case invalidChainID
    /// A blob transaction without a recipient (EIP-4844).
    case blobTransactionWithoutRecipient
    /// A set-code transaction without a recipient (EIP-7702).
    case setCodeTransactionWithoutRecipient
    /// A Merkle proof whose nodes do not hash to what names them, or do not reach the key.
    case invalidProof
  }

  /// What kind of thing is wrong.
  public var code: Code
  /// The field by its name in the specification; empty when no field is concerned.
  public var field: String
  /// What is wrong, in words.
  public var reason: String
  /// The place inside the input, such as `pre.0x12….nonce` or `transactions[3]`.
  public var path: String
  /// The file's path; empty when the input has none.
  public var file: String
  /// The line in a text, from 1; 0 when the input is not text.
  public var line: Int
  /// The column in bytes, from 1.
  public var column: Int

  /// An error with a code and a reason; the place is filled in where it is known.
  public init(
    _ code: Code, _ reason: String, field: String = "", path: String = "", file: String = "",
    line: Int = 0, column: Int = 0
  ) {
    self.code = code
    self.reason = reason
    self.field = field
    self.path = path
    self.file = file
    self.line = line
    self.column = column
  }

  /// The same error with `component` put in front of its path.
  package func within(_ component: String) -> FormatError {
    var copy = self
    if path.isEmpty {
      copy.path = component
    } else if path.hasPrefix("[") {
      copy.path = component + path
    } else {
      copy.path = component + "." + path
    }
    return copy
  }

  /// The same error with a file's path, unless it already has one.
  package func inFile(_ file: String) -> FormatError {
    var copy = self
    if copy.file.isEmpty { copy.file = file }
    return copy
  }
}

extension FormatError: CustomStringConvertible {
  /// `file:line:column: path: reason`, each part where it is known.
  public var description: String {
    var text = file
    if line > 0 {
      if !text.isEmpty { text += ":" }
      text += "\(line):\(column)"
    }
    var parts = text.isEmpty ? [] : [text]
    if !path.isEmpty { parts.append(path) }
    parts.append(field.isEmpty || path.hasSuffix(field) ? reason : "\(field): \(reason)")
    return parts.joined(separator: ": ")
  }
}

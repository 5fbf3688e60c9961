public import EVM

/// Writes JSON into a growing buffer, compact or with two spaces for each level.
///
/// ```swift
/// var writer = JSONWriter(isPretty: true)
/// writer.object { writer in
///   writer.key("gasUsed").value(quantity: 21_000)
/// }
/// ```
public struct JSONWriter {
  /// What has been written.
  public private(set) var bytes: [UInt8] = []
  private let isPretty: Bool
  private var depth = 0
  private var needsComma = false
  private var isAfterKey = false

  /// A writer of one value.
  public init(isPretty: Bool = false) {
    self.isPretty = isPretty
  }

  /// What has been written, as text.
  public var text: String { String(decoding: bytes, as: UTF8.self) }

  /// Takes what has been written out of the buffer, so that a long text can go out in parts.
  public mutating func takeBytes() -> [UInt8] {
    defer { bytes.removeAll(keepingCapacity: true) }
    return bytes
  }

  /// Writes an object of what `body` writes.
  public mutating func object<Failure: Error>(
    _ body: (inout JSONWriter) throws(Failure) -> Void
  ) throws(Failure) {
    try container("{", "}", body)
  }

  /// Writes an array of what `body` writes.
  public mutating func array<Failure: Error>(
    _ body: (inout JSONWriter) throws(Failure) -> Void
  ) throws(Failure) {
    try container("[", "]", body)
  }

  /// Writes a key of the object; its value must follow.
  public mutating func key(_ name: String) {
    separate()
    quote(name)
    bytes.append(UInt8(ascii: ":"))
    if isPretty { bytes.append(UInt8(ascii: " ")) }
    isAfterKey = true
  }

  /// Writes a value that is JSON text already.
  public mutating func value(encoded text: [UInt8]) {
    separate()
    bytes.append(contentsOf: text)
  }

  /// Writes a string.
  public mutating func value(_ text: String) {
    separate()
    quote(text)
  }

  /// Writes a number in decimal digits.
  public mutating func value(_ number: some BinaryInteger) {
    separate()
    bytes.append(contentsOf: String(number).utf8)
  }

  /// Writes a number with a fraction; `null` for one that is not finite.
  public mutating func value(_ number: Double) {
    separate()
    bytes.append(contentsOf: (number.isFinite ? "\(number)" : "null").utf8)
  }

  /// Writes `true` or `false`.
  public mutating func value(_ flag: Bool) {
    separate()
    bytes.append(contentsOf: (flag ? "true" : "false").utf8)
  }

  /// Writes `null`.
  public mutating func null() {
    separate()
    bytes.append(contentsOf: "null".utf8)
  }

  /// Writes a string of `0x` and the digits of a number without zeros in front.
  public mutating func value(quantity number: UInt64) { value(Hexadecimal.quantity(number)) }

  /// Writes a string of `0x` and the digits of a number without zeros in front.
  public mutating func value(quantity number: UInt256) { value(number.description) }

  /// Writes a string of `0x` and two digits for each byte.
  public mutating func value(hexadecimal data: [UInt8]) {
    separate()
    bytes.reserveCapacity(bytes.count + data.count * 2 + 4)
    bytes.append(contentsOf: [UInt8(ascii: "\""), UInt8(ascii: "0"), UInt8(ascii: "x")])
    for byte in data {
      bytes.append(Hexadecimal.ascii(byte >> 4))
      bytes.append(Hexadecimal.ascii(byte & 15))
    }
    bytes.append(UInt8(ascii: "\""))
  }

  /// Writes an address as a string.
  public mutating func value(_ address: Address) { value(address.description) }

  /// Writes a hash as a string.
  public mutating func value(_ hash: Hash256) { value(hash.description) }

  // MARK: Keys with values

  /// Writes a key and a string.
  public mutating func member(_ name: String, _ text: String) {
    key(name)
    value(text)
  }

  /// Writes a key and a hash.
  public mutating func member(_ name: String, _ hash: Hash256) {
    key(name)
    value(hash)
  }

  /// Writes a key and an address.
  public mutating func member(_ name: String, _ address: Address) {
    key(name)
    value(address)
  }

  /// Writes a key and a number in decimal digits.
  public mutating func member(_ name: String, _ number: some BinaryInteger) {
    key(name)
    value(number)
  }

  /// Writes a key and `true` or `false`.
  public mutating func member(_ name: String, _ flag: Bool) {
    key(name)
    value(flag)
  }

  /// Writes a key and a number as `0x` and digits.
  public mutating func member(_ name: String, quantity: UInt64) {
    key(name)
    value(quantity: quantity)
  }

  /// Writes a key and a number as `0x` and digits.
  public mutating func member(_ name: String, quantity: UInt256) {
    key(name)
    value(quantity: quantity)
  }

  /// Writes a key and bytes as `0x` and digits.
  public mutating func member(_ name: String, hexadecimal data: [UInt8]) {
    key(name)
    value(hexadecimal: data)
  }

  // MARK: Private

  private mutating func container<Failure: Error>(
    _ open: Unicode.Scalar, _ close: Unicode.Scalar,
    _ body: (inout JSONWriter) throws(Failure) -> Void
  ) throws(Failure) {
    separate()
    bytes.append(UInt8(ascii: open))
    depth += 1
    needsComma = false
    try body(&self)
    depth -= 1
    if needsComma { newLine() }
    bytes.append(UInt8(ascii: close))
    needsComma = true
  }

  private mutating func separate() {
    if isAfterKey {
      isAfterKey = false
      needsComma = true
      return
    }
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    if depth > 0 { newLine() }
    needsComma = true
  }

  private mutating func newLine() {
    guard isPretty else { return }
    bytes.append(UInt8(ascii: "\n"))
    bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: depth * 2))
  }

  private mutating func quote(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(byte)
      case 0x0A: bytes.append(contentsOf: "\\n".utf8)
      case 0x0D: bytes.append(contentsOf: "\\r".utf8)
      case 0x09: bytes.append(contentsOf: "\\t".utf8)
      case 0..<0x20:
        bytes.append(contentsOf: "\\u00".utf8)
        bytes.append(Hexadecimal.ascii(byte >> 4))
        bytes.append(Hexadecimal.ascii(byte & 15))
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}

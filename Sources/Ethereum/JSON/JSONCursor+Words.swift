package import EVM

/// The values of Ethereum's JSON formats. Each error names the place of the value.
extension JSONCursor {
  /// Bytes in hexadecimal: `0x`, then two digits a byte. The empty string gives no bytes.
  package mutating func hexBytes() throws(FormatError) -> [UInt8] {
    let text = try string()
    if text.count == 0 { return [] }
    guard let bytes = Hexadecimal.bytes(text: text.rawBytes) else {
      throw failure(
        .malformedHexadecimal, "bytes should be 0x and two hexadecimal digits each",
        at: offset(of: text))
    }
    return bytes
  }

  /// An address: `0x` and 40 digits.
  package mutating func address() throws(FormatError) -> Address {
    let text = try string()
    guard let address = Address(text: text.rawBytes) else {
      throw failure(
        .malformedHexadecimal, "an address should be 0x and 40 hexadecimal digits",
        at: offset(of: text))
    }
    return address
  }

  /// An address, or `nil` for the empty string, `0x` and null.
  package mutating func optionalAddress() throws(FormatError) -> Address? {
    if try skipNull() { return nil }
    let text = try string()
    if text.count == 0 || text == "0x" { return nil }
    guard let address = Address(text: text.rawBytes) else {
      throw failure(
        .malformedHexadecimal, "an address should be 0x and 40 hexadecimal digits",
        at: offset(of: text))
    }
    return address
  }

  /// A hash: `0x` and 64 digits.
  package mutating func hash() throws(FormatError) -> Hash256 {
    let text = try string()
    guard let hash = Hash256(text: text.rawBytes) else {
      throw failure(
        .malformedHexadecimal, "a hash should be 0x and 64 hexadecimal digits",
        at: offset(of: text))
    }
    return hash
  }

  /// A number below 2^256: a string of `0x` and digits (zeros in front allowed) or of decimal
  /// digits, or a JSON number without sign, fraction or exponent.
  package mutating func uint256() throws(FormatError) -> UInt256 {
    guard let value = try optionalUInt256() else {
      throw failure(.valueOutOfRange, "the number is 2^256 or more")
    }
    return value
  }

  /// A number below 2^64, in the notations of `uint256`.
  package mutating func uint64() throws(FormatError) -> UInt64 {
    guard let value = try optionalUInt256(), value.fitsUInt64 else {
      throw failure(.valueOutOfRange, "the number is 2^64 or more")
    }
    return value.limb0
  }

  /// A number in the notations of `uint256`, or `nil` when it is 2^256 or more. The older tests
  /// write such a number as `0x:bigint 0x...`.
  package mutating func optionalUInt256() throws(FormatError) -> UInt256? {
    let text: JSONString
    switch try kind() {
    case .number: text = try number()
    default: text = try string()
    }
    var bytes = text.rawBytes
    if bytes.starts(with: "0x:bigint ".utf8) { bytes = .init(rebasing: bytes[10...]) }
    if let digits = Hexadecimal.withoutPrefix(bytes) {
      // `0x` alone is how some writers put zero.
      if digits.isEmpty { return .zero }
      if let value = UInt256(hexadecimalDigits: digits) { return value }
      if digits.allSatisfy({ Hexadecimal.digit($0) < 16 }) { return nil }
    } else {
      if let value = UInt256(decimalDigits: bytes) { return value }
      if !bytes.isEmpty, bytes.allSatisfy({ $0 &- 0x30 < 10 }) { return nil }
    }
    throw failure(
      .malformedNumber, "a number should be 0x and hexadecimal digits, or decimal digits",
      at: offset(of: text))
  }
}

package import EVM

/// One item of an RLP encoding (yellow paper, appendix B) as a view of its bytes.
///
/// The header was read strictly: lengths in as few bytes as they need, the long form only from 56
/// bytes on, a single byte below 0x80 as itself. What is inside a list is read when it is asked for.
///
/// The memory must outlive the item.
package struct RLPItem {
  /// Whether the item is a list.
  package let isList: Bool
  /// The string's bytes, or the list's items one after the other.
  package let payload: UnsafeBufferPointer<UInt8>
  /// Header and payload.
  package let encoding: UnsafeBufferPointer<UInt8>

  /// The one item that `bytes` hold, and nothing after it.
  package init(_ bytes: UnsafeBufferPointer<UInt8>) throws(FormatError) {
    var reader = RLPReader(bytes)
    self = try reader.next("item")
    guard reader.isAtEnd else {
      throw FormatError(.trailingBytes, "bytes follow the end of the item")
    }
  }

  fileprivate init(
    isList: Bool, payload: UnsafeBufferPointer<UInt8>, encoding: UnsafeBufferPointer<UInt8>
  ) {
    self.isList = isList
    self.payload = payload
    self.encoding = encoding
  }

  /// A reader of the list's items; an error for a string.
  package func list(_ field: String = "") throws(FormatError) -> RLPReader {
    guard isList else {
      throw FormatError(.unexpectedKind, "a list should stand here, not a string", field: field)
    }
    return RLPReader(payload)
  }

  /// The string's bytes; an error for a list.
  package func string(_ field: String = "") throws(FormatError) -> UnsafeBufferPointer<UInt8> {
    guard !isList else {
      throw FormatError(.unexpectedKind, "a string should stand here, not a list", field: field)
    }
    return payload
  }

  /// A number without zeros in front, below 2^64.
  package func uint64(_ field: String = "") throws(FormatError) -> UInt64 {
    let bytes = try integer(field, bytes: 8)
    var value: UInt64 = 0
    for byte in bytes { value = value << 8 | UInt64(byte) }
    return value
  }

  /// A number without zeros in front, below 2^256.
  package func uint256(_ field: String = "") throws(FormatError) -> UInt256 {
    let bytes = try integer(field, bytes: 32)
    guard let address = bytes.baseAddress else { return .zero }
    return UInt256(bigEndian: address, count: bytes.count)
  }

  /// 20 bytes.
  package func address(_ field: String = "") throws(FormatError) -> Address {
    Address(bytes: try fixed(field, count: 20))
  }

  /// 32 bytes.
  package func hash(_ field: String = "") throws(FormatError) -> Hash256 {
    Hash256(bytes: try fixed(field, count: 32))
  }

  /// The address of exactly `count` bytes.
  package func fixed(_ field: String, count: Int) throws(FormatError) -> UnsafePointer<UInt8> {
    let bytes = try string(field)
    guard bytes.count <= count else {
      throw FormatError(.tooLong, "\(bytes.count) bytes where \(count) belong", field: field)
    }
    guard bytes.count == count, let address = bytes.baseAddress else {
      throw FormatError(.tooShort, "\(bytes.count) bytes where \(count) belong", field: field)
    }
    return address
  }

  private func integer(_ field: String, bytes limit: Int) throws(FormatError)
    -> UnsafeBufferPointer<UInt8>
  {
    let bytes = try string(field)
    if let first = bytes.first, first == 0 {
      throw FormatError(.leadingZeros, "a number with zero bytes in front", field: field)
    }
    guard bytes.count <= limit else {
      throw FormatError(.valueOutOfRange, "the number is 2^\(limit * 8) or more", field: field)
    }
    return bytes
  }
}

/// Reads the items of a list, or of a bare sequence, one after the other.
package struct RLPReader {
  private let base: UnsafePointer<UInt8>
  private let count: Int
  private var position = 0

  /// A reader at the start of `bytes`.
  package init(_ bytes: UnsafeBufferPointer<UInt8>) {
    count = bytes.count
    // An empty buffer may have no address; nothing is read through this one then.
    base = bytes.baseAddress ?? UnsafePointer(bitPattern: 1)!
  }

  /// Whether every item has been read.
  package var isAtEnd: Bool { position == count }

  /// The next item; an error when there is none. `field` is what an error names.
  package mutating func next(_ field: String) throws(FormatError) -> RLPItem {
    let left = count &- position
    guard left > 0 else {
      throw FormatError(.tooFewItems, "the list ends where this field should be", field: field)
    }
    let start = base + position
    let first = start[0]
    var header = 1
    var length = 0
    switch first {
    case 0..<0x80:
      header = 0
      length = 1
    case 0x80..<0xB8: length = Int(first) &- 0x80
    case 0xC0..<0xF8: length = Int(first) &- 0xC0
    default:
      let lengthBytes = Int(first) &- (first < 0xC0 ? 0xB7 : 0xF7)
      guard left > lengthBytes else {
        throw FormatError(.truncated, "the length of an item is cut off", field: field)
      }
      guard start[1] != 0 else {
        throw FormatError(.nonCanonicalLength, "a length with zero bytes in front", field: field)
      }
      var long: UInt64 = 0
      for index in 1...lengthBytes { long = long << 8 | UInt64(start[index]) }
      guard long >= 56 else {
        throw FormatError(.nonCanonicalLength, "the long form for a short item", field: field)
      }
      guard long <= UInt64(left &- 1 &- lengthBytes) else {
        throw FormatError(.truncated, "an item ends beyond its container", field: field)
      }
      header = 1 &+ lengthBytes
      length = Int(long)
    }
    guard length <= left &- header else {
      throw FormatError(.truncated, "an item ends beyond its container", field: field)
    }
    if first == 0x81, start[1] < 0x80 {
      throw FormatError(
        .nonCanonicalByte, "a byte below 0x80 stands for itself, without a length", field: field)
    }
    position &+= header &+ length
    return RLPItem(
      isList: first >= 0xC0, payload: UnsafeBufferPointer(start: start + header, count: length),
      encoding: UnsafeBufferPointer(start: start, count: header &+ length))
  }

  /// Checks that every item has been read.
  package func finish() throws(FormatError) {
    guard isAtEnd else {
      throw FormatError(.tooManyItems, "the list has more items than the structure")
    }
  }

  /// The bytes that have not been read.
  package var remaining: UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: base + position, count: count &- position)
  }
}

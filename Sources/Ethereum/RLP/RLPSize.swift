import EVM

/// How many bytes encodings take, so that the header of a long list can go first.
enum RLPSize {
  /// An address.
  static var address: Int { 21 }

  /// A list whose items take so many bytes.
  static func list(_ payload: Int) -> Int { header(payload) + payload }

  /// A number.
  static func number(_ value: UInt64) -> Int {
    value < 0x80 ? 1 : 9 - value.leadingZeroBitCount / 8
  }

  /// A number.
  static func number(_ value: UInt256) -> Int {
    value.fitsUInt64 ? number(value.limb0) : 1 + value.byteWidth
  }

  /// A string of bytes.
  static func string(_ bytes: [UInt8]) -> Int {
    bytes.count == 1 && bytes[0] < 0x80 ? 1 : header(bytes.count) + bytes.count
  }

  private static func header(_ length: Int) -> Int {
    length < 56 ? 1 : 9 - length.leadingZeroBitCount / 8
  }
}

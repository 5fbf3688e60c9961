/// The checksum of RFC 3720: a cyclic redundancy check with Castagnoli's polynomial.
package enum CRC32C {
  /// Eight tables: what a byte does to the checksum with none to seven bytes after it.
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      tables[byte] = (0..<8).reduce(UInt32(byte)) { value, _ in
        value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1
      }
    }
    for index in 256..<8 * 256 {
      let before = tables[index - 256]
      tables[index] = tables[Int(before & 0xFF)] ^ before >> 8
    }
    return tables
  }()

  /// The checksum of bytes, eight at a time.
  package static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    tables.withUnsafeBufferPointer { tables in
      var value: UInt32 = 0xFFFF_FFFF
      var position = 0
      while position &+ 8 <= bytes.count {
        let word =
          UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
          ^ UInt64(value)
        value = 0
        for index in 0..<8 {
          let byte = Int(truncatingIfNeeded: word >> UInt64(index * 8)) & 0xFF
          value ^= tables[(7 - index) * 256 + byte]
        }
        position &+= 8
      }
      while position < bytes.count {
        value = tables[Int((value ^ UInt32(bytes[position])) & 0xFF)] ^ value >> 8
        position &+= 1
      }
      return value ^ 0xFFFF_FFFF
    }
  }
}

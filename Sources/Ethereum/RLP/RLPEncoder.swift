package import EVM

/// Writes RLP (yellow paper, appendix B) into one growing buffer.
///
/// A list's header goes in front of its items when the list is closed, by moving them.
package struct RLPEncoder {
  /// What has been written.
  package var bytes: [UInt8] = []

  /// An encoder with room for `capacity` bytes.
  package init(capacity: Int = 0) {
    if capacity > 0 { bytes.reserveCapacity(capacity) }
  }

  /// Writes a string of bytes.
  package mutating func append(_ string: UnsafeBufferPointer<UInt8>) {
    if string.count == 1, string[0] < 0x80 {
      bytes.append(string[0])
      return
    }
    appendHeader(0x80, string.count)
    bytes.append(contentsOf: string)
  }

  /// Writes a string of bytes.
  package mutating func append(_ string: [UInt8]) {
    string.withUnsafeBufferPointer { append($0) }
  }

  /// Writes a number without zeros in front.
  package mutating func append(_ value: UInt64) {
    if value < 0x80 {
      bytes.append(value == 0 ? 0x80 : UInt8(value))
      return
    }
    let width = 8 - value.leadingZeroBitCount / 8
    bytes.append(0x80 + UInt8(width))
    for index in (0..<width).reversed() {
      bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(index * 8)))
    }
  }

  /// Writes a number without zeros in front.
  package mutating func append(_ value: UInt256) {
    if value.fitsUInt64 { return append(value.limb0) }
    let width = value.byteWidth
    bytes.append(0x80 + UInt8(width))
    for index in (32 - width)..<32 { bytes.append(value.bigEndianByte(index)) }
  }

  /// Writes 20 bytes.
  package mutating func append(_ address: Address) {
    bytes.append(0x94)
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { buffer in
      address.store(bytes: buffer.baseAddress!)
      bytes.append(contentsOf: buffer)
    }
  }

  /// Writes 20 bytes, or the empty string for no address.
  package mutating func append(_ address: Address?) {
    if let address { append(address) } else { bytes.append(0x80) }
  }

  /// Writes 32 bytes.
  package mutating func append(_ hash: Hash256) {
    bytes.append(0xA0)
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { buffer in
      hash.store(bytes: buffer.baseAddress!)
      bytes.append(contentsOf: buffer)
    }
  }

  /// Writes an encoding that is complete already.
  package mutating func append(encoded item: [UInt8]) { bytes.append(contentsOf: item) }

  /// Writes a list of what `body` writes.
  package mutating func list(_ body: (inout RLPEncoder) -> Void) {
    let start = bytes.count
    body(&self)
    let length = bytes.count - start
    if length < 56 {
      bytes.insert(0xC0 + UInt8(length), at: start)
      return
    }
    let width = 8 - length.leadingZeroBitCount / 8
    var header: [UInt8] = [0xF7 + UInt8(width)]
    for index in (0..<width).reversed() {
      header.append(UInt8(truncatingIfNeeded: length >> (index * 8)))
    }
    bytes.insert(contentsOf: header, at: start)
  }

  /// Writes the header of a list whose items, which take `payload` bytes, follow.
  package mutating func beginList(payload: Int) { appendHeader(0xC0, payload) }

  private mutating func appendHeader(_ offset: UInt8, _ length: Int) {
    if length < 56 {
      bytes.append(offset + UInt8(length))
      return
    }
    let width = 8 - length.leadingZeroBitCount / 8
    bytes.append(offset + 55 + UInt8(width))
    for index in (0..<width).reversed() {
      bytes.append(UInt8(truncatingIfNeeded: length >> (index * 8)))
    }
  }
}

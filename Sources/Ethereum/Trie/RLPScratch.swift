import EVM

/// One list's RLP in a buffer that is used again and again: room for the header is left in front,
/// so that closing the list moves nothing.
struct RLPScratch {
  /// How a node stands in its parent: itself below 32 bytes, else 0xA0 and its hash.
  struct Reference {
    fileprivate(set) var count: Int
    private var storage: InlineArray<33, UInt8> = .init(repeating: 0)

    fileprivate init(count: Int) { self.count = count }

    func byte(_ index: Int) -> UInt8 { storage[index] }

    fileprivate mutating func set(_ index: Int, _ byte: UInt8) { storage[index] = byte }
  }

  private static let room = 9
  private var buffer: [UInt8] = []
  private var start = RLPScratch.room

  /// Starts another list.
  mutating func begin() {
    buffer.removeAll(keepingCapacity: true)
    buffer.append(contentsOf: repeatElement(0, count: Self.room))
    start = Self.room
  }

  @inline(__always)
  mutating func append(raw byte: UInt8) { buffer.append(byte) }

  mutating func append(raw bytes: UnsafePointer<UInt8>, _ count: Int) {
    buffer.append(contentsOf: UnsafeBufferPointer(start: bytes, count: count))
  }

  mutating func append(string bytes: UnsafePointer<UInt8>, _ count: Int) {
    if count == 1, bytes[0] < 0x80 {
      buffer.append(bytes[0])
      return
    }
    appendHeader(string: count)
    append(raw: bytes, count)
  }

  mutating func appendHeader(string count: Int) {
    if count < 56 {
      buffer.append(0x80 + UInt8(count))
      return
    }
    let width = 8 - count.leadingZeroBitCount / 8
    buffer.append(0xB7 + UInt8(width))
    for index in (0..<width).reversed() {
      buffer.append(UInt8(truncatingIfNeeded: count >> (index * 8)))
    }
  }

  /// Writes the header in front of what was appended.
  mutating func closeList() {
    let length = buffer.count - Self.room
    if length < 56 {
      start = Self.room - 1
      buffer[start] = 0xC0 + UInt8(length)
      return
    }
    let width = 8 - length.leadingZeroBitCount / 8
    start = Self.room - 1 - width
    buffer[start] = 0xF7 + UInt8(width)
    for index in 0..<width {
      buffer[start + 1 + index] = UInt8(truncatingIfNeeded: length >> ((width - 1 - index) * 8))
    }
  }

  /// Bytes of the list.
  var count: Int { buffer.count - start }

  /// The list's RLP.
  var bytes: [UInt8] { [UInt8](buffer[start...]) }

  func hash() -> Hash256 {
    buffer.withUnsafeBufferPointer {
      Keccak256.hash(UnsafeBufferPointer(rebasing: $0[start...]))
    }
  }

  func reference() -> Reference {
    if count < 32 {
      var reference = Reference(count: count)
      for index in 0..<count { reference.set(index, buffer[start + index]) }
      return reference
    }
    var reference = Reference(count: 33)
    let hash = hash().word
    reference.set(0, 0xA0)
    for index in 0..<32 { reference.set(index + 1, hash.bigEndianByte(index)) }
    return reference
  }
}

/// A number written in big-endian bytes inside an input; bytes past the input's end are zeros, as
/// the MODEXP precompile reads them (EIP-198).
struct BigEndianNumber: BitwiseCopyable {
  private let bytes: UnsafeBufferPointer<UInt8>
  /// Where the number's first byte would be in the input.
  private let start: Int
  /// Bytes of the number without leading zeros; the ones past the end of the input count.
  let length: Int

  /// The number of `length` bytes from `start` on; neither is negative and their sum does not
  /// overflow.
  init(_ bytes: UnsafeBufferPointer<UInt8>, start: Int, length: Int) {
    self.bytes = bytes
    let present = bytes.count &- start
    let end = length < present ? length : present
    var zeros = 0
    while zeros < end && bytes[start &+ zeros] == 0 { zeros &+= 1 }
    // Nothing but zeros, in the input or past it.
    let isZero = zeros >= end
    self.start = isZero ? start : start &+ zeros
    self.length = isZero ? 0 : length &- zeros
  }

  /// Whether the value is zero.
  var isZero: Bool { length == 0 }

  /// The byte at `index` from the front, below `length`.
  @inline(__always)
  private func byte(_ index: Int) -> UInt8 {
    let position = start &+ index
    return position < bytes.count ? bytes[position] : 0
  }

  /// Bits needed to write the value; 0 for zero.
  var bitWidth: Int {
    length == 0 ? 0 : length &* 8 &- byte(0).leadingZeroBitCount
  }

  /// Limbs needed to write the value; 0 for zero.
  var limbCount: Int { (length &+ 7) >> 3 }

  /// Limb `index` from the least significant one; zero above the value.
  func limb(_ index: Int) -> UInt64 {
    let end = length &- index &* 8
    if end <= 0 { return 0 }
    if end >= 8 && start &+ end <= bytes.count, let base = bytes.baseAddress {
      let raw = UnsafeRawPointer(base + (start &+ end &- 8))
      return UInt64(bigEndian: raw.loadUnaligned(as: UInt64.self))
    }
    var result: UInt64 = 0
    var index = end > 8 ? end &- 8 : 0
    while index < end {
      result = result &<< 8 | UInt64(byte(index))
      index &+= 1
    }
    return result
  }

  /// Bit `index` from the least significant one, below `8 * length`.
  @inline(__always)
  func bit(_ index: Int) -> Bool {
    (byte(length &- 1 &- index >> 3) &>> UInt8(index & 7)) & 1 != 0
  }

  /// The `count` bits (1 to 8) from bit `low` on, which end below `8 * length`.
  @inline(__always)
  func bits(_ low: Int, _ count: Int) -> Int {
    let position = length &- 1 &- low >> 3
    var pair = Int(byte(position))
    if position > 0 { pair |= Int(byte(position &- 1)) << 8 }
    return (pair >> (low & 7)) & (1 << count &- 1)
  }

  /// How many zero bits are below the lowest one bit; 0 for zero.
  var trailingZeroBitCount: Int {
    var count = 0
    while count < length &* 8 {
      let limb = self.limb(count >> 6)
      if limb != 0 { return count &+ limb.trailingZeroBitCount }
      count &+= 64
    }
    return 0
  }

  /// The value modulo 2^256.
  var word: UInt256 { UInt256(limb(0), limb(1), limb(2), limb(3)) }
}

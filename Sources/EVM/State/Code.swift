/// Byte code prepared for execution: padded bytes and the map of its jump destinations.
public struct Code: BitwiseCopyable {
  /// The code, followed by at least `Code.padding` zero bytes.
  public var bytes: UnsafePointer<UInt8>
  /// One bit for each byte of code, least significant first: set at a valid JUMPDEST.
  public var jumpDestinations: UnsafePointer<UInt8>
  /// Bytes of code, without the padding.
  public var count: Int
  /// The code translated for a fork; `nil` when it is only interpreted.
  public var program: UnsafePointer<Program>?

  /// Zero bytes that follow the code: the immediate data of a PUSH32 at the very end, and a STOP.
  @inlinable @inline(__always)
  public static var padding: Int { 33 }

  /// Bytes of a jump destination map for this much code.
  @inlinable @inline(__always)
  public static func mapBytes(_ count: Int) -> Int { (count &+ 8) >> 3 }

  /// Code that the caller has padded and mapped.
  @inline(__always)
  public init(
    bytes: UnsafePointer<UInt8>, jumpDestinations: UnsafePointer<UInt8>, count: Int,
    program: UnsafePointer<Program>? = nil
  ) {
    self.program = program
    self.bytes = bytes
    self.jumpDestinations = jumpDestinations
    self.count = count
  }

  /// Whether `position` is a JUMPDEST outside immediate data.
  @inline(__always)
  package func isJumpDestination(_ position: UInt64) -> Bool {
    if position >= UInt64(count) { return false }
    return (jumpDestinations[Int(position >> 3)] >> UInt8(position & 7)) & 1 != 0
  }

  /// Writes the jump destination map (`mapBytes(count)` bytes) of padded code.
  public static func analyze(
    _ bytes: UnsafePointer<UInt8>, count: Int, into map: UnsafeMutablePointer<UInt8>
  ) {
    map.update(repeating: 0, count: mapBytes(count))
    var position = 0
    while position < count {
      let opcode = bytes[position]
      if opcode == Opcode.jumpdest {
        map[position >> 3] |= 1 << UInt8(position & 7)
      } else if opcode >= Opcode.push1 && opcode <= Opcode.push32 {
        position &+= Int(opcode &- Opcode.push1) &+ 1
      }
      position &+= 1
    }
  }

  /// The account that the code delegates to, when it is a delegation designator (EIP-7702).
  @inline(__always)
  package var delegate: Address? {
    if count != 23 || bytes[0] != 0xef || bytes[1] != 0x01 || bytes[2] != 0x00 { return nil }
    return Address(bytes: bytes + 3)
  }
}

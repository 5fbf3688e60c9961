/// Code translated for one fork: a header, the instructions, the pool of wide constants, and the
/// table that finds the block of a jump destination.
///
/// It holds no addresses, so that it can be copied anywhere, to a device too. Its memory is
/// aligned to 16 bytes.
///
///     +--------+--------------+------------+-----------------------+
///     | header | instructions | pool words | table: 4 bytes a code  |
///     | 32     | 16 each      | 32 each    | byte, 0 or a block     |
///     +--------+--------------+------------+-----------------------+
public struct Program: BitwiseCopyable {
  /// The fork whose gas and opcodes are in it.
  public let fork: Fork
  /// Bytes of the code.
  let codeCount: UInt32
  let instructionCount: UInt32
  let poolCount: UInt32
  /// Basic blocks.
  let blockCount: UInt32
  private let reserved: (UInt32, UInt32, UInt32) = (0, 0, 0)

  init(
    fork: Fork, codeCount: Int, instructionCount: Int, poolCount: Int, blockCount: Int
  ) {
    self.fork = fork
    self.codeCount = UInt32(truncatingIfNeeded: codeCount)
    self.instructionCount = UInt32(truncatingIfNeeded: instructionCount)
    self.poolCount = UInt32(truncatingIfNeeded: poolCount)
    self.blockCount = UInt32(truncatingIfNeeded: blockCount)
  }

  /// Bytes before the first instruction.
  static var headerBytes: Int { 32 }

  /// Bytes of the whole program.
  public var byteCount: Int {
    Program.bytes(
      instructions: Int(instructionCount), pool: Int(poolCount), code: Int(codeCount))
  }

  static func bytes(instructions: Int, pool: Int, code: Int) -> Int {
    headerBytes &+ instructions &* Instruction.size &+ pool &* 32 &+ ((code &* 4 &+ 15) & ~15)
  }

  /// The first instruction of the program at `header`.
  @inline(__always)
  static func instructions(_ header: UnsafePointer<Program>) -> UnsafePointer<Instruction> {
    (UnsafeRawPointer(header) + headerBytes).assumingMemoryBound(to: Instruction.self)
  }

  /// The table of the program at `header`: for each byte of code the distance in bytes of its
  /// block from the first instruction; 0 where no jump may go.
  @inline(__always)
  static func table(_ header: UnsafePointer<Program>) -> UnsafePointer<UInt32> {
    let skipped =
      Int(header.pointee.instructionCount) &* Instruction.size
      &+ Int(header.pointee.poolCount) &* 32
    return (UnsafeRawPointer(header) + headerBytes + skipped)
      .assumingMemoryBound(to: UInt32.self)
  }
}

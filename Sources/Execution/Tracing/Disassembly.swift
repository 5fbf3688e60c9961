public import EVM

/// Byte code as a list of opcodes and their immediate bytes.
public struct Disassembly: Sequence {
  /// One opcode.
  public struct Line: Hashable, Sendable {
    /// Its place in the code, in bytes.
    public var offset: Int
    /// Its byte.
    public var opcode: UInt8
    /// What a PUSH puts on the stack; shorter than the opcode says where the code ends.
    public var immediate: [UInt8]
    /// Whether the fork has the opcode.
    public var isDefined: Bool
    /// Whether the code ends before the immediate bytes do.
    public var isCut: Bool

    /// The mnemonic.
    public var name: String { Disassembly.name(opcode) }
  }

  private let code: [UInt8]
  private let fork: Fork

  /// The opcodes of some code under the rules of a fork.
  public init(_ code: [UInt8], fork: Fork) {
    self.code = code
    self.fork = fork
  }

  public func makeIterator() -> AnyIterator<Line> {
    var offset = 0
    return AnyIterator {
      guard offset < code.count else { return nil }
      let opcode = code[offset]
      let wanted = opcode >= 0x60 && opcode <= 0x7F ? Int(opcode) - 0x5F : 0
      let end = Swift.min(offset + 1 + wanted, code.count)
      defer { offset = end }
      let isDefined =
        opcode == Opcode.invalid || OpcodeTable.row(opcode).map { fork >= $0.since } ?? false
      return Line(
        offset: offset, opcode: opcode, immediate: [UInt8](code[(offset + 1)..<end]),
        isDefined: isDefined, isCut: end < offset + 1 + wanted)
    }
  }

  /// The mnemonic of an opcode; `UNDEFINED(0x..)` for a byte that no fork has.
  public static func name(_ opcode: UInt8) -> String {
    if let row = OpcodeTable.row(opcode) { return "\(row.name)" }
    return "UNDEFINED(0x\(opcode < 16 ? "0" : "")\(String(opcode, radix: 16)))"
  }
}

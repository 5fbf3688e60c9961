/// The byte behind DUPN, SWAPN and EXCHANGE: which words of the stack they mean (EIP-8024).
///
/// Bytes that could be a JUMPDEST or a PUSH are left out, so that jump destinations stay what they are
/// in all code.
package enum StackOperand {
  /// The number that DUPN and SWAPN have, 17 to 235; `nil` when the byte is none.
  @inline(__always)
  package static func single(_ byte: UInt8) -> Int? {
    if byte > 90 && byte < 128 { return nil }
    return Int(byte &+ 145)
  }

  /// The numbers that EXCHANGE has: the first 1 to 14, the second above it and at most 30 less the
  /// first. `nil` when the byte is none.
  @inline(__always)
  package static func pair(_ byte: UInt8) -> (first: Int, second: Int)? {
    if byte > 81 && byte < 128 { return nil }
    let upper = Int((byte ^ 143) >> 4)
    let lower = Int((byte ^ 143) & 15)
    return upper < lower ? (upper &+ 1, lower &+ 1) : (lower &+ 1, 29 &- upper)
  }

  /// Whether the opcode has such a byte behind it.
  @inline(__always)
  package static func follows(_ opcode: UInt8) -> Bool {
    opcode >= Opcode.dupn && opcode <= Opcode.exchange
  }
}

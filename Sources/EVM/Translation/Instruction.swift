/// One translated instruction: sixteen bytes, so that one or two loads fetch it.
struct Instruction: BitwiseCopyable {
  /// What it does.
  var operation: Operation
  /// The opcode of a general instruction; of others what `keepsResult` and the like name.
  var extra: UInt8
  /// Operands, as byte offsets from the top of the stack when the block was entered. Those of
  /// `block` are the bytes that the stack must hold and the largest height less those.
  var a: Int16
  var b: Int16
  /// Where the result goes, or what the top of the stack moves by.
  var d: Int16
  /// A constant, a distance in bytes from the instruction, or what the operation says.
  var immediate: UInt64

  /// Bytes of an instruction.
  @inline(__always)
  static var size: Int { 16 }

  @inline(__always)
  init(
    _ operation: Operation, extra: UInt8 = 0, a: Int16 = 0, b: Int16 = 0, d: Int16 = 0,
    immediate: UInt64 = 0
  ) {
    self.operation = operation
    self.extra = extra
    self.a = a
    self.b = b
    self.d = d
    self.immediate = immediate
  }

  /// The lower half of the immediate, with its sign.
  @inline(__always)
  var distance: Int { Int(Int32(truncatingIfNeeded: immediate)) }

  /// The upper half of the immediate.
  @inline(__always)
  var upper: UInt64 { immediate >> 32 }

  // A result that only the next instruction takes need not be written: a machine whose stack is dear
  // to write keeps it in registers (`StackPlace.keepsResults`). Others write and read it all the same.

  /// Only the next instruction takes the result.
  @inline(__always)
  static var keepsResult: UInt8 { 1 }
  /// Operand `a` is the result of the instruction before.
  @inline(__always)
  static var takesFirst: UInt8 { 2 }
  /// Operand `b` is.
  @inline(__always)
  static var takesSecond: UInt8 { 4 }
}

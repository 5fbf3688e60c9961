/// What a translated instruction does. Operands: `a`, `b` and `d` are words of the stack, as byte
/// offsets from its top when the block was entered; `i` is the immediate.
enum Operation: UInt8, BitwiseCopyable {
  // MARK: Control
  /// Begins a block: pays the static gas up to its first exit and checks its stack; `i` packs gas
  /// and code position.
  case block
  /// Moves the top of the stack by `d` bytes, at the end of a block that runs into the next.
  case advance
  /// Jumps to a block, `i` bytes away; `d` moves the top of the stack.
  case jump
  /// Jumps to the code position in `a`.
  case jumpDynamic
  /// Jumps to the code position in `b` when `a` is not zero.
  case jumpDynamicIf
  /// Leaves the block by the instructions that follow when `a` is not zero, or is. Else goes on at
  /// the lower half of `i` and pays `d` gas for the way to the next exit.
  case exitIf
  case exitIfZero
  /// The same when `a` and the immediate's upper half compare so.
  case exitIfEqualSmall
  case exitIfNotEqualSmall
  case exitIfLessSmall
  case exitIfNotLessSmall
  case exitIfGreaterSmall
  case exitIfNotGreaterSmall
  /// The same when `a` and `b` compare so.
  case exitIfEqual
  case exitIfNotEqual
  case exitIfLess
  case exitIfNotLess
  case exitIfSignedLess
  case exitIfNotSignedLess
  case stop
  case `return`
  case revert
  case invalidJump
  case undefined
  /// Runs opcode `extra` on the stack whose top is `d`.
  case general
  /// The same for an opcode that reads the state; then pays `i` gas for the way to the next exit.
  case access
  /// The same as `general` for an opcode that may enter another frame; ends its block.
  case enter

  // MARK: Moves
  /// Copies `a` to `d`; then `b` to the lowest 16 bits of `i`; then the next 16 bits to those above.
  case move
  case move2
  case move3
  case swap
  case loadSmall
  case loadWord

  // MARK: Words: d = a op b
  case add
  case multiply
  case subtract
  case divide
  case signedDivide
  case remainder
  case signedRemainder
  /// Three operands: the third's offset is the immediate.
  case addModulo
  case multiplyModulo
  case signExtend
  case less
  case signedLess
  case equal
  case isZero
  case and
  case or
  case xor
  case not
  case byte
  case shiftLeft
  case shiftRight
  case shiftRightArithmetic
  case leadingZeros

  // MARK: Words and a 64-bit immediate: d = a op i
  case addSmall
  case subtractSmall
  case multiplySmall
  case lessSmall
  case greaterSmall
  case equalSmall
  case andSmall
  case orSmall
  case byteAt
  case signExtendAt
  /// Shifts by 0 to 255 bits: one operation for each number of whole limbs, `i` has the rest.
  case shiftLeft0
  case shiftLeft1
  case shiftLeft2
  case shiftLeft3
  case shiftRight0
  case shiftRight1
  case shiftRight2
  case shiftRight3
  case shiftRightArithmeticBy

  // MARK: Words and a word of the pool, `i` bytes from the instruction
  case addWord
  case andWord
  case orWord
  case equalWord
  /// The word holds a divisor of one limb and its reciprocal.
  case divideShort
  case remainderShort
  case signedDivideShort

  // MARK: Memory and environment
  case memoryLoad
  case memoryLoadAt
  case memoryStore
  case memoryStoreAt
  case memoryStoreByte
  case memorySize
  case gas
  case callDataLoad
  case callDataLoadAt
  case callDataSize
  case caller
  case address
  case callValue
  case keccak
  /// Reads slot `a`; then pays `i` gas for the way to the next exit.
  case storageLoad
  case returnDataSize

  /// Whether the immediate names a word of the pool.
  @inline(__always)
  var readsPool: Bool {
    switch self {
    case .loadWord, .addWord, .andWord, .orWord, .equalWord, .divideShort, .remainderShort,
      .signedDivideShort:
      true
    default: false
    }
  }

  /// Whether a machine may keep its result in registers for the next instruction.
  @inline(__always)
  var canKeep: Bool {
    switch self {
    case .loadSmall, .loadWord, .add, .multiply, .subtract, .less, .signedLess, .equal, .isZero,
      .and,
      .or, .xor, .not, .addSmall, .subtractSmall, .multiplySmall, .lessSmall, .greaterSmall,
      .equalSmall, .andSmall, .orSmall, .byteAt, .shiftLeft0, .shiftLeft1, .shiftLeft2, .shiftLeft3,
      .shiftRight0, .shiftRight1, .shiftRight2, .shiftRight3, .addWord, .andWord, .orWord,
      .equalWord, .memoryLoad, .memoryLoadAt, .callDataLoad, .callDataLoadAt:
      true
    default: false
    }
  }

  /// Whether it can take operands from registers: `a`, and `b` if it has one.
  @inline(__always)
  var canTake: Bool {
    switch self {
    case .loadSmall, .loadWord, .memoryLoadAt, .callDataLoadAt: false
    case .memoryStore, .memoryStoreAt: true
    default:
      canKeep
        || (rawValue >= Operation.exitIf.rawValue
          && rawValue <= Operation.exitIfNotSignedLess.rawValue)
    }
  }

  /// Whether it is an exit that compares two words of the stack.
  @inline(__always)
  var comparesTwo: Bool {
    rawValue >= Operation.exitIfEqual.rawValue
      && rawValue <= Operation.exitIfNotSignedLess.rawValue
  }

  /// The exit that is taken when this one is not.
  var negated: Operation {
    switch self {
    case .exitIf: .exitIfZero
    case .exitIfZero: .exitIf
    case .exitIfEqualSmall: .exitIfNotEqualSmall
    case .exitIfNotEqualSmall: .exitIfEqualSmall
    case .exitIfLessSmall: .exitIfNotLessSmall
    case .exitIfNotLessSmall: .exitIfLessSmall
    case .exitIfGreaterSmall: .exitIfNotGreaterSmall
    case .exitIfNotGreaterSmall: .exitIfGreaterSmall
    case .exitIfEqual: .exitIfNotEqual
    case .exitIfNotEqual: .exitIfEqual
    case .exitIfLess: .exitIfNotLess
    case .exitIfNotLess: .exitIfLess
    case .exitIfSignedLess: .exitIfNotSignedLess
    case .exitIfNotSignedLess: .exitIfSignedLess
    default: self
    }
  }
}

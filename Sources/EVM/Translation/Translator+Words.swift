// Operations on two words: constants are folded, and small ones become part of the instruction.
extension Translator {
  /// `first` was on top. Both references are released here.
  mutating func binary(_ opcode: UInt8, _ first: SymbolicValue, _ second: SymbolicValue) {
    if let x = known(first), let y = known(second), let word = fold(opcode, x, y) {
      push(constant: word)
      return
    }
    switch opcode {
    case Opcode.add: commutative(opcode, first, second)
    case Opcode.and: commutative(opcode, first, second)
    case Opcode.or: commutative(opcode, first, second)
    case Opcode.eq: commutative(opcode, first, second)
    case Opcode.mul: commutative(opcode, first, second)
    case Opcode.sub:
      if let y = small(second) {
        if y == 0 { pass(first) } else { immediate(.subtractSmall, first, y) }
      } else {
        plain(.subtract, first, second)
      }
    case Opcode.div:
      if let y = known(second) { divide(first, y, second) } else { plain(.divide, first, second) }
    case Opcode.mod:
      if let y = small(second) {
        if y == 0 {
          release(first)
          push(constant: .zero)
        } else if y & (y &- 1) == 0 {
          immediate(.andSmall, first, y &- 1)
        } else if first.isConstant {
          plain(.remainder, first, second)
        } else {
          wide(.remainderShort, first, ShortDivisor(y).word)
        }
      } else {
        plain(.remainder, first, second)
      }
    case Opcode.lt: less(first, second)
    case Opcode.gt: less(second, first)
    case Opcode.slt: plain(.signedLess, first, second)
    case Opcode.sgt: plain(.signedLess, second, first)
    case Opcode.sdiv:
      if let y = small(second), y != 0, !first.isConstant {
        wide(.signedDivideShort, first, ShortDivisor(y).word)
      } else {
        plain(.signedDivide, first, second)
      }
    case Opcode.smod: plain(.signedRemainder, first, second)
    case Opcode.xor: plain(.xor, first, second)
    case Opcode.shl, Opcode.shr, Opcode.sar: shift(opcode, first, second)
    case Opcode.byte:
      if let x = known(first) {
        if x.fitsUInt64 && x.limb0 < 32 {
          immediate(.byteAt, second, x.limb0)
        } else {
          release(second)
          push(constant: .zero)
        }
      } else {
        plain(.byte, first, second)
      }
    default:  // SIGNEXTEND
      if let x = known(first) {
        if x.fitsUInt64 && x.limb0 < 31 {
          immediate(.signExtendAt, second, x.limb0)
        } else {
          pass(second)
        }
      } else {
        plain(.signExtend, first, second)
      }
    }
  }

  /// The value itself is the result.
  private mutating func pass(_ value: SymbolicValue) {
    release(value)
    push(value)
  }

  private mutating func plain(
    _ operation: Operation, _ first: SymbolicValue, _ second: SymbolicValue
  ) {
    let x = materialize(first)
    let y = materialize(second)
    release(x)
    release(y)
    result(Instruction(operation, a: offset(x.slot), b: offset(y.slot)), x, y)
  }

  private mutating func immediate(
    _ operation: Operation, _ value: SymbolicValue, _ immediate: UInt64
  ) {
    let x = materialize(value)
    release(x)
    result(Instruction(operation, a: offset(x.slot), immediate: immediate), x, x)
  }

  /// An operand in the pool.
  private mutating func wide(_ operation: Operation, _ value: SymbolicValue, _ word: UInt256) {
    let place = pooled(word)
    release(value)
    result(Instruction(operation, a: offset(value.slot), immediate: place), value, value)
  }

  private mutating func commutative(
    _ opcode: UInt8, _ first: SymbolicValue, _ second: SymbolicValue
  ) {
    // Both are constants only where nothing was folded.
    let value = first.isConstant ? second : first
    guard let word = known(first.isConstant ? first : second), !value.isConstant else {
      switch opcode {
      case Opcode.add: plain(.add, first, second)
      case Opcode.and: plain(.and, first, second)
      case Opcode.or: plain(.or, first, second)
      case Opcode.eq: plain(.equal, first, second)
      default: plain(.multiply, first, second)
      }
      return
    }
    let fits = word.fitsUInt64
    switch opcode {
    case Opcode.add:
      let negated = word.negated
      if word.isZero {
        pass(value)
      } else if fits {
        immediate(.addSmall, value, word.limb0)
      } else if negated.fitsUInt64 {
        immediate(.subtractSmall, value, negated.limb0)
      } else {
        wide(.addWord, value, word)
      }
    case Opcode.and:
      if word == .max {
        pass(value)
      } else if fits {
        immediate(.andSmall, value, word.limb0)
      } else {
        wide(.andWord, value, word)
      }
    case Opcode.or:
      if word.isZero {
        pass(value)
      } else if fits {
        immediate(.orSmall, value, word.limb0)
      } else {
        wide(.orWord, value, word)
      }
    case Opcode.eq:
      if word.isZero {
        unary(.isZero, value)
      } else if fits {
        immediate(.equalSmall, value, word.limb0)
      } else {
        wide(.equalWord, value, word)
      }
    default:
      if word == .one {
        pass(value)
      } else if let bit = powerOfTwo(word) {
        shift(.shiftLeft0, value, by: bit)
      } else if fits {
        immediate(.multiplySmall, value, word.limb0)
      } else {
        plain(.multiply, first, second)
      }
    }
  }

  private mutating func divide(
    _ value: SymbolicValue, _ word: UInt256, _ divisor: SymbolicValue
  ) {
    if word.isZero {
      release(value)
      push(constant: .zero)
    } else if word == .one {
      pass(value)
    } else if value.isConstant {
      plain(.divide, value, divisor)
    } else if let bit = powerOfTwo(word) {
      shift(.shiftRight0, value, by: bit)
    } else if word.fitsUInt64 {
      wide(.divideShort, value, ShortDivisor(word.limb0).word)
    } else {
      plain(.divide, value, divisor)
    }
  }

  /// `first < second`.
  private mutating func less(_ first: SymbolicValue, _ second: SymbolicValue) {
    if let y = small(second), !first.isConstant {
      immediate(.lessSmall, first, y)
    } else if let x = small(first), !second.isConstant {
      immediate(.greaterSmall, second, x)
    } else {
      plain(.less, first, second)
    }
  }

  private mutating func shift(
    _ opcode: UInt8, _ count: SymbolicValue, _ value: SymbolicValue
  ) {
    guard let word = known(count), !value.isConstant else {
      switch opcode {
      case Opcode.shl: plain(.shiftLeft, count, value)
      case Opcode.shr: plain(.shiftRight, count, value)
      default: plain(.shiftRightArithmetic, count, value)
      }
      return
    }
    let bits = word.clampedToUInt64
    if bits == 0 {
      pass(value)
    } else if opcode == Opcode.sar {
      immediate(.shiftRightArithmeticBy, value, min(bits, 256))
    } else if bits >= 256 {
      release(value)
      push(constant: .zero)
    } else {
      shift(opcode == Opcode.shl ? .shiftLeft0 : .shiftRight0, value, by: bits)
    }
  }

  private mutating func shift(_ first: Operation, _ value: SymbolicValue, by bits: UInt64) {
    let operation = Operation(rawValue: first.rawValue &+ UInt8(bits >> 6)) ?? first
    immediate(operation, value, bits & 63)
  }

  /// The exponent of a power of two.
  private func powerOfTwo(_ word: UInt256) -> UInt64? {
    let bit = word.bitWidth &- 1
    if bit < 0 || word != UInt256.one << UInt64(bit) { return nil }
    return UInt64(bit)
  }

  /// The result of an operation on constants; `nil` for those that are rare.
  private func fold(_ opcode: UInt8, _ x: UInt256, _ y: UInt256) -> UInt256? {
    switch opcode {
    case Opcode.add: x &+ y
    case Opcode.sub: x &- y
    case Opcode.mul: x &* y
    case Opcode.div: UInt256.divide(x, y)
    case Opcode.and: x & y
    case Opcode.or: x | y
    case Opcode.xor: x ^ y
    case Opcode.shl: y << x.clampedToUInt64
    case Opcode.shr: y >> x.clampedToUInt64
    case Opcode.eq: UInt256(x == y)
    case Opcode.lt: UInt256(x < y)
    case Opcode.gt: UInt256(y < x)
    default: nil
    }
  }
}

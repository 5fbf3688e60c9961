extension Machine {
  /// Runs a frame's program until it ends or enters another frame.
  ///
  /// `top` is the top of the stack where the block was entered; operands are found from it. The
  /// block has paid its static gas, so `gas` is what is left after all of it.
  @inline(never)
  mutating func run(_ program: UnsafePointer<Program>, _ frame: UnsafeMutablePointer<Frame>)
    -> Step
  {
    let memory = frame.pointee.memory
    var next = (UnsafeRawPointer(Program.instructions(program)) + frame.pointee.programCounter)
      .assumingMemoryBound(to: Instruction.self)
    var top = UnsafeMutableRawPointer(frame.pointee.stack)
    var gas = frame.pointee.gas
    var memoryCount = frame.pointee.memoryCount

    while true {
      let instruction = next
      next += 1
      switch instruction.pointee.operation {
      case .block:
        let height =
          UInt(bitPattern: top) &- UInt(bitPattern: UnsafeRawPointer(frame.pointee.stackBase))
        let need = UInt(UInt16(bitPattern: instruction.pointee.a))
        let range = UInt(UInt16(bitPattern: instruction.pointee.b))
        let cost = Int64(instruction.pointee.immediate & 0xffff_ffff)
        if height &- need > range || gas < cost {
          return interpretPlainly(
            frame, from: Int(instruction.pointee.immediate >> 32), top, gas)
        }
        gas &-= cost
      case .advance:
        top += Int(instruction.pointee.d)
      case .jump:
        top += Int(instruction.pointee.d)
        next = instruction.target
      case .jumpDynamic:
        let target = word(top, instruction.pointee.a).pointee
        top += Int(instruction.pointee.d)
        next = destination(program, target)
      case .jumpDynamicIf:
        let target = word(top, instruction.pointee.b).pointee
        let taken = !word(top, instruction.pointee.a).pointee.isZero
        top += Int(instruction.pointee.d)
        if taken { next = destination(program, target) }
      case .jumpIf:
        let taken = !word(top, instruction.pointee.a).pointee.isZero
        top += Int(instruction.pointee.d)
        if taken { next = instruction.target }
      case .jumpIfZero:
        let taken = word(top, instruction.pointee.a).pointee.isZero
        top += Int(instruction.pointee.d)
        if taken { next = instruction.target }
      case .jumpIfEqualSmall:
        let taken = isEqual(word(top, instruction.pointee.a), instruction.pointee.upper)
        top += Int(instruction.pointee.d)
        if taken { next = instruction.target }
      case .jumpIfNotEqualSmall:
        let taken = !isEqual(word(top, instruction.pointee.a), instruction.pointee.upper)
        top += Int(instruction.pointee.d)
        if taken { next = instruction.target }
      case .jumpIfLessSmall:
        let taken = isLess(word(top, instruction.pointee.a), instruction.pointee.upper)
        top += Int(instruction.pointee.d)
        if taken { next = instruction.target }
      case .jumpIfNotLessSmall:
        let taken = !isLess(word(top, instruction.pointee.a), instruction.pointee.upper)
        top += Int(instruction.pointee.d)
        if taken { next = instruction.target }
      case .jumpIfGreaterSmall:
        let taken = isGreater(word(top, instruction.pointee.a), instruction.pointee.upper)
        top += Int(instruction.pointee.d)
        if taken { next = instruction.target }
      case .jumpIfNotGreaterSmall:
        let taken = !isGreater(word(top, instruction.pointee.a), instruction.pointee.upper)
        top += Int(instruction.pointee.d)
        if taken { next = instruction.target }
      case .jumpIfEqual:
        let taken =
          word(top, instruction.pointee.a).pointee == word(top, instruction.pointee.b).pointee
        top += Int(instruction.pointee.d)
        if taken { next = instruction.target }
      case .jumpIfNotEqual:
        let taken =
          word(top, instruction.pointee.a).pointee != word(top, instruction.pointee.b).pointee
        top += Int(instruction.pointee.d)
        if taken { next = instruction.target }
      case .jumpIfLess:
        let taken =
          word(top, instruction.pointee.a).pointee < word(top, instruction.pointee.b).pointee
        top += Int(instruction.pointee.d)
        if taken { next = instruction.target }
      case .jumpIfNotLess:
        let taken =
          word(top, instruction.pointee.a).pointee >= word(top, instruction.pointee.b).pointee
        top += Int(instruction.pointee.d)
        if taken { next = instruction.target }
      case .jumpIfSignedLess:
        let taken = UInt256.signedLess(
          word(top, instruction.pointee.a).pointee, word(top, instruction.pointee.b).pointee)
        top += Int(instruction.pointee.d)
        if taken { next = instruction.target }
      case .jumpIfNotSignedLess:
        let taken = !UInt256.signedLess(
          word(top, instruction.pointee.a).pointee, word(top, instruction.pointee.b).pointee)
        top += Int(instruction.pointee.d)
        if taken { next = instruction.target }
      case .stop:
        frame.pointee.gas = gas
        frame.pointee.outputCount = 0
        return exit(.stopped)
      case .return, .revert:
        frame.pointee.gas = gas
        return end(
          frame, word(top, instruction.pointee.a).pointee,
          word(top, instruction.pointee.b).pointee,
          instruction.pointee.operation == .return ? .returned : .reverted)
      case .invalidJump:
        return exit(.invalidJump)
      case .undefined:
        return exit(.undefinedOpcode)
      case .general:
        let rest = Int64(bitPattern: instruction.pointee.immediate)
        frame.pointee.stack = word(top, instruction.pointee.d)
        frame.pointee.gas = gas &+ rest
        let step = execute(instruction.pointee.extra, frame)
        if step != .next { return step }
        gas = frame.pointee.gas &- rest
        if gas < 0 { return exit(.outOfGas) }
        memoryCount = frame.pointee.memoryCount
      case .enter:
        frame.pointee.stack = word(top, instruction.pointee.d)
        frame.pointee.gas = gas
        frame.pointee.programCounter =
          UnsafeRawPointer(next) - UnsafeRawPointer(Program.instructions(program))
        let step = execute(instruction.pointee.extra, frame)
        if step != .next { return step }
        top = UnsafeMutableRawPointer(frame.pointee.stack)
        gas = frame.pointee.gas
        memoryCount = frame.pointee.memoryCount

      case .move:
        word(top, instruction.pointee.d).pointee = word(top, instruction.pointee.a).pointee
      case .swap:
        let first = word(top, instruction.pointee.a).pointee
        word(top, instruction.pointee.a).pointee = word(top, instruction.pointee.d).pointee
        word(top, instruction.pointee.d).pointee = first
      case .loadSmall:
        word(top, instruction.pointee.d).pointee = UInt256(instruction.pointee.immediate)
      case .loadWord:
        word(top, instruction.pointee.d).pointee = instruction.poolWord

      case .add:
        word(top, instruction.pointee.d).pointee =
          word(top, instruction.pointee.a).pointee &+ word(top, instruction.pointee.b).pointee
      case .multiply:
        word(top, instruction.pointee.d).pointee =
          word(top, instruction.pointee.a).pointee &* word(top, instruction.pointee.b).pointee
      case .subtract:
        word(top, instruction.pointee.d).pointee =
          word(top, instruction.pointee.a).pointee &- word(top, instruction.pointee.b).pointee
      case .divide:
        word(top, instruction.pointee.d).pointee = UInt256.divide(
          word(top, instruction.pointee.a).pointee, word(top, instruction.pointee.b).pointee)
      case .signedDivide:
        word(top, instruction.pointee.d).pointee = UInt256.signedDivide(
          word(top, instruction.pointee.a).pointee, word(top, instruction.pointee.b).pointee)
      case .remainder:
        word(top, instruction.pointee.d).pointee = UInt256.remainder(
          word(top, instruction.pointee.a).pointee, word(top, instruction.pointee.b).pointee)
      case .signedRemainder:
        word(top, instruction.pointee.d).pointee = UInt256.signedRemainder(
          word(top, instruction.pointee.a).pointee, word(top, instruction.pointee.b).pointee)
      case .addModulo:
        word(top, instruction.pointee.d).pointee = UInt256.addModulo(
          word(top, instruction.pointee.a).pointee, word(top, instruction.pointee.b).pointee,
          word(top, instruction.third).pointee)
      case .multiplyModulo:
        word(top, instruction.pointee.d).pointee = UInt256.multiplyModulo(
          word(top, instruction.pointee.a).pointee, word(top, instruction.pointee.b).pointee,
          word(top, instruction.third).pointee)
      case .signExtend:
        word(top, instruction.pointee.d).pointee =
          word(top, instruction.pointee.b).pointee.signExtended(
            fromByte: word(top, instruction.pointee.a).pointee)
      case .less:
        word(top, instruction.pointee.d).pointee = UInt256(
          word(top, instruction.pointee.a).pointee < word(top, instruction.pointee.b).pointee)
      case .signedLess:
        word(top, instruction.pointee.d).pointee = UInt256(
          UInt256.signedLess(
            word(top, instruction.pointee.a).pointee, word(top, instruction.pointee.b).pointee))
      case .equal:
        word(top, instruction.pointee.d).pointee = UInt256(
          word(top, instruction.pointee.a).pointee == word(top, instruction.pointee.b).pointee)
      case .isZero:
        word(top, instruction.pointee.d).pointee = UInt256(
          word(top, instruction.pointee.a).pointee.isZero)
      case .and:
        word(top, instruction.pointee.d).pointee =
          word(top, instruction.pointee.a).pointee & word(top, instruction.pointee.b).pointee
      case .or:
        word(top, instruction.pointee.d).pointee =
          word(top, instruction.pointee.a).pointee | word(top, instruction.pointee.b).pointee
      case .xor:
        word(top, instruction.pointee.d).pointee =
          word(top, instruction.pointee.a).pointee ^ word(top, instruction.pointee.b).pointee
      case .not:
        word(top, instruction.pointee.d).pointee = ~word(top, instruction.pointee.a).pointee
      case .byte:
        word(top, instruction.pointee.d).pointee =
          word(top, instruction.pointee.b).pointee.byte(
            at: word(top, instruction.pointee.a).pointee)
      case .shiftLeft:
        word(top, instruction.pointee.d).pointee =
          word(top, instruction.pointee.b).pointee
          << word(top, instruction.pointee.a).pointee.clampedToUInt64
      case .shiftRight:
        word(top, instruction.pointee.d).pointee =
          word(top, instruction.pointee.b).pointee
          >> word(top, instruction.pointee.a).pointee.clampedToUInt64
      case .shiftRightArithmetic:
        word(top, instruction.pointee.d).pointee =
          word(top, instruction.pointee.b).pointee.shiftedRightArithmetic(
            word(top, instruction.pointee.a).pointee.clampedToUInt64)
      case .leadingZeros:
        word(top, instruction.pointee.d).pointee = UInt256(
          UInt64(word(top, instruction.pointee.a).pointee.leadingZeroBitCount))

      case .addSmall:
        word(top, instruction.pointee.d).pointee =
          word(top, instruction.pointee.a).pointee &+ UInt256(instruction.pointee.immediate)
      case .subtractSmall:
        word(top, instruction.pointee.d).pointee =
          word(top, instruction.pointee.a).pointee &- UInt256(instruction.pointee.immediate)
      case .multiplySmall:
        word(top, instruction.pointee.d).pointee = UInt256.multiply(
          word(top, instruction.pointee.a).pointee, instruction.pointee.immediate)
      case .divideSmall:
        word(top, instruction.pointee.d).pointee = UInt256.divide(
          word(top, instruction.pointee.a).pointee, UInt256(instruction.pointee.immediate))
      case .remainderSmall:
        word(top, instruction.pointee.d).pointee = UInt256.remainder(
          word(top, instruction.pointee.a).pointee, UInt256(instruction.pointee.immediate))
      case .lessSmall:
        word(top, instruction.pointee.d).pointee = UInt256(
          isLess(word(top, instruction.pointee.a), instruction.pointee.immediate))
      case .greaterSmall:
        word(top, instruction.pointee.d).pointee = UInt256(
          isGreater(word(top, instruction.pointee.a), instruction.pointee.immediate))
      case .equalSmall:
        word(top, instruction.pointee.d).pointee = UInt256(
          isEqual(word(top, instruction.pointee.a), instruction.pointee.immediate))
      case .andSmall:
        word(top, instruction.pointee.d).pointee = UInt256(
          word(top, instruction.pointee.a).pointee.limb0 & instruction.pointee.immediate)
      case .orSmall:
        var value = word(top, instruction.pointee.a).pointee
        value.limb0 |= instruction.pointee.immediate
        word(top, instruction.pointee.d).pointee = value
      case .byteAt:
        word(top, instruction.pointee.d).pointee = UInt256(
          UInt64(
            word(top, instruction.pointee.a).pointee.bigEndianByte(
              Int(instruction.pointee.immediate))))
      case .signExtendAt:
        word(top, instruction.pointee.d).pointee =
          word(top, instruction.pointee.a).pointee.signExtended(
            fromByte: UInt256(instruction.pointee.immediate))
      case .shiftLeft0:
        let value = word(top, instruction.pointee.a).pointee
        let bits = instruction.pointee.immediate
        word(top, instruction.pointee.d).pointee = UInt256(
          value.limb0 &<< bits, spill(value.limb1, value.limb0, bits),
          spill(value.limb2, value.limb1, bits), spill(value.limb3, value.limb2, bits))
      case .shiftLeft1:
        let value = word(top, instruction.pointee.a).pointee
        let bits = instruction.pointee.immediate
        word(top, instruction.pointee.d).pointee = UInt256(
          0, value.limb0 &<< bits, spill(value.limb1, value.limb0, bits),
          spill(value.limb2, value.limb1, bits))
      case .shiftLeft2:
        let value = word(top, instruction.pointee.a).pointee
        let bits = instruction.pointee.immediate
        word(top, instruction.pointee.d).pointee = UInt256(
          0, 0, value.limb0 &<< bits, spill(value.limb1, value.limb0, bits))
      case .shiftLeft3:
        let value = word(top, instruction.pointee.a).pointee.limb0
        word(top, instruction.pointee.d).pointee = UInt256(
          0, 0, 0, value &<< instruction.pointee.immediate)
      case .shiftRight0:
        let value = word(top, instruction.pointee.a).pointee
        let bits = instruction.pointee.immediate
        word(top, instruction.pointee.d).pointee = UInt256(
          drop(value.limb1, value.limb0, bits), drop(value.limb2, value.limb1, bits),
          drop(value.limb3, value.limb2, bits), value.limb3 &>> bits)
      case .shiftRight1:
        let value = word(top, instruction.pointee.a).pointee
        let bits = instruction.pointee.immediate
        word(top, instruction.pointee.d).pointee = UInt256(
          drop(value.limb2, value.limb1, bits), drop(value.limb3, value.limb2, bits),
          value.limb3 &>> bits, 0)
      case .shiftRight2:
        let value = word(top, instruction.pointee.a).pointee
        let bits = instruction.pointee.immediate
        word(top, instruction.pointee.d).pointee = UInt256(
          drop(value.limb3, value.limb2, bits), value.limb3 &>> bits, 0, 0)
      case .shiftRight3:
        let value = word(top, instruction.pointee.a).pointee.limb3
        word(top, instruction.pointee.d).pointee = UInt256(
          value &>> instruction.pointee.immediate)
      case .shiftRightArithmeticBy:
        word(top, instruction.pointee.d).pointee =
          word(top, instruction.pointee.a).pointee.shiftedRightArithmetic(
            instruction.pointee.immediate)

      case .addWord:
        word(top, instruction.pointee.d).pointee =
          word(top, instruction.pointee.a).pointee &+ instruction.poolWord
      case .andWord:
        word(top, instruction.pointee.d).pointee =
          word(top, instruction.pointee.a).pointee & instruction.poolWord
      case .orWord:
        word(top, instruction.pointee.d).pointee =
          word(top, instruction.pointee.a).pointee | instruction.poolWord
      case .equalWord:
        word(top, instruction.pointee.d).pointee = UInt256(
          word(top, instruction.pointee.a).pointee == instruction.poolWord)

      case .memoryLoad:
        let offset = word(top, instruction.pointee.a).pointee
        let status = reach(frame, offset, 32, &gas, &memoryCount)
        if status != .stopped { return exit(status) }
        word(top, instruction.pointee.d).pointee = UInt256(
          bigEndian: memory + Int(offset.limb0))
      case .memoryLoadAt:
        let offset = instruction.pointee.immediate
        let status = reach(frame, UInt256(offset), 32, &gas, &memoryCount)
        if status != .stopped { return exit(status) }
        word(top, instruction.pointee.d).pointee = UInt256(bigEndian: memory + Int(offset))
      case .memoryStore:
        let offset = word(top, instruction.pointee.a).pointee
        let status = reach(frame, offset, 32, &gas, &memoryCount)
        if status != .stopped { return exit(status) }
        word(top, instruction.pointee.b).pointee.store(bigEndian: memory + Int(offset.limb0))
      case .memoryStoreAt:
        let offset = instruction.pointee.immediate
        let status = reach(frame, UInt256(offset), 32, &gas, &memoryCount)
        if status != .stopped { return exit(status) }
        word(top, instruction.pointee.b).pointee.store(bigEndian: memory + Int(offset))
      case .memoryStoreByte:
        let offset = word(top, instruction.pointee.a).pointee
        let status = reach(frame, offset, 1, &gas, &memoryCount)
        if status != .stopped { return exit(status) }
        memory[Int(offset.limb0)] = UInt8(
          truncatingIfNeeded: word(top, instruction.pointee.b).pointee.limb0)
      case .memorySize:
        word(top, instruction.pointee.d).pointee = UInt256(UInt64(bitPattern: Int64(memoryCount)))
      case .gas:
        word(top, instruction.pointee.d).pointee = UInt256(
          UInt64(gas &+ Int64(bitPattern: instruction.pointee.immediate)))
      case .callDataLoad:
        word(top, instruction.pointee.d).pointee = callDataWord(
          frame, word(top, instruction.pointee.a).pointee)
      case .callDataLoadAt:
        word(top, instruction.pointee.d).pointee = callDataWord(
          frame, UInt256(instruction.pointee.immediate))
      case .callDataSize:
        word(top, instruction.pointee.d).pointee = UInt256(UInt64(frame.pointee.inputCount))
      case .caller:
        word(top, instruction.pointee.d).pointee = frame.pointee.caller.word
      case .address:
        word(top, instruction.pointee.d).pointee = frame.pointee.address.word
      case .callValue:
        word(top, instruction.pointee.d).pointee = frame.pointee.value
      case .keccak:
        let rest = Int64(bitPattern: instruction.pointee.immediate)
        frame.pointee.gas = gas &+ rest
        let status = keccak256(
          frame, word(top, instruction.pointee.a).pointee,
          word(top, instruction.pointee.b).pointee, word(top, instruction.pointee.d))
        if status != .stopped { return exit(status) }
        gas = frame.pointee.gas &- rest
        if gas < 0 { return exit(.outOfGas) }
        memoryCount = frame.pointee.memoryCount
      case .storageLoad:
        let rest = Int64(bitPattern: instruction.pointee.immediate)
        frame.pointee.gas = gas &+ rest
        let key = word(top, instruction.pointee.a).pointee
        if !storageLoad(frame, key, word(top, instruction.pointee.d)) { return .exit }
        gas = frame.pointee.gas &- rest
        if gas < 0 { return exit(.outOfGas) }
      }
    }
  }

  /// Goes on without the program, from the head of a block that it can not enter.
  @inline(never)
  private mutating func interpretPlainly(
    _ frame: UnsafeMutablePointer<Frame>, from position: Int, _ top: UnsafeMutableRawPointer,
    _ gas: Int64
  ) -> Step {
    frame.pointee.code.program = nil
    frame.pointee.programCounter = position
    frame.pointee.stack = top.assumingMemoryBound(to: UInt256.self)
    frame.pointee.gas = gas
    return interpret(frame)
  }

  /// The word at a distance in bytes from the top.
  @inline(__always)
  private func word(_ top: UnsafeMutableRawPointer, _ offset: Int16)
    -> UnsafeMutablePointer<UInt256>
  {
    (top + Int(offset)).assumingMemoryBound(to: UInt256.self)
  }

  /// The block of a jump destination; the instruction that refuses it for other places.
  @inline(__always)
  private func destination(_ program: UnsafePointer<Program>, _ target: UInt256)
    -> UnsafePointer<Instruction>
  {
    let first = UnsafeRawPointer(Program.instructions(program))
    var distance = 0
    if target.fitsUInt64 && target.limb0 < UInt64(program.pointee.codeCount) {
      distance = Int(Program.table(program)[Int(target.limb0)])
    }
    return (first + distance).assumingMemoryBound(to: Instruction.self)
  }

  @inline(__always)
  private func isEqual(_ word: UnsafeMutablePointer<UInt256>, _ small: UInt64) -> Bool {
    let value = word.pointee
    return ((value.limb0 ^ small) | value.limb1 | value.limb2 | value.limb3) == 0
  }

  @inline(__always)
  private func isLess(_ word: UnsafeMutablePointer<UInt256>, _ small: UInt64) -> Bool {
    let value = word.pointee
    return value.fitsUInt64 && value.limb0 < small
  }

  @inline(__always)
  private func isGreater(_ word: UnsafeMutablePointer<UInt256>, _ small: UInt64) -> Bool {
    let value = word.pointee
    return !value.fitsUInt64 || value.limb0 > small
  }

  /// A limb of a left shift by 0 to 63 bits, with what the limb below it loses.
  @inline(__always)
  private func spill(_ limb: UInt64, _ below: UInt64, _ bits: UInt64) -> UInt64 {
    (limb &<< bits) | ((below &>> 1) &>> (63 &- bits))
  }

  /// A limb of a right shift by 0 to 63 bits, with what the limb above it loses.
  @inline(__always)
  private func drop(_ above: UInt64, _ limb: UInt64, _ bits: UInt64) -> UInt64 {
    (limb &>> bits) | ((above &<< 1) &<< (63 &- bits))
  }
}

extension UnsafePointer<Instruction> {
  /// Where a jump with a known target goes.
  @inline(__always)
  fileprivate var target: UnsafePointer<Instruction> {
    (UnsafeRawPointer(self) + pointee.distance).assumingMemoryBound(to: Instruction.self)
  }

  /// The word of the pool that the immediate names.
  @inline(__always)
  fileprivate var poolWord: UInt256 {
    (UnsafeRawPointer(self) + Int(truncatingIfNeeded: pointee.immediate))
      .assumingMemoryBound(to: UInt256.self).pointee
  }

  /// The offset of the third operand.
  @inline(__always)
  fileprivate var third: Int16 { Int16(truncatingIfNeeded: pointee.immediate) }
}

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
    var next = InstructionStream(
      at: (UnsafeRawPointer(Program.instructions(program)) + frame.pointee.programCounter)
        .assumingMemoryBound(to: Instruction.self))
    var top = View.Stack(UnsafeMutableRawPointer(frame.pointee.stack))
    let base = View.Stack(UnsafeMutableRawPointer(frame.pointee.stackBase))
    var gas = frame.pointee.gas
    var memoryCount = frame.pointee.memoryCount
    // The last result, where those are kept.
    var kept = UInt256.zero

    while true {
      let instruction = next.take()
      switch instruction.pointee.operation {
      case .block:
        if !pays(instruction, frame, top, base, &gas) {
          return interpretPlainly(frame, from: instruction.address, top, gas)
        }
      case .advance:
        top += Int(instruction.pointee.d)
      case .jump:
        top += Int(instruction.pointee.d)
        let block = next.enter(instruction.target)
        if isOutOfTime() { return exit(.timeExhausted) }
        if !pays(block, frame, top, base, &gas) {
          return interpretPlainly(frame, from: block.address, top, gas)
        }
      case .jumpDynamic:
        guard let target = destination(program, word(top, instruction.pointee.a)) else {
          return exit(.invalidJump)
        }
        let block = next.enter(target)
        if isOutOfTime() { return exit(.timeExhausted) }
        top += Int(instruction.pointee.d)
        if !pays(block, frame, top, base, &gas) {
          return interpretPlainly(frame, from: block.address, top, gas)
        }
      case .jumpDynamicIf:
        if isZero(word(top, instruction.pointee.a).pointee) {
          top += Int(instruction.pointee.d)
        } else {
          guard let target = destination(program, word(top, instruction.pointee.b)) else {
            return exit(.invalidJump)
          }
          let block = next.enter(target)
          if isOutOfTime() { return exit(.timeExhausted) }
          top += Int(instruction.pointee.d)
          if !pays(block, frame, top, base, &gas) {
            return interpretPlainly(frame, from: block.address, top, gas)
          }
        }
      case .exitIf:
        let leaves =
          !isZero(first(instruction, top, kept))
        if !leaves && !goesOn(instruction, &next, &gas) { return exit(.outOfGas) }
      case .exitIfZero:
        let leaves =
          isZero(first(instruction, top, kept))
        if !leaves && !goesOn(instruction, &next, &gas) { return exit(.outOfGas) }
      case .exitIfEqualSmall:
        let leaves =
          isEqual(first(instruction, top, kept), instruction.pointee.upper)
        if !leaves && !goesOn(instruction, &next, &gas) { return exit(.outOfGas) }
      case .exitIfNotEqualSmall:
        let leaves =
          !isEqual(first(instruction, top, kept), instruction.pointee.upper)
        if !leaves && !goesOn(instruction, &next, &gas) { return exit(.outOfGas) }
      case .exitIfLessSmall:
        let leaves =
          isLess(first(instruction, top, kept), instruction.pointee.upper)
        if !leaves && !goesOn(instruction, &next, &gas) { return exit(.outOfGas) }
      case .exitIfNotLessSmall:
        let leaves =
          !isLess(first(instruction, top, kept), instruction.pointee.upper)
        if !leaves && !goesOn(instruction, &next, &gas) { return exit(.outOfGas) }
      case .exitIfGreaterSmall:
        let leaves =
          isGreater(first(instruction, top, kept), instruction.pointee.upper)
        if !leaves && !goesOn(instruction, &next, &gas) { return exit(.outOfGas) }
      case .exitIfNotGreaterSmall:
        let leaves =
          !isGreater(first(instruction, top, kept), instruction.pointee.upper)
        if !leaves && !goesOn(instruction, &next, &gas) { return exit(.outOfGas) }
      case .exitIfEqual:
        let leaves =
          isEqual(first(instruction, top, kept), second(instruction, top, kept))
        if !leaves && !goesOn(instruction, &next, &gas) { return exit(.outOfGas) }
      case .exitIfNotEqual:
        let leaves =
          !isEqual(first(instruction, top, kept), second(instruction, top, kept))
        if !leaves && !goesOn(instruction, &next, &gas) { return exit(.outOfGas) }
      case .exitIfLess:
        let leaves =
          first(instruction, top, kept) < second(instruction, top, kept)
        if !leaves && !goesOn(instruction, &next, &gas) { return exit(.outOfGas) }
      case .exitIfNotLess:
        let leaves =
          first(instruction, top, kept) >= second(instruction, top, kept)
        if !leaves && !goesOn(instruction, &next, &gas) { return exit(.outOfGas) }
      case .exitIfSignedLess:
        let leaves =
          UInt256.signedLess(
            first(instruction, top, kept), second(instruction, top, kept))
        if !leaves && !goesOn(instruction, &next, &gas) { return exit(.outOfGas) }
      case .exitIfNotSignedLess:
        let leaves =
          !UInt256.signedLess(
            first(instruction, top, kept), second(instruction, top, kept))
        if !leaves && !goesOn(instruction, &next, &gas) { return exit(.outOfGas) }
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
        frame.pointee.stack = word(top, instruction.pointee.d).words
        frame.pointee.gas = gas &+ rest
        let step = execute(instruction.pointee.extra, frame)
        if step != .next { return step }
        gas = frame.pointee.gas &- rest
        if gas < 0 { return exit(.outOfGas) }
        memoryCount = frame.pointee.memoryCount
      case .access:
        frame.pointee.stack = word(top, instruction.pointee.d).words
        frame.pointee.gas = gas
        let step = execute(instruction.pointee.extra, frame)
        if step != .next { return step }
        gas = frame.pointee.gas &- Int64(bitPattern: instruction.pointee.immediate)
        if gas < 0 { return exit(.outOfGas) }
        memoryCount = frame.pointee.memoryCount
      case .enter:
        frame.pointee.stack = word(top, instruction.pointee.d).words
        frame.pointee.gas = gas
        frame.pointee.programCounter =
          UnsafeRawPointer(next.address) - UnsafeRawPointer(Program.instructions(program))
        let step = execute(instruction.pointee.extra, frame)
        if step != .next { return step }
        top = View.Stack(UnsafeMutableRawPointer(frame.pointee.stack))
        gas = frame.pointee.gas
        memoryCount = frame.pointee.memoryCount

      case .move:
        copy(top, instruction.pointee.a, instruction.pointee.d)
      case .move2:
        copy(top, instruction.pointee.a, instruction.pointee.d)
        copy(top, instruction.pointee.b, instruction.third)
      case .move3:
        copy(top, instruction.pointee.a, instruction.pointee.d)
        copy(top, instruction.pointee.b, instruction.third)
        copy(
          top, Int16(truncatingIfNeeded: instruction.pointee.immediate >> 16),
          Int16(truncatingIfNeeded: instruction.pointee.immediate >> 32))
      case .swap:
        View.Stack.exchange(word(top, instruction.pointee.a), word(top, instruction.pointee.d))
      case .loadSmall:
        put(UInt256(instruction.pointee.immediate), instruction, top, &kept)
      case .loadWord:
        put(instruction.poolWord, instruction, top, &kept)

      case .add:
        put(
          first(instruction, top, kept) &+ second(instruction, top, kept), instruction, top, &kept)
      case .multiply:
        put(
          first(instruction, top, kept) &* second(instruction, top, kept), instruction, top, &kept)
      case .subtract:
        put(
          first(instruction, top, kept) &- second(instruction, top, kept), instruction, top, &kept)
      case .divide:
        UInt256.divide(
          word(top, instruction.pointee.a).words, word(top, instruction.pointee.b).words,
          into: word(top, instruction.pointee.d).words)
      case .signedDivide:
        UInt256.signedDivide(
          word(top, instruction.pointee.a).words, word(top, instruction.pointee.b).words,
          into: word(top, instruction.pointee.d).words)
      case .remainder:
        UInt256.remainder(
          word(top, instruction.pointee.a).words, word(top, instruction.pointee.b).words,
          into: word(top, instruction.pointee.d).words)
      case .signedRemainder:
        UInt256.signedRemainder(
          word(top, instruction.pointee.a).words, word(top, instruction.pointee.b).words,
          into: word(top, instruction.pointee.d).words)
      case .addModulo:
        UInt256.addModulo(
          word(top, instruction.pointee.a).words, word(top, instruction.pointee.b).words,
          word(top, instruction.third).words, into: word(top, instruction.pointee.d).words)
      case .multiplyModulo:
        UInt256.multiplyModulo(
          word(top, instruction.pointee.a).words, word(top, instruction.pointee.b).words,
          word(top, instruction.third).words, workspace.lastModulus,
          into: word(top, instruction.pointee.d).words)
      case .signExtend:
        word(top, instruction.pointee.b).pointee.signExtend(
          fromByte: word(top, instruction.pointee.a).pointee,
          into: word(top, instruction.pointee.d).words)
      case .less:
        put(
          UInt256(first(instruction, top, kept) < second(instruction, top, kept)), instruction, top,
          &kept)
      case .signedLess:
        put(
          UInt256(
            UInt256.signedLess(first(instruction, top, kept), second(instruction, top, kept))),
          instruction, top, &kept)
      case .equal:
        put(
          UInt256(isEqual(first(instruction, top, kept), second(instruction, top, kept))),
          instruction, top, &kept)
      case .isZero:
        put(UInt256(isZero(first(instruction, top, kept))), instruction, top, &kept)
      case .and:
        if View.Stack.keepsResults {
          put(
            first(instruction, top, kept) & second(instruction, top, kept), instruction, top, &kept)
        } else {
          View.Stack.write(
            word(top, instruction.pointee.d), word(top, instruction.pointee.a),
            word(top, instruction.pointee.b)
          ) { $0 & $1 }
        }
      case .or:
        if View.Stack.keepsResults {
          put(
            first(instruction, top, kept) | second(instruction, top, kept), instruction, top, &kept)
        } else {
          View.Stack.write(
            word(top, instruction.pointee.d), word(top, instruction.pointee.a),
            word(top, instruction.pointee.b)
          ) { $0 | $1 }
        }
      case .xor:
        if View.Stack.keepsResults {
          put(
            first(instruction, top, kept) ^ second(instruction, top, kept), instruction, top, &kept)
        } else {
          View.Stack.write(
            word(top, instruction.pointee.d), word(top, instruction.pointee.a),
            word(top, instruction.pointee.b)
          ) { $0 ^ $1 }
        }
      case .not:
        if View.Stack.keepsResults {
          put(~first(instruction, top, kept), instruction, top, &kept)
        } else {
          View.Stack.write(
            word(top, instruction.pointee.d), word(top, instruction.pointee.a)
          ) { ~$1 }
        }
      case .byte:
        word(top, instruction.pointee.d).pointee =
          word(top, instruction.pointee.b).pointee.byte(
            at: word(top, instruction.pointee.a).pointee)
      case .shiftLeft:
        UInt256.shiftLeft(
          word(top, instruction.pointee.b).words, word(top, instruction.pointee.a).words,
          into: word(top, instruction.pointee.d).words)
      case .shiftRight:
        UInt256.shiftRight(
          word(top, instruction.pointee.b).words, word(top, instruction.pointee.a).words,
          into: word(top, instruction.pointee.d).words)
      case .shiftRightArithmetic:
        UInt256.shiftRightArithmetic(
          word(top, instruction.pointee.b).words, word(top, instruction.pointee.a).words,
          into: word(top, instruction.pointee.d).words)
      case .leadingZeros:
        word(top, instruction.pointee.d).pointee = UInt256(
          UInt64(word(top, instruction.pointee.a).pointee.leadingZeroBitCount))

      case .addSmall:
        put(
          first(instruction, top, kept) &+ UInt256(instruction.pointee.immediate), instruction, top,
          &kept)
      case .subtractSmall:
        put(
          first(instruction, top, kept) &- UInt256(instruction.pointee.immediate), instruction, top,
          &kept)
      case .multiplySmall:
        put(
          UInt256.multiply(first(instruction, top, kept), instruction.pointee.immediate),
          instruction, top, &kept)
      case .lessSmall:
        put(
          UInt256(first(instruction, top, kept) < UInt256(instruction.pointee.immediate)),
          instruction, top, &kept)
      case .greaterSmall:
        put(
          UInt256(UInt256(instruction.pointee.immediate) < first(instruction, top, kept)),
          instruction, top, &kept)
      case .equalSmall:
        put(
          UInt256(isEqual(first(instruction, top, kept), instruction.pointee.immediate)),
          instruction, top, &kept)
      case .andSmall:
        put(
          UInt256(first(instruction, top, kept).limb0 & instruction.pointee.immediate), instruction,
          top, &kept)
      case .orSmall:
        if View.Stack.keepsResults {
          put(
            first(instruction, top, kept) | UInt256(instruction.pointee.immediate), instruction,
            top, &kept)
        } else {
          View.Stack.write(
            word(top, instruction.pointee.d), word(top, instruction.pointee.a)
          ) { $0 == 0 ? $1 | instruction.pointee.immediate : $1 }
        }
      case .byteAt:
        put(
          UInt256(
            UInt64(first(instruction, top, kept).bigEndianByte(Int(instruction.pointee.immediate)))),
          instruction, top, &kept)
      case .signExtendAt:
        word(top, instruction.pointee.a).pointee.signExtend(
          fromByte: UInt256(instruction.pointee.immediate),
          into: word(top, instruction.pointee.d).words)
      case .shiftLeft0:
        let value = first(instruction, top, kept)
        let bits = instruction.pointee.immediate
        put(
          UInt256(
            value.limb0 &<< bits, spill(value.limb1, value.limb0, bits),
            spill(value.limb2, value.limb1, bits), spill(value.limb3, value.limb2, bits)),
          instruction, top, &kept)
      case .shiftLeft1:
        let value = first(instruction, top, kept)
        let bits = instruction.pointee.immediate
        put(
          UInt256(
            0, value.limb0 &<< bits, spill(value.limb1, value.limb0, bits),
            spill(value.limb2, value.limb1, bits)),
          instruction, top, &kept)
      case .shiftLeft2:
        let value = first(instruction, top, kept)
        let bits = instruction.pointee.immediate
        put(
          UInt256(
            0, 0, value.limb0 &<< bits, spill(value.limb1, value.limb0, bits)),
          instruction, top, &kept)
      case .shiftLeft3:
        let value = first(instruction, top, kept).limb0
        put(
          UInt256(
            0, 0, 0, value &<< instruction.pointee.immediate),
          instruction, top, &kept)
      case .shiftRight0:
        let value = first(instruction, top, kept)
        let bits = instruction.pointee.immediate
        put(
          UInt256(
            drop(value.limb1, value.limb0, bits), drop(value.limb2, value.limb1, bits),
            drop(value.limb3, value.limb2, bits), value.limb3 &>> bits),
          instruction, top, &kept)
      case .shiftRight1:
        let value = first(instruction, top, kept)
        let bits = instruction.pointee.immediate
        put(
          UInt256(
            drop(value.limb2, value.limb1, bits), drop(value.limb3, value.limb2, bits),
            value.limb3 &>> bits, 0),
          instruction, top, &kept)
      case .shiftRight2:
        let value = first(instruction, top, kept)
        let bits = instruction.pointee.immediate
        put(
          UInt256(
            drop(value.limb3, value.limb2, bits), value.limb3 &>> bits, 0, 0),
          instruction, top, &kept)
      case .shiftRight3:
        let value = first(instruction, top, kept).limb3
        put(
          UInt256(
            value &>> instruction.pointee.immediate),
          instruction, top, &kept)
      case .shiftRightArithmeticBy:
        UInt256.shiftRightArithmetic(
          word(top, instruction.pointee.a).words, instruction.pointee.immediate,
          into: word(top, instruction.pointee.d).words)

      case .addWord:
        put(first(instruction, top, kept) &+ instruction.poolWord, instruction, top, &kept)
      case .andWord:
        if View.Stack.keepsResults {
          put(first(instruction, top, kept) & instruction.poolWord, instruction, top, &kept)
        } else {
          let pool = instruction.pool
          View.Stack.write(
            word(top, instruction.pointee.d), word(top, instruction.pointee.a)
          ) { $1 & pool[$0] }
        }
      case .orWord:
        if View.Stack.keepsResults {
          put(first(instruction, top, kept) | instruction.poolWord, instruction, top, &kept)
        } else {
          let pool = instruction.pool
          View.Stack.write(
            word(top, instruction.pointee.d), word(top, instruction.pointee.a)
          ) { $1 | pool[$0] }
        }
      case .equalWord:
        put(
          UInt256(isEqual(first(instruction, top, kept), instruction.poolWord)), instruction, top,
          &kept)
      case .divideShort:
        UInt256.divide(
          word(top, instruction.pointee.a).words, instruction.pool,
          into: word(top, instruction.pointee.d).words
        )
      case .remainderShort:
        UInt256.remainder(
          word(top, instruction.pointee.a).words, instruction.pool,
          into: word(top, instruction.pointee.d).words
        )
      case .signedDivideShort:
        UInt256.signedDivide(
          word(top, instruction.pointee.a).words, instruction.pool,
          into: word(top, instruction.pointee.d).words
        )

      case .memoryLoad:
        let offset = first(instruction, top, kept)
        let status = reach(frame, offset, 32, &gas, &memoryCount)
        if status != .stopped { return exit(status) }
        put(UInt256(bigEndian: memory + Int(offset.limb0)), instruction, top, &kept)
      case .memoryLoadAt:
        let offset = instruction.pointee.immediate
        let status = reach(frame, UInt256(offset), 32, &gas, &memoryCount)
        if status != .stopped { return exit(status) }
        put(UInt256(bigEndian: memory + Int(offset)), instruction, top, &kept)
      case .memoryStore:
        let offset = first(instruction, top, kept)
        let status = reach(frame, offset, 32, &gas, &memoryCount)
        if status != .stopped { return exit(status) }
        second(instruction, top, kept).store(bigEndian: memory + Int(offset.limb0))
      case .memoryStoreAt:
        let offset = instruction.pointee.immediate
        let status = reach(frame, UInt256(offset), 32, &gas, &memoryCount)
        if status != .stopped { return exit(status) }
        second(instruction, top, kept).store(bigEndian: memory + Int(offset))
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
        put(callDataWord(frame, first(instruction, top, kept)), instruction, top, &kept)
      case .callDataLoadAt:
        put(
          callDataWord(frame, UInt256(instruction.pointee.immediate)), instruction, top, &kept)
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
          word(top, instruction.pointee.b).pointee, word(top, instruction.pointee.d).words)
        if status != .stopped { return exit(status) }
        gas = frame.pointee.gas &- rest
        if gas < 0 { return exit(.outOfGas) }
        memoryCount = frame.pointee.memoryCount
      case .storageLoad:
        frame.pointee.gas = gas
        let key = word(top, instruction.pointee.a).pointee
        if !storageLoad(frame, key, word(top, instruction.pointee.d).words) { return .exit }
        gas = frame.pointee.gas &- Int64(bitPattern: instruction.pointee.immediate)
        if gas < 0 { return exit(.outOfGas) }
      case .returnDataSize:
        word(top, instruction.pointee.d).pointee = UInt256(UInt64(returnDataCount))
      }
    }
  }

  /// Goes on without the program, from the head of a block that can not be entered.
  @inline(never)
  private mutating func interpretPlainly(
    _ frame: UnsafeMutablePointer<Frame>, from block: UnsafePointer<Instruction>,
    _ top: View.Stack, _ gas: Int64
  ) -> Step {
    frame.pointee.code.program = nil
    frame.pointee.programCounter = Int(block.pointee.upper)
    frame.pointee.stack = top.words
    frame.pointee.gas = gas
    return interpret(frame)
  }
}

// One opcode: what it does to the symbolic stack, and the instruction for what remains.
extension Translator {
  /// What follows an opcode.
  enum Continuation: BitwiseCopyable {
    case next
    case jump(Int)
    case end
  }

  /// Translates the opcode at `position`.
  mutating func translate(_ opcode: UInt8, at position: Int) -> Continuation {
    let check = checks[Int(opcode)]
    if check.stackNeed == InstructionCheck.undefined {
      emit(Instruction(.undefined))
      endBlock()
      return .end
    }
    segmentGas &+= Int64(check.gas)

    switch opcode {
    case Opcode.stop:
      emit(Instruction(.stop))
      endBlock()
      return .end
    case Opcode.push0:
      push(constant: .zero)
    case Opcode.push1...Opcode.push32:
      let bytes = Int(opcode &- Opcode.push1) &+ 1
      // The padding behind the code makes 32 bytes readable here; shift the excess out.
      push(
        constant: UInt256(bigEndian: code + position + 1) >> UInt64((32 &- bytes) &* 8))
    case Opcode.dup1...Opcode.dup16:
      let source = height &- 1 &- Int(opcode &- Opcode.dup1)
      reach(source)
      push(values[source])
    case Opcode.swap1...Opcode.swap16:
      let top = height &- 1
      let other = top &- 1 &- Int(opcode &- Opcode.swap1)
      reach(other)
      let value = values[top]
      values[top] = values[other]
      values[other] = value
    case Opcode.dupn, Opcode.swapn, Opcode.exchange:
      return translateDeep(opcode, code[position &+ 1])
    case Opcode.pop:
      release(pop())
    case Opcode.pc:
      push(constant: UInt256(UInt64(position)))
    case Opcode.codesize:
      push(constant: UInt256(UInt64(count)))

    case Opcode.add, Opcode.mul, Opcode.sub, Opcode.div, Opcode.sdiv, Opcode.mod, Opcode.smod,
      Opcode.signextend, Opcode.lt, Opcode.gt, Opcode.slt, Opcode.sgt, Opcode.eq, Opcode.and,
      Opcode.or, Opcode.xor, Opcode.byte, Opcode.shl, Opcode.shr, Opcode.sar:
      let first = pop()
      let second = pop()
      binary(opcode, first, second)
    case Opcode.iszero:
      let value = pop()
      if let word = known(value) {
        push(constant: UInt256(word.isZero))
      } else {
        unary(.isZero, value)
      }
    case Opcode.not:
      let value = pop()
      if let word = known(value) { push(constant: ~word) } else { unary(.not, value) }
    case Opcode.clz:
      let value = materialize(pop())
      unary(.leadingZeros, value)
    case Opcode.addmod:
      ternary(.addModulo)
    case Opcode.mulmod:
      ternary(.multiplyModulo)

    case Opcode.mload:
      addressed(.memoryLoad, .memoryLoadAt)
    case Opcode.calldataload:
      addressed(.callDataLoad, .callDataLoadAt)
    case Opcode.mstore:
      store()
    case Opcode.mstore8:
      let address = materialize(pop())
      let value = materialize(pop())
      release(address)
      release(value)
      emit(
        Instruction(.memoryStoreByte, a: offset(address.slot), b: offset(value.slot)))

    case Opcode.msize: nullary(.memorySize)
    case Opcode.gas: nullary(.gas)
    case Opcode.calldatasize: nullary(.callDataSize)
    case Opcode.caller: nullary(.caller)
    case Opcode.address: nullary(.address)
    case Opcode.callvalue: nullary(.callValue)
    case Opcode.returndatasize: nullary(.returnDataSize)
    case Opcode.origin, Opcode.gasprice, Opcode.coinbase, Opcode.timestamp, Opcode.number,
      Opcode.prevrandao, Opcode.gaslimit, Opcode.chainid,
      Opcode.selfbalance, Opcode.basefee, Opcode.blobbasefee, Opcode.slotnum:
      general(opcode, pops: 0, pushes: 1)
    case Opcode.keccak256:
      let start = materialize(pop())
      let length = materialize(pop())
      release(start)
      release(length)
      result(
        Instruction(
          .keccak, a: offset(start.slot), b: offset(length.slot),
          immediate: UInt64(segmentGas)), start, length)
    case Opcode.sload:
      let key = materialize(pop())
      release(key)
      result(
        Instruction(.storageLoad, a: offset(key.slot)), key, key)
      endSegment()
      beginSegment(paidBy: instructionCount &- 1)
    case Opcode.balance, Opcode.extcodesize, Opcode.extcodehash:
      general(opcode, pops: 1, pushes: 1, reads: true)
    case Opcode.sstore:
      general(opcode, pops: 2, pushes: 0, reads: true)
    case Opcode.extcodecopy:
      general(opcode, pops: 4, pushes: 0, reads: true)
    case Opcode.blockhash, Opcode.blobhash, Opcode.tload:
      general(opcode, pops: 1, pushes: 1)
    case Opcode.exp:
      general(opcode, pops: 2, pushes: 1)
    case Opcode.tstore:
      general(opcode, pops: 2, pushes: 0)
    case Opcode.calldatacopy, Opcode.codecopy, Opcode.returndatacopy, Opcode.mcopy:
      general(opcode, pops: 3, pushes: 0)
    case Opcode.log0...Opcode.log4:
      general(opcode, pops: 2 &+ Int(opcode &- Opcode.log0), pushes: 0)

    case Opcode.jump:
      return jump(pop())
    case Opcode.jumpi:
      return jumpIf(next: position &+ 1)
    case Opcode.`return`, Opcode.revert:
      let start = materialize(pop())
      let length = materialize(pop())
      emit(
        Instruction(
          opcode == Opcode.`return` ? .return : .revert, a: offset(start.slot),
          b: offset(length.slot)))
      endBlock()
      return .end
    default:
      // Calls, creations and SELFDESTRUCT see the frame's own stack and its exact gas.
      enter(opcode, pops: Int(check.stackNeed >> 5), next: position &+ 1)
      return opcode == Opcode.selfdestruct ? .end : .next
    }
    return .next
  }

  /// DUPN, SWAPN and EXCHANGE, with the byte behind them (EIP-8024).
  private mutating func translateDeep(_ opcode: UInt8, _ byte: UInt8) -> Continuation {
    let top = height &- 1
    if opcode == Opcode.exchange, let (first, second) = StackOperand.pair(byte) {
      exchange(top &- first, top &- second)
      return .next
    }
    guard opcode != Opcode.exchange, let depth = StackOperand.single(byte) else {
      emit(Instruction(.undefined))
      endBlock()
      return .end
    }
    if opcode == Opcode.dupn {
      reach(height &- depth)
      push(values[height &- depth])
    } else {
      exchange(top, top &- depth)
    }
    return .next
  }

  /// Exchanges what two positions stand for; the second is the deeper one.
  private mutating func exchange(_ first: Int, _ second: Int) {
    reach(second)
    let value = values[first]
    values[first] = values[second]
    values[second] = value
  }

  /// An instruction whose result goes on the stack; its operands are released.
  mutating func result(
    _ instruction: Instruction, _ first: SymbolicValue, _ second: SymbolicValue
  ) {
    var instruction = instruction
    takeKept(&instruction, first, second)
    let slot = resultSlot(first, second)
    instruction.d = offset(slot)
    emit(instruction)
    push(SymbolicValue(slot: slot))
  }

  /// Marks operands that are the last instruction's result, when nothing else refers to it.
  private mutating func takeKept(
    _ instruction: inout Instruction, _ first: SymbolicValue, _ second: SymbolicValue
  ) {
    let last = instructionCount &- 1
    if !instruction.operation.canTake || last < segmentStart || last <= mark { return }
    if !instructions[last].operation.canKeep { return }
    var taken: UInt8 = 0
    var slot = 0
    if !first.isConstant && instructions[last].d == offset(first.slot) {
      taken |= Instruction.takesFirst
      slot = first.slot
    }
    if !second.isConstant && instructions[last].d == offset(second.slot) {
      taken |= Instruction.takesSecond
      slot = second.slot
    }
    if taken == 0 || references[slot] != 0 { return }
    instructions[last].extra |= Instruction.keepsResult
    instruction.extra = taken
  }

  private mutating func nullary(_ operation: Operation) {
    let none = SymbolicValue(constant: 0)
    result(Instruction(operation, immediate: UInt64(segmentGas)), none, none)
  }

  mutating func unary(_ operation: Operation, _ value: SymbolicValue) {
    release(value)
    result(Instruction(operation, a: offset(value.slot)), value, value)
  }

  private mutating func ternary(_ operation: Operation) {
    let first = materialize(pop())
    let second = materialize(pop())
    let third = materialize(pop())
    release(first)
    release(second)
    release(third)
    result(
      Instruction(
        operation, a: offset(first.slot), b: offset(second.slot),
        immediate: UInt64(UInt16(bitPattern: offset(third.slot)))), first, second)
  }

  /// A load from an address: known, or in a slot.
  private mutating func addressed(_ operation: Operation, _ known: Operation) {
    let address = pop()
    if let place = small(address), place < 1 << 32 {
      result(Instruction(known, immediate: place), address, address)
      return
    }
    let slot = materialize(address)
    release(slot)
    result(Instruction(operation, a: offset(slot.slot)), slot, slot)
  }

  private mutating func store() {
    let address = pop()
    let value = materialize(pop())
    if let place = small(address), place < 1 << 32 {
      release(value)
      var instruction = Instruction(.memoryStoreAt, b: offset(value.slot), immediate: place)
      takeKept(&instruction, address, value)
      emit(instruction)
      return
    }
    let slot = materialize(address)
    release(slot)
    release(value)
    var instruction = Instruction(.memoryStore, a: offset(slot.slot), b: offset(value.slot))
    takeKept(&instruction, slot, value)
    emit(instruction)
  }

  /// An opcode that works on the frame's record: its operands go to slots in a row.
  private mutating func general(
    _ opcode: UInt8, pops: Int, pushes: Int, reads: Bool = false
  ) {
    let first: Int
    if pops == 0 {
      reach(height)
      first = references[height] == 0 ? height : freeSlots(1)
    } else {
      first = arrange(pops, overwrites: pushes > 0)
    }
    emit(
      Instruction(
        reads ? .access : .general, extra: opcode, d: offset(first &+ pops),
        immediate: UInt64(segmentGas)))
    var index = 0
    while index < pops {
      release(pop())
      index &+= 1
    }
    if pushes > 0 { push(SymbolicValue(slot: first)) }
    if reads {
      endSegment()
      beginSegment(paidBy: instructionCount &- 1)
    }
  }

  /// An opcode that may enter a frame: everything is in its place, and the block ends.
  private mutating func enter(_ opcode: UInt8, pops: Int, next: Int) {
    reach(height &- pops)
    flush()
    emit(Instruction(.enter, extra: opcode, d: delta))
    endBlock()
    if opcode != Opcode.selfdestruct { beginBlock(next) }
  }

  // MARK: Jumps

  /// The jump destination that a word names.
  func destination(_ target: UInt256) -> Int? {
    if !target.fitsUInt64 || target.limb0 >= UInt64(count) { return nil }
    let position = Int(target.limb0)
    return isJumpDestination(position) ? position : nil
  }

  private mutating func jump(_ target: SymbolicValue) -> Continuation {
    if let word = known(target) {
      if let position = destination(word) { return .jump(position) }
      emit(Instruction(.invalidJump))
    } else {
      let kept = protect(target)
      flush()
      emit(Instruction(.jumpDynamic, a: offset(kept.slot), d: delta))
    }
    endBlock()
    return .end
  }

  private mutating func jumpIf(next: Int) -> Continuation {
    let target = pop()
    let condition = pop()
    if let word = known(condition) {
      if !word.isZero { return jump(target) }
      release(target)
      return .next
    }
    guard let word = known(target) else {
      let kept = protect(condition)
      let way = protect(target)
      flush()
      emit(
        Instruction(
          .jumpDynamicIf, a: offset(kept.slot), b: offset(way.slot), d: delta))
      endBlock()
      beginBlock(next)
      return .next
    }
    var instruction = fused(condition)
    release(condition)
    if instruction.operation == .exitIf || instruction.operation == .exitIfZero,
      instruction.extra == 0
    {
      let slot = SymbolicValue(slot: Int(instruction.a) / 32)
      takeKept(&instruction, slot, SymbolicValue(constant: 0))
    }
    let place = instructionCount
    emit(instruction)
    endSegment()
    mark = place
    exit(to: word)
    if hasFailed { return .end }
    instructions[place].immediate |= UInt64(
      UInt32(truncatingIfNeeded: (instructionCount &- place) &* Instruction.size))
    beginSegment(paidBy: place)
    return .next
  }

  /// The exit for a condition. Comparisons that only it needs are taken back and
  /// become part of it.
  private mutating func fused(_ condition: SymbolicValue) -> Instruction {
    var isNegated = false
    var taken: UInt8 = 0
    var slot = condition.slot
    var mayTake = references[slot] == 1
    while mayTake && instructionCount > max(segmentStart, blockStart &+ 1) {
      let last = instructions[instructionCount &- 1]
      if last.d != offset(slot) { break }
      if last.operation == .isZero {
        instructionCount &-= 1
        isNegated.toggle()
        taken = last.extra & Instruction.takesFirst
        slot = Int(last.a) / 32
        // What it read may be needed elsewhere, too; then it stays.
        mayTake = references[slot] == (slot == condition.slot ? 1 : 0)
        continue
      }
      if let exit = Translator.exit(for: last) {
        instructionCount &-= 1
        var instruction = exit
        if isNegated { instruction.operation = exit.operation.negated }
        instruction.extra = last.extra & ~Instruction.keepsResult
        return instruction
      }
      break
    }
    return Instruction(isNegated ? .exitIfZero : .exitIf, extra: taken, a: offset(slot))
  }

  /// The exit that a comparison can become.
  private static func exit(for comparison: Instruction) -> Instruction? {
    let operation: Operation
    switch comparison.operation {
    case .equal: operation = .exitIfEqual
    case .less: operation = .exitIfLess
    case .signedLess: operation = .exitIfSignedLess
    case .equalSmall: operation = .exitIfEqualSmall
    case .lessSmall: operation = .exitIfLessSmall
    case .greaterSmall: operation = .exitIfGreaterSmall
    default: return nil
    }
    if comparison.immediate >> 32 != 0 { return nil }
    return Instruction(
      operation, a: comparison.a, b: comparison.b, immediate: comparison.immediate << 32)
  }
}

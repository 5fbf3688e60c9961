extension Machine {
  /// Runs one frame until it ends or enters another.
  ///
  /// The contract of every opcode below: the stack is deep enough and has room, and the static gas
  /// is paid. `sp` points one past the top. Opcodes that touch nothing but the stack, memory and
  /// the program counter live here, in local registers; the rest go through `execute`, which finds
  /// the registers in the frame's record.
  @inline(never)
  mutating func interpret(_ frame: UnsafeMutablePointer<Frame>) -> Step {
    let code = frame.pointee.code.bytes
    let checks = UnsafePointer(instructions)
    let base = frame.pointee.stackBase
    let memory = frame.pointee.memory
    var pc = frame.pointee.programCounter
    var sp = frame.pointee.stack
    var gas = frame.pointee.gas
    var memoryCount = frame.pointee.memoryCount

    while true {
      let opcode = code[pc]
      let check = checks[Int(opcode)]
      if Tracer.isEnabled {
        frame.pointee.programCounter = pc
        frame.pointee.stack = sp
        frame.pointee.gas = gas
        trace(frame, opcode)
      }
      let height = UInt(bitPattern: sp) &- UInt(bitPattern: base)
      // One unsigned comparison finds underflow, overflow and undefined opcodes.
      if height &- UInt(check.stackNeed) > UInt(check.stackRange) {
        frame.pointee.gas = gas
        return exit(stackFault(check, height))
      }
      gas &-= Int64(check.gas)
      if gas < 0 { return exit(.outOfGas) }
      pc &+= 1

      switch opcode {
      case Opcode.stop:
        frame.pointee.gas = gas
        frame.pointee.outputCount = 0
        return exit(.stopped)

      case Opcode.add:
        sp[-2] = sp[-1] &+ sp[-2]
        sp -= 1
      case Opcode.mul:
        sp[-2] = sp[-1] &* sp[-2]
        sp -= 1
      case Opcode.sub:
        sp[-2] = sp[-1] &- sp[-2]
        sp -= 1
      case Opcode.div:
        sp[-2] = UInt256.divide(sp[-1], sp[-2])
        sp -= 1
      case Opcode.sdiv:
        sp[-2] = UInt256.signedDivide(sp[-1], sp[-2])
        sp -= 1
      case Opcode.mod:
        sp[-2] = UInt256.remainder(sp[-1], sp[-2])
        sp -= 1
      case Opcode.smod:
        sp[-2] = UInt256.signedRemainder(sp[-1], sp[-2])
        sp -= 1
      case Opcode.addmod:
        sp[-3] = UInt256.addModulo(sp[-1], sp[-2], sp[-3])
        sp -= 2
      case Opcode.mulmod:
        sp[-3] = UInt256.multiplyModulo(sp[-1], sp[-2], sp[-3])
        sp -= 2
      case Opcode.signextend:
        sp[-2] = sp[-2].signExtended(fromByte: sp[-1])
        sp -= 1

      case Opcode.lt:
        sp[-2] = UInt256(sp[-1] < sp[-2])
        sp -= 1
      case Opcode.gt:
        sp[-2] = UInt256(sp[-2] < sp[-1])
        sp -= 1
      case Opcode.slt:
        sp[-2] = UInt256(UInt256.signedLess(sp[-1], sp[-2]))
        sp -= 1
      case Opcode.sgt:
        sp[-2] = UInt256(UInt256.signedLess(sp[-2], sp[-1]))
        sp -= 1
      case Opcode.eq:
        sp[-2] = UInt256(sp[-1] == sp[-2])
        sp -= 1
      case Opcode.iszero:
        sp[-1] = UInt256(sp[-1].isZero)
      case Opcode.and:
        sp[-2] = sp[-1] & sp[-2]
        sp -= 1
      case Opcode.or:
        sp[-2] = sp[-1] | sp[-2]
        sp -= 1
      case Opcode.xor:
        sp[-2] = sp[-1] ^ sp[-2]
        sp -= 1
      case Opcode.not:
        sp[-1] = ~sp[-1]
      case Opcode.byte:
        sp[-2] = sp[-2].byte(at: sp[-1])
        sp -= 1
      case Opcode.shl:
        sp[-2] = sp[-2] << sp[-1].clampedToUInt64
        sp -= 1
      case Opcode.shr:
        sp[-2] = sp[-2] >> sp[-1].clampedToUInt64
        sp -= 1
      case Opcode.sar:
        sp[-2] = sp[-2].shiftedRightArithmetic(sp[-1].clampedToUInt64)
        sp -= 1
      case Opcode.clz:
        sp[-1] = UInt256(UInt64(sp[-1].leadingZeroBitCount))

      case Opcode.pop:
        sp -= 1
      case Opcode.mload:
        let offset = sp[-1]
        let status = reach(frame, offset, 32, &gas, &memoryCount)
        if status != .stopped { return exit(status) }
        sp[-1] = UInt256(bigEndian: memory + Int(offset.limb0))
      case Opcode.mstore:
        let offset = sp[-1]
        let status = reach(frame, offset, 32, &gas, &memoryCount)
        if status != .stopped { return exit(status) }
        sp[-2].store(bigEndian: memory + Int(offset.limb0))
        sp -= 2
      case Opcode.mstore8:
        let offset = sp[-1]
        let status = reach(frame, offset, 1, &gas, &memoryCount)
        if status != .stopped { return exit(status) }
        memory[Int(offset.limb0)] = UInt8(truncatingIfNeeded: sp[-2].limb0)
        sp -= 2

      case Opcode.jump:
        let target = sp[-1].clampedToUInt64
        sp -= 1
        if !frame.pointee.code.isJumpDestination(target) { return exit(.invalidJump) }
        if isOutOfTime() { return exit(.timeExhausted) }
        pc = Int(target)
      case Opcode.jumpi:
        let taken = !sp[-2].isZero
        let target = sp[-1].clampedToUInt64
        sp -= 2
        if taken {
          if !frame.pointee.code.isJumpDestination(target) { return exit(.invalidJump) }
          if isOutOfTime() { return exit(.timeExhausted) }
          pc = Int(target)
        }
      case Opcode.pc:
        sp.pointee = UInt256(UInt64(pc &- 1))
        sp += 1
      case Opcode.msize:
        sp.pointee = UInt256(UInt64(memoryCount))
        sp += 1
      case Opcode.gas:
        sp.pointee = UInt256(UInt64(gas))
        sp += 1
      case Opcode.jumpdest:
        break

      case Opcode.push0:
        sp.pointee = .zero
        sp += 1
      case Opcode.push1:
        sp.pointee = UInt256(UInt64(code[pc]))
        sp += 1
        pc &+= 1
      case Opcode.push1 + 1:
        sp.pointee = UInt256(UInt64(code[pc]) << 8 | UInt64(code[pc &+ 1]))
        sp += 1
        pc &+= 2
      case (Opcode.push1 + 2)...Opcode.push32:
        let count = Int(opcode &- Opcode.push1) &+ 1
        // The padding behind the code makes 32 bytes readable here; shift the excess out.
        sp.pointee = UInt256(bigEndian: code + pc) >> UInt64((32 &- count) &* 8)
        sp += 1
        pc &+= count
      case Opcode.dup1...Opcode.dup16:
        sp.pointee = sp[-1 &- Int(opcode &- Opcode.dup1)]
        sp += 1
      case Opcode.swap1...Opcode.swap16:
        let other = -2 &- Int(opcode &- Opcode.swap1)
        let top = sp[-1]
        sp[-1] = sp[other]
        sp[other] = top
      case Opcode.dupn:
        guard let depth = StackOperand.single(code[pc]) else { return exit(.undefinedOpcode) }
        if sp - base < depth { return exit(.stackUnderflow) }
        sp.pointee = sp[-depth]
        sp += 1
        pc &+= 1
      case Opcode.swapn:
        guard let depth = StackOperand.single(code[pc]) else { return exit(.undefinedOpcode) }
        if sp - base <= depth { return exit(.stackUnderflow) }
        exchange(sp - 1, sp - 1 - depth)
        pc &+= 1
      case Opcode.exchange:
        guard let (first, second) = StackOperand.pair(code[pc]) else {
          return exit(.undefinedOpcode)
        }
        if sp - base <= second { return exit(.stackUnderflow) }
        exchange(sp - 1 - first, sp - 1 - second)
        pc &+= 1

      default:
        frame.pointee.programCounter = pc
        frame.pointee.stack = sp
        frame.pointee.gas = gas
        let step = execute(opcode, frame)
        if step != .next { return step }
        sp = frame.pointee.stack
        gas = frame.pointee.gas
        memoryCount = frame.pointee.memoryCount
      }
    }
  }

  /// Exchanges two words.
  @inline(__always)
  private func exchange(
    _ first: UnsafeMutablePointer<UInt256>, _ second: UnsafeMutablePointer<UInt256>
  ) {
    let word = first.pointee
    first.pointee = second.pointee
    second.pointee = word
  }

  /// Runs an opcode that needs more than the stack. Registers are in the frame's record.
  @inline(never)
  mutating func execute(_ opcode: UInt8, _ frame: UnsafeMutablePointer<Frame>) -> Step {
    switch opcode {
    case Opcode.exp: exponentiate(frame)
    case Opcode.keccak256: keccak256(frame)

    case Opcode.address: push(frame, frame.pointee.address.word)
    case Opcode.balance: balance(frame)
    case Opcode.origin: push(frame, origin.word)
    case Opcode.caller: push(frame, frame.pointee.caller.word)
    case Opcode.callvalue: push(frame, frame.pointee.value)
    case Opcode.calldataload: callDataLoad(frame)
    case Opcode.calldatasize: push(frame, UInt256(UInt64(frame.pointee.inputCount)))
    case Opcode.calldatacopy:
      copy(frame, from: frame.pointee.input, count: frame.pointee.inputCount)
    case Opcode.codesize: push(frame, UInt256(UInt64(frame.pointee.code.count)))
    case Opcode.codecopy:
      copy(frame, from: frame.pointee.code.bytes, count: frame.pointee.code.count)
    case Opcode.gasprice: push(frame, gasPrice)
    case Opcode.extcodesize: externalCodeSize(frame)
    case Opcode.extcodecopy: externalCodeCopy(frame)
    case Opcode.returndatasize: push(frame, UInt256(UInt64(returnDataCount)))
    case Opcode.returndatacopy: returnDataCopy(frame)
    case Opcode.extcodehash: externalCodeHash(frame)

    case Opcode.blockhash: blockHash(frame)
    case Opcode.coinbase: push(frame, block.coinbase.word)
    case Opcode.timestamp: push(frame, UInt256(block.timestamp))
    case Opcode.number: push(frame, UInt256(block.number))
    case Opcode.prevrandao: push(frame, block.prevRandao)
    case Opcode.gaslimit: push(frame, UInt256(block.gasLimit))
    case Opcode.chainid: push(frame, block.chainID)
    case Opcode.selfbalance: selfBalance(frame)
    case Opcode.basefee: push(frame, block.baseFeePerGas)
    case Opcode.blobhash: blobHash(frame)
    case Opcode.blobbasefee: push(frame, block.blobBaseFee)
    case Opcode.slotnum: push(frame, UInt256(block.slotNumber))

    case Opcode.sload: storageLoad(frame)
    case Opcode.sstore: storageStore(frame)
    case Opcode.tload: transientLoad(frame)
    case Opcode.tstore: transientStore(frame)
    case Opcode.mcopy: memoryCopy(frame)
    case Opcode.log0...Opcode.log4: log(frame, topicCount: Int(opcode &- Opcode.log0))

    case Opcode.create: create(frame, .create)
    case Opcode.create2: create(frame, .create2)
    case Opcode.call: call(frame, .call)
    case Opcode.callcode: call(frame, .callCode)
    case Opcode.delegatecall: call(frame, .delegateCall)
    case Opcode.staticcall: call(frame, .staticCall)
    case Opcode.`return`: end(frame, frame.pointee.word(0), frame.pointee.word(1), .returned)
    case Opcode.revert: end(frame, frame.pointee.word(0), frame.pointee.word(1), .reverted)
    case Opcode.selfdestruct: selfDestruct(frame)
    default: exit(.undefinedOpcode)
    }
  }

  /// Makes memory cover `count` bytes from `offset` on, while gas and memory size are in local
  /// registers. Memory that is there already costs one comparison.
  @inline(__always)
  mutating func reach(
    _ frame: UnsafeMutablePointer<Frame>, _ offset: UInt256, _ count: UInt64, _ gas: inout Int64,
    _ memoryCount: inout Int
  ) -> ExecutionStatus {
    if offset.fitsUInt64 && UInt64(memoryCount) >= count
      && offset.limb0 <= UInt64(memoryCount) &- count
    {
      return .stopped
    }
    frame.pointee.gas = gas
    let status = expandMemory(frame, offset, UInt256(count))
    gas = frame.pointee.gas
    memoryCount = frame.pointee.memoryCount
    return status
  }

  /// SELFBALANCE (EIP-1884).
  @inline(__always)
  private func selfBalance(_ frame: UnsafeMutablePointer<Frame>) -> Step {
    frame.pointee.account.pointee.observed.insert(.balance)
    return push(frame, frame.pointee.account.pointee.balance)
  }

  /// Puts a word on the stack.
  @inline(__always)
  private func push(_ frame: UnsafeMutablePointer<Frame>, _ word: UInt256) -> Step {
    frame.pointee.stack.pointee = word
    frame.pointee.stack += 1
    return .next
  }

  private func stackFault(_ check: InstructionCheck, _ height: UInt) -> ExecutionStatus {
    if check.stackNeed == InstructionCheck.undefined { return .undefinedOpcode }
    return height < UInt(check.stackNeed) ? .stackUnderflow : .stackOverflow
  }

  @inline(never)
  private mutating func trace(_ frame: UnsafeMutablePointer<Frame>, _ opcode: UInt8) {
    tracer.willExecute(
      TraceStep(
        programCounter: frame.pointee.programCounter, opcode: opcode, gas: frame.pointee.gas,
        depth: depth &+ 1,
        stack: UnsafeBufferPointer(
          start: frame.pointee.stackBase, count: frame.pointee.stackCount),
        memory: UnsafeBufferPointer(
          start: frame.pointee.memory, count: frame.pointee.memoryCount),
        returnData: output, refund: journal.refund, address: frame.pointee.address))
  }
}

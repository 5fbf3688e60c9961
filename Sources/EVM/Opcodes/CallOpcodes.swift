// CALL, CALLCODE, DELEGATECALL, STATICCALL, RETURN, REVERT.
// Contract: stack checked, static gas paid, registers in the frame's record.

extension Machine {
  /// The four calls.
  mutating func call(_ frame: UnsafeMutablePointer<Frame>, _ kind: FrameKind) -> Step {
    let carriesValue = kind == .call || kind == .callCode
    // The operands stay where they are until the frame that is called runs: from the top gas,
    // account and value, then offset and size of the input, and of the room for the output.
    let words = frame.pointee.stack
    let ranges = words - (carriesValue ? 3 : 2)
    let hasValue = carriesValue && !words[-3].isZero
    frame.pointee.stack = ranges - 4

    if kind == .call && frame.pointee.isStatic && hasValue { return exit(.staticViolation) }
    var status = expandMemory(frame, ranges[-1], ranges[-2])
    if status != .stopped { return exit(status) }
    status = expandMemory(frame, ranges[-3], ranges[-4])
    if status != .stopped { return exit(status) }

    // Paid for before the account is read, so that a call which can not pay has not read it
    // (EIP-7928).
    if hasValue && !frame.pointee.charge(schedule.callValue) { return exit(.outOfGas) }
    guard let callee = access(frame, Address(words[-2])) else { return .exit }
    var codeOwner = callee
    var isDelegated = false
    if fork >= .prague {  // EIP-7702
      if !journal.loadCode(callee, &view, zeros: workspace.zeros) { return fault() }
      if let delegate = callee.pointee.code.delegate {
        // Reading the delegate's code is an access of its own, paid in full.
        if !frame.pointee.charge(schedule.warmAccess) { return exit(.outOfGas) }
        guard let owner = access(frame, delegate) else { return .exit }
        codeOwner = owner
        isDelegated = true
      }
    }

    if kind == .call && createsAccount(callee, hasValue)
      && (!frame.pointee.charge(schedule.newAccount)
        || !chargeState(frame, bytes: StateGas.account))
    {
      return exit(.outOfGas)
    }

    var childGas: Int64
    if schedule.keepsSixtyFourth {  // EIP-150
      let available = frame.pointee.gas &- frame.pointee.gas / 64
      childGas = Int64(min(words[-1].clampedToUInt64, UInt64(available)))
    } else {
      if words[-1].clampedToUInt64 > UInt64(frame.pointee.gas) { return exit(.outOfGas) }
      childGas = Int64(words[-1].limb0)
    }
    frame.pointee.gas &-= childGas
    if Tracer.isEnabled { tracer.didCharge(gas: frame.pointee.gas) }
    if hasValue { childGas &+= schedule.callStipend }

    returnDataCount = 0
    if depth &+ 1 > Frame.stackLimit
      || (hasValue && !journal.has(words[-3], frame.pointee.account))
    {
      frame.pointee.gas &+= childGas
      frame.pointee.replace(0, .zero)
      return .next
    }

    let message = frame + 1
    let usesOwnAccount = kind == .callCode || kind == .delegateCall
    message.pointee.begin(
      on: usesOwnAccount ? frame.pointee.account : callee, gas: childGas,
      stack: frame.pointee.stack, memory: frame.pointee.memory + frame.pointee.memoryCount)
    message.pointee.kind = kind
    message.pointee.isStatic = frame.pointee.isStatic || kind == .staticCall
    if kind == .delegateCall {
      message.pointee.caller = frame.pointee.caller
      UInt256.copy(&frame.pointee.value, to: &message.pointee.value)
    } else {
      message.pointee.caller = frame.pointee.address
      if hasValue {
        UInt256.copy(words - 3, to: &message.pointee.value)
      } else {
        message.pointee.value = .zero
      }
    }
    // What offset goes with no bytes means nothing.
    let inputCount = Int(ranges[-2].limb0)
    message.pointee.input = UnsafePointer(
      frame.pointee.memory + (inputCount == 0 ? 0 : Int(ranges[-1].limb0)))
    message.pointee.inputCount = inputCount
    let returnCount = Int(ranges[-4].limb0)
    frame.pointee.returnOffset = returnCount == 0 ? 0 : Int(ranges[-3].limb0)
    frame.pointee.returnCount = returnCount

    switch enter(
      message, codeOwner: codeOwner, isDelegated: isDelegated,
      payer: kind == .call ? frame.pointee.account : nil, depth: depth &+ 1)
    {
    case .entered:
      depth &+= 1
      return .enter
    case .done(let status, let gas):
      if status.isFault { return exit(status) }
      frame.pointee.gas &+= gas
      deliver(frame, status)
      return .next
    }
  }

  /// Whether a call pays for a new account: before Spurious Dragon whenever it does not exist,
  /// from then on when it is empty and gets wei (EIP-161).
  @inline(__always)
  private func createsAccount(_ callee: UnsafeMutablePointer<AccountEntry>, _ hasValue: Bool)
    -> Bool
  {
    if fork >= .spuriousDragon {
      if !hasValue { return false }
      callee.pointee.observed.insert(.emptiness)
      return callee.pointee.isEmpty
    }
    return !callee.pointee.exists
  }

  /// Gives a finished call's outcome to its caller: the flag on the stack, and as much of the
  /// return data as the caller has room for.
  @inline(__always)
  func deliver(_ frame: UnsafeMutablePointer<Frame>, _ status: ExecutionStatus) {
    let count = min(frame.pointee.returnCount, returnDataCount)
    if count > 0 {
      UnsafeMutableRawPointer(frame.pointee.memory + frame.pointee.returnOffset).copyMemory(
        from: workspace.returnData, byteCount: count)
    }
    frame.pointee.replace(0, UInt256(status.isSuccess))
  }

  /// RETURN and REVERT.
  mutating func end(
    _ frame: UnsafeMutablePointer<Frame>, _ offset: UInt256, _ count: UInt256,
    _ status: ExecutionStatus
  ) -> Step {
    let expansion = expandMemory(frame, offset, count)
    if expansion != .stopped { return exit(expansion) }
    frame.pointee.outputOffset = count.isZero ? 0 : Int(offset.limb0)
    frame.pointee.outputCount = Int(count.limb0)
    return exit(status)
  }
}

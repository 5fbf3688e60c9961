// CALL, CALLCODE, DELEGATECALL, STATICCALL, RETURN, REVERT.
// Contract: stack checked, static gas paid, registers in the frame's record.

extension Machine {
  /// The four calls.
  mutating func call(_ frame: UnsafeMutablePointer<Frame>, _ kind: FrameKind) -> Step {
    let carriesValue = kind == .call || kind == .callCode
    let wantedGas = frame.pointee.word(0)
    let target = Address(frame.pointee.word(1))
    let value = carriesValue ? frame.pointee.word(2) : .zero
    let first = carriesValue ? 3 : 2
    let inputOffset = frame.pointee.word(first)
    let inputCount = frame.pointee.word(first &+ 1)
    let returnOffset = frame.pointee.word(first &+ 2)
    let returnCount = frame.pointee.word(first &+ 3)
    frame.pointee.stack -= first &+ 4

    if kind == .call && frame.pointee.isStatic && !value.isZero { return exit(.staticViolation) }
    var status = expandMemory(frame, inputOffset, inputCount)
    if status != .stopped { return exit(status) }
    status = expandMemory(frame, returnOffset, returnCount)
    if status != .stopped { return exit(status) }

    guard let callee = access(frame, target) else { return .exit }
    var codeOwner = callee
    var isDelegated = false
    if fork >= .prague {  // EIP-7702
      guard let code = journal.code(of: callee, &view, zeros: workspace.zeros) else {
        return fault()
      }
      if let delegate = code.delegate {
        // Reading the delegate's code is an access of its own, paid in full.
        if !frame.pointee.charge(schedule.warmAccess) { return exit(.outOfGas) }
        guard let owner = access(frame, delegate) else { return .exit }
        codeOwner = owner
        isDelegated = true
      }
    }

    var cost: Int64 = 0
    if !value.isZero { cost = schedule.callValue }
    if kind == .call && createsAccount(callee, value) { cost &+= schedule.newAccount }
    if !frame.pointee.charge(cost) { return exit(.outOfGas) }

    var childGas: Int64
    if schedule.keepsSixtyFourth {  // EIP-150
      let available = frame.pointee.gas &- frame.pointee.gas / 64
      childGas = Int64(min(wantedGas.clampedToUInt64, UInt64(available)))
    } else {
      if wantedGas.clampedToUInt64 > UInt64(frame.pointee.gas) { return exit(.outOfGas) }
      childGas = Int64(wantedGas.limb0)
    }
    frame.pointee.gas &-= childGas
    if Tracer.isEnabled { tracer.didCharge(gas: frame.pointee.gas) }
    if !value.isZero { childGas &+= schedule.callStipend }

    returnDataCount = 0
    if depth &+ 1 > Frame.stackLimit
      || (carriesValue && !journal.has(value, frame.pointee.account))
    {
      frame.pointee.gas &+= childGas
      frame.pointee.replace(0, .zero)
      return .next
    }

    let keepsContext = kind == .delegateCall
    let usesOwnAccount = kind == .callCode || kind == .delegateCall
    let message = Message(
      kind: kind, caller: keepsContext ? frame.pointee.caller : frame.pointee.address,
      account: usesOwnAccount ? frame.pointee.account : callee, codeOwner: codeOwner,
      isDelegated: isDelegated, value: keepsContext ? frame.pointee.value : value,
      gas: childGas,
      input: frame.pointee.memory + (inputCount.isZero ? 0 : Int(inputOffset.limb0)),
      inputCount: Int(inputCount.limb0),
      isStatic: frame.pointee.isStatic || kind == .staticCall,
      payer: kind == .call ? frame.pointee.account : nil)
    frame.pointee.returnOffset = returnCount.isZero ? 0 : Int(returnOffset.limb0)
    frame.pointee.returnCount = Int(returnCount.limb0)

    switch enter(
      message, depth: depth &+ 1, stack: frame.pointee.stack,
      memory: frame.pointee.memory + frame.pointee.memoryCount)
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
  private func createsAccount(_ callee: UnsafeMutablePointer<AccountEntry>, _ value: UInt256)
    -> Bool
  {
    if fork >= .spuriousDragon {
      if value.isZero { return false }
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
      (frame.pointee.memory + frame.pointee.returnOffset).update(
        from: workspace.returnData, count: count)
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

// A message is a frame that has not begun: `Frame.begin` and the caller write it where its frame
// will be, `enter` looks at it there, and `push` writes the rest.

/// What came of a message.
enum Entry: BitwiseCopyable {
  /// The frame may run.
  case entered
  /// It is over already: a precompile, an account without code, or a fault. With the gas left.
  case done(ExecutionStatus, gas: Int64)
}

extension Machine {
  /// Begins a call: takes a checkpoint, moves the value, then runs a precompile on the spot or
  /// makes the message a frame.
  ///
  /// `codeOwner` is whose code runs. With `isDelegated` it was found by a delegation, so a
  /// precompile's address means no code (EIP-7702). `payer` pays the value; `nil` when nothing
  /// moves.
  mutating func enter(
    _ message: UnsafeMutablePointer<Frame>, codeOwner: UnsafeMutablePointer<AccountEntry>,
    isDelegated: Bool, payer: UnsafeMutablePointer<AccountEntry>?, depth: Int
  ) -> Entry {
    message.pointee.checkpoint = journal.checkpoint
    let account = message.pointee.account
    if let payer {
      let moved =
        message.pointee.value.isZero
        ? journal.touch(account)
        : transfer(message.pointee.value, from: payer, to: account)
      if !moved { return .done(journal.fault, gas: 0) }
    } else if message.pointee.kind == .staticCall {
      // A static call touches like a transfer of nothing.
      if !journal.touch(account) { return .done(journal.fault, gas: 0) }
    }
    if Tracer.isEnabled {
      tracer.willEnter(
        depth: depth &+ 1, from: message.pointee.caller, to: message.pointee.address,
        value: message.pointee.value, gas: message.pointee.gas, input: message.pointee.callData)
    }

    let precompile = precompile(at: codeOwner.pointee.address)
    if let precompile, !isDelegated {
      if Tracer.isEnabled { tracer.willRunPrecompile(number: precompile.rawValue) }
      let (status, gas) = run(precompile, message)
      if status.isFault { return .done(status, gas: 0) }
      if !status.isSuccess { journal.revert(to: message.pointee.checkpoint) }
      if Tracer.isEnabled {
        tracer.didExit(depth: depth &+ 1, status: status, gas: gas, output: output)
      }
      return .done(status, gas: gas)
    }
    if precompile == nil && !journal.loadCode(codeOwner, &view, zeros: workspace.zeros) {
      return .done(journal.fault, gas: 0)
    }
    if precompile != nil || codeOwner.pointee.code.count == 0 {
      if Tracer.isEnabled {
        tracer.didExit(
          depth: depth &+ 1, status: .stopped, gas: message.pointee.gas,
          output: UnsafeBufferPointer(start: nil, count: 0))
      }
      return .done(.stopped, gas: message.pointee.gas)
    }
    return push(message, &codeOwner.pointee.code, depth: depth)
  }

  /// Makes a message a frame.
  mutating func push(
    _ message: UnsafeMutablePointer<Frame>, _ code: UnsafePointer<Code>, depth: Int
  ) -> Entry {
    var program = code.pointee.program
    if let known = program, Tracer.isEnabled || known.pointee.fork != fork { program = nil }
    // A program keeps words above the stack, too.
    let room = Frame.stackLimit &+ (program == nil ? 0 : Translator.slotLimit)
    if depth >= workspace.frameCount || workspace.stackEnd - message.pointee.stackBase < room {
      return .done(.workspaceExhausted, gas: 0)
    }
    if isOutOfTime() { return .done(.timeExhausted, gas: 0) }
    message.pointee.programCounter = program == nil ? 0 : Instruction.size
    message.pointee.stack = message.pointee.stackBase
    message.pointee.memoryCount = 0
    message.pointee.code.bytes = code.pointee.bytes
    message.pointee.code.jumpDestinations = code.pointee.jumpDestinations
    message.pointee.code.count = code.pointee.count
    message.pointee.code.program = program
    journal.stateGas.begin()
    return .entered
  }

  /// Runs a precompile; its output becomes the return data.
  private mutating func run(_ precompile: Precompile, _ message: UnsafeMutablePointer<Frame>)
    -> (ExecutionStatus, Int64)
  {
    let input = message.pointee.callData
    let paid = message.pointee.gas
    let scratch = message.pointee.memory
    let gas = paid &- min(precompile.gas(input: input, fork: fork), paid &+ 1)
    if gas < 0 { return (.outOfGas, 0) }
    if precompile.outputRoom(input: input) > workspace.returnCapacity {
      return (.workspaceExhausted, 0)
    }
    var arena = Arena(
      base: UnsafeMutableRawPointer(scratch), capacity: workspace.memoryEnd - scratch)
    let outcome =
      View.hasHeavyPrecompiles && !view.handsOver(precompile: precompile.rawValue)
      ? precompile.run(input: input, output: workspace.returnData, fork: fork, scratch: &arena)
      : precompile.runLight(
        input: input, output: workspace.returnData, fork: fork, scratch: &arena)
        ?? view.outcome(
          ofPrecompile: precompile.rawValue, input: input, output: workspace.returnData)
    switch outcome {
    case .success(let count):
      returnDataCount = count
      return (.returned, gas)
    case .failure:
      return (.precompileFailure, 0)
    case .workspaceExhausted:
      return (.workspaceExhausted, 0)
    case nil:
      return (.precompileUnavailable, 0)
    }
  }

  /// Ends the frame at `depth`: undoes or keeps its effects, hands output and gas to its caller.
  /// True when it was the first frame.
  mutating func finish(_ frame: UnsafeMutablePointer<Frame>) -> Bool {
    if frame.pointee.kind.isCreate && exitStatus.isSuccess { deploy(frame) }
    if exitStatus.isFault { return true }
    var outputCount = 0
    if exitStatus.isHalt {
      frame.pointee.gas = 0
    } else if exitStatus == .returned || exitStatus == .reverted {
      outputCount = frame.pointee.outputCount
    }
    if !exitStatus.isSuccess {
      if depth == 0 { journal.stateGas.keepCredits() }
      journal.revert(to: frame.pointee.checkpoint)
    }
    if outputCount > workspace.returnCapacity {
      exitStatus = .workspaceExhausted
      return true
    }
    if depth == 0 {
      if outputCount > 0 {
        outputStart = UnsafePointer(frame.pointee.memory + frame.pointee.outputOffset)
      }
    } else if outputCount > 0 {
      UnsafeMutableRawPointer(workspace.returnData).copyMemory(
        from: frame.pointee.memory + frame.pointee.outputOffset, byteCount: outputCount)
    }
    returnDataCount = outputCount
    if Tracer.isEnabled {
      tracer.didExit(
        depth: depth &+ 1, status: exitStatus, gas: frame.pointee.gas, output: output)
    }
    if depth == 0 { return true }

    depth &-= 1
    let caller = workspace.frames + depth
    caller.pointee.gas &+= frame.pointee.gas
    if exitStatus.isSuccess { leaveStateGas(frame, to: caller) }
    if frame.pointee.kind.isCreate {
      if exitStatus.isSuccess {
        returnDataCount = 0
        caller.pointee.replace(0, frame.pointee.address.word)
      } else {
        creditState(caller, bytes: StateGas.account)
        caller.pointee.replace(0, .zero)
      }
    } else {
      deliver(caller, exitStatus)
    }
    return false
  }
}

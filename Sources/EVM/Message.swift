/// A call on its way to becoming a frame.
struct Message: BitwiseCopyable {
  var kind: FrameKind
  var caller: Address
  /// Whose storage and balance the code works on.
  var account: UnsafeMutablePointer<AccountEntry>
  /// Whose code runs.
  var codeOwner: UnsafeMutablePointer<AccountEntry>
  /// The code was found by a delegation, so a precompile's address means no code (EIP-7702).
  var isDelegated: Bool
  var value: UInt256
  var gas: Int64
  var input: UnsafePointer<UInt8>
  var inputCount: Int
  var isStatic: Bool
  /// Who pays the value; `nil` when nothing moves.
  var payer: UnsafeMutablePointer<AccountEntry>?
}

/// What came of a message.
enum Entry: BitwiseCopyable {
  /// A frame was pushed.
  case entered
  /// It is over already: a precompile, an account without code, or a fault. With the gas left.
  case done(ExecutionStatus, gas: Int64)
}

extension Machine {
  /// Begins a call: takes a checkpoint, moves the value, then runs a precompile on the spot or
  /// pushes a frame at `depth` whose stack and memory begin where told.
  mutating func enter(
    _ message: Message, depth: Int, stack: UnsafeMutablePointer<UInt256>,
    memory: UnsafeMutablePointer<UInt8>
  ) -> Entry {
    let checkpoint = journal.checkpoint
    if let payer = message.payer {
      if !journal.transfer(message.value, from: payer, to: message.account) {
        return .done(journal.fault, gas: 0)
      }
    } else if message.kind == .staticCall || message.kind == .call {
      // A static call touches like a transfer of nothing.
      if !journal.touch(message.account) { return .done(journal.fault, gas: 0) }
    }
    if Tracer.isEnabled {
      tracer.willEnter(
        depth: depth &+ 1, from: message.caller, to: message.account.pointee.address,
        value: message.value, gas: message.gas,
        input: UnsafeBufferPointer(start: message.input, count: message.inputCount))
    }

    if !message.isDelegated,
      let precompile = Precompile(message.codeOwner.pointee.address, fork)
    {
      if Tracer.isEnabled { tracer.willRunPrecompile(number: precompile.rawValue) }
      let (status, gas) = run(precompile, message, scratch: memory)
      if status.isFault { return .done(status, gas: 0) }
      if !status.isSuccess { journal.revert(to: checkpoint) }
      if Tracer.isEnabled {
        tracer.didExit(depth: depth &+ 1, status: status, gas: gas, output: output)
      }
      return .done(status, gas: gas)
    }
    let code: Code
    if message.isDelegated && Precompile(message.codeOwner.pointee.address, fork) != nil {
      code = Code(bytes: workspace.zeros, jumpDestinations: workspace.zeros, count: 0)
    } else {
      guard let owned = journal.code(of: message.codeOwner, &view, zeros: workspace.zeros) else {
        return .done(journal.fault, gas: 0)
      }
      code = owned
    }
    if code.count == 0 {
      if Tracer.isEnabled {
        tracer.didExit(
          depth: depth &+ 1, status: .stopped, gas: message.gas,
          output: UnsafeBufferPointer(start: nil, count: 0))
      }
      return .done(.stopped, gas: message.gas)
    }
    return push(
      message, code: code, checkpoint: checkpoint, depth: depth, stack: stack, memory: memory)
  }

  /// Writes the record of a new frame.
  mutating func push(
    _ message: Message, code: Code, checkpoint: Journal.Checkpoint, depth: Int,
    stack: UnsafeMutablePointer<UInt256>, memory: UnsafeMutablePointer<UInt8>
  ) -> Entry {
    var code = code
    if let program = code.program, Tracer.isEnabled || program.pointee.fork != fork {
      code.program = nil
    }
    // A program keeps words above the stack, too.
    let room = Frame.stackLimit &+ (code.program == nil ? 0 : Translator.slotLimit)
    if depth >= workspace.frameCount || workspace.stackEnd - stack < room {
      return .done(.workspaceExhausted, gas: 0)
    }
    (workspace.frames + depth).initialize(
      to: Frame(
        programCounter: code.program == nil ? 0 : Instruction.size, stack: stack, gas: message.gas,
        memoryCount: 0, stackBase: stack,
        memory: memory, code: code, address: message.account.pointee.address,
        caller: message.caller, value: message.value, input: message.input,
        inputCount: message.inputCount, account: message.account, kind: message.kind,
        isStatic: message.isStatic, outputOffset: 0, outputCount: 0, returnOffset: 0,
        returnCount: 0, checkpoint: checkpoint))
    return .entered
  }

  /// Runs a precompile; its output becomes the return data.
  private mutating func run(
    _ precompile: Precompile, _ message: Message, scratch: UnsafeMutablePointer<UInt8>
  ) -> (ExecutionStatus, Int64) {
    let input = UnsafeBufferPointer(start: message.input, count: message.inputCount)
    let gas = message.gas &- min(precompile.gas(input: input, fork: fork), message.gas &+ 1)
    if gas < 0 { return (.outOfGas, 0) }
    if precompile.outputRoom(input: input) > workspace.returnCapacity {
      return (.workspaceExhausted, 0)
    }
    var arena = Arena(
      base: UnsafeMutableRawPointer(scratch), capacity: workspace.memoryEnd - scratch)
    switch precompile.run(
      input: input, output: workspace.returnData, fork: fork, scratch: &arena)
    {
    case .success(let count):
      returnDataCount = count
      return (.returned, gas)
    case .failure:
      return (.precompileFailure, 0)
    case .workspaceExhausted:
      return (.workspaceExhausted, 0)
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
    if !exitStatus.isSuccess { journal.revert(to: frame.pointee.checkpoint) }
    if outputCount > workspace.returnCapacity {
      exitStatus = .workspaceExhausted
      return true
    }
    workspace.returnData.update(
      from: frame.pointee.memory + frame.pointee.outputOffset, count: outputCount)
    returnDataCount = outputCount
    if Tracer.isEnabled {
      tracer.didExit(
        depth: depth &+ 1, status: exitStatus, gas: frame.pointee.gas, output: output)
    }
    if depth == 0 { return true }

    depth &-= 1
    let caller = workspace.frames + depth
    caller.pointee.gas &+= frame.pointee.gas
    if frame.pointee.kind.isCreate {
      if exitStatus.isSuccess {
        returnDataCount = 0
        caller.pointee.replace(0, frame.pointee.address.word)
      } else {
        caller.pointee.replace(0, .zero)
      }
    } else {
      deliver(caller, exitStatus)
    }
    return false
  }
}

/// The virtual machine: one transaction at a time, over a view of the state and a workspace.
///
/// Generic over the view, so that the host reads a database, the GPU its tables and the proof
/// guest a witness through the same code; and over the tracer, so that its absence costs nothing.
public struct Machine<View: StateView, Tracer: ExecutionTracer> {
  /// Where accounts, slots, code and block hashes come from.
  public var view: View
  /// Who watches.
  public var tracer: Tracer
  /// What the transaction read and changed.
  public var journal: Journal
  /// The block.
  public var block: BlockEnvironment
  /// Whether transactions are tried out for somebody who has not signed them: the sender's code and the
  /// limit of gas for each transaction are not checked then.
  public var isTrial = false
  /// Whether a trial that offers nothing for gas pays nothing, whatever the base fee.
  public var mayBeFree = false
  /// Precompiles that answer at other addresses, in trials. The memory is the caller's.
  package var precompileMoves = UnsafeBufferPointer<PrecompileMove>(start: nil, count: 0)

  private let areas: Lasting<Workspace.Areas>

  // The transaction.
  var origin = Address.zero
  var gasPrice = UInt256.zero
  var blobHashes = UnsafeBufferPointer<Hash256>(start: nil, count: 0)
  /// Gas for each byte that is new in the state; zero before Amsterdam (EIP-8037).
  var stateByteGas: Int64 = 0

  // The run.
  var depth = 0
  var returnDataCount = 0
  /// Where `output` begins: with the return data, or in the memory of a first frame that is over.
  var outputStart: UnsafePointer<UInt8>
  var exitStatus = ExecutionStatus.stopped
  /// The rules in force.
  public let fork: Fork

  /// A machine for one fork. The workspace serves one machine at a time.
  @inline(__always)
  public init(
    fork: Fork, block: BlockEnvironment, view: View, tracer: Tracer, workspace: Workspace
  ) {
    self.view = view
    self.tracer = tracer
    self.block = block
    areas = workspace.areas
    journal = workspace.journal
    outputStart = UnsafePointer(workspace.areas.value.returnData)
    self.fork = fork
    InstructionTable.fill(workspace.areas.value.instructions, fork: fork)
  }

  @inline(__always)
  var workspace: Workspace.Areas { areas.value }

  @inline(__always)
  var instructions: UnsafeMutablePointer<InstructionCheck> { areas.value.instructions }

  /// The gas constants of the fork. They lie behind the checks of its instructions, which the lanes of a
  /// launch share: each would write 400 bytes of its own memory else.
  @inline(__always)
  public var schedule: GasSchedule {
    unsafeAddress { UnsafePointer(InstructionTable.schedule(of: instructions)) }
  }

  /// The precompile at an address.
  @inline(__always)
  func precompile(at address: Address) -> Precompile? {
    for move in precompileMoves where move.address == address { return move.precompile }
    return Precompile(address, fork)
  }

  /// What the last transaction or system call returned; for a creation, the deployed code.
  public var output: UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: outputStart, count: returnDataCount)
  }

  /// Ends the running frame with a status.
  @inline(__always)
  mutating func exit(_ status: ExecutionStatus) -> Step {
    exitStatus = status
    return .exit
  }

  /// Whether the view wants the transaction to end here.
  @inline(__always)
  mutating func isOutOfTime() -> Bool { View.hasDeadline && view.isOutOfTime() }

  /// Ends the running frame because the journal ran out or the view could not answer.
  @inline(__always)
  mutating func fault() -> Step { exit(journal.fault) }

  /// Runs the frame at `depth` and all that it enters, until it is over; `exitStatus` says how.
  mutating func run() {
    while true {
      let frame = workspace.frames + depth
      switch step(frame) {
      case .next, .enter:
        continue
      case .exit:
        if exitStatus.isFault { return }
        if finish(frame) { return }
      }
    }
  }

  /// Runs a frame by its program, where it has one.
  @inline(__always)
  private mutating func step(_ frame: UnsafeMutablePointer<Frame>) -> Step {
    if !Tracer.isEnabled, let program = frame.pointee.code.program {
      return run(program, frame)
    }
    return interpret(frame)
  }

  /// Makes memory cover `offset ..< offset + count` and charges for its growth (yellow paper,
  /// appendix H). `count` zero needs nothing, whatever the offset.
  @inline(__always)
  mutating func expandMemory(
    _ frame: UnsafeMutablePointer<Frame>, _ offset: UInt256, _ count: UInt256
  ) -> ExecutionStatus {
    if count.isZero { return .stopped }
    // Above 2^41 bytes the gas passes 2^63.
    let limit: UInt64 = 1 << 41
    if !offset.fitsUInt64 || !count.fitsUInt64 || offset.limb0 > limit || count.limb0 > limit {
      return .outOfGas
    }
    let end = Int64(bitPattern: offset.limb0 &+ count.limb0)
    if end <= Int64(frame.pointee.memoryCount) { return .stopped }
    return growMemory(frame, end)
  }

  /// `end` is at most 2^42.
  @inline(never)
  private mutating func growMemory(_ frame: UnsafeMutablePointer<Frame>, _ end: Int64)
    -> ExecutionStatus
  {
    let old = frame.pointee.memoryCount
    let words = (end &+ 31) >> 5
    let oldWords = Int64(old >> 5)
    if words > 1 << 31 {
      // 64 GiB: the square does not fit in 64 bits. If the gas pays for it, the memory is too small.
      let new = UInt128(truncatingIfNeeded: words)
      let paid = UInt128(truncatingIfNeeded: oldWords)
      let linear = (new &- paid) &* UInt128(truncatingIfNeeded: schedule.memoryWord)
      let cost = linear &+ (new &* new) >> 9 &- (paid &* paid) >> 9
      let gas = UInt128(truncatingIfNeeded: frame.pointee.gas)
      return cost > gas ? .outOfGas : .workspaceExhausted
    }
    // At most (2^31)^2.
    let cost =
      (words &- oldWords) &* schedule.memoryWord &+ (words &* words) >> 9
      &- (oldWords &* oldWords) >> 9
    if !frame.pointee.charge(cost) { return .outOfGas }
    if words &* 32 > Int64(workspace.memoryEnd - frame.pointee.memory) {
      return .workspaceExhausted
    }
    let count = Int(truncatingIfNeeded: words) &* 32
    let place = frame.pointee.memory + old
    if count &- old == 32 {
      // What most growth is: no call for it.
      let word = UnsafeMutableRawPointer(place).assumingMemoryBound(to: UInt64.self)
      word[0] = 0
      word[1] = 0
      word[2] = 0
      word[3] = 0
    } else {
      place.update(repeating: 0, count: count &- old)
    }
    frame.pointee.memoryCount = count
    return .stopped
  }

  /// Gas for `bytes` at `perWord` a word; `Int64.max` when the size is absurd.
  @inline(__always)
  func wordCost(_ bytes: UInt256, _ perWord: Int64) -> Int64 {
    if !bytes.fitsUInt64 || bytes.limb0 > 1 << 38 { return Int64.max }
    return Int64((bytes.limb0 &+ 31) >> 5) &* perWord
  }
}

/// What answers at an address instead of what the fork has there.
package struct PrecompileMove: BitwiseCopyable, Sendable {
  /// The address.
  package var address: Address
  /// The precompile; `nil` for none, though the fork has one.
  package var precompile: Precompile?

  /// Puts a precompile, or none, at an address.
  package init(address: Address, precompile: Precompile?) {
    self.address = address
    self.precompile = precompile
  }
}

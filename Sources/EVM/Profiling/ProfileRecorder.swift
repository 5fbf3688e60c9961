/// Collects gas, counts and time of execution by bucket and call.
///
/// The entries of a call are `ProfileBucket.count` entries in a row, which the host provides. A
/// call's or creation's gas is its own: without what its child used. The stipend of a call with
/// value is given by the protocol; it is taken off the call, which paid for it, and counted where it
/// is used. Memory belongs to the opcode that makes it grow.
///
/// Time is a partition: from `start` to `stop`, each moment belongs to one entry. The clock is read
/// only when another entry takes over, so that a run of plain opcodes costs no reading, and what a
/// reading takes is left out of both neighbours and kept in `clockNanoseconds`.
public struct ProfileRecorder {
  /// Nanoseconds since some moment.
  public typealias Clock = @convention(c) () -> UInt64
  /// `(context, ProfileCall)`; gives the entries of a call, the same ones for the same call.
  public typealias Finder =
    @convention(c) (UnsafeMutableRawPointer, UnsafeRawPointer) -> UnsafeMutableRawPointer

  /// Counts and gas by opcode; 256 entries.
  public let opcodes: UnsafeMutablePointer<ProfileEntry>
  /// All precompiles.
  public var precompiles = ProfileEntry()
  /// Deployed code.
  public var deployments = ProfileEntry()
  /// First accesses of accounts at their full price (EIP-2929); contained in the opcodes' gas.
  public var coldAccounts = ProfileEntry()
  /// The entries of what runs: a transaction, or the block around them.
  public private(set) var base: UnsafeMutablePointer<ProfileEntry>
  /// What reading the clock took.
  public private(set) var clockNanoseconds: UInt64 = 0

  private let context: UnsafeMutableRawPointer
  private let clock: Clock
  private let finder: Finder
  /// What one reading of the clock takes.
  private let clockCost: UInt64
  /// The buckets of the 256 opcodes, by raw value.
  private let buckets: UnsafeMutablePointer<UInt8>
  private let frames: UnsafeMutablePointer<Frame>
  private var depth = 0
  private var current: UnsafeMutablePointer<ProfileEntry>
  private var last: UInt64 = 0

  /// Frames that a recorder must have memory for.
  public static var frameCount: Int { 1026 }

  /// What is known of a frame.
  public struct Frame: BitwiseCopyable {
    var entries: UnsafeMutablePointer<ProfileEntry>?
    var startGas: Int64
    var address: Address
    var inputCount: Int
    var selector: UInt32?
    var isCreation: Bool
    var precompile: UInt8 = 0
    var deposit: Int64 = 0
    /// The opcode that runs; -1 before the first.
    var opcode = -1
    /// Gas before it.
    var gas: Int64 = 0
    /// Gas after a creation paid for itself.
    var chargedGas: Int64 = 0
    /// Gas that its child used.
    var childGas: Int64 = 0
    /// Whom it calls.
    var target = Address.zero
  }

  /// A recorder over memory of the caller: 256 opcode entries and bucket numbers, `frameCount`
  /// frames, and the entries to begin with, all initialised but the frames.
  public init(
    context: UnsafeMutableRawPointer, clock: Clock, clockCost: UInt64, finder: Finder,
    opcodes: UnsafeMutablePointer<ProfileEntry>, buckets: UnsafeMutablePointer<UInt8>,
    frames: UnsafeMutablePointer<Frame>, base: UnsafeMutablePointer<ProfileEntry>
  ) {
    self.context = context
    self.clock = clock
    self.clockCost = clockCost
    self.finder = finder
    self.opcodes = opcodes
    self.buckets = buckets
    self.frames = frames
    self.base = base
    current = base + Int(ProfileBucket.upkeep.rawValue)
    for opcode in UInt8.min...UInt8.max {
      buckets[Int(opcode)] = ProfileBucket(opcode: opcode).rawValue
    }
  }

  // MARK: Time

  /// Begins to measure, for the bucket of the base.
  public mutating func start(_ bucket: ProfileBucket) {
    current = base + Int(bucket.rawValue)
    last = clock()
  }

  /// Ends what is measured.
  public mutating func stop() {
    let now = clock()
    book(now)
  }

  /// Gives the time from now on to a bucket of the innermost frame, or of the base outside of
  /// frames, and counts `units` there; the result is for `resume`.
  @inline(__always)
  public mutating func enter(_ bucket: ProfileBucket, units: Int = 0)
    -> UnsafeMutablePointer<ProfileEntry>
  {
    let before = current
    let entries = depth > 0 ? frames[depth &- 1].entries ?? base : base
    let entry = entries + Int(bucket.rawValue)
    entry.pointee.count &+= 1
    entry.pointee.units &+= units
    give(to: entry)
    return before
  }

  /// Gives the time from now on to the entry that had it before `enter`.
  @inline(__always)
  public mutating func resume(_ entry: UnsafeMutablePointer<ProfileEntry>) { give(to: entry) }

  /// Goes on with the entries of another transaction, or of the block.
  public mutating func switchBase(
    to entries: UnsafeMutablePointer<ProfileEntry>, _ bucket: ProfileBucket
  ) {
    base = entries
    depth = 0
    give(to: entries + Int(bucket.rawValue))
  }

  @inline(__always)
  private mutating func give(to entry: UnsafeMutablePointer<ProfileEntry>) {
    if entry == current { return }
    book(clock())
    current = entry
  }

  @inline(__always)
  private mutating func book(_ now: UInt64) {
    let elapsed = now &- last
    let own = min(elapsed, clockCost)
    current.pointee.nanoseconds &+= elapsed &- own
    clockNanoseconds &+= own
    last = now
  }

  // MARK: Events

  /// Before an opcode.
  @inline(__always)
  mutating func willExecute(_ step: TraceStep) {
    let frame = frames + (depth &- 1)
    if frame.pointee.opcode >= 0 {
      settle(frame, gas: step.gas, isHalt: false)
    } else if frame.pointee.entries == nil {
      frame.pointee.entries = entries(frame)
    }
    guard let entries = frame.pointee.entries else { return }
    frame.pointee.opcode = Int(step.opcode)
    frame.pointee.gas = step.gas
    let bucket = buckets[Int(step.opcode)]
    give(to: entries + Int(bucket))
    if bucket != ProfileBucket.glue.rawValue { note(frame, step, entries + Int(bucket)) }
  }

  /// Reads of the stack what an opcode works on.
  private func note(
    _ frame: UnsafeMutablePointer<Frame>, _ step: TraceStep,
    _ entry: UnsafeMutablePointer<ProfileEntry>
  ) {
    frame.pointee.chargedGas = step.gas
    if step.stack.count < 2 { return }
    let second = step.stack[step.stack.count &- 2]
    switch step.opcode {
    case Opcode.keccak256, Opcode.log0...Opcode.log4:
      // What no gas pays for is not worked on.
      if second.fitsUInt64 && second.limb0 < 1 << 32 { entry.pointee.units &+= Int(second.limb0) }
    case Opcode.call, Opcode.callcode, Opcode.delegatecall, Opcode.staticcall:
      frame.pointee.target = Address(second)
    default: break
    }
  }

  /// A creation has paid for itself.
  mutating func didCharge(gas: Int64) {
    if depth > 0 { frames[depth &- 1].chargedGas = gas }
  }

  /// A frame begins at a depth from 1.
  mutating func willEnter(
    depth: Int, to address: Address, gas: Int64, input: UnsafeBufferPointer<UInt8>
  ) {
    let isCreation: Bool
    if depth > 1 {
      let opcode = frames[depth &- 2].opcode
      isCreation = opcode == Int(Opcode.create) || opcode == Int(Opcode.create2)
    } else {
      isCreation = false
    }
    var selector: UInt32?
    if !isCreation && input.count >= 4 {
      let high = UInt32(input[0]) << 24 | UInt32(input[1]) << 16
      selector = high | UInt32(input[2]) << 8 | UInt32(input[3])
    }
    (frames + (depth &- 1)).initialize(
      to: Frame(
        entries: nil, startGas: gas, address: address, inputCount: input.count,
        selector: selector, isCreation: isCreation))
    self.depth = depth
  }

  /// The frame that began is a precompile.
  mutating func willRun(_ precompile: Precompile) {
    let bucket = ProfileBucket(precompile: precompile)
    let frame = frames + (depth &- 1)
    frame.pointee.precompile = bucket.rawValue
    let entry = owner(of: depth) + Int(bucket.rawValue)
    entry.pointee.count &+= 1
    entry.pointee.units &+= frame.pointee.inputCount
    give(to: entry)
  }

  /// An account was accessed for the first time.
  mutating func didPayForColdAccount(gas: Int64) {
    coldAccounts.count &+= 1
    coldAccounts.gas &+= gas
  }

  /// A creation has paid for its code.
  mutating func didDeposit(gas: Int64) {
    frames[depth &- 1].deposit = gas
    deployments.count &+= 1
    deployments.gas &+= gas
    if let entries = frames[depth &- 1].entries {
      entries[Int(ProfileBucket.create.rawValue)].gas &+= gas
    }
  }

  /// A frame ends.
  mutating func didExit(status: ExecutionStatus, gas: Int64) {
    let frame = frames + (depth &- 1)
    if frame.pointee.opcode >= 0 {
      settle(frame, gas: gas &+ frame.pointee.deposit, isHalt: status.isHalt)
    } else if frame.pointee.precompile != 0 {
      let used = frame.pointee.startGas &- gas
      precompiles.count &+= 1
      precompiles.gas &+= used
      let entries = owner(of: depth)
      if status.isHalt {
        entries[Int(ProfileBucket.halt.rawValue)].count &+= 1
        entries[Int(ProfileBucket.halt.rawValue)].gas &+= used
      } else {
        entries[Int(frame.pointee.precompile)].gas &+= used
      }
    }
    depth &-= 1
    if depth > 0 {
      let caller = frames + (depth &- 1)
      caller.pointee.childGas &+= frame.pointee.startGas &- gas
      if let entries = caller.pointee.entries, caller.pointee.opcode >= 0 {
        give(to: entries + Int(buckets[caller.pointee.opcode]))
      }
    } else {
      give(to: base + Int(ProfileBucket.intrinsicBase.rawValue))
    }
  }

  // MARK: Parts

  /// Books the opcode of a frame, which has `gas` left after it.
  @inline(__always)
  private mutating func settle(_ frame: UnsafeMutablePointer<Frame>, gas: Int64, isHalt: Bool) {
    let opcode = frame.pointee.opcode
    let cost = frame.pointee.gas &- gas &- frame.pointee.childGas
    opcodes[opcode].count &+= 1
    opcodes[opcode].gas &+= cost
    frame.pointee.childGas = 0
    guard let entries = frame.pointee.entries else { return }
    var entry = entries + Int(buckets[opcode])
    if isHalt { entry = entries + Int(ProfileBucket.halt.rawValue) }
    entry.pointee.count &+= 1
    entry.pointee.gas &+= cost
    if !isHalt && buckets[opcode] == ProfileBucket.create.rawValue {
      // An address that is taken costs all the gas that the creation's frame would have got.
      let lost = cost &- (frame.pointee.gas &- frame.pointee.chargedGas)
      if lost > 0 {
        entry.pointee.gas &-= lost
        entries[Int(ProfileBucket.halt.rawValue)].count &+= 1
        entries[Int(ProfileBucket.halt.rawValue)].gas &+= lost
      }
    }
  }

  /// The entries that a frame at a depth without entries of its own belongs to: its caller's.
  private func owner(of depth: Int) -> UnsafeMutablePointer<ProfileEntry> {
    depth > 1 ? frames[depth &- 2].entries ?? base : base
  }

  /// Asks the host for a frame's entries.
  @inline(never)
  private mutating func entries(_ frame: UnsafeMutablePointer<Frame>)
    -> UnsafeMutablePointer<ProfileEntry>
  {
    give(to: base + Int(ProfileBucket.profiler.rawValue))
    let isCalled = depth > 1 && !frame.pointee.isCreation
    let call = ProfileCall(
      parent: owner(of: depth),
      code: isCalled ? frames[depth &- 2].target : frame.pointee.address,
      selector: frame.pointee.selector, isCreation: frame.pointee.isCreation)
    let found = withUnsafePointer(to: call) { finder(context, $0) }
    return found.assumingMemoryBound(to: ProfileEntry.self)
  }
}

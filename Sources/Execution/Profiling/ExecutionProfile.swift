public import EVM
import Ethereum

/// Watches transactions and system calls, and tells where their gas and time went: by opcode, and
/// by bucket for every call.
///
/// An executor that has it for its tracer runs a machine that is compiled with the recorder in it,
/// so the counts cost little and the times are meaningful. Driven by events, beside another tracer,
/// it counts the same gas.
public final class ExecutionProfile: TransactionTracer {
  /// The calls that were watched; the first is the block itself.
  private(set) var calls: [Call] = []
  let recorder: UnsafeMutablePointer<ProfileRecorder>

  private let opcodeEntries: UnsafeMutablePointer<ProfileEntry>
  private let buckets: UnsafeMutablePointer<UInt8>
  private let frames: UnsafeMutablePointer<ProfileRecorder.Frame>
  /// What the machine is compiled with.
  private(set) var tracer: ProfilingTracer
  private var view: UnsafeMutablePointer<ProfiledStateView>?
  private var numbers: [Key: Int] = [:]
  private var places: [UnsafeMutablePointer<ProfileEntry>: Int] = [:]
  /// The place in `calls` of the transaction that runs.
  private var transaction = 0
  private var systemCalls = 0
  /// What there was when the transaction began, to go back to when its workspace runs out.
  private var saved: Saved?

  /// One call, or the transaction or block around calls.
  struct Call {
    /// What is called.
    enum Subject: Hashable {
      case block
      /// By its place in the block.
      case transaction(Int)
      /// By its place among the block's system calls.
      case systemCall(Int)
      case code(Address, selector: UInt32?, isCreation: Bool)
    }

    var subject: Subject
    /// The caller's place in `calls`.
    var parent: Int
    var entries: UnsafeMutablePointer<ProfileEntry>
  }

  private struct Key: Hashable {
    var subject: Call.Subject
    var parent: Int
  }

  private struct Saved {
    var opcodes: [ProfileEntry]
    var rest: [ProfileEntry]
    var calls: Int
    var base: [ProfileEntry]
  }

  /// An empty profile.
  public init() {
    opcodeEntries = .allocate(capacity: 256)
    opcodeEntries.initialize(repeating: ProfileEntry(), count: 256)
    buckets = .allocate(capacity: 256)
    buckets.initialize(repeating: 0, count: 256)
    frames = .allocate(capacity: ProfileRecorder.frameCount)
    recorder = .allocate(capacity: 1)
    let block = Self.makeEntries()
    tracer = ProfilingTracer(recorder)
    calls = [Call(subject: .block, parent: -1, entries: block)]
    recorder.initialize(
      to: ProfileRecorder(
        context: Unmanaged.passUnretained(self).toOpaque(),
        clock: { MonotonicClock.nanoseconds },
        clockCost: Self.clockCost,
        finder: { context, call in
          let profile = Unmanaged<ExecutionProfile>.fromOpaque(context).takeUnretainedValue()
          return UnsafeMutableRawPointer(
            profile.entries(of: call.assumingMemoryBound(to: ProfileCall.self).pointee))
        },
        opcodes: opcodeEntries, buckets: buckets, frames: frames, base: block))
  }

  deinit {
    for call in calls { call.entries.deallocate() }
    view?.deallocate()
    recorder.deallocate()
    frames.deallocate()
    buckets.deallocate()
    opcodeEntries.deallocate()
  }

  // MARK: Gas by opcode

  /// Counts and gas by opcode.
  public var opcodes: [ProfileEntry] {
    [ProfileEntry](UnsafeBufferPointer(start: opcodeEntries, count: 256))
  }

  /// Precompiles.
  public var precompiles: ProfileEntry { recorder.pointee.precompiles }

  /// Deployed code, by the byte.
  public var deployments: ProfileEntry { recorder.pointee.deployments }

  /// First accesses of accounts, at their full price (EIP-2929); contained in the opcodes' gas.
  public var coldAccounts: ProfileEntry { recorder.pointee.coldAccounts }

  /// Gas of all opcodes, precompiles and deployments: what execution used, before refunds.
  public var total: Int64 {
    opcodes.reduce(precompiles.gas + deployments.gas) { $0 + $1.gas }
  }

  /// Gas of opcodes by a name in the opcode table, or of a family: `LOG` is LOG0 to LOG4, `PUSH`,
  /// `DUP` and `SWAP` likewise. `nil` for a name that is neither.
  public func gas(named name: String) -> Int64? {
    var found = false
    var sum: Int64 = 0
    for byte in 0..<256 {
      guard let row = OpcodeTable.row(UInt8(byte)) else { continue }
      let full = "\(row.name)"
      let isMember =
        ["LOG", "PUSH", "DUP", "SWAP"].contains(name) && full.hasPrefix(name)
        && full.dropFirst(name.count).allSatisfy(\.isNumber)
      if full == name || isMember {
        found = true
        sum += opcodeEntries[byte].gas
      }
    }
    return found ? sum : nil
  }

  // MARK: Time

  /// A view with the same answers, whose time is the database's. One at a time, and not longer than
  /// the profile.
  func timed(_ inner: ForeignStateView) -> ForeignStateView {
    let context = view ?? .allocate(capacity: 1)
    view = context
    context.initialize(to: ProfiledStateView(inner: inner, recorder: recorder))
    return ProfiledStateView.view(over: context)
  }

  /// Begins to measure a block.
  func start() { recorder.pointee.start(.upkeep) }

  /// Ends what is measured.
  func stop() { recorder.pointee.stop() }

  /// Goes on with the block around the transactions.
  func leaveTransaction() {
    transaction = 0
    recorder.pointee.switchBase(to: calls[0].entries, .upkeep)
  }

  /// Does work whose time belongs to a bucket of the transaction that runs, or of the block.
  func measure<Result, Failure: Error>(
    _ bucket: ProfileBucket, units: Int = 0, _ work: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let before = recorder.pointee.enter(bucket, units: units)
    defer { recorder.pointee.resume(before) }
    return try work()
  }

  /// What reading the clock takes: the least of many.
  private static let clockCost: UInt64 = {
    var least = UInt64.max
    for _ in 0..<2000 {
      let first = MonotonicClock.nanoseconds
      least = min(least, MonotonicClock.nanoseconds &- first)
    }
    return least
  }()

  // MARK: TransactionTracer

  public func willRun(transaction index: Int?) {
    recorder.pointee.switchBase(to: calls[0].entries, .profiler)
    if index == nil { systemCalls += 1 }
    let subject: Call.Subject = index.map { .transaction($0) } ?? .systemCall(systemCalls)
    transaction = number(of: subject, parent: 0)
    recorder.pointee.switchBase(to: calls[transaction].entries, .profiler)
  }

  public func begin() {
    saved = Saved(
      opcodes: opcodes, rest: [precompiles, deployments, coldAccounts], calls: calls.count,
      base: [ProfileEntry](
        UnsafeBufferPointer(start: calls[transaction].entries, count: ProfileBucket.count)))
  }

  /// The machine is ready for what `begin` began: the transaction's own time begins.
  func didMakeMachine() {
    recorder.pointee.switchBase(to: calls[transaction].entries, .intrinsicBase)
  }

  public func end(_ result: TransactionResult, output: UnsafeBufferPointer<UInt8>) {
    if result.status.isFault { forget() }
    recorder.pointee.switchBase(to: calls[transaction].entries, .upkeep)
  }

  public func handle(_ event: TraceEvent) {
    switch event.kind {
    case .willExecute: if let step = event.step { tracer.willExecute(step) }
    case .didCharge: tracer.didCharge(gas: event.gas)
    case .willEnter:
      tracer.willEnter(
        depth: event.depth, from: event.caller, to: event.address, value: event.value,
        gas: event.gas, input: event.data)
    case .didExit:
      tracer.didExit(depth: event.depth, status: event.status, gas: event.gas, output: event.data)
    case .willRunPrecompile:
      tracer.willRunPrecompile(number: UInt16(truncatingIfNeeded: event.address.low))
    case .didPayForColdAccount: tracer.didPayForColdAccount(gas: event.gas)
    case .didDeposit: tracer.didDeposit(gas: event.gas)
    }
  }

  // MARK: Parts

  /// Undoes what a run without enough workspace counted; its time becomes the rerun's.
  private func forget() {
    guard let saved else { return }
    let base = calls[transaction].entries
    recorder.pointee.switchBase(to: base, .rerun)
    var time: UInt64 = 0
    for call in calls[saved.calls...] {
      for bucket in 0..<ProfileBucket.count { time &+= call.entries[bucket].nanoseconds }
    }
    for bucket in 0..<ProfileBucket.count {
      time &+= base[bucket].nanoseconds &- saved.base[bucket].nanoseconds
      base[bucket] = saved.base[bucket]
    }
    base[Int(ProfileBucket.rerun.rawValue)].nanoseconds &+= time
    base[Int(ProfileBucket.rerun.rawValue)].count += 1
    for call in calls[saved.calls...] {
      numbers[Key(subject: call.subject, parent: call.parent)] = nil
      places[call.entries] = nil
      call.entries.deallocate()
    }
    calls.removeSubrange(saved.calls...)
    for opcode in 0..<256 { opcodeEntries[opcode] = saved.opcodes[opcode] }
    recorder.pointee.precompiles = saved.rest[0]
    recorder.pointee.deployments = saved.rest[1]
    recorder.pointee.coldAccounts = saved.rest[2]
  }

  private func entries(of call: ProfileCall) -> UnsafeMutablePointer<ProfileEntry> {
    let parent = places[call.parent] ?? transaction
    let subject = Call.Subject.code(
      call.code, selector: call.selector, isCreation: call.isCreation)
    return calls[number(of: subject, parent: parent)].entries
  }

  private func number(of subject: Call.Subject, parent: Int) -> Int {
    let key = Key(subject: subject, parent: parent)
    if let known = numbers[key] { return known }
    calls.append(Call(subject: subject, parent: parent, entries: Self.makeEntries()))
    numbers[key] = calls.count - 1
    places[calls[calls.count - 1].entries] = calls.count - 1
    return calls.count - 1
  }

  private static func makeEntries() -> UnsafeMutablePointer<ProfileEntry> {
    let entries = UnsafeMutablePointer<ProfileEntry>.allocate(capacity: ProfileBucket.count)
    entries.initialize(repeating: ProfileEntry(), count: ProfileBucket.count)
    return entries
  }
}

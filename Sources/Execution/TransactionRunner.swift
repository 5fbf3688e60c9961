import EVM
import Ethereum

/// Runs single transactions and system calls on a world state: owns the workspace, answers the
/// machine's questions, and applies the journal.
///
/// One machine serves a block; between `begin` and `end` the state is the runner's alone.
final class TransactionRunner {
  /// The state; changed through the runner while a block runs.
  var state = WorldState()
  var blockHashes: [UInt64: Hash256] = [:]
  /// Answers BLOCKHASH for blocks that `blockHashes` lacks.
  var fallbackBlockHash: ((UInt64) -> Hash256?)?
  var tracer: (any TransactionTracer)?
  /// Whether what makes a transaction its sender's own is left unchecked (`Machine.isTrial`).
  var isTrial = false {
    didSet { if isTrial != oldValue { machine.pointee?.isTrial = isTrial } }
  }
  /// Whether a trial may pay nothing for its gas (`Machine.mayBeFree`).
  var mayBeFree = false
  /// When transactions have to be over, in nanoseconds of `MonotonicClock`; system calls may take their time.
  var deadline: UInt64?
  /// Precompiles that answer at other addresses (`Machine.precompileMoves`).
  var precompileMoves: [PrecompileMove] = [] {
    didSet {
      movesMemory?.deallocate()
      movesMemory = nil
      if precompileMoves.isEmpty { return }
      movesMemory = .allocate(capacity: precompileMoves.count)
      movesMemory!.initialize(from: precompileMoves, count: precompileMoves.count)
    }
  }
  private var movesMemory: UnsafeMutablePointer<PrecompileMove>?

  private var scale = 1
  private var host: HostWorkspace?
  private var environment = BlockEnvironment()
  private var fork = Fork.frontier
  /// Another in every process: nobody can choose keys that collide in the journal.
  private let seed = UInt64.random(in: .min ... .max)
  /// The machine, in memory of its own, so that no access to it is checked at run time.
  private let machine: UnsafeMutablePointer<HostMachine?>
  /// What the machine's questions are answered from.
  private let context: UnsafeMutablePointer<Context>

  private typealias HostMachine = Machine<ForeignStateView, NoTracer>

  private struct Context {
    /// The state's, while a block runs.
    var tables: UnsafeMutablePointer<StateTables>?
    unowned(unsafe) var runner: TransactionRunner?
    unowned(unsafe) var codes: CodeStore?
    var deadline: UInt64 = 0
    var fork = Fork.frontier
  }

  init() {
    machine = .allocate(capacity: 1)
    machine.initialize(to: nil)
    context = .allocate(capacity: 1)
    context.initialize(to: Context(tables: nil, runner: nil, codes: nil))
    context.pointee.runner = self
  }

  deinit {
    movesMemory?.deallocate()
    machine.deinitialize(count: 1)
    machine.deallocate()
    context.deinitialize(count: 1)
    context.deallocate()
  }

  /// What the machine is asked to do.
  enum Work {
    case transaction(
      TransactionMessage, gasAvailable: UInt64, stateGasAvailable: UInt64, blobsAvailable: Int)
    case systemCall(Address, UnsafeBufferPointer<UInt8>)
  }

  /// Takes a state for the time of a block.
  func begin(_ block: PreparedBlock, on state: inout WorldState) {
    fork = block.fork
    environment = block.environment
    blockHashes = block.blockHashes
    // Swapped, not assigned: two owners would make the first change copy the state.
    swap(&self.state, &state)
    context.pointee.tables = self.state.ownedTables()
    context.pointee.codes = self.state.codes
    context.pointee.fork = fork
    machine.pointee = nil
  }

  /// Lets somebody else change the state in the middle of a block.
  func change(_ body: (inout WorldState) -> Void) {
    body(&state)
    context.pointee.tables = state.ownedTables()
  }

  /// Gives the state back.
  func end(_ state: inout WorldState) {
    context.pointee.tables = nil
    context.pointee.codes = nil
    swap(&self.state, &state)
  }

  /// Runs work, with a larger workspace each time it runs out, and hands the result, the journal
  /// and the output to `body`; they live until it returns.
  @inline(__always)
  func run(
    _ work: Work, _ body: (TransactionResult, Journal, UnsafeBufferPointer<UInt8>) -> Void
  ) throws(ExecutionError) {
    state.codes.beginTransaction()
    while true {
      if tracer == nil, let deadline,
        case .transaction(let message, let gas, let state, let blobs) = work
      {
        let (result, journal, output) = try runTimed(message, gas, state, blobs, deadline)
        if !result.status.isFault { return body(result, journal, output) }
        try recover(from: result.status)
      } else if tracer == nil {
        if machine.pointee == nil { try makeMachine() }
        let result = Self.perform(work, &machine.pointee!)
        if !result.status.isFault {
          return body(result, machine.pointee!.journal, machine.pointee!.output)
        }
        try recover(from: result.status)
      } else {
        let (result, journal, output) = try runWatched(work)
        if !result.status.isFault { return body(result, journal, output) }
        try recover(from: result.status)
      }
    }
  }

  private static func perform(_ work: Work, _ machine: inout HostMachine) -> TransactionResult {
    switch work {
    case .transaction(let message, let gas, let stateGas, let blobs):
      machine.run(
        message, gasAvailable: gas, stateGasAvailable: stateGas, blobsAvailable: blobs)
    case .systemCall(let address, let data):
      machine.runSystemCall(to: address, data: data)
    }
  }

  /// Takes what a transaction changed into the state.
  func apply(_ journal: Journal) {
    if let profile = tracer as? ExecutionProfile {
      return profile.measure(.database) { applyUnwatched(journal) }
    }
    applyUnwatched(journal)
  }

  @inline(__always)
  private func applyUnwatched(_ journal: Journal) {
    context.pointee.tables!.pointee.apply(journal, fork: fork, codes: state.codes)
  }

  /// The state's tables, while a block runs.
  var sharedTables: UnsafeMutablePointer<StateTables> { context.pointee.tables! }

  @inline(never)
  private func recover(from status: ExecutionStatus) throws(ExecutionError) {
    guard status == .workspaceExhausted, scale < HostWorkspace.largestScale else {
      throw ExecutionError(fault: status)
    }
    scale *= 4
    machine.pointee = nil
    host = nil
  }

  private func makeWorkspace() throws(ExecutionError) -> Workspace {
    guard let host = host ?? HostWorkspace(scale: scale) else {
      throw ExecutionError(
        .workspaceExhausted,
        "the system has no address space for a workspace of scale \(scale)")
    }
    self.host = host
    return host.workspace
  }

  @inline(never)
  private func makeMachine() throws(ExecutionError) {
    machine.pointee = Machine(
      fork: fork, block: environment, view: view, tracer: NoTracer(),
      workspace: try makeWorkspace())
    machine.pointee!.journal.seed = seed
    machine.pointee!.isTrial = isTrial
    machine.pointee!.mayBeFree = mayBeFree
    machine.pointee!.precompileMoves = moves
  }

  private var moves: UnsafeBufferPointer<PrecompileMove> {
    UnsafeBufferPointer(start: movesMemory, count: precompileMoves.count)
  }

  private typealias WatchedRun = (TransactionResult, Journal, UnsafeBufferPointer<UInt8>)

  @inline(never)
  private func runTimed(
    _ message: TransactionMessage, _ gas: UInt64, _ stateGas: UInt64, _ blobs: Int,
    _ deadline: UInt64
  ) throws(ExecutionError) -> WatchedRun {
    context.pointee.deadline = deadline
    var machine = Machine(
      fork: fork, block: environment,
      view: TimedStateView(view) {
        $0.assumingMemoryBound(to: Context.self).pointee.deadline < MonotonicClock.nanoseconds
      }, tracer: NoTracer(), workspace: try makeWorkspace())
    machine.journal.seed = seed
    machine.isTrial = isTrial
    machine.mayBeFree = mayBeFree
    machine.precompileMoves = moves
    let result = machine.run(
      message, gasAvailable: gas, stateGasAvailable: stateGas, blobsAvailable: blobs)
    return (result, machine.journal, machine.output)
  }

  @inline(never)
  private func runWatched(_ work: Work) throws(ExecutionError) -> WatchedRun {
    if let profile = tracer as? ExecutionProfile { return try runProfiled(work, profile) }
    guard let tracer else { preconditionFailure("nobody watches") }
    return try runTraced(work, tracer)
  }

  private func runProfiled(_ work: Work, _ profile: ExecutionProfile) throws(ExecutionError)
    -> WatchedRun
  {
    let workspace = try makeWorkspace()
    profile.begin()
    return withExtendedLifetime(profile) {
      var machine = Machine(
        fork: fork, block: environment, view: profile.timed(view), tracer: profile.tracer,
        workspace: workspace)
      machine.journal.seed = seed
      profile.didMakeMachine()
      let result =
        switch work {
        case .transaction(let message, let gas, let stateGas, let blobs):
          machine.run(
            message, gasAvailable: gas, stateGasAvailable: stateGas, blobsAvailable: blobs)
        case .systemCall(let address, let data):
          machine.runSystemCall(to: address, data: data)
        }
      profile.end(result, output: machine.output)
      return (result, machine.journal, machine.output)
    }
  }

  private func runTraced(_ work: Work, _ tracer: any TransactionTracer) throws(ExecutionError)
    -> WatchedRun
  {
    let workspace = try makeWorkspace()
    let box = TracerBox(tracer)
    tracer.begin()
    return withExtendedLifetime(box) {
      var machine = Machine(
        fork: fork, block: environment, view: view,
        tracer: ForeignTracer(context: Unmanaged.passUnretained(box).toOpaque()) {
          Unmanaged<TracerBox>.fromOpaque($0).takeUnretainedValue().tracer.handle(
            $1.assumingMemoryBound(to: TraceEvent.self).pointee)
        },
        workspace: workspace)
      machine.isTrial = isTrial
      machine.mayBeFree = mayBeFree
      machine.precompileMoves = moves
      let result =
        switch work {
        case .transaction(let message, let gas, let stateGas, let blobs):
          machine.run(
            message, gasAvailable: gas, stateGasAvailable: stateGas, blobsAvailable: blobs)
        case .systemCall(let address, let data):
          machine.runSystemCall(to: address, data: data)
        }
      tracer.end(result, output: machine.output)
      return (result, machine.journal, machine.output)
    }
  }

  /// The machine's questions, answered from the state's tables. The context is the runner's, which
  /// outlives every machine that it makes.
  private var view: ForeignStateView {
    ForeignStateView(
      context: UnsafeMutableRawPointer(context),
      account: { context, address, record in
        let context = context.assumingMemoryBound(to: Context.self)
        let address = address.assumingMemoryBound(to: Address.self)
        let record = record.assumingMemoryBound(to: AccountRecord.self)
        context.pointee.tables!.pointee.read(address.pointee, into: &record.pointee)
        if record.pointee.place == AccountRecord.noPlace,
          context.pointee.tables!.pointee.pages != nil
        {
          _ = context.pointee.tables!.pointee.page(address.pointee)
          context.pointee.tables!.pointee.read(address.pointee, into: &record.pointee)
        }
        return true
      },
      storage: { context, _, place, slot, record in
        let context = context.assumingMemoryBound(to: Context.self)
        let slot = slot.assumingMemoryBound(to: UInt256.self)
        let record = record.assumingMemoryBound(to: StorageRecord.self)
        context.pointee.tables!.pointee.read(slot.pointee, of: place, into: &record.pointee)
        if record.pointee.place == AccountRecord.noPlace,
          context.pointee.tables!.pointee.pages != nil
        {
          context.pointee.tables!.pointee.page(missing: slot.pointee, of: place)
          context.pointee.tables!.pointee.read(slot.pointee, of: place, into: &record.pointee)
        }
        return true
      },
      code: { context, hash, _, place, code in
        let context = context.assumingMemoryBound(to: Context.self)
        let hash = hash.assumingMemoryBound(to: Hash256.self)
        let row = context.pointee.tables!.pointee.accounts + Int(place)
        guard
          let found = row.pointee.codeHash == hash.pointee
            ? row.pointee.code : context.pointee.codes!.stored(hash.pointee)
        else { return false }
        code.assumingMemoryBound(to: Code.self).pointee = context.pointee.codes!.executable(
          found, fork: context.pointee.fork)
        return true
      },
      blockHash: { context, number, hash in
        let runner = context.assumingMemoryBound(to: Context.self).pointee.runner!
        guard let found = runner.blockHashes[number] ?? runner.fallbackBlockHash?(number) else {
          return false
        }
        hash.assumingMemoryBound(to: Hash256.self).pointee = found
        return true
      })
  }
}

private final class TracerBox {
  let tracer: any TransactionTracer
  init(_ tracer: any TransactionTracer) { self.tracer = tracer }
}

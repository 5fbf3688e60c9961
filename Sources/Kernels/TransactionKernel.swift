package import EVM

/// Executes a batch of transactions, each on a state that nobody changes: all on the same one, or
/// each on its own world.
///
/// A launch has some number of lanes; lane `i` takes the transactions `i`, `i + lanes`, and so on,
/// so that neighbours run neighbouring transactions. A lane owns one workspace. Results are an
/// outcome for each transaction, and records in an arena that the lanes share.
package enum TransactionKernel {
  /// What the host gives.
  package struct Arguments: BitwiseCopyable {
    /// The rules in force.
    package var fork: Fork
    package var selection: RecordSelection
    /// Lanes in the launch.
    package var laneCount: Int
    /// Transactions to run.
    package var count: Int
    /// Which rows to run, `count` of them; all rows in order when it is `nil`.
    package var order: UnsafePointer<UInt32>?
    package var rows: UnsafePointer<TransactionRow>
    /// The lists of the rows.
    package var bytes: UnsafeRawPointer
    package var environments: UnsafePointer<EnvironmentRow>
    package var hashes: UnsafePointer<EnvironmentRow.BlockHash>
    package var table: StateTable
    /// Filled for the fork.
    package var instructions: UnsafeMutablePointer<InstructionCheck>
    /// One for each row.
    package var outcomes: UnsafeMutablePointer<TransactionOutcome>
    /// 8-byte aligned.
    package var records: UnsafeMutableRawPointer
    /// Bytes.
    package var recordCapacity: UInt64
    /// Bytes claimed; beyond the capacity when some found no room.
    package var recordsUsed: UnsafeMutablePointer<UInt64>
    /// Sizes of a lane's workspace.
    package var sizes: WorkspaceSizes
    /// A workspace for each lane, `stride` apart and 16-byte aligned; `nil` for lanes that bring
    /// their own.
    package var workspaces: UnsafeMutableRawPointer?
    /// Nanoseconds after which a lane of the device takes no further transaction, and gives up the
    /// one that it has.
    package var budget: UInt64
    /// Who answers calls of precompiles.
    package var exchange: PrecompileExchange

    /// Arguments of these values, with no order, no workspaces and a budget of a minute.
    package init(
      fork: Fork, selection: RecordSelection, laneCount: Int, count: Int,
      rows: UnsafePointer<TransactionRow>, bytes: UnsafeRawPointer,
      environments: UnsafePointer<EnvironmentRow>,
      hashes: UnsafePointer<EnvironmentRow.BlockHash>, table: StateTable,
      instructions: UnsafeMutablePointer<InstructionCheck>,
      outcomes: UnsafeMutablePointer<TransactionOutcome>, records: UnsafeMutableRawPointer,
      recordCapacity: UInt64, recordsUsed: UnsafeMutablePointer<UInt64>, sizes: WorkspaceSizes
    ) {
      self.fork = fork
      self.selection = selection
      self.laneCount = laneCount
      self.count = count
      order = nil
      self.rows = rows
      self.bytes = bytes
      self.environments = environments
      self.hashes = hashes
      self.table = table
      self.instructions = instructions
      self.outcomes = outcomes
      self.records = records
      self.recordCapacity = recordCapacity
      self.recordsUsed = recordsUsed
      self.sizes = sizes
      workspaces = nil
      budget = 60_000_000_000
      exchange = PrecompileExchange()
    }
  }

  /// Bytes between one workspace and the next.
  package static func stride(_ sizes: WorkspaceSizes) -> Int { (sizes.bytes &+ 15) & ~15 }

  /// Bytes of the workspace that a lane of `execute_light` has in its local memory.
  package static var localBytes: Int { 148 << 10 }

  /// The sizes of that workspace: enough for most transactions that people send.
  package static var localSizes: WorkspaceSizes {
    var sizes = WorkspaceSizes(
      stackWords: 2304, memoryBytes: 48 << 10, frames: 8, accounts: 24, slots: 40,
      undoRecords: 128, logs: 8, logBytes: 1 << 10, codeBytes: 64, returnBytes: 2 << 10)
    sizes.hashes = 4
    return sizes
  }

  /// Runs the transactions of a lane in `memory`, a workspace of at least `stride(sizes)` bytes. Sizes that
  /// the compiler knows make its places constants.
  ///
  /// `world` is what `view` reads; `execute` and `call` run one message on a machine over that view.
  /// They are given, so that the host runs machines that were compiled elsewhere.
  @inline(__always)
  static func run<View: StateView>(
    _ lane: Int, _ arguments: UnsafePointer<Arguments>, memory: UnsafeMutableRawPointer,
    sizes: WorkspaceSizes, constants: UnsafeMutablePointer<Workspace.Constants>? = nil,
    world: UnsafeMutablePointer<World>, view: View,
    execute: (inout Machine<View, NoTracer>, TransactionMessage, UInt64, Int) ->
      TransactionResult,
    call: (inout Machine<View, NoTracer>, TransactionMessage) -> TransactionResult
  ) {
    // A launch is a whole number of blocks: lanes beyond have no workspace.
    var index = lane
    if index >= arguments.pointee.laneCount || index >= arguments.pointee.count { return }
    var arena = Arena(base: memory, capacity: stride(sizes))
    let workspace = Workspace(
      carving: &arena, sizes: sizes, instructions: arguments.pointee.instructions,
      constants: constants)
    if arena.isExhausted { return }
    var environment = (arguments.pointee.rows + number(index, arguments)).pointee.environment
    world.pointee.enter(environment, arguments)
    var machine = Machine(
      fork: arguments.pointee.fork,
      block: (arguments.pointee.environments + Int(environment)).pointee.block, view: view,
      tracer: NoTracer(), workspace: workspace)
    while index < arguments.pointee.count && !world.pointee.clock.isOver {
      let number = number(index, arguments)
      let row = arguments.pointee.rows + number
      if row.pointee.environment != environment {
        environment = row.pointee.environment
        machine.block = (arguments.pointee.environments + Int(environment)).pointee.block
        world.pointee.enter(environment, arguments)
      }
      world.pointee.number = row.pointee.world
      world.pointee.calls.begin(row: number, place: index)
      let block = arguments.pointee.environments + Int(environment)
      let message = row.pointee.message(arguments.pointee.bytes)
      let result =
        row.pointee.isCall
        ? call(&machine, message)
        : execute(
          &machine, message, block.pointee.gasAvailable, block.pointee.blobsAvailable)
      report(
        result, &machine.journal, machine.output, arguments,
        to: arguments.pointee.outcomes + number)
      index &+= arguments.pointee.laneCount
    }
  }

  /// The number of the row at a place among those to run.
  @inline(__always)
  private static func number(_ index: Int, _ arguments: UnsafePointer<Arguments>) -> Int {
    arguments.pointee.order.map { Int($0[index]) } ?? index
  }

  /// Writes the outcome of a transaction and its records.
  @inline(__always)
  private static func report(
    _ result: TransactionResult, _ journal: UnsafePointer<Journal>,
    _ output: UnsafeBufferPointer<UInt8>,
    _ arguments: UnsafePointer<Arguments>, to outcome: UnsafeMutablePointer<TransactionOutcome>
  ) {
    // Still pending.
    if result.status == .timeExhausted { return }
    outcome.pointee.status = result.status
    outcome.pointee.error = result.error?.rawValue ?? TransactionOutcome.valid
    outcome.pointee.hasCreated = result.createdAddress != nil
    outcome.pointee.gasUsed = result.gasUsed
    outcome.pointee.gasRefunded = result.gasRefunded
    if result.status.isFault {
      outcome.pointee.state = .faulted
      return
    }
    if result.error != nil {
      outcome.pointee.state = .done
      return
    }
    let selection = arguments.pointee.selection
    let bytes = UInt64(RecordWriter.count(journal, arguments, output) &* 8)
    let place = fetchAddTogether(arguments.pointee.recordsUsed, bytes)
    outcome.pointee.records = place
    outcome.pointee.recordBytes = UInt32(truncatingIfNeeded: bytes)
    if bytes > arguments.pointee.recordCapacity
      || place > arguments.pointee.recordCapacity &- bytes
    {
      outcome.pointee.state = .recordsExhausted
      return
    }
    let slots = RecordWriter.write(
      journal, arguments, output,
      to: arguments.pointee.records + Int(truncatingIfNeeded: place))
    let hasState = !selection.isDisjoint(with: [.changes, .reads])
    outcome.pointee.accountCount =
      hasState ? UInt32(truncatingIfNeeded: journal.pointee.accountCount) : 0
    outcome.pointee.slotCount = UInt32(truncatingIfNeeded: slots)
    outcome.pointee.logCount =
      selection.contains(.logs)
      ? UInt32(truncatingIfNeeded: journal.pointee.logCount) : 0
    outcome.pointee.outputCount =
      selection.contains(.output)
      ? UInt32(truncatingIfNeeded: output.count) : 0
    outcome.pointee.state = .done
  }
}

extension TransactionKernel {
  /// Lane `index` with a machine of all precompiles, in its part of the given workspaces.
  package static func lane(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    guard let workspaces = arguments.pointee.workspaces else { return }
    let memory = workspaces + index &* stride(arguments.pointee.sizes)
    #if NEEDLETAIL_DEVICE
      lane(index, arguments, memory: memory, with: AllPrecompiles.self)
    #else
      // The machine that is compiled with the core, for speed.
      withWorld(arguments) { world in
        run(
          index, arguments, memory: memory, sizes: arguments.pointee.sizes, world: world,
          view: HostView.view(world),
          execute: {
            $0.run($1, gasAvailable: $2, stateGasAvailable: $2, blobsAvailable: $3)
          },
          call: { $0.runCall($1) })
      }
    #endif
  }

  /// Lane `index` with a machine of these precompiles in this memory, of the arguments' sizes if no others
  /// are given; `constants` is memory for what is the same in all lanes that have it.
  @inline(__always)
  package static func lane<Precompiles: PrecompileSet>(
    _ index: Int, _ arguments: UnsafePointer<Arguments>, memory: UnsafeMutableRawPointer,
    sizes: WorkspaceSizes? = nil, constants: UnsafeMutablePointer<Workspace.Constants>? = nil,
    with precompiles: Precompiles.Type
  ) {
    withWorld(arguments) { world in
      run(
        index, arguments, memory: memory, sizes: sizes ?? arguments.pointee.sizes,
        constants: constants, world: world, view: TableStateView<Precompiles>(world),
        execute: {
          $0.execute($1, gasAvailable: $2, stateGasAvailable: $2, blobsAvailable: $3)
        },
        call: { $0.call($1) })
    }
  }

  @inline(__always)
  private static func withWorld(
    _ arguments: UnsafePointer<Arguments>, _ body: (UnsafeMutablePointer<World>) -> Void
  ) {
    var world = World(
      arguments.pointee.table, budget: arguments.pointee.budget,
      exchange: arguments.pointee.exchange)
    withUnsafeMutablePointer(to: &world) { body($0) }
  }
}

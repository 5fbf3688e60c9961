import EVM
import Ethereum
import Execution

/// Runs a case again and again on one machine; nothing is allocated meanwhile.
final class CaseMachine {
  /// What an execution gave.
  struct Outcome: Equatable {
    /// How it ended.
    var status: ExecutionStatus
    /// Gas used: before refunds for a message call, after them for a transaction.
    var gas: UInt64
    /// Gas to be refunded, without a cap.
    var refund: UInt64
    /// Logs.
    var logs: Int
    /// What it returned.
    var output: [UInt8]
  }

  private let entry: EVMCase
  private let state: CaseState
  private var scale = 1
  private var host: HostWorkspace

  /// A machine for a case.
  init(_ entry: EVMCase) throws(ExecutionError) {
    self.entry = entry
    state = CaseState(entry.pre, fork: entry.fork)
    host = try Self.workspace(scale: 1)
  }

  private static func workspace(scale: Int) throws(ExecutionError) -> HostWorkspace {
    guard scale <= HostWorkspace.largestScale, let host = HostWorkspace(scale: scale) else {
      throw ExecutionError(.workspaceExhausted, "it needs more memory than there is")
    }
    return host
  }

  private func machine() -> Machine<ForeignStateView, NoTracer> {
    Machine(
      fork: entry.fork, block: entry.environment, view: state.view, tracer: NoTracer(),
      workspace: host.workspace)
  }

  /// Runs the case once, in a workspace that is large enough; call it first.
  func outcome() throws(ExecutionError) -> Outcome {
    while true {
      var machine = machine()
      let result = entry.withMessage { Self.run(entry.work, $0, &machine) }
      switch result.status {
      case .workspaceExhausted:
        scale *= 4
        host = try Self.workspace(scale: scale)
      case .stateUnavailable:
        throw ExecutionError(.missingBlockHash, "it asks for a block hash")
      default:
        if let error = result.error { throw ExecutionError(.invalidTransaction, error.message) }
        return Outcome(
          status: result.status, gas: result.gasUsed, refund: result.gasRefunded,
          logs: machine.journal.logCount, output: [UInt8](machine.output))
      }
    }
  }

  /// Hands over a function that runs the case as often as it is told.
  func withWork<Result>(_ body: ((Int) -> Void) -> Result) -> Result {
    entry.withMessage { message in
      var machine = machine()
      let work = entry.work
      return body { count in
        var left = count
        while left > 0 {
          let result = Self.run(work, message, &machine)
          precondition(!result.status.isFault, "what was checked before needs no more memory now")
          left &-= 1
        }
      }
    }
  }

  @inline(__always)
  private static func run(
    _ work: EVMCase.Work, _ message: TransactionMessage,
    _ machine: inout Machine<ForeignStateView, NoTracer>
  ) -> TransactionResult {
    switch work {
    case .messageCall: machine.runCall(message)
    case .transaction: machine.run(message, gasAvailable: .max, blobsAvailable: 0)
    }
  }

  /// Counts the opcodes that the case executes.
  func operationCount() -> Int {
    let counter = UnsafeMutablePointer<Int>.allocate(capacity: 1)
    defer { counter.deallocate() }
    counter.initialize(to: 0)
    var machine = Machine(
      fork: entry.fork, block: entry.environment, view: state.view,
      tracer: ForeignTracer(context: UnsafeMutableRawPointer(counter)) { context, event in
        if event.assumingMemoryBound(to: TraceEvent.self).pointee.kind == .willExecute {
          context.assumingMemoryBound(to: Int.self).pointee &+= 1
        }
      },
      workspace: host.workspace)
    entry.withMessage { message in
      switch entry.work {
      case .messageCall: _ = machine.runCall(message)
      case .transaction: _ = machine.run(message, gasAvailable: .max, blobsAvailable: 0)
      }
    }
    return counter.pointee
  }

  /// A function that makes code ready for execution as often as it is told: all that happens once
  /// for a code, its hash apart.
  static func analysis(of code: [UInt8], fork: Fork) -> (Int) -> Void {
    let hash = Keccak256.hash(code)
    return { count in
      code.withUnsafeBufferPointer { code in
        for _ in 0..<count {
          let store = CodeStore(translation: .always)
          store.insert(code, hash: hash)
          _ = store.executable(hash, fork: fork)
        }
      }
    }
  }
}

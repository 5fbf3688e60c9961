public import EVM
import Ethereum

/// Writes every step of transactions as a JSON line in the form of EIP-3155, as `evm --json` of
/// go-ethereum and evmone's tracer do. System calls are left out.
///
/// The gas cost of a call contains the gas that its child gets, without the stipend; that of a
/// creation does not, as go-ethereum has it. A step that ends its frame exceptionally carries an
/// `error`; a cost that could not be paid is then given as far as the opcode alone tells it. After
/// the steps of a transaction comes `{"output", "gasUsed"}` of its outermost frame, with an `error`
/// where it did not succeed.
public final class JSONTracer: TransactionTracer {
  /// What is written.
  public struct Options: Hashable, Sendable {
    /// Whether each line has the memory.
    public var memory = false
    /// Whether each line has the stack.
    public var stack = true
    /// Whether each line has what the last call returned.
    public var returnData = false

    /// Stack, but neither memory nor return data.
    public init() {}
  }

  /// The transaction that is running, by its place in its block; `nil` in a system call.
  public private(set) var transaction: Int?

  private let options: Options
  private let sink: ([UInt8]) -> Void
  private var lines: [UInt8] = []
  /// Bytes that went to the sink since the transaction began.
  private var emitted = 0
  /// Bytes that a first try of the transaction, without enough workspace, has written already. A
  /// second try begins with the same bytes.
  private var repeated = 0
  private var wasFaulted = false
  private var pending: Pending?
  private var schedule: GasSchedule
  private var startGas: Int64 = 0
  /// What the frame that ends has paid for its code.
  private var deposit: Int64 = 0
  private var summary: (status: ExecutionStatus, gasUsed: Int64)?

  /// A step whose cost is not known yet.
  private struct Pending {
    var step: TraceStep
    var stack: [UInt256]
    var memory: [UInt8]
    var returnData: [UInt8]
  }

  /// A tracer that hands whole lines to `sink`. The fork prices steps that could not be paid for.
  public init(
    fork: Fork, options: Options = Options(), sink: @escaping ([UInt8]) -> Void
  ) {
    self.options = options
    self.sink = sink
    schedule = GasSchedule(fork)
  }

  /// The rules, for the price of steps that could not be paid for.
  public var fork: Fork {
    get { schedule.fork }
    set { schedule = GasSchedule(newValue) }
  }

  public func willRun(transaction index: Int?) {
    transaction = index
    wasFaulted = false
  }

  public func begin() {
    repeated = wasFaulted ? emitted : 0
    emitted = 0
    pending = nil
    summary = nil
  }

  public func handle(_ event: TraceEvent) {
    guard transaction != nil else { return }
    switch event.kind {
    case .willExecute:
      guard let step = event.step else { return }
      // Within one frame, what a step cost is what is missing before the next one. A call's line
      // went out when it was charged.
      if let last = pending?.step { write(cost: last.gas &- step.gas) }
      pending = Pending(
        step: step, stack: options.stack ? [UInt256](step.stack) : [],
        memory: options.memory ? [UInt8](step.memory) : [],
        returnData: options.returnData ? [UInt8](step.returnData) : [])
      deposit = 0
    case .didCharge:
      if let last = pending?.step { write(cost: last.gas &- event.gas) }
    case .willEnter:
      if event.depth == 1 { startGas = event.gas }
    case .didExit:
      if pending?.step.depth == event.depth { writeLast(event) }
      if event.depth == 1 { summary = (event.status, startGas &- event.gas) }
    case .didDeposit: deposit = event.gas
    case .willRunPrecompile, .didPayForColdAccount: break
    }
  }

  public func end(_ result: TransactionResult, output: UnsafeBufferPointer<UInt8>) {
    wasFaulted = result.status.isFault
    if wasFaulted {
      flush()
      return
    }
    guard transaction != nil, result.error == nil else { return }
    let status = summary?.status ?? result.status
    let gasUsed = summary?.gasUsed ?? Int64(clamping: result.gasUsed)
    append("{\"output\":\"")
    append(Hexadecimal.string(output, prefix: false))
    append("\",\"gasUsed\":\"0x")
    append(String(gasUsed, radix: 16))
    append("\"")
    if !status.isSuccess { append(",\"error\":\"\(status.traceWords)\"") }
    append("}\n")
    flush()
  }

  /// The line of the step that ended its frame.
  private func writeLast(_ exit: TraceEvent) {
    guard let last = pending else { return }
    let step = last.step
    if exit.status.isHalt {
      let cost = OpcodeTable.row(step.opcode).map { schedule.cost($0.gas) } ?? 0
      return write(cost: cost, error: words(exit.status, step, last.stack.count))
    }
    // What deployed code costs is taken at the same time and is not the step's.
    write(cost: step.gas &- exit.gas &- deposit)
  }

  private func words(_ status: ExecutionStatus, _ step: TraceStep, _ height: Int) -> String {
    switch status {
    case .undefinedOpcode where step.opcode == Opcode.invalid: "invalid opcode: INVALID"
    case .undefinedOpcode: "invalid opcode: \(Self.name(step.opcode))"
    case .stackUnderflow:
      "stack underflow (\(step.stack.count) <=> \(OpcodeTable.row(step.opcode)?.pops ?? 0))"
    case .stackOverflow: "stack limit reached \(step.stack.count)"
    default: status.traceWords
    }
  }

  /// The name of an opcode, or what stands for it.
  static func name(_ opcode: UInt8) -> String {
    // Traces of all clients keep the name from before Paris.
    if opcode == Opcode.prevrandao { return "DIFFICULTY" }
    if let row = OpcodeTable.row(opcode) { return "\(row.name)" }
    return "opcode 0x\(String(opcode, radix: 16)) not defined"
  }

  private func write(cost: Int64, error: String? = nil) {
    guard let last = pending else { return }
    pending = nil
    let step = last.step
    append("{\"pc\":\(step.programCounter),\"op\":\(step.opcode),\"gas\":\"0x")
    append(String(step.gas, radix: 16))
    append("\",\"gasCost\":\"0x")
    append(String(cost, radix: 16))
    append("\"")
    if options.memory { append(",\"memory\":\"\(Hexadecimal.string(last.memory))\"") }
    append(",\"memSize\":\(step.memory.count)")
    if options.stack {
      append(",\"stack\":[")
      for (index, word) in last.stack.enumerated() {
        append(index == 0 ? "\"" : ",\"")
        append(word.description)
        append("\"")
      }
      append("]")
    }
    if options.returnData { append(",\"returnData\":\"\(Hexadecimal.string(last.returnData))\"") }
    append(",\"depth\":\(step.depth),\"refund\":\(step.refund),\"opName\":\"")
    append(Self.name(step.opcode))
    append("\"")
    if let error { append(",\"error\":\"\(error)\"") }
    append("}\n")
    if lines.count > 1 << 16 { flush() }
  }

  private func append(_ text: String) { lines.append(contentsOf: text.utf8) }

  private func flush() {
    let count = lines.count
    defer {
      emitted += count
      lines.removeAll(keepingCapacity: true)
    }
    let skipped = min(max(repeated - emitted, 0), count)
    if skipped == 0 { return sink(lines) }
    if skipped < count { sink([UInt8](lines[skipped...])) }
  }
}

extension ExecutionStatus {
  /// The words of go-ethereum, which readers of traces know.
  package var traceWords: String {
    switch self {
    case .stopped, .returned, .selfDestructed: ""
    case .reverted: "execution reverted"
    case .outOfGas: "out of gas"
    case .stackUnderflow: "stack underflow"
    case .stackOverflow: "stack limit reached"
    case .invalidJump: "invalid jump destination"
    case .undefinedOpcode: "invalid opcode"
    case .staticViolation: "write protection"
    case .returnDataOutOfBounds: "return data out of bounds"
    case .addressCollision: "contract address collision"
    case .codeTooLarge: "max code size exceeded"
    case .invalidCodePrefix: "invalid code: must not begin with 0xef"
    case .initCodeTooLarge: "max initcode size exceeded"
    case .precompileFailure: "precompile failed"
    case .workspaceExhausted: "workspace exhausted"
    case .stateUnavailable: "state unavailable"
    case .precompileUnavailable: "precompile unavailable"
    case .timeExhausted: "time exhausted"
    }
  }
}

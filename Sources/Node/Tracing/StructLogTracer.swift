import EVM
import Ethereum
import Execution

/// Collects every step of a transaction, as `debug_traceTransaction` gives it by default.
final class StructLogTracer: TransactionTracer, ResultTracer {
  struct Options {
    var stack = true
    var memory = false
    var storage = true
    var returnData = false
    /// Steps at most; 0 for all.
    var limit = 0

    init(_ value: JSONValue?) throws(RPCError) {
      stack = !(try value?["disableStack"]?.boolean() ?? false)
      memory = try value?["enableMemory"]?.boolean() ?? false
      storage = !(try value?["disableStorage"]?.boolean() ?? false)
      returnData = try value?["enableReturnData"]?.boolean() ?? false
      limit = Int(clamping: try value?["limit"]?.quantity() ?? 0)
    }
  }

  private struct Step {
    var step: TraceStep
    var stack: [UInt256] = []
    var memory: [UInt8] = []
    var returnData: [UInt8] = []
    var cost: Int64 = 0
    var error: String?
    var storage: [UInt256: UInt256]?
  }

  /// Bytes of steps that a trace may hold.
  private static let byteLimit = 256 << 20

  private let options: Options
  private var steps: [Step] = []
  private var pending: Int?
  private var bytes = 0
  private var deposit: Int64 = 0
  private var storage: [Address: [UInt256: UInt256]] = [:]
  /// Slots that a load will give: the value is on the stack of the next step.
  private var loading: (Address, UInt256)?
  private(set) var isTooLong = false
  private var gasUsed: UInt64 = 0
  private var isFailed = false
  private var output: [UInt8] = []
  private let schedule: GasSchedule

  init(_ options: Options, fork: Fork) {
    self.options = options
    schedule = GasSchedule(fork)
  }

  func begin() {
    steps = []
    pending = nil
    bytes = 0
    storage = [:]
    loading = nil
  }

  func handle(_ event: TraceEvent) {
    switch event.kind {
    case .willExecute:
      guard let step = event.step else { return }
      if let pending, steps[pending].step.depth == step.depth {
        steps[pending].cost = steps[pending].step.gas &- step.gas
      }
      settleLoad(step)
      pending = nil
      deposit = 0
      if isTooLong || options.limit > 0 && steps.count >= options.limit { return }
      var entry = Step(step: step)
      if options.stack { entry.stack = [UInt256](step.stack) }
      if options.memory { entry.memory = [UInt8](step.memory) }
      if options.returnData { entry.returnData = [UInt8](step.returnData) }
      bytes += 200 + entry.stack.count * 32 + entry.memory.count + entry.returnData.count
      if bytes > Self.byteLimit { isTooLong = true }
      if options.storage { noteStorage(step, &entry) }
      pending = steps.count
      steps.append(entry)
    case .didCharge:
      if let index = pending {
        steps[index].cost = steps[index].step.gas &- event.gas
        pending = nil
      }
    case .didExit:
      if let index = pending, steps[index].step.depth == event.depth {
        if event.status.isHalt {
          steps[index].cost =
            OpcodeTable.row(steps[index].step.opcode).map { schedule.cost($0.gas) } ?? 0
          steps[index].error = event.status.words
        } else {
          steps[index].cost = steps[index].step.gas &- event.gas &- deposit
          if event.status == .reverted { steps[index].error = event.status.words }
        }
        pending = nil
      }
    case .didDeposit: deposit = event.gas
    case .willEnter, .willRunPrecompile, .didPayForColdAccount: break
    }
  }

  private func noteStorage(_ step: TraceStep, _ entry: inout Step) {
    let stack = step.stack
    if step.opcode == 0x55, stack.count >= 2 {
      storage[step.address, default: [:]][stack[stack.count - 1]] = stack[stack.count - 2]
      entry.storage = storage[step.address]
    } else if step.opcode == 0x54, let key = stack.last {
      loading = (step.address, key)
    }
  }

  /// The value that a load put on the stack.
  private func settleLoad(_ step: TraceStep) {
    guard let (address, key) = loading else { return }
    loading = nil
    guard let index = pending, let value = step.stack.last, step.address == address else { return }
    storage[address, default: [:]][key] = value
    steps[index].storage = storage[address]
  }

  func end(_ result: TransactionResult, output: UnsafeBufferPointer<UInt8>) {
    gasUsed = result.gasUsed
    isFailed = !result.status.isSuccess
    self.output = result.status.isSuccess || result.status == .reverted ? [UInt8](output) : []
  }

  func write(_ writer: inout JSONWriter) throws(RPCError) {
    if isTooLong { throw RPCError.limit("the trace has more than \(Self.byteLimit >> 20) MiB") }
    writer.object { writer in
      writer.member("gas", gasUsed)
      writer.member("failed", isFailed)
      writer.member("returnValue", hexadecimal: output)
      writer.key("structLogs")
      writer.array { writer in
        for step in steps { write(step, &writer) }
      }
    }
  }

  private func write(_ step: Step, _ writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("pc", step.step.programCounter)
      writer.member("op", OpcodeNames.name(step.step.opcode))
      writer.member("gas", step.step.gas)
      writer.member("gasCost", step.cost)
      writer.member("depth", step.step.depth)
      if let error = step.error { writer.member("error", error) }
      if step.step.refund > 0 { writer.member("refund", step.step.refund) }
      if options.stack {
        writer.key("stack")
        writer.array { writer in for word in step.stack { writer.value(quantity: word) } }
      }
      if options.memory {
        writer.key("memory")
        writer.array { writer in
          var offset = 0
          while offset < step.memory.count {
            let end = min(offset + 32, step.memory.count)
            writer.value(hexadecimal: [UInt8](step.memory[offset..<end]))
            offset = end
          }
        }
      }
      if options.returnData, !step.returnData.isEmpty {
        writer.member("returnData", hexadecimal: step.returnData)
      }
      if let storage = step.storage {
        writer.key("storage")
        writer.object { writer in
          for (key, value) in storage.sorted(by: { $0.key < $1.key }) {
            writer.member(Hash256(key).description, Hash256(value))
          }
        }
      }
    }
  }
}

/// A tracer whose result is JSON.
protocol ResultTracer: AnyObject {
  func write(_ writer: inout JSONWriter) throws(RPCError)
}

/// The names of opcodes.
enum OpcodeNames {
  static func name(_ opcode: UInt8) -> String {
    if let row = OpcodeTable.row(opcode) { return "\(row.name)" }
    return "opcode 0x\(String(opcode, radix: 16)) not defined"
  }
}

public import EVM
import Ethereum

/// Traces in lines of JSON, one for each opcode (EIP-3155).
///
/// An opcode's line is written when its cost is known: with the next opcode of its frame, or with
/// the frame's end. A call's cost has the gas in it that the child got.
public final class TraceLines: TransactionTracer {
  /// What goes into a line besides the counters.
  public struct Options: Sendable {
    /// Whether the stack is in it.
    public var stack: Bool
    /// Whether the memory is in it.
    public var memory: Bool
    /// Whether what the last call returned is in it.
    public var returnData: Bool

    /// Options from their values.
    public init(stack: Bool = true, memory: Bool = false, returnData: Bool = false) {
      self.stack = stack
      self.memory = memory
      self.returnData = returnData
    }
  }

  /// A line that waits for its cost.
  private struct Pending {
    var head: [UInt8]
    var tail: [UInt8]
    var gas: Int64
    var depth: Int
    /// The cost where the frame's end does not tell it.
    var ownCost: Int64?
  }

  private let options: Options
  private let sink: (_ transaction: Int, _ result: TransactionResult, _ lines: [UInt8]) -> Void
  private var lines: [UInt8] = []
  private var pending: Pending?
  private var isSystemCall = false
  private var transaction = 0

  /// A tracer that hands the lines of each transaction, by its place in the prepared block, to
  /// `sink` when the transaction is over. System calls are not traced.
  public init(
    options: Options = Options(),
    sink: @escaping (_ transaction: Int, _ result: TransactionResult, _ lines: [UInt8]) -> Void
  ) {
    self.options = options
    self.sink = sink
  }

  public func begin(isSystemCall: Bool) {
    self.isSystemCall = isSystemCall
    lines.removeAll(keepingCapacity: true)
    pending = nil
  }

  public func handle(_ event: TraceEvent) {
    if isSystemCall { return }
    switch event.kind {
    case .willExecute:
      guard let step = event.step else { return }
      if let pending { finish(pending, gas: step.gas, status: nil) }
      pending = Pending(
        head: head(step), tail: tail(step), gas: step.gas, depth: step.depth,
        ownCost: Self.returnCost(step))
    case .didCharge:
      if let pending { finish(pending, gas: event.gas, status: nil) }
      pending = nil
    case .willEnter: break
    case .didExit:
      guard let last = pending, last.depth == event.depth else { return }
      finish(last, gas: event.gas, status: event.status)
      pending = nil
    }
  }

  public func end(_ result: TransactionResult, output: UnsafeBufferPointer<UInt8>) {
    // After a fault the same transaction comes once more.
    if isSystemCall || result.error == nil && result.status.isFault { return }
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("output", Hexadecimal.string(output, prefix: false))
      writer.member("gasUsed", quantity: result.gasUsed)
      writer.member("pass", result.error == nil && result.status.isSuccess)
      if !result.status.isSuccess { writer.member("error", "\(result.status)") }
    }
    lines.append(contentsOf: writer.takeBytes())
    lines.append(0x0A)
    sink(transaction, result, lines)
    transaction += 1
  }

  /// What RETURN costs for memory: the end of a creation's frame pays for the code, too. `nil` for
  /// another opcode, and where the memory would cost more gas than there is.
  private static func returnCost(_ step: TraceStep) -> Int64? {
    guard step.opcode == 0xF3, step.stack.count >= 2 else { return nil }
    let offset = step.stack[step.stack.count - 1]
    let size = step.stack[step.stack.count - 2]
    if size.isZero { return 0 }
    guard offset.clampedToUInt64 < 1 << 32, size.clampedToUInt64 < 1 << 32 else { return nil }
    let words = (offset.limb0 + size.limb0 + 31) / 32
    let held = UInt64(step.memory.count / 32)
    if words <= held { return 0 }
    let price = { (words: UInt64) in Int64(3 * words + words * words / 512) }
    let cost = price(words) - price(held)
    return cost <= step.gas ? cost : nil
  }

  private func head(_ step: TraceStep) -> [UInt8] {
    Array(
      """
      {"pc":\(step.programCounter),"op":\(step.opcode),\
      "gas":"\(Hexadecimal.quantity(UInt64(clamping: step.gas)))","gasCost":"
      """.utf8)
  }

  private func tail(_ step: TraceStep) -> [UInt8] {
    var text = "\","
    if options.memory { text += "\"memory\":\"\(Hexadecimal.string(step.memory))\"," }
    text += "\"memSize\":\(step.memory.count),\"stack\":"
    if options.stack {
      text += "[" + step.stack.map { "\"\($0)\"" }.joined(separator: ",") + "],"
    } else {
      text += "null,"
    }
    if options.returnData { text += "\"returnData\":\"\(Hexadecimal.string(step.returnData))\"," }
    text += "\"depth\":\(step.depth),\"refund\":\(step.refund),\"opName\":\""
    if let row = OpcodeTable.row(step.opcode) {
      text += "\(row.name)\""
    } else {
      text += "opcode 0x\(String(step.opcode, radix: 16)) not defined\""
    }
    return Array(text.utf8)
  }

  private func finish(_ pending: Pending, gas: Int64, status: ExecutionStatus?) {
    lines.append(contentsOf: pending.head)
    let cost = pending.ownCost ?? pending.gas &- gas
    lines.append(contentsOf: Hexadecimal.quantity(UInt64(clamping: cost)).utf8)
    lines.append(contentsOf: pending.tail)
    if let status, !status.isSuccess {
      lines.append(contentsOf: ",\"error\":\"\(status)\"".utf8)
    }
    lines.append(contentsOf: "}\n".utf8)
  }
}

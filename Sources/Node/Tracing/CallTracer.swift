import EVM
import Ethereum
import Execution

/// Collects the tree of a transaction's calls (`callTracer`), and the selectors that they called
/// (`4byteTracer`).
final class CallTracer: TransactionTracer, ResultTracer {
  enum Form { case tree, selectors }

  private struct Call {
    var kind: String
    var from: Address
    var to: Address
    var value: UInt256?
    var gas: Int64
    var gasUsed: Int64 = 0
    var input: [UInt8]
    var output: [UInt8] = []
    var status = ExecutionStatus.stopped
    var logs: [(log: Log, position: Int)] = []
    var calls: [Int] = []
  }

  private let form: Form
  private let withLogs: Bool
  private let onlyTop: Bool
  private let transaction: Transaction
  private let sender: Address
  private var calls: [Call] = []
  private var open: [Int] = []
  private var opcode: UInt8 = 0
  private var precompiles: Set<Int> = []
  private var gasUsed: UInt64 = 0

  init(_ form: Form, options: JSONValue?, transaction: Transaction, sender: Address)
    throws(RPCError)
  {
    self.form = form
    let config = options?["tracerConfig"]
    withLogs = try config?["withLog"]?.boolean() ?? false
    onlyTop = try config?["onlyTopCall"]?.boolean() ?? false
    self.transaction = transaction
    self.sender = sender
  }

  func begin() {
    calls = []
    open = []
    precompiles = []
  }

  func handle(_ event: TraceEvent) {
    switch event.kind {
    case .willExecute:
      guard let step = event.step else { return }
      opcode = step.opcode
      if withLogs, (0xA0...0xA4).contains(step.opcode) { noteLog(step) }
      if step.opcode == 0xFF { noteDestruction(step) }
    case .willEnter:
      let kind: String
      if open.isEmpty {
        kind = transaction.createsContract ? "CREATE" : "CALL"
      } else {
        kind =
          switch opcode {
          case 0xF0: "CREATE"
          case 0xF2: "CALLCODE"
          case 0xF4: "DELEGATECALL"
          case 0xF5: "CREATE2"
          case 0xFA: "STATICCALL"
          default: "CALL"
          }
      }
      let call = Call(
        kind: kind, from: event.caller, to: event.address,
        value: kind == "STATICCALL" ? nil : event.value, gas: event.gas,
        input: [UInt8](event.data))
      if let parent = open.last { calls[parent].calls.append(calls.count) }
      open.append(calls.count)
      calls.append(call)
    case .didExit:
      guard let index = open.popLast() else { return }
      calls[index].gasUsed = calls[index].gas &- event.gas
      calls[index].status = event.status
      calls[index].output = [UInt8](event.data)
    case .willRunPrecompile: if let index = open.last { precompiles.insert(index) }
    case .didCharge, .didPayForColdAccount, .didDeposit: break
    }
  }

  private func noteLog(_ step: TraceStep) {
    guard let index = open.last, let log = TransferTracer.log(step) else { return }
    calls[index].logs.append((log, calls[index].calls.count))
  }

  private func noteDestruction(_ step: TraceStep) {
    guard let parent = open.last, let target = step.stack.last else { return }
    calls[parent].calls.append(calls.count)
    // What the account has by now, nobody tells here: better no value than a wrong one.
    calls.append(
      Call(
        kind: "SELFDESTRUCT", from: step.address, to: Address(target), value: nil, gas: 0,
        input: []))
  }

  func end(_ result: TransactionResult, output: UnsafeBufferPointer<UInt8>) {
    gasUsed = result.gasUsed
    if calls.isEmpty { return }
    // The whole transaction: what it bought and what it paid for.
    calls[0].gas = Int64(clamping: transaction.gasLimit)
    calls[0].gasUsed = Int64(clamping: result.gasUsed)
  }

  func write(_ writer: inout JSONWriter) throws(RPCError) {
    switch form {
    case .tree:
      if calls.isEmpty { return writer.object { _ in } }
      write(0, isDropped: false, &writer)
    case .selectors:
      var counts: [String: Int] = [:]
      for (index, call) in calls.enumerated()
      where call.input.count >= 4 && !call.kind.hasPrefix("CREATE") && !precompiles.contains(index)
      {
        counts[
          "\(Hexadecimal.string([UInt8](call.input[..<4])))-\(call.input.count - 4)", default: 0] +=
          1
      }
      writer.object { writer in
        for (name, count) in counts.sorted(by: { $0.key < $1.key }) { writer.member(name, count) }
      }
    }
  }

  private func write(_ index: Int, isDropped: Bool, _ writer: inout JSONWriter) {
    let call = calls[index]
    let isFailed = !call.status.isSuccess
    writer.object { writer in
      writer.member("from", call.from)
      writer.member("gas", quantity: UInt64(max(0, call.gas)))
      writer.member("gasUsed", quantity: UInt64(max(0, call.gasUsed)))
      if !(isFailed && call.kind.hasPrefix("CREATE")) { writer.member("to", call.to) }
      writer.member("input", hexadecimal: call.input)
      if !call.output.isEmpty, !isFailed || call.status == .reverted {
        writer.member("output", hexadecimal: call.output)
      }
      if isFailed {
        writer.member("error", call.status.words)
        if call.status == .reverted, let reason = RevertReason.text(call.output) {
          writer.member("revertReason", reason)
        }
      }
      if !onlyTop, !call.calls.isEmpty {
        writer.key("calls")
        writer.array { writer in
          for child in call.calls { write(child, isDropped: isDropped || isFailed, &writer) }
        }
      }
      if withLogs, !isDropped, !isFailed, !call.logs.isEmpty {
        writer.key("logs")
        writer.array { writer in
          for (log, position) in call.logs {
            writer.object { writer in
              writer.member("address", log.address)
              writer.key("topics")
              writer.array { writer in for topic in log.topics { writer.value(topic) } }
              writer.member("data", hexadecimal: log.data)
              writer.member("position", quantity: UInt64(position))
            }
          }
        }
      }
      if let value = call.value { writer.member("value", quantity: value) }
      writer.member("type", call.kind)
    }
  }
}

/// Collects logs, and if wanted a log for every transfer of ether, as simulations want them.
///
/// Logs are numbered as they are written; those that are undone keep their numbers (go-ethereum's
/// `logTracer`).
final class TransferTracer: TransactionTracer {
  /// Where such logs seem to come from: the address that stands for ether in many interfaces.
  static let address = Address(
    hexadecimal: "0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee")!
  /// `Transfer(address,address,uint256)`.
  static let topic = Keccak256.hash([UInt8]("Transfer(address,address,uint256)".utf8))

  typealias NumberedLog = (log: Log, number: Int)

  private(set) var logs: [NumberedLog] = []
  /// The number of the next log.
  private(set) var count: Int
  private let firstLog: Int
  private let withTransfers: Bool
  /// A log whose opcode has not been paid for yet.
  private var pending: Log?
  private var marks: [(logs: Int, transfers: Int)] = []
  private var transfers: [(from: Address, to: Address, value: UInt256)] = []
  private var opcode: UInt8 = 0
  /// An account's balance before the transaction.
  private let balanceBefore: (Address) -> UInt256

  /// A tracer whose first log has a number.
  init(
    firstLog: Int, withTransfers: Bool, balanceBefore: @escaping (Address) -> UInt256
  ) {
    self.firstLog = firstLog
    self.withTransfers = withTransfers
    self.balanceBefore = balanceBefore
    count = firstLog
  }

  func begin() {
    logs = []
    marks = []
    transfers = []
    pending = nil
    count = firstLog
  }

  func handle(_ event: TraceEvent) {
    switch event.kind {
    case .willExecute:
      guard let step = event.step else { return }
      settle()
      opcode = step.opcode
      if (0xA0...0xA4).contains(step.opcode) { pending = Self.log(step) }
      if withTransfers, step.opcode == 0xFF, let target = step.stack.last {
        let balance = balance(of: step.address)
        if !balance.isZero { add(step.address, Address(target), balance) }
      }
    case .willEnter:
      marks.append((logs.count, transfers.count))
      let moves = withTransfers && (marks.count == 1 || [0xF0, 0xF1, 0xF5].contains(opcode))
      if moves, !event.value.isZero { add(event.caller, event.address, event.value) }
    case .didExit:
      if event.status.isHalt { pending = nil } else { settle() }
      if let mark = marks.popLast(), !event.status.isSuccess {
        logs.removeLast(logs.count - mark.logs)
        transfers.removeLast(transfers.count - mark.transfers)
      }
    default: break
    }
  }

  private func balance(of address: Address) -> UInt256 {
    var balance = balanceBefore(address)
    for transfer in transfers {
      if transfer.to == address { balance = balance &+ transfer.value }
      if transfer.from == address { balance = balance &- transfer.value }
    }
    return balance
  }

  private func add(_ from: Address, _ to: Address, _ value: UInt256) {
    transfers.append((from, to, value))
    append(
      Log(
        address: Self.address,
        topics: [Self.topic, Hash256(from.word), Hash256(to.word)], data: value.bytes))
  }

  private func settle() {
    guard let log = pending else { return }
    pending = nil
    append(log)
  }

  private func append(_ log: Log) {
    logs.append((log, count))
    count += 1
  }

  func end(_ result: TransactionResult, output: UnsafeBufferPointer<UInt8>) {}

  /// What a log opcode is about to write; `nil` when its stack is too short or memory unreasonable.
  static func log(_ step: TraceStep) -> Log? {
    let count = Int(step.opcode - 0xA0)
    let stack = step.stack
    guard stack.count >= count + 2 else { return nil }
    let top = stack.count - 1
    guard stack[top].fitsUInt64, stack[top - 1].fitsUInt64, stack[top - 1].limb0 < 1 << 24,
      stack[top].limb0 < 1 << 40
    else { return nil }
    let offset = Int(stack[top].limb0)
    let size = Int(stack[top - 1].limb0)
    var data = [UInt8](repeating: 0, count: size)
    for index in 0..<size where offset + index < step.memory.count {
      data[index] = step.memory[offset + index]
    }
    return Log(
      address: step.address, topics: (0..<count).map { Hash256(stack[top - 2 - $0]) }, data: data)
  }
}

import ArgumentParser
import EVM
import Ethereum
import Execution
import Foundation

/// `needletail t8n`: a block on a pre-state, as go-ethereum's and the execution specification's
/// transition tools take it.
struct TransitionTool: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "t8n",
    abstract: "Apply a block to a state (the transition tool of fillers and fuzzers).",
    discussion: """
      Reads accounts, a block environment and transactions; writes the accounts after it and a \
      result with roots, receipts and rejected transactions. `stdin` as a file name takes the part \
      from one JSON object {"alloc", "env", "txs"} on standard input, `stdout` and `stderr` put \
      the part into one JSON object there.

      Transactions are a JSON array, where `secretKey` signs an unsigned one, or a hexadecimal \
      string with the RLP list of signed transactions.

      Exit status: 0 fine, 2 the block can not be executed, 3 unknown fork or incomplete \
      environment, 4 a block hash is missing, 10 malformed JSON, 11 a file can not be read or \
      written, 12 malformed RLP.

      Example: needletail t8n --input.alloc alloc.json --input.env env.json --input.txs txs.json \
      --state.fork Osaka --output.result stdout
      """)

  @Option(name: .customLong("input.alloc"), help: "Accounts before the block, or `stdin`.")
  var inputAlloc = "alloc.json"

  @Option(name: .customLong("input.env"), help: "The block's environment, or `stdin`.")
  var inputEnv = "env.json"

  @Option(name: .customLong("input.txs"), help: "The transactions, or `stdin`.")
  var inputTxs = "txs.json"

  @Option(
    name: .customLong("input.blobParams"),
    help: "Blob limits {target, max, baseFeeUpdateFraction} in place of the fork's, or `stdin`.")
  var inputBlobParameters: String?

  @Option(
    name: .customLong("output.basedir"),
    help: "The folder for output files; created when missing.")
  var outputFolder = ""

  @Option(
    name: .customLong("output.alloc"),
    help: "Where the accounts go: a file, `stdout`, `stderr`, or empty for nowhere.")
  var outputAlloc = "alloc.json"

  @Option(
    name: .customLong("output.result"),
    help: "Where the result goes: a file, `stdout`, `stderr`, or empty for nowhere.")
  var outputResult = "result.json"

  @Option(
    name: .customLong("output.body"),
    help: "Where the RLP of the transactions goes: a file, `stdout` or `stderr`.")
  var outputBody = ""

  @Option(name: .customLong("state.fork"), help: "The rules, for example Osaka or Cancun.")
  var fork = "Osaka"

  @Option(name: .customLong("state.chainid"), help: "The chain's identifier.")
  var chainID: UInt64 = 1

  @Option(
    name: .customLong("state.reward"), parsing: .unconditional,
    help: "Wei for the coinbase before Paris; -1 for no reward and no touch.")
  var reward: Int64 = 0

  @Flag(
    name: .customLong("trace"),
    help: "Write trace-<index>-<hash>.jsonl (EIP-3155) for each transaction.")
  var trace = false

  @Flag(name: .customLong("trace.memory"), help: "Put the memory into traces.")
  var traceMemory = false

  @Flag(name: .customLong("trace.nomemory"), help: "Leave the memory out (the default).")
  var traceNoMemory = false

  @Flag(name: .customLong("trace.nostack"), help: "Leave the stack out of traces.")
  var traceNoStack = false

  @Flag(name: .customLong("trace.returndata"), help: "Put return data into traces.")
  var traceReturnData = false

  @Flag(name: .customLong("trace.noreturndata"), help: "Leave return data out (the default).")
  var traceNoReturnData = false

  @Flag(
    name: .customLong("state-test"),
    help: "Only the transactions: no system calls, withdrawals or rewards.")
  var stateTest = false

  @Option(name: .customLong("verbosity"), help: .hidden)
  var verbosity = 3

  func run() throws {
    try ToolFiles.exiting { () throws(ToolFailure) in try transition() }
  }

  private func transition() throws(ToolFailure) {
    guard let fork = Fork(name: fork) else {
      throw ToolFailure(.configuration, "--state.fork: no fork has the name \(fork)")
    }
    if trace, traceMemory && traceNoMemory || traceReturnData && traceNoReturnData {
      throw ToolFailure(.configuration, "--trace: an option and its opposite are both given")
    }
    var input = try TransitionInput(self)
    var schedule = BlobSchedule.testNetworks
    if let parameters = input.blobParameters { schedule[fork] = parameters }
    var (block, derived) = try input.environment.block(
      fork: fork, chainID: chainID, reward: reward, schedule: schedule)
    let transactions = try TransitionTransactions(
      input.transactions, fork: fork, chainID: chainID)
    block.transactions = transactions.prepared.map { $0.transaction }
    if stateTest {
      block.callsSystemContracts = false
      block.withdrawals = []
      block.reward = nil
    }
    try ToolFiles.createFolder(outputFolder)
    let files = traceFiles(block)
    let result = try TransitionResult(
      block, derived: derived, transactions: transactions, state: WorldState(input.takeState()),
      tracer: files)
    if let failure = files?.failure { throw failure }
    try output(result, transactions: transactions)
  }

  private func output(
    _ result: TransitionResult, transactions: TransitionTransactions
  ) throws(ToolFailure) {
    var parts: [(name: String, destination: String, write: (inout JSONWriter) -> Void)] = []
    parts.append(("alloc", outputAlloc, { result.state.allocation.write(to: &$0) }))
    parts.append(("result", outputResult, { result.write(to: &$0) }))
    parts.append(
      (
        "body", outputBody,
        { $0.value(hexadecimal: TransitionResult.body(transactions.readable)) }
      ))
    for part in parts where !["", "stdout", "stderr"].contains(part.destination) {
      var writer = JSONWriter(isPretty: true)
      part.write(&writer)
      try ToolFiles.write(writer.takeBytes(), to: part.destination, in: outputFolder)
    }
    for (name, stream) in [
      ("stdout", FileHandle.standardOutput), ("stderr", FileHandle.standardError),
    ] {
      let here = parts.filter { $0.destination == name }
      if here.isEmpty { continue }
      var writer = JSONWriter(isPretty: true)
      writer.object { writer in
        for part in here {
          writer.key(part.name)
          part.write(&writer)
        }
      }
      try ToolFiles.write(writer.takeBytes(), to: stream)
    }
  }

  /// Writes `trace-<index>-<hash>.jsonl` for each transaction that is executed. Rejected ones have
  /// no index.
  private func traceFiles(_ block: PreparedBlock) -> TraceFiles? {
    guard trace else { return nil }
    var options = JSONTracer.Options()
    options.stack = !traceNoStack
    options.memory = traceMemory
    options.returnData = traceReturnData
    return TraceFiles(block, folder: outputFolder, options: options)
  }
}

/// The trace files of a block.
private final class TraceFiles: TransactionTracer {
  /// Why a file could not be written.
  private(set) var failure: ToolFailure?

  private let tracer: JSONTracer
  private let lines = Lines()
  private let transactions: [PreparedTransaction]
  private let folder: String
  private var executed = 0

  private final class Lines {
    var bytes: [UInt8] = []
  }

  init(_ block: PreparedBlock, folder: String, options: JSONTracer.Options) {
    transactions = block.transactions
    self.folder = folder
    tracer = JSONTracer(fork: block.fork, options: options) { [lines] in
      lines.bytes.append(contentsOf: $0)
    }
  }

  func willRun(transaction index: Int?) {
    lines.bytes.removeAll(keepingCapacity: true)
    tracer.willRun(transaction: index)
  }

  func begin() { tracer.begin() }

  func handle(_ event: TraceEvent) { tracer.handle(event) }

  func end(_ result: TransactionResult, output: UnsafeBufferPointer<UInt8>) {
    tracer.end(result, output: output)
    guard let index = tracer.transaction, result.error == nil, !result.status.isFault else {
      return
    }
    let hash = transactions[index].transaction.hash
    do throws(ToolFailure) {
      try ToolFiles.write(lines.bytes, to: "trace-\(executed)-\(hash).jsonl", in: folder)
    } catch {
      failure = error
    }
    executed += 1
  }
}

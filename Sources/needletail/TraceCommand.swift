import ArgumentParser
import EVM
import Ethereum
import Execution

struct TraceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace",
    abstract: "Print every step of an execution as a line of JSON (EIP-3155).",
    discussion: """
      Traces an input of `needletail run`, or a piece of code on an empty state. After the steps of \
      a transaction comes a line with its output and the gas of its outermost frame, and after \
      those of an input whose whole state is known a line with the state root.

        needletail trace state_test.json --fork Osaka
        needletail trace --code 0x6001600201 --gas 100000
      """)

  @Argument(help: "A file of state tests or batches, or the folder of a block.")
  var input: String?

  @Option(help: "Run this code in place of an input: hexadecimal, a file of it, or -.")
  var code: String?

  @Option(name: .customLong("input"), help: "The call data for --code, in hexadecimal.")
  var callData = "0x"

  @Option(help: "The gas for --code.")
  var gas: UInt64 = 10_000_000

  @Option(help: "The rules; Osaka for --code.")
  var fork: String?

  @Flag(help: "Put the memory into each line.")
  var memory = false

  @Flag(name: .customLong("returndata"), help: "Put the return data into each line.")
  var returnData = false

  @Flag(name: .customLong("nostack"), help: "Leave the stack out.")
  var noStack = false

  func validate() throws {
    if (input == nil) == (code == nil) { throw ValidationError("give an input or --code") }
  }

  func run() throws {
    var options = JSONTracer.Options()
    options.memory = memory
    options.returnData = returnData
    options.stack = !noStack
    let trace = TraceFile(try OutputFile(path: "-"), options: options)
    let runner = InputRunner()
    runner.fork = try fork.map { try Fork(argument: $0) }
    runner.makeTracer = { trace.tracer($0) }
    var failures = 0
    let report: (RunReport) throws(FormatError) -> Void = { (report) throws(FormatError) in
      if let error = trace.error { throw error }
      for failure in report.failures { Terminal.note("needletail: \(report.name): \(failure)") }
      if !report.passed { failures += 1 }
      if code == nil, let root = report.stateRoot {
        try trace.file.write(Array("{\"stateRoot\":\"\(root)\"}\n".utf8))
      }
    }
    if let code {
      let code = try CodeInput.bytes(code)
      let callData = try CodeInput.bytes(callData)
      try report(runner.run(code: code, input: callData, gas: gas))
    } else if let input {
      try runner.run(path: input, report)
    }
    try trace.file.finish()
    if failures > 0 { throw ExitCode(1) }
  }
}

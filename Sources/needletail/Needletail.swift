import ArgumentParser
import Ethereum
import Execution
@preconcurrency import Foundation
import GPU

@main
struct Needletail: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "needletail",
    abstract: "An Ethereum execution engine: runs blocks, transactions and the public test suites.",
    discussion: """
      Begin with `needletail run Examples/batches/transfers.json`, and `needletail help run`.

      Exit status: 0 fine, 1 a test or an execution failed, 2 bad usage or input (t8n and b11r have \
      those of the transition tool). Shell completion: needletail --generate-completion-script bash \
      (or zsh, fish).
      """,
    version: "needletail 0.1.0",
    subcommands: [
      RunCommand.self, ProfileCommand.self, TraceCommand.self, StateTestCommand.self,
      BlockTestCommand.self,
      TransactionTestCommand.self, TransitionTool.self, BlockBuilder.self, DisassembleCommand.self,
      KeccakCommand.self, RLPCommand.self, SignerCommand.self, CoprocessorsCommand.self,
      DevicesCommand.self,
      SoakCommand.self, NodeCommand.self, ConfigCommand.self, DatabaseCommand.self,
      BenchCommand.self,
    ])

  /// Runs the command and maps what goes wrong to an exit status and one line on standard error.
  static func main() {
    var status: Int32 = 0
    var settings: NodeConfiguration?
    do {
      var arguments = Array(CommandLine.arguments.dropFirst())
      do {
        settings = try NodeConfiguration.ofNode(
          arguments, environment: ProcessInfo.processInfo.environment)
        if let settings { arguments = ["node"] + settings.arguments }
      } catch let error as ValidationError {
        Terminal.note("needletail: \(error.message)")
        _exit(2)
      }
      var command = try parseAsRoot(arguments)
      do {
        try command.run()
      } catch let error as FormatError {
        Terminal.clearProgress()
        Terminal.note("needletail: \(error)")
        status = 2
      } catch let error as ExecutionError {
        Terminal.note("needletail: \(error)")
        status = 2
      } catch let error as BatchError {
        Terminal.clearProgress()
        Terminal.note("needletail: \(error)")
        status = 1
      } catch let error as ValidationError {
        Terminal.clearProgress()
        Terminal.note("needletail: \(error.message)")
        status = 2
      }
    } catch {
      status = exitCode(for: error).rawValue
      // What the argument parser finds wrong is bad usage; it has one status for all of it.
      if status == ExitCode.validationFailure.rawValue { status = 2 }
      let message = fullMessage(for: error)
      if status == 0 {
        if !message.isEmpty { print(message) }
      } else if !(error is ExitCode) {
        Terminal.note(message + (settings?.sources(in: message) ?? ""))
      }
    }
    if fflush(stdout) != 0 || ferror(stdout) != 0 {
      Terminal.note(
        "needletail: can not write to standard output: \(String(cString: strerror(errno)))")
      status = 2
    }
    _exit(status)
  }
}

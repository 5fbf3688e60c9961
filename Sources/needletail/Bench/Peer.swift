import ArgumentParser
import EVM
import Ethereum
import Foundation

/// Another virtual machine, in a program of its own that gets one case on standard input and
/// answers with one line of JSON (`PeerCase`, `PeerAnswer`).
struct Peer {
  /// Which machine.
  enum Kind: String, CaseIterable {
    /// revm 8 inside pyrevm: whole transactions, forks to Cancun.
    case pyrevm
    /// evmone with our runner (Tools/bench/evmone): message calls.
    case evmone
  }

  /// Which machine.
  let kind: Kind
  /// The programs: several builds of one machine, of which the quickest counts.
  private var commands: [[String]]

  /// The peers that `--against` names, each `pyrevm` or `evmone=RUNNER`; several runners of evmone
  /// make one peer.
  static func peers(_ arguments: [String]) throws -> [Peer] {
    var peers: [Peer] = []
    for argument in arguments {
      let peer = try Peer(argument: argument)
      if let index = peers.firstIndex(where: { $0.kind == peer.kind }) {
        peers[index].commands += peer.commands
      } else {
        peers.append(peer)
      }
    }
    return peers
  }

  /// The peer that one `--against` names.
  init(argument: String) throws {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard let kind = Kind(rawValue: String(parts[0])) else {
      throw ValidationError("--against \(argument): it is pyrevm or evmone=RUNNER")
    }
    self.kind = kind
    switch (kind, parts.count) {
    case (.pyrevm, 1): commands = [try Self.pyrevm()]
    case (.evmone, 2):
      let path = String(parts[1])
      guard FileManager.default.isExecutableFile(atPath: path) else {
        throw ValidationError(
          "\(path): no such program; Tools/bench/evmone/build makes it from a build of evmone")
      }
      commands = [[path]]
    case (.pyrevm, _): throw ValidationError("--against pyrevm takes no path")
    case (.evmone, _):
      throw ValidationError(
        "--against evmone=RUNNER: name the program that Tools/bench/evmone/build makes")
    }
  }

  /// Times a case. A peer that runs whole transactions is compared with what our message call used
  /// and would give back.
  func answer(
    to entry: EVMCase, outcome: CaseMachine.Outcome, seconds: Double
  ) -> PeerAnswer {
    switch kind {
    case .evmone:
      guard entry.work == .messageCall else {
        return PeerAnswer(error: "its runner has message calls only")
      }
      var answer = run(PeerCase(entry, fork: entry.fork, gas: entry.gas, seconds: seconds))
      answer.compare(with: outcome, gas: outcome.gas...outcome.gas)
      // With the analysis of the code in each call, which is not what we time.
      answer.modes.removeAll { $0.name.hasPrefix("evmc") }
      return answer
    case .pyrevm:
      // Before Cancun a name that pyrevm does not know would mean its newest rules.
      let fork = min(entry.fork, .cancun)
      var gas = entry.gas
      var most = outcome.gas
      if entry.work == .messageCall {
        let intrinsic = UInt64(
          entry.withMessage { IntrinsicGas($0, GasSchedule(fork), blockGasLimit: 0).intrinsic })
        gas = min(gas, UInt64(Int64.max) - intrinsic) + intrinsic
        most += intrinsic
      }
      var answer = run(PeerCase(entry, fork: fork, gas: gas, seconds: seconds))
      // The state is warm there, and refunds are taken off: the gas can only be less.
      answer.compare(with: outcome, gas: 0...most)
      return answer
    }
  }

  private func run(_ entry: PeerCase) -> PeerAnswer {
    let answers = commands.map { command in
      do {
        let output = try ChildProcess.output(of: command, input: [UInt8](entry.text.utf8))
        return try PeerAnswer(line: output)
      } catch {
        return PeerAnswer(error: "\(error)")
      }
    }
    if answers.count == 1 { return answers[0] }
    return PeerAnswer(builds: zip(commands, answers).map { ($0[0], $1) })
  }

  /// Python with pyrevm, in an environment that is made when it is first needed.
  private static func pyrevm() throws -> [String] {
    guard let checkout else {
      throw ValidationError(
        "--against pyrevm: Tools/environment is not found; run it inside the checkout")
    }
    let python = try ChildProcess.output(
      of: [
        checkout + "/Tools/environment", ".venv-bench", "Tools/bench/requirements.txt",
      ], input: [])
    let path = String(decoding: python, as: UTF8.self).trimmingCharacters(
      in: .whitespacesAndNewlines)
    return [checkout + "/" + path, checkout + "/Tools/bench/pyrevm_runner.py"]
  }

  /// The folder with `Tools`: above the working folder, or above the program.
  private static var checkout: String? {
    let starts = [
      FileManager.default.currentDirectoryPath,
      URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().path,
    ]
    for start in starts {
      var folder = URL(fileURLWithPath: start)
      while folder.path != "/" {
        if FileManager.default.isExecutableFile(
          atPath: folder.appendingPathComponent("Tools/environment").path)
        {
          return folder.path
        }
        folder.deleteLastPathComponent()
      }
    }
    return nil
  }
}

extension PeerAnswer {
  /// Turns an answer whose result is not ours into an error: it has no speed.
  fileprivate mutating func compare(
    with outcome: CaseMachine.Outcome, gas expected: ClosedRange<UInt64>
  ) {
    if error != nil { return }
    if isSuccess != outcome.status.isSuccess {
      error = "it \(isSuccess ? "succeeds" : "fails") there"
    } else if output != outcome.output {
      error = "another output: hash \(Keccak256.hash(output))"
    } else if !expected.contains(gas) {
      error = "other gas: \(gas)"
    }
    isDisagreement = error != nil
  }
}

import ArgumentParser
import Coprocessors
import EVM
import Ethereum
import Execution
import Foundation
import GPU

/// What is compared beyond single requests: the roots of the public suites, states that stay on
/// devices, and devices that are lost. Prints a line for each, and what differs.
struct DeviceComparison {
  let machines: [DeviceCoprocessorMachine]

  /// Prints what came of something; true when nothing differs.
  private func report(_ what: String, _ differences: [String]) -> Bool {
    Terminal.clearProgress()
    if differences.isEmpty {
      Terminal.note("\(what): equal")
      return true
    }
    for difference in differences.prefix(20) { Terminal.note(Terminal.red(difference)) }
    Terminal.note(Terminal.red("\(what): \(differences.count) differ"))
    return false
  }

  // MARK: Public suites

  /// Compares the roots of the suites in a folder, through all back ends that are healthy.
  func run(_ folder: String, _ entries: [CoprocessorRegistry.Entry]) throws -> Bool {
    let tries = try FileWalk.jsonFiles([folder + "/ethereum-tests/TrieTests"])
    let states = try FileWalk.jsonFiles([folder + "/eest/state_tests"])
    var isEqual = true
    func compare(_ requests: [RootSuites.Request], _ name: String, _ suite: String) throws {
      let healthy = entries.first { $0.coprocessor.name == name }?.backEnds
        .filter { $0.health == .healthy }
      for candidate in healthy ?? [] {
        let differences = try RootSuites.differences(requests, candidate.backEnd)
        let what = "\(suite): \(requests.count) roots by \(name) \(candidate.backEnd.name)"
        if !report(what, differences) { isEqual = false }
      }
    }
    for (name, requests) in try RootSuites.trieTests(tries).sorted(by: { $0.key < $1.key }) {
      try compare(requests, name, "TrieTests")
    }
    var requests: [RootSuites.Request] = []
    for machine in machines {
      let lanes = ResidentState(on: machine)
      var cases = 0
      var differences: [String] = []
      requests = []
      for (index, path) in states.enumerated() {
        Terminal.progress(done: index, of: states.count, "state tests on \(machine.name)")
        let found = try RootSuites.stateTests(path, on: lanes)
        cases += found.results.count
        requests += found.requests
        for result in found.results {
          differences += result.failures.map { "\(path): \(result.name): \($0)" }
        }
      }
      let what = "state tests: \(cases) cases, roots and proofs of states on \(machine.name)"
      if !report(what, differences) { isEqual = false }
    }
    if machines.isEmpty {
      for path in states { requests += try RootSuites.stateRequests(path) }
    }
    try compare(requests, "stateRoot", "state tests")
    return isEqual
  }

  // MARK: Random changes

  /// Makes at least so many random changes of accounts and slots in states on devices, from small
  /// ones to larger ones, and compares roots and proofs with the CPU's.
  func change(_ count: Int) throws(CoprocessorError) -> Bool {
    var isEqual = true
    for machine in machines {
      let lanes = ResidentState(on: machine)
      var differences: [String] = []
      var (done, roots, proofs, seed) = (0, 0, 0, UInt64(0))
      while done < count, differences.isEmpty {
        let most = [3, 20, 80, 300, 1200, 5000][Int(seed % 6)]
        var random = RandomStateChanges(seed: seed, most: most)
        var comparison = StateComparison(lanes)
        for round in 0..<30 where done + random.count < count {
          let name = "seed \(seed), round \(round)"
          try comparison.commit(random.next(), name)
          try comparison.prove(random.accountKeys(16), random.slotKeys(16), name)
        }
        done += random.count
        roots += comparison.roots
        proofs += comparison.proofs
        differences += comparison.differences
        seed += 1
        Terminal.progress(done: min(done, count), of: count, "changes on \(machine.name)")
      }
      let what =
        "states on \(machine.name): \(done) random changes, \(roots) roots, \(proofs) proofs"
      if !report(what, differences) { isEqual = false }
    }
    return isEqual
  }

  // MARK: Losses

  /// Takes the device from batches in the middle: its memory is used up, then its context is lost.
  func lose() throws(CoprocessorError) -> Bool {
    var isEqual = true
    for machine in machines {
      var lines: [String] = []
      let differences = try LossCheck(machine).run(
        exhaust: { () throws(CoprocessorError) in Self.allMemory(of: machine) },
        lose: { () throws(CoprocessorError) in try machine.loseContext() }, log: &lines)
      for line in lines { Terminal.note("  \(line)") }
      let what = "\(machine.name) lost in the middle of batches: all results of the CPU"
      if !report(what, differences) { isEqual = false }
    }
    return isEqual
  }

  /// All memory that a device gives, in pieces.
  private static func allMemory(of machine: DeviceCoprocessorMachine) -> [any CoprocessorMemory] {
    var held: [any CoprocessorMemory] = []
    var size = 1 << 32
    while size >= 1 << 20 {
      do throws(CoprocessorError) {
        held.append(try machine.memory(bytes: size))
      } catch {
        size /= 2
      }
    }
    return held
  }
}

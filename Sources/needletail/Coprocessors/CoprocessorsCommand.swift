import ArgumentParser
import Coprocessors
import EVM
import Ethereum
import Foundation
import GPU

struct CoprocessorsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "coprocessors",
    abstract: "List the coprocessors with their back ends, health and rates.",
    discussion: """
      Every back end gives the known answers before it is listed as healthy. Rates and crossovers \
      are those of the calibration file; --calibrate measures them and writes it. From the crossover \
      on, in rows of a batch, a device is faster than the CPU.

        needletail coprocessors
        needletail coprocessors --calibrate
        needletail coprocessors --check 1000000 --only recover
        needletail coprocessors --device cuda --fixtures .fixtures --changes 1000000

      --fixtures takes the folder of the public suites (ethereum-tests/TrieTests and eest/state_tests):       every back end has to give the roots that they name, and the states on devices the same proofs       as the CPU. --changes makes random changes in such states. --lose takes the device from a batch       in the middle, once for good: the batch has to be the CPU's then.
      """)

  @Flag(help: "Print one object of JSON instead of a table.")
  var json = false

  @Flag(help: "Measure all back ends and write the calibration file.")
  var calibrate = false

  @Option(help: "The calibration file; in the user's cache by default.")
  var calibration: String?

  @Option(help: "Compare every back end with the reference on so many random requests, and edges.")
  var check: Int?

  @Option(help: "Make so many random changes of accounts and slots in the states on devices.")
  var changes: Int?

  @Option(help: "Compare the roots of the public suites in this folder.")
  var fixtures: String?

  @Flag(help: "Lose every device in the middle of a batch.")
  var lose = false

  @Option(help: "Only this coprocessor.")
  var only: String?

  @Option(help: "Threads of the CPU's back end. The default is one for each core.")
  var workers: Int?

  @Option(help: "Devices with back ends: cpu, cuda, cuda:N, cuda:all, or auto.")
  var device = "auto"

  func validate() throws {
    if let workers, workers < 1 || workers > 1024 {
      throw ValidationError("--workers: \(workers) is not from 1 to 1024")
    }
    if DeviceChoice(device) == nil {
      throw ValidationError("--device: \(device) is none of cpu, cuda, cuda:N, cuda:all, auto")
    }
    if let check, check < 1 { throw ValidationError("--check: \(check) is not 1 or more") }
    if let changes, changes < 1 { throw ValidationError("--changes: \(changes) is not 1 or more") }
  }

  func run() throws {
    do {
      try list()
    } catch let error as CoprocessorError {
      throw ValidationError(error.message)
    }
  }

  private func list() throws {
    var notes: [String] = []
    let machines = try CoprocessorSetup.machines(DeviceChoice(device) ?? .auto, &notes)
    if machines.isEmpty, changes != nil || lose {
      throw ValidationError(
        "--changes and --lose need a device: \(notes.isEmpty ? "--device cpu has none" : notes[0])")
    }
    let registry = try CoprocessorSetup.registry(workers: workers, machines: machines, &notes)
    for note in notes { Terminal.note("needletail: \(note)") }
    var entries = registry.all
    if let only { entries = [try registry.entry(only)] }
    let path = calibration ?? CoprocessorCalibration.defaultPath
    var known = try CoprocessorCalibration(path: path) ?? CoprocessorCalibration()
    if calibrate {
      for (index, entry) in entries.enumerated() {
        Terminal.progress(done: index, of: entries.count, entry.coprocessor.name)
        try known.measure(entry, time: 20_000_000)
      }
      Terminal.clearProgress()
      try known.write(path: path)
    }
    if json { printJSON(entries, known) } else { printTable(entries, known, path) }
    var isEqual = try check.map { try CoprocessorCheck(rows: $0).run(entries) } ?? true
    let comparison = DeviceComparison(machines: machines)
    if let fixtures, try !comparison.run(fixtures, entries) { isEqual = false }
    if let changes, try !comparison.change(changes) { isEqual = false }
    if lose, try !comparison.lose() { isEqual = false }
    let isHealthy = entries.allSatisfy { $0.backEnds.allSatisfy { $0.health == .healthy } }
    if !isHealthy || !isEqual { throw ExitCode(1) }
  }

  private func printTable(
    _ entries: [CoprocessorRegistry.Entry], _ known: CoprocessorCalibration, _ path: String
  ) {
    var table = TextTable([
      ("coprocessor", .left), ("precompile", .right), ("back end", .left), ("health", .left),
      ("answers", .right), ("rate", .right), ("crossover", .right),
    ])
    for entry in entries {
      let measured = known.coprocessors[entry.coprocessor.name]
      for backEnd in entry.backEnds {
        let name = backEnd.backEnd.name
        let isHealthy = backEnd.health == .healthy
        let rate = measured?.rate(name).map { "\(Text.gas(Int($0)))/s" }
        var crossover = ""
        if name != "cpu", measured?.points[name] != nil {
          crossover = measured?.crossover(name).map { "\(Text.gas($0)) rows" } ?? "never"
        }
        table.add(
          [
            entry.coprocessor.name,
            entry.coprocessor.precompileAddress.map { "0x" + String($0, radix: 16) } ?? "",
            name, "\(backEnd.health)", "\(entry.coprocessor.knownAnswers.count)", rate ?? "",
            crossover,
          ], color: isHealthy ? nil : { Terminal.red($0) })
      }
    }
    for line in table.lines { print(line) }
    if known.coprocessors.isEmpty {
      print("  no rates: \(path) is not there; write it with --calibrate")
    }
  }

  private func printJSON(_ entries: [CoprocessorRegistry.Entry], _ known: CoprocessorCalibration) {
    var writer = JSONWriter()
    writer.object { writer in
      writer.key("coprocessors")
      writer.array { writer in
        for entry in entries {
          let measured = known.coprocessors[entry.coprocessor.name]
          writer.object { writer in
            writer.member("name", entry.coprocessor.name)
            if let address = entry.coprocessor.precompileAddress {
              writer.member("precompile", address)
            }
            writer.member("requestLimit", entry.coprocessor.requestLimit)
            writer.member("knownAnswers", entry.coprocessor.knownAnswers.count)
            writer.key("backEnds")
            writer.array { writer in
              for backEnd in entry.backEnds {
                write(backEnd, measured, to: &writer)
              }
            }
          }
        }
      }
    }
    print(writer.text)
  }

  private func write(
    _ backEnd: CoprocessorRegistry.BackEnd, _ measured: CoprocessorCalibration.Measured?,
    to writer: inout JSONWriter
  ) {
    let name = backEnd.backEnd.name
    writer.object { writer in
      writer.member("name", name)
      writer.member("healthy", backEnd.health == .healthy)
      if case .unusable(let error) = backEnd.health { writer.member("error", error.message) }
      if let rate = measured?.rate(name) {
        writer.key("requestsPerSecond")
        writer.value(rate)
      }
      if name != "cpu", let rows = measured?.crossover(name) {
        writer.member("crossoverRows", rows)
      }
    }
  }
}

import ArgumentParser
import Coprocessors
import Foundation
import GPU

struct BenchCoprocessorsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "coprocessors",
    abstract: "Time batches of every coprocessor on one core and on all, after checking them.",
    discussion: """
      Each batch's results are compared with the reference's before it is timed. Times are medians of \
      wall time; `speed-up` is against one thread in the same run. keccak256 stands beside OpenSSL's \
      SHA3-256, recover and senders beside libsecp256k1's recovery, each on one core, where they are \
      installed. `state` changes accounts, or slots of their own storages, in a state that stays in \
      memory, and hashes what changed. Coprocessors whose requests differ in size are timed with some of \
      one size, too. A device has two rows: `resident` with inputs and results in \
      its memory, and the whole batch with all copies.

        needletail bench coprocessors --case recover
        needletail bench coprocessors --case state --accounts 1000000 --dirty 100000 --workers 1,16
      """)

  @Option(name: .customLong("case"), help: "Run only the cases whose name contains this.")
  var filter: String?

  @Option(help: "Threads, with commas: the first is what others are compared with.")
  var workers: String?

  @Option(help: "Samples of each time.")
  var samples = 11

  @Option(help: "Accounts of the state.")
  var accounts = 1_000_000

  @Option(help: "Accounts that change.")
  var dirty = 100_000

  @Option(help: "Devices: cpu, cuda, cuda:N, cuda:all, or auto.")
  var device = "auto"

  @Option(help: "Rows of a device's batch, or as many as make a gigabyte.")
  var deviceRows = 1 << 20

  @Flag(help: "Print the results as JSON, one object a line.")
  var json = false

  func validate() throws {
    if samples < 1 || samples > 1000 {
      throw ValidationError("--samples: \(samples) is not from 1 to 1000")
    }
    if DeviceChoice(device) == nil {
      throw ValidationError("--device: \(device) is none of cpu, cuda, cuda:N, cuda:all, auto")
    }
    if deviceRows < 1 || deviceRows > 1 << 26 {
      throw ValidationError("--device-rows: \(deviceRows) is not from 1 to 67108864")
    }
    if accounts < 1 || accounts > 50_000_000 || dirty < 1 || dirty > accounts {
      throw ValidationError("--accounts and --dirty: give 1 to 50000000, and no more dirty ones")
    }
    _ = try workerCounts()
  }

  private func workerCounts() throws -> [Int] {
    guard let workers else {
      return [1, max(2, ProcessInfo.processInfo.activeProcessorCount)]
    }
    return try workers.split(separator: ",").map {
      guard let count = Int($0), count >= 1, count <= 1024 else {
        throw ValidationError("--workers: \($0) is not from 1 to 1024")
      }
      return count
    }
  }

  func run() throws {
    var suite = CoprocessorSuite(workers: try workerCounts(), samples: samples, json: json)
    do {
      var notes: [String] = []
      let lanes = try CoprocessorSetup.lanes(DeviceChoice(device) ?? .auto, &notes)
      for note in notes { Terminal.note("needletail: \(note)") }
      for coprocessor in CoprocessorRegistry.standard {
        let loads: [any Coprocessor] = [coprocessor] + CoprocessorLoad.all(of: coprocessor)
        for load in loads where isWanted(load.name) {
          let each = try suite.run(load)
          for backEnd in lanes where backEnd.coprocessor == coprocessor.name {
            try suite.run(load, on: backEnd, rows: deviceRows, cpuEach: each)
          }
        }
      }
      let choice = DeviceChoice(device) ?? .auto
      notes = []
      if isWanted("state accounts") {
        try suite.runAccounts(
          accounts, dirty: dirty, machines: try CoprocessorSetup.machines(choice, &notes))
      }
      if isWanted("state slots") {
        try suite.runSlots(
          accounts: accounts / 10, slots: 3,
          machines: try CoprocessorSetup.machines(choice, &notes))
      }
    } catch {
      throw ValidationError(error.message)
    }
    suite.printTable()
    if suite.wrong > 0 { throw ExitCode(1) }
  }

  private func isWanted(_ name: String) -> Bool { filter.map { name.contains($0) } ?? true }
}

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
      """)

  @Flag(help: "Print one object of JSON instead of a table.")
  var json = false

  @Flag(help: "Measure all back ends and write the calibration file.")
  var calibrate = false

  @Option(help: "The calibration file; in the user's cache by default.")
  var calibration: String?

  @Option(help: "Compare every back end with the reference on so many random requests, and edges.")
  var check: Int?

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
  }

  func run() throws {
    do {
      try list()
    } catch let error as CoprocessorError {
      throw ValidationError(error.message)
    }
  }

  private func list() throws {
    let (registry, notes) = try CoprocessorSetup.registry(
      workers: workers, device: DeviceChoice(device) ?? .auto)
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
    let isEqual = try check.map { try CoprocessorCheck(rows: $0).run(entries) } ?? true
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

/// The coprocessors of this machine. The one place where back ends are registered.
enum CoprocessorSetup {
  /// All coprocessors with the CPU's back ends and those of devices, and what there is to say of the
  /// latter: why there are none, or which failed its known answers.
  static func registry(workers: Int?, device: DeviceChoice) throws(CoprocessorError)
    -> (registry: CoprocessorRegistry, notes: [String])
  {
    let registry = try CoprocessorRegistry(CoprocessorRegistry.standard, workers: workers)
    var notes: [String] = []
    for backEnd in try lanes(device, &notes) {
      do throws(CoprocessorError) {
        try registry.register(backEnd)
      } catch {
        notes.append(error.message)
      }
    }
    return (registry, notes)
  }

  /// The back ends of devices.
  static func lanes(_ device: DeviceChoice, _ notes: inout [String]) throws(CoprocessorError)
    -> [LaneBackEnd]
  {
    try machines(device, &notes).flatMap { LaneBackEnd.all(on: $0) }
  }

  /// The devices; in `notes`, why there are none where any would do.
  static func machines(_ device: DeviceChoice, _ notes: inout [String]) throws(CoprocessorError)
    -> [DeviceCoprocessorMachine]
  {
    var reason: GPUError?
    do throws(GPUError) {
      let machines = try DeviceCoprocessorMachine.all(on: device, instead: &reason)
      if let reason { notes.append("no device is used: \(reason)") }
      return machines
    } catch {
      throw CoprocessorError(.deviceLost, "\(error)")
    }
  }
}

/// The comparison of back ends with references on many requests.
struct CoprocessorCheck {
  /// Random requests of each coprocessor.
  let rows: Int

  private static let batch = 16_384

  /// Compares; true when all is equal. Prints a line for each back end.
  func run(_ entries: [CoprocessorRegistry.Entry]) throws(CoprocessorError) -> Bool {
    var isEqual = true
    for entry in entries {
      if entry.coprocessor.name == "keccak256", !streamsAGibibyte() { isEqual = false }
      let reference = CPUBackEnd(ReferenceOnly(entry.coprocessor))
      for candidate in entry.backEnds where candidate.health == .healthy {
        let backEnd = candidate.backEnd
        var requests = entry.coprocessor.edgeRequests
        var done = 0
        var difference: String?
        while true {
          let results = try backEnd.run(requests)
          if let row = results.firstDifference(reference.run(requests)) {
            difference = "request \(Hexadecimal.string(requests[row]))"
          }
          if done >= rows || difference != nil { break }
          let count = min(Self.batch, rows - done)
          requests = entry.coprocessor.randomRequests(count, seed: UInt64(done))
          done += count
          Terminal.progress(done: done, of: rows, "\(entry.coprocessor.name) \(backEnd.name)")
        }
        if difference == nil, let lanes = backEnd as? LaneBackEnd, lanes.coprocessor == "recover" {
          let pairs = min(rows, 1 << 22)
          let wrong = try lanes.differencesOfFields(pairs: pairs, seed: 1)
          if wrong > 0 { difference = "\(wrong) of \(pairs) pairs of its field's numbers" }
        }
        Terminal.clearProgress()
        let name = "\(entry.coprocessor.name) \(backEnd.name)"
        if let difference {
          isEqual = false
          Terminal.note(Terminal.red("\(name): not equal to the reference: \(difference)"))
        } else {
          Terminal.note("\(name): equal to the reference on edges and \(done) random requests")
        }
      }
    }
    return isEqual
  }

  /// Hashes 2^30 zero bytes in pieces of many sizes, as a message that is streamed.
  private func streamsAGibibyte() -> Bool {
    let piece = [UInt8](repeating: 0, count: 1 << 20)
    var hash = Keccak256()
    var left = 1 << 30
    var size = 1
    while left > 0 {
      let count = min(left, size)
      piece.withUnsafeBufferPointer { hash.absorb(UnsafeBufferPointer(rebasing: $0[..<count])) }
      left -= count
      size = min(size * 2 + 1, piece.count)
    }
    // By pycryptodome 4.4, Crypto.Hash.keccak.
    let expected = "0x06d9999c258b593bd3d3f4feb18f4838c086b1f30cc24b7a1acef0788bfe2964"
    let isEqual = "\(hash.finalize())" == expected
    Terminal.note(
      isEqual
        ? "keccak256: 1 GiB in pieces is equal to another library's hash"
        : Terminal.red("keccak256: 1 GiB in pieces: expected \(expected)"))
    return isEqual
  }

  /// A coprocessor whose every row is the reference's, so that references run on all cores.
  private struct ReferenceOnly: Coprocessor {
    let operation: any Coprocessor
    init(_ operation: any Coprocessor) { self.operation = operation }
    var name: String { operation.name }
    var requestLimit: Int { operation.requestLimit }
    var knownAnswers: [KnownAnswer] { operation.knownAnswers }
    var edgeRequests: ByteColumn { operation.edgeRequests }
    func reference(_ request: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
      operation.reference(request)
    }
    func typicalRequests(_ count: Int, seed: UInt64) -> ByteColumn {
      operation.typicalRequests(count, seed: seed)
    }
  }
}

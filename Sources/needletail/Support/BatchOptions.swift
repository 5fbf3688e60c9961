import ArgumentParser
import Ethereum
import GPU

/// How batches of transactions are executed on a device.
struct BatchOptions: ParsableArguments {
  @Option(
    help: "On a GPU: give transactions with a higher gas limit to the CPU.")
  var gasCeiling: UInt64?

  @Option(
    help: ArgumentHelp(
      "On a GPU: seconds after which a watchdog stops a launch, 30 by default.",
      valueName: "seconds"))
  var launchBudget: Double?

  func validate() throws {
    if let launchBudget, !(launchBudget > 0 && launchBudget <= 3600) {
      throw ValidationError("--launch-budget: \(launchBudget) is not above 0 and at most 3600")
    }
    if gasCeiling == 0 {
      throw ValidationError("--gas-ceiling: 0 leaves nothing to the GPU; --device cpu does that")
    }
  }

  /// A runner on the devices that were asked for, with so many threads beside them; `nil` for the
  /// CPU alone.
  func runner(on devices: DeviceOptions, threads: Int) throws -> BatchRunner? {
    let target = try devices.resolve()
    guard case .cuda = target else {
      if gasCeiling != nil || launchBudget != nil, devices.device == .cpu {
        throw ValidationError("--gas-ceiling and --launch-budget are about GPUs: give --device too")
      }
      return nil
    }
    var options = BatchRunner.Options()
    options.gasCeiling = gasCeiling ?? options.gasCeiling
    options.hostThreads = threads
    var launches = DeviceExecutor.Options()
    if let launchBudget { launches.budget = .seconds(launchBudget) }
    do throws(GPUError) {
      return try BatchRunner(target, options: options, launches: launches)
    } catch {
      throw ValidationError("--device \(devices.device): \(error)")
    }
  }
}

extension BatchStatistics {
  /// Prints what batches took, in lines for people or as an object.
  func print(batches: Int, places: [(name: String, lanes: Int)], isJSON: Bool) {
    if isJSON {
      var writer = JSONWriter()
      write(batches: batches, places: places, to: &writer)
      Swift.print(writer.text)
    } else {
      for line in lines(batches: batches, places: places) { Swift.print(line) }
    }
  }

  /// Writes what batches took as an object.
  func write(
    batches: Int, places: [(name: String, lanes: Int)], to writer: inout JSONWriter
  ) {
    writer.object { writer in
      writer.key("devices")
      writer.array { writer in
        for place in places {
          writer.object { writer in
            writer.member("name", place.name)
            writer.member("lanes", place.lanes)
          }
        }
      }
      writer.member("transactions", transactions)
      writer.member("batches", batches)
      writer.member("launches", launches)
      writer.key("kernelSeconds")
      writer.value(kernelTime / .seconds(1))
      writer.member("bytesUp", bytesUp)
      writer.member("bytesDown", bytesDown)
      writer.key("rerunsOnDevice")
      writer.object { writer in
        for size in WorkspaceClass.allCases {
          writer.member("\(size)", rerunsOnDevice[size] ?? 0)
        }
      }
      writer.member("suspended", suspended)
      writer.key("suspendedFor")
      writer.object { writer in
        for (name, count) in answers.sorted(by: { $0.key < $1.key }) { writer.member(name, count) }
      }
      writer.key("rerunsOnHost")
      writer.object { writer in
        for reason in HostReason.allCases {
          writer.member(reason.rawValue, rerunsOnHost[reason] ?? 0)
        }
      }
      writer.key("lostDevices")
      writer.array { writer in
        for device in lostDevices { writer.value(device) }
      }
    }
  }

  /// What batches took, for people.
  func lines(batches: Int, places: [(name: String, lanes: Int)]) -> [String] {
    let list = places.map { "\($0.name) (\(Text.gas($0.lanes)) lanes)" }.joined(separator: ", ")
    var lines = [
      "\(Text.gas(transactions)) transactions in \(batches) batches and \(launches) launches on "
        + "\(list.isEmpty ? "no device" : list), \(Text.time(kernelTime)) in kernels, "
        + "\(Text.gas(bytesUp)) bytes up, \(Text.gas(bytesDown)) down"
    ]
    let again = WorkspaceClass.allCases.compactMap { size in
      rerunsOnDevice[size].map { "\(Text.gas($0)) \(size)" }
    }
    lines.append(
      "run again on the device: \(again.isEmpty ? "none" : again.joined(separator: ", "))")
    if suspended > 0 {
      let calls = answers.sorted { $0.key < $1.key }.map { "\(Text.gas($0.value)) \($0.key)" }
      lines.append("suspended for calls by coprocessors: \(calls.joined(separator: ", "))")
    }
    let host = HostReason.allCases.compactMap { reason in
      rerunsOnHost[reason].map { "\(Text.gas($0)) for \(reason)" }
    }
    lines.append("run on the CPU instead: \(host.isEmpty ? "none" : host.joined(separator: ", "))")
    lines += lostDevices.map { Terminal.red("a device failed, the CPU took over: \($0)") }
    return lines
  }
}

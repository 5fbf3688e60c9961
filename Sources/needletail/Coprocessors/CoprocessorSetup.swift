import Coprocessors
import GPU

/// The coprocessors of this machine. The one place where back ends are registered.
enum CoprocessorSetup {
  /// All coprocessors with the CPU's back ends and those of devices; in `notes`, which of the latter
  /// failed its known answers.
  static func registry(
    workers: Int?, machines: [DeviceCoprocessorMachine], _ notes: inout [String]
  ) throws(CoprocessorError) -> CoprocessorRegistry {
    let registry = try CoprocessorRegistry(CoprocessorRegistry.standard, workers: workers)
    for backEnd in machines.flatMap({ LaneBackEnd.all(on: $0) }) {
      do throws(CoprocessorError) {
        try registry.register(backEnd)
      } catch {
        notes.append(error.message)
      }
    }
    return registry
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

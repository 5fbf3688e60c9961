#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The CUDA driver of this machine, opened when it is first asked for.
package final class Driver: Sendable {
  /// The oldest driver that can be used, as `version` counts: CUDA 12.3, the first to read PTX 8.3.
  package static let oldestVersion = 12_030

  /// The functions of the library.
  let functions: DriverFunctions
  /// The newest CUDA version that the driver supports, 1000 times the major number and 10 times the
  /// minor one: 13000 is 13.0.
  package let version: Int
  /// The devices, in the driver's order. `CUDA_VISIBLE_DEVICES` decides which and in what order.
  private let deviceHandles: [Int32]

  /// This machine's driver. Opened once; the same error is thrown every time when that fails.
  package static func load() throws(CUDAError) -> Driver { try loaded.get() }

  private static let loaded = Result { () throws(CUDAError) in
    try Driver(library: "libcuda.so.1")
  }

  /// The driver in a library, which stays open from then on.
  package convenience init(library: String) throws(CUDAError) {
    guard let handle = dlopen(library, RTLD_NOW | RTLD_LOCAL) else {
      let cause = dlerror().map { String(cString: $0) } ?? "no reason given"
      throw CUDAError(
        .noLibrary,
        "no CUDA driver on this machine (\(cause)): an NVIDIA GPU and its driver are needed")
    }
    try self.init(functions: DriverFunctions { dlsym(handle, $0) })
  }

  /// A driver with these functions.
  package init(functions: DriverFunctions) throws(CUDAError) {
    self.functions = functions
    // The version can be asked for before the driver is initialised.
    var version: Int32 = 0
    try functions.check("cuDriverGetVersion", functions.driverGetVersion(&version))
    self.version = Int(version)
    guard self.version >= Self.oldestVersion else {
      throw CUDAError(
        .driverTooOld,
        "the NVIDIA driver supports CUDA \(Self.text(self.version)) only: install one that "
          + "supports \(Self.text(Self.oldestVersion)) or later")
    }
    let status = functions.initialize(0)
    if status == Status.noDevice {
      throw CUDAError(.noDevice, Self.noDevice, call: "cuInit", status: status)
    }
    try functions.check("cuInit", status)
    var count: Int32 = 0
    try functions.check("cuDeviceGetCount", functions.deviceGetCount(&count))
    guard count > 0 else { throw CUDAError(.noDevice, Self.noDevice) }
    var handles: [Int32] = []
    for ordinal in 0..<count {
      var handle: Int32 = 0
      try functions.check("cuDeviceGet", functions.deviceGet(&handle, ordinal))
      handles.append(handle)
    }
    deviceHandles = handles
  }

  private static let noDevice =
    "the CUDA driver finds no device: is a GPU there, and does CUDA_VISIBLE_DEVICES allow it?"

  /// How many devices there are, at least one.
  package var deviceCount: Int { deviceHandles.count }

  /// The device of a number from 0.
  package func device(_ ordinal: Int) throws(CUDAError) -> Device {
    guard deviceHandles.indices.contains(ordinal) else {
      let range = deviceCount == 1 ? "is only device 0" : "are devices 0 to \(deviceCount - 1)"
      throw CUDAError(.unknownDevice, "no device \(ordinal): there \(range)")
    }
    return Device(driver: self, ordinal: ordinal, handle: deviceHandles[ordinal])
  }

  /// All devices.
  package var devices: [Device] {
    deviceHandles.indices.map { Device(driver: self, ordinal: $0, handle: deviceHandles[$0]) }
  }

  /// A version as people write it: 12030 is `12.3`.
  package static func text(_ version: Int) -> String { "\(version / 1000).\(version % 1000 / 10)" }
}

extension DriverFunctions {
  /// Throws what a call of the driver gave, unless that is success.
  func check(_ call: String, _ status: Int32) throws(CUDAError) {
    if status == Status.success { return }
    throw failure(call, status)
  }

  /// The error of a call that gave `status`, with the driver's own words.
  func failure(_ call: String, _ status: Int32) -> CUDAError {
    var name: UnsafePointer<CChar>?
    var words: UnsafePointer<CChar>?
    // An unknown number leaves both empty.
    _ = getErrorName(status, &name)
    _ = getErrorString(status, &words)
    let known = name.map { String(cString: $0) } ?? "unknown error"
    let text = words.map { ": " + String(cString: $0) } ?? ""
    return CUDAError(.callFailed, "\(known) (\(status))\(text)", call: call, status: status)
  }
}

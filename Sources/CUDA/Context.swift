/// The primary context of a device: what modules, memory, streams and events live in.
///
/// All contexts of one device are the same to the driver, which counts them. Every call makes the
/// context current on its thread first, so that all of it may be used from any thread. What is made
/// in a context keeps it alive.
package final class Context: Sendable {
  /// The device.
  package let device: Device
  /// `nonisolated(unsafe)`: a handle that never changes, and that the driver takes on any thread.
  private nonisolated(unsafe) let handle: OpaquePointer?

  /// Retains the primary context of a device; the first one of a process takes some 0.1 s or more.
  package init(_ device: Device) throws(CUDAError) {
    var handle: OpaquePointer?
    let functions = device.driver.functions
    try functions.check(
      "cuDevicePrimaryCtxRetain", functions.primaryContextRetain(&handle, device.handle))
    self.device = device
    self.handle = handle
  }

  deinit {
    // Nobody is left to tell: a failure means that the context is lost already.
    _ = device.driver.functions.primaryContextRelease(device.handle)
  }

  /// Calls a function of the driver in this context and throws what it gives.
  func call(_ name: String, _ body: (DriverFunctions) -> Int32) throws(CUDAError) {
    try device.driver.functions.check(name, status(body))
  }

  /// Calls a function of the driver in this context and returns what it gives.
  func status(_ body: (DriverFunctions) -> Int32) -> Int32 {
    let current = device.driver.functions.contextSetCurrent(handle)
    return current == Status.success ? body(device.driver.functions) : current
  }

  /// Waits until the device has done all that was asked of it in this context.
  package func synchronize() throws(CUDAError) {
    try call("cuCtxSynchronize") { $0.contextSynchronize() }
  }

  /// Memory of the card, bytes: what is free now, for all processes, and all of it.
  package func memory() throws(CUDAError) -> (free: Int, total: Int) {
    var free = 0
    var total = 0
    try call("cuMemGetInfo_v2") { $0.memGetInfo(&free, &total) }
    return (free, total)
  }

  /// A limit of the context, by the driver's number (`CUlimit`).
  package enum Limit: Int32, Sendable {
    /// Stack of each thread, bytes. The driver takes it from the card's memory for as many threads
    /// as can be resident, and raises it by itself when a kernel's frame is known to need more.
    case stackSize = 0
    /// Second-level cache that is set aside for persisting accesses, bytes.
    case persistingSecondLevelCacheSize = 6
  }

  /// A limit's value.
  package func limit(_ limit: Limit) throws(CUDAError) -> Int {
    var value = 0
    try call("cuCtxGetLimit") { $0.contextGetLimit(&value, limit.rawValue) }
    return value
  }

  /// Sets a limit; the driver may round it.
  package func setLimit(_ limit: Limit, to value: Int) throws(CUDAError) {
    try call("cuCtxSetLimit") { $0.contextSetLimit(limit.rawValue, value) }
  }
}

/// A place in a stream: when the device passes it can be waited for and measured.
///
/// Destroyed with its owner.
///
/// `@unchecked Sendable`: the handle never changes, and the driver takes it on any thread.
package struct Event: ~Copyable, @unchecked Sendable {
  /// The context.
  package let context: Context
  let handle: OpaquePointer?

  /// A new event that no stream has. Without `isTimed` it costs less and can not be measured. A wait
  /// spins on a processor, which answers soonest, unless it `sleeps`.
  package init(
    _ context: Context, isTimed: Bool = true, sleeps: Bool = false
  ) throws(CUDAError) {
    var handle: OpaquePointer?
    let flags: UInt32 = (sleeps ? 1 : 0) | (isTimed ? 0 : 2)
    try context.call("cuEventCreate") { $0.eventCreate(&handle, flags) }
    self.context = context
    self.handle = handle
  }

  deinit {
    // Nobody is left to tell: a failure means that the context is lost already.
    _ = context.status { $0.eventDestroy(handle) }
  }

  /// Puts the event behind all that is queued on a stream; where it was before is forgotten.
  package func record(on stream: borrowing Stream) throws(CUDAError) {
    let stream = stream.handle
    try context.call("cuEventRecord") { $0.eventRecord(handle, stream) }
  }

  /// Whether the device has passed the event. Throws what went wrong before it.
  package func isDone() throws(CUDAError) -> Bool {
    let status = context.status { $0.eventQuery(handle) }
    if status == Status.notReady { return false }
    try context.device.driver.functions.check("cuEventQuery", status)
    return true
  }

  /// Waits until the device has passed the event. Throws what went wrong before it.
  package func synchronize() throws(CUDAError) {
    try context.call("cuEventSynchronize") { $0.eventSynchronize(handle) }
  }

  /// The time on the device between an earlier event and this one, both timed and passed; about
  /// half a microsecond is the resolution.
  package func elapsed(since start: borrowing Event) throws(CUDAError) -> Duration {
    var milliseconds: Float = 0
    let start = start.handle
    try context.call("cuEventElapsedTime") { $0.eventElapsedTime(&milliseconds, start, handle) }
    return .nanoseconds(Int64((Double(milliseconds) * 1e6).rounded()))
  }
}

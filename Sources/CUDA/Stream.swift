/// A queue of work for a device: copies and launches on it run one after the other, those on
/// different streams at the same time.
///
/// Destroyed with its owner; the work that is queued still runs.
///
/// `@unchecked Sendable`: the handle never changes, and the driver takes it on any thread.
package struct Stream: ~Copyable, @unchecked Sendable {
  /// The context.
  package let context: Context
  let handle: OpaquePointer?

  /// A new stream, independent of all others.
  package init(_ context: Context) throws(CUDAError) {
    var handle: OpaquePointer?
    let isIndependentOfTheDefaultStream: UInt32 = 1
    try context.call("cuStreamCreate") {
      $0.streamCreate(&handle, isIndependentOfTheDefaultStream)
    }
    self.context = context
    self.handle = handle
  }

  deinit {
    // Nobody is left to tell: a failure means that the context is lost already.
    _ = context.status { $0.streamDestroy(handle) }
  }

  /// Waits until all that was queued is done. Throws what went wrong in it.
  package func synchronize() throws(CUDAError) {
    try context.call("cuStreamSynchronize") { $0.streamSynchronize(handle) }
  }

  /// Whether all that was queued is done. Throws what went wrong in it.
  package func isDone() throws(CUDAError) -> Bool {
    let status = context.status { $0.streamQuery(handle) }
    if status == Status.notReady { return false }
    try context.device.driver.functions.check("cuStreamQuery", status)
    return true
  }

  /// What is queued from now on waits for an event, which may be of another stream or device.
  package func wait(for event: borrowing Event) throws(CUDAError) {
    let event = event.handle
    try context.call("cuStreamWaitEvent") { $0.streamWaitEvent(handle, event, 0) }
  }
}

extension Stream {
  /// Queues a copy of plain bytes to the device.
  ///
  /// The bytes have to live and stay as they are until the stream has passed the copy. Bytes that
  /// are not pinned make the call wait for the copy.
  package func upload(
    _ source: UnsafeRawBufferPointer, to target: DeviceAddress
  ) throws(CUDAError) {
    if source.isEmpty { return }
    try context.call("cuMemcpyHtoDAsync_v2") {
      $0.copyToDeviceAsync(target.rawValue, source.baseAddress, source.count, handle)
    }
  }

  /// Queues a copy from the device into plain bytes, which have to live until the stream has passed
  /// the copy, and mean nothing before.
  package func download(
    _ source: DeviceAddress, into target: UnsafeMutableRawBufferPointer
  ) throws(CUDAError) {
    if target.isEmpty { return }
    try context.call("cuMemcpyDtoHAsync_v2") {
      $0.copyToHostAsync(target.baseAddress, source.rawValue, target.count, handle)
    }
  }

  /// Queues a copy of bytes within the device. Both sides have to live until the stream has passed
  /// it, and must not overlap.
  package func copy(
    _ source: DeviceAddress, to target: DeviceAddress, bytes: Int
  ) throws(CUDAError) {
    if bytes == 0 { return }
    try context.call("cuMemcpyDtoDAsync_v2") {
      $0.copyOnDeviceAsync(target.rawValue, source.rawValue, bytes, handle)
    }
  }

  /// Queues setting `bytes` bytes to `value`.
  package func fill(
    _ target: DeviceAddress, bytes: Int, with value: UInt8 = 0
  ) throws(CUDAError) {
    if bytes == 0 { return }
    try context.call("cuMemsetD8Async") {
      $0.fillBytesAsync(target.rawValue, value, bytes, handle)
    }
  }

  /// Queues a copy of `count` elements, from `start` on, to the device from `offset` on. Both buffers
  /// have to live until the stream has passed it.
  package func upload<Element>(
    _ source: borrowing PinnedBuffer<Element>, from start: Int = 0, count: Int,
    to target: borrowing DeviceBuffer<Element>, at offset: Int = 0
  ) throws(CUDAError) {
    let bytes = UnsafeRawBufferPointer(source.slice(start, count))
    try upload(bytes, to: target.address(of: offset, count: count))
  }

  /// Queues a copy of `count` elements of the device, from `start` on, into `target` from `offset`
  /// on. Both buffers have to live until the stream has passed it.
  package func download<Element>(
    _ source: borrowing DeviceBuffer<Element>, from start: Int = 0, count: Int,
    into target: borrowing PinnedBuffer<Element>, at offset: Int = 0
  ) throws(CUDAError) {
    let bytes = UnsafeMutableRawBufferPointer(target.slice(offset, count))
    try download(source.address(of: start, count: count), into: bytes)
  }

  /// Queues setting all bytes of a buffer to `value`.
  package func fill<Element>(
    _ target: borrowing DeviceBuffer<Element>, with value: UInt8 = 0
  ) throws(CUDAError) {
    try fill(target.address, bytes: target.bytes, with: value)
  }
}

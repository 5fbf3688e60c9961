/// Memory of a device for elements of one type, freed with its owner.
///
/// Aligned to 256 bytes. Freeing waits until the device is done with all of the context's work, so
/// buffers are made once and kept. What they hold is not set.
///
/// `@unchecked Sendable`: the address never changes, and the driver takes it on any thread.
package struct DeviceBuffer<Element: BitwiseCopyable>: ~Copyable, @unchecked Sendable {
  /// The context.
  package let context: Context
  /// Elements.
  package let count: Int
  /// Where the first element lies; nowhere when there is none.
  package let address: DeviceAddress

  /// Memory for `count` elements.
  package init(_ context: Context, count: Int) throws(CUDAError) {
    let bytes = byteCount(count, of: Element.self)
    var address: UInt64 = 0
    // The driver takes no request for nothing.
    if bytes > 0 {
      do throws(CUDAError) {
        try context.call("cuMemAlloc_v2") { $0.memAlloc(&address, bytes) }
      } catch {
        guard error.isOutOfMemory, let memory = try? context.memory() else { throw error }
        throw error.adding(
          "; asked for \(bytes) bytes, \(memory.free) of \(memory.total) bytes are free")
      }
    }
    self.context = context
    self.count = count
    self.address = DeviceAddress(rawValue: address)
  }

  deinit {
    // Nobody is left to tell: a failure means that the context is lost already.
    if address.rawValue != 0 { _ = context.status { $0.memFree(address.rawValue) } }
  }

  /// Memory that holds a copy of these elements.
  package static func copy(
    of elements: [Element], in context: Context
  ) throws(CUDAError) -> DeviceBuffer {
    let buffer = try DeviceBuffer(context, count: elements.count)
    try elements.withUnsafeBufferPointer { elements throws(CUDAError) in
      try buffer.upload(elements)
    }
    return buffer
  }

  /// Bytes.
  package var bytes: Int { byteCount(count, of: Element.self) }

  /// The first element's address as a typed pointer, for the argument structs that host and device
  /// share. The host must not follow it.
  package var pointer: UnsafeMutablePointer<Element>? {
    address.pointer?.assumingMemoryBound(to: Element.self)
  }

  /// The address of an element that has `count` elements from itself on.
  package func address(of index: Int, count: Int = 0) -> DeviceAddress {
    precondition(
      index >= 0 && count >= 0 && index <= self.count - count,
      "elements of a device buffer are from 0 to count")
    return address.advanced(by: byteCount(index, of: Element.self))
  }

  /// Copies elements to the device, from `offset` on, and waits for it. Work queued on streams is not
  /// waited for: it must not use these elements meanwhile.
  package func upload(
    _ elements: UnsafeBufferPointer<Element>, at offset: Int = 0
  ) throws(CUDAError) {
    let target = address(of: offset, count: elements.count)
    if elements.isEmpty { return }
    let source = UnsafeRawBufferPointer(elements)
    try context.call("cuMemcpyHtoD_v2") {
      let status = $0.copyToDevice(target.rawValue, source.baseAddress, source.count)
      // The driver may answer when the bytes have left `elements` but not yet arrived, which streams
      // of their own do not wait for; the default stream does.
      return status == Status.success ? $0.streamSynchronize(nil) : status
    }
  }

  /// Copies elements from the device, from `start` on, and waits for it. Work queued on streams is not
  /// waited for: what writes these elements has to be done.
  package func download(
    into elements: UnsafeMutableBufferPointer<Element>, from start: Int = 0
  ) throws(CUDAError) {
    let source = address(of: start, count: elements.count)
    if elements.isEmpty { return }
    let target = UnsafeMutableRawBufferPointer(elements)
    try context.call("cuMemcpyDtoH_v2") {
      $0.copyToHost(target.baseAddress, source.rawValue, target.count)
    }
  }

  /// A copy of all elements.
  package func elements() throws(CUDAError) -> [Element] {
    let storage = UnsafeMutableBufferPointer<Element>.allocate(capacity: count)
    defer { storage.deallocate() }
    try download(into: storage)
    return Array(storage)
  }
}

/// The bytes of `count` elements in a row.
func byteCount<Element: BitwiseCopyable>(_ count: Int, of type: Element.Type) -> Int {
  let (bytes, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
  precondition(count >= 0 && !overflow, "a count of elements is not negative and fits in memory")
  return bytes
}

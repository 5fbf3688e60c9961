package import CUDA

/// Whether a device does what the driver says: a small kernel, copies both ways, and the loading of an
/// image.
package enum DeviceCheck {
  /// Adds 7 to each of some elements on a device and compares the result. Returns the time of upload,
  /// launch and download on the device; `nil` where an element is not what it should be.
  package static func runSmallKernel(in context: Context) throws(CUDAError) -> Duration? {
    let bytes = Array(smallKernel.utf8)
    let module = try bytes.withUnsafeBufferPointer { bytes throws(CUDAError) in
      try Module(context, image: UnsafeRawBufferPointer(bytes))
    }
    let function = try module.function("add")
    // Not a multiple of the block, so that lanes beyond the last element have to do nothing.
    let count = 100_003
    let stream = try Stream(context)
    let start = try Event(context)
    let end = try Event(context)
    let host = try PinnedBuffer<Int32>(context, count: count)
    let device = try DeviceBuffer<Int32>(context, count: count)
    for index in 0..<count { host[index] = Int32(index) }
    try start.record(on: stream)
    try stream.upload(host, count: count, to: device)
    // One element fewer than there are: the last has to stay.
    try stream.launch(
      function, LaunchShape(lanes: count, threads: 128), device.address, Int32(7), count - 1)
    try stream.download(device, count: count, into: host)
    try end.record(on: stream)
    try end.synchronize()
    for index in 0..<count where host[index] != Int32(index) + (index < count - 1 ? 7 : 0) {
      return nil
    }
    return try end.elapsed(since: start)
  }

  /// Loads an image and forgets it; returns how long that took.
  package static func load(_ image: KernelImage, into context: Context) throws(CUDAError)
    -> Duration
  {
    let start = ContinuousClock.now
    _ = try image.load(into: context)
    return ContinuousClock.now - start
  }

  /// `elements[lane] += addend` for the lanes below `count`, for every device that drivers of CUDA 13
  /// support.
  static let smallKernel = """
    .version 8.0
    .target sm_75
    .address_size 64
    .visible .entry add(.param .u64 elements, .param .u32 addend, .param .u64 count)
    {
      .reg .pred %beyond;
      .reg .b32 %block, %threads, %thread, %lane, %addend, %value;
      .reg .b64 %elements, %count, %index, %offset, %address;
      ld.param.u64 %elements, [elements];
      ld.param.u32 %addend, [addend];
      ld.param.u64 %count, [count];
      cvta.to.global.u64 %elements, %elements;
      mov.u32 %block, %ctaid.x;
      mov.u32 %threads, %ntid.x;
      mov.u32 %thread, %tid.x;
      mad.lo.u32 %lane, %block, %threads, %thread;
      cvt.u64.u32 %index, %lane;
      setp.ge.u64 %beyond, %index, %count;
      @%beyond bra done;
      shl.b64 %offset, %index, 2;
      add.u64 %address, %elements, %offset;
      ld.global.u32 %value, [%address];
      add.u32 %value, %value, %addend;
      st.global.u32 [%address], %value;
    done:
      ret;
    }
    """
}

// The kernels as the device sees them: each computes its lane and calls a plain function.
#if NEEDLETAIL_DEVICE
  import CDevice

  /// The number of this lane in the launch.
  private var laneIndex: Int {
    Int(device_block_index()) &* Int(device_block_size()) &+ Int(device_thread_index())
  }

  /// `SquareAndHashKernel` on the device.
  @_cdecl("square_and_hash")
  public func squareAndHash(_ arguments: UnsafeRawPointer) {
    SquareAndHashKernel.lane(laneIndex, arguments.load(as: SquareAndHashKernel.Arguments.self))
  }
#endif

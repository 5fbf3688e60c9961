// The kernels as the device sees them: each computes its lane and calls a plain function.
#if NEEDLETAIL_DEVICE
  import CDevice

  /// The number of this lane in the launch.
  private var laneIndex: Int {
    Int(device_block_index()) &* Int(device_block_size()) &+ Int(device_thread_index())
  }

  /// `TransactionKernel` without heavy precompiles, each lane in its local memory, which the
  /// hardware interleaves: words at the same place in neighbouring lanes are neighbours.
  @_cdecl("execute_light")
  public func executeLight(_ arguments: UnsafeRawPointer) {
    TransactionKernel.lane(
      laneIndex, arguments.assumingMemoryBound(to: TransactionKernel.Arguments.self),
      memory: device_local_workspace(), with: LightPrecompiles.self)
  }

  /// `TransactionKernel` with all precompiles, in workspaces of any size.
  @_cdecl("execute_complete")
  public func executeComplete(_ arguments: UnsafeRawPointer) {
    TransactionKernel.lane(
      laneIndex, arguments.assumingMemoryBound(to: TransactionKernel.Arguments.self))
  }
#endif

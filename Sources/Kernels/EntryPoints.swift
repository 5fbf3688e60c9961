// The kernels as the device sees them: each computes its lane and calls a plain function.
#if NEEDLETAIL_DEVICE
  import CDevice

  /// The number of this lane in the launch.
  private var laneIndex: Int {
    Int(device_block_index()) &* Int(device_block_size()) &+ Int(device_thread_index())
  }

  /// `TransactionKernel` on the device.
  @_cdecl("execute_transactions")
  public func executeTransactions(_ arguments: UnsafeRawPointer) {
    TransactionKernel.lane(
      laneIndex, arguments.assumingMemoryBound(to: TransactionKernel.Arguments.self))
  }
#endif

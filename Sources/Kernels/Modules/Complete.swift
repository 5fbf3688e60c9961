// Transactions of all kinds.
#if NEEDLETAIL_DEVICE
  /// `TransactionKernel` with all precompiles, in workspaces of any size.
  @_cdecl("execute_complete")
  public func executeComplete(_ arguments: UnsafeRawPointer) {
    TransactionKernel.lane(
      DeviceForms.laneIndex, arguments.assumingMemoryBound(to: TransactionKernel.Arguments.self))
  }
#endif

// Transactions without curves and big integers: the module of most batches, which is small.
#if NEEDLETAIL_DEVICE
  /// `TransactionKernel` without heavy precompiles, each lane in its local memory, which the
  /// hardware interleaves: words at the same place in neighbouring lanes are neighbours.
  @_cdecl("execute_light")
  public func executeLight(_ arguments: UnsafeRawPointer) {
    TransactionKernel.lane(
      DeviceForms.laneIndex, arguments.assumingMemoryBound(to: TransactionKernel.Arguments.self),
      memory: DeviceForms.localWorkspace, with: LightPrecompiles.self)
  }
#endif

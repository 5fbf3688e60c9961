// Transactions without curves and big integers: the module of most batches, which is small.
#if NEEDLETAIL_DEVICE
  /// `TransactionKernel` without heavy precompiles, each lane in its local memory, which the
  /// hardware interleaves: words at the same place in neighbouring lanes are neighbours. Three blocks
  /// leave a lane 168 registers: with a warp more the waits for local memory count less.
  // launch bounds: 128 threads, 3 blocks
  @_cdecl("execute_light")
  public func executeLight(_ arguments: UnsafeRawPointer) {
    TransactionKernel.lane(
      DeviceForms.laneIndex, arguments.assumingMemoryBound(to: TransactionKernel.Arguments.self),
      memory: DeviceForms.localWorkspace, sizes: TransactionKernel.localSizes,
      constants: DeviceForms.blockMemory.assumingMemoryBound(to: Workspace.Constants.self),
      with: LightPrecompiles.self)
  }
#endif

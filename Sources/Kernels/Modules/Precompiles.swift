// Batches of precompiles' calls. Compiled apart from the core's machine: see Tools/kernels/groups.txt.
// Four blocks of 128 threads leave a lane 128 registers: lanes wait for their own results, and for code.
#if NEEDLETAIL_DEVICE
  /// `PrecompileKernel.bn254Pairing`.
  // launch bounds: 128 threads, 4 blocks
  @_cdecl("bn254_pairing")
  public func bn254Pairing(_ arguments: UnsafeRawPointer) {
    PrecompileKernel.bn254Pairing(
      DeviceForms.laneIndex, arguments.assumingMemoryBound(to: PrecompileKernel.Arguments.self))
  }

  /// `PrecompileKernel.bls12381`.
  // launch bounds: 128 threads, 4 blocks
  @_cdecl("bls12381")
  public func bls12381(_ arguments: UnsafeRawPointer) {
    PrecompileKernel.bls12381(
      DeviceForms.laneIndex, arguments.assumingMemoryBound(to: PrecompileKernel.Arguments.self))
  }

  /// `PrecompileKernel.modExp`.
  // launch bounds: 128 threads, 4 blocks
  @_cdecl("modexp")
  public func modExp(_ arguments: UnsafeRawPointer) {
    PrecompileKernel.modExp(
      DeviceForms.laneIndex, arguments.assumingMemoryBound(to: PrecompileKernel.Arguments.self))
  }
#endif

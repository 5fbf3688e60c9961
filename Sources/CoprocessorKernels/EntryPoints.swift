// The kernels as the device sees them: each computes its lane and calls a plain function.
#if NEEDLETAIL_DEVICE
  import CDevice

  /// The number of this lane in the launch.
  private var laneIndex: Int {
    Int(device_block_index()) &* Int(device_block_size()) &+ Int(device_thread_index())
  }

  @_cdecl("keccak_hash")
  public func keccakHash(_ arguments: UnsafeRawPointer) {
    KeccakKernel.lane(laneIndex, arguments.assumingMemoryBound(to: KeccakKernel.Arguments.self))
  }

  @_cdecl("recover_table")
  public func recoverTable(_ arguments: UnsafeRawPointer) {
    GeneratorTableKernel.lane(
      laneIndex, arguments.assumingMemoryBound(to: GeneratorTableKernel.Arguments.self))
  }

  @_cdecl("recover_read")
  public func recoverRead(_ arguments: UnsafeRawPointer) {
    RecoverKernel.read(laneIndex, arguments.assumingMemoryBound(to: RecoverKernel.Arguments.self))
  }

  @_cdecl("recover_scalars")
  public func recoverScalars(_ arguments: UnsafeRawPointer) {
    RecoverKernel.scalars(
      laneIndex, arguments.assumingMemoryBound(to: RecoverKernel.Arguments.self))
  }

  @_cdecl("recover_combine")
  public func recoverCombine(_ arguments: UnsafeRawPointer) {
    RecoverKernel.combine(
      laneIndex, arguments.assumingMemoryBound(to: RecoverKernel.Arguments.self))
  }

  @_cdecl("recover_finish")
  public func recoverFinish(_ arguments: UnsafeRawPointer) {
    RecoverKernel.finish(
      laneIndex, arguments.assumingMemoryBound(to: RecoverKernel.Arguments.self))
  }

  @_cdecl("field_check")
  public func fieldCheck(_ arguments: UnsafeRawPointer) {
    FieldCheckKernel.lane(
      laneIndex, arguments.assumingMemoryBound(to: FieldCheckKernel.Arguments.self))
  }
#endif

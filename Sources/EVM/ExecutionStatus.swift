/// How a frame or a transaction ended.
///
/// Three groups: success, revert (state undone, gas left returned), and halts (state undone, all
/// gas taken). The faults at the end decide nothing about the transaction: it has to be run again,
/// with a larger workspace or on another back end.
@frozen
public enum ExecutionStatus: UInt8, BitwiseCopyable, Equatable, Sendable {
  // Success.
  case stopped
  case returned
  case selfDestructed

  // Revert.
  case reverted

  // Halts.
  case outOfGas
  case stackUnderflow
  case stackOverflow
  case invalidJump
  case undefinedOpcode
  case staticViolation
  case returnDataOutOfBounds
  case addressCollision
  case codeTooLarge
  case invalidCodePrefix
  case initCodeTooLarge
  case precompileFailure

  // Faults.
  case workspaceExhausted
  case stateUnavailable
  case precompileUnavailable
  case timeExhausted

  /// The effects stay.
  @inline(__always)
  public var isSuccess: Bool { rawValue <= ExecutionStatus.selfDestructed.rawValue }

  /// The effects are undone and all gas is taken.
  @inline(__always)
  public var isHalt: Bool {
    rawValue >= ExecutionStatus.outOfGas.rawValue
      && rawValue <= ExecutionStatus.precompileFailure.rawValue
  }

  /// Nothing is decided: run the transaction again elsewhere.
  @inline(__always)
  public var isFault: Bool { rawValue >= ExecutionStatus.workspaceExhausted.rawValue }
}

/// What an opcode handler tells the interpreter loop.
package enum Step: UInt8, BitwiseCopyable, Equatable {
  /// Go on with the next opcode.
  case next
  /// A child frame was pushed: run it.
  case enter
  /// The frame is over; its status is in `Machine.exitStatus`.
  case exit
}

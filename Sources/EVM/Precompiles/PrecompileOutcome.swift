/// What running a precompile gave.
@frozen
public enum PrecompileOutcome: BitwiseCopyable, Equatable, Sendable {
  /// It succeeded and wrote `count` bytes of output.
  case success(count: Int)
  /// The input is invalid: the call fails and takes all the gas it was given.
  case failure
  /// The scratch arena is too small for this input: nothing is decided, retry with a larger one.
  case workspaceExhausted
}

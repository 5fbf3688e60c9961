/// A way to execute blocks. All ways give the same outcome and the same state.
public protocol BlockExecutor {
  /// Executes a block on a state, which becomes the state after it. On an error the state is
  /// unspecified: keep a copy.
  mutating func execute(_ block: PreparedBlock, on state: inout WorldState) throws(ExecutionError)
    -> BlockOutcome
}

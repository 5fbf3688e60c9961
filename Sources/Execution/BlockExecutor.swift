public import EVM

/// A way to execute blocks. All ways give the same outcome and the same state.
public protocol BlockExecutor {
  /// Executes a block on a state, which becomes the state after it. On an error the state is
  /// unspecified: keep a copy.
  mutating func execute(_ block: PreparedBlock, on state: inout WorldState) throws(ExecutionError)
    -> BlockOutcome
}

/// A block executor of the host: watched, and told of older blocks.
public protocol HostBlockExecutor: AnyObject, BlockExecutor {
  /// Watches every transaction and system call.
  var tracer: (any TransactionTracer)? { get set }
  /// Answers BLOCKHASH for blocks that the prepared block does not name.
  var fallbackBlockHash: ((UInt64) -> Hash256?)? { get set }
}

package import EVM

/// Executes one transaction on each lane, all on the same state.
///
/// A lane owns one message, one workspace and one outcome. The lanes share the state's tables, which
/// nobody writes. Workspaces lie one behind the other in the memory that the host gives; registers
/// and the stack frame of the compiled code are as `make gate-nvptx` prints them. No shared memory.
package enum TransactionKernel {
  /// What the host gives.
  package struct Arguments: BitwiseCopyable {
    /// The rules in force.
    package var fork: Fork
    /// The block of all the transactions.
    package var block: BlockEnvironment
    /// The state before.
    package var state: FlatStateView
    /// One message for each lane; lanes from `count` on do nothing.
    package var messages: UnsafePointer<TransactionMessage>
    /// One outcome for each lane.
    package var outcomes: UnsafeMutablePointer<Outcome>
    /// Transactions.
    package var count: Int
    /// `count` workspaces of `sizes.bytes` each, 16-byte aligned.
    package var workspaces: UnsafeMutableRawPointer
    /// The sizes of one workspace.
    package var sizes: WorkspaceSizes

    /// Arguments of these values.
    package init(
      fork: Fork, block: BlockEnvironment, state: FlatStateView,
      messages: UnsafePointer<TransactionMessage>, outcomes: UnsafeMutablePointer<Outcome>,
      count: Int, workspaces: UnsafeMutableRawPointer, sizes: WorkspaceSizes
    ) {
      self.fork = fork
      self.block = block
      self.state = state
      self.messages = messages
      self.outcomes = outcomes
      self.count = count
      self.workspaces = workspaces
      self.sizes = sizes
    }
  }

  /// What a lane gives back.
  package struct Outcome: BitwiseCopyable {
    /// Status and gas; a fault means that the host runs the transaction elsewhere. `nil` when the
    /// sizes of the workspace do not fit together, so that nothing was run.
    package var result: TransactionResult?
    /// Reads, writes and logs, in the lane's workspace.
    package var journal: Journal?
  }

  /// Bytes between one workspace and the next.
  package static func stride(_ sizes: WorkspaceSizes) -> Int { (sizes.bytes &+ 15) & ~15 }

  /// Executes the transaction of lane `index`.
  package static func lane(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    if index >= arguments.pointee.count { return }
    let stride = stride(arguments.pointee.sizes)
    guard
      let workspace = Workspace(
        base: arguments.pointee.workspaces + index &* stride, capacity: stride,
        sizes: arguments.pointee.sizes)
    else {
      (arguments.pointee.outcomes + index).initialize(to: Outcome(result: nil, journal: nil))
      return
    }
    var machine = Machine(
      fork: arguments.pointee.fork, block: arguments.pointee.block,
      view: arguments.pointee.state, tracer: NoTracer(), workspace: workspace)
    let result = machine.execute(
      arguments.pointee.messages[index], gasAvailable: arguments.pointee.block.gasLimit,
      blobsAvailable: Int.max)
    (arguments.pointee.outcomes + index).initialize(
      to: Outcome(result: result, journal: machine.journal))
  }
}

package import CUDA
package import EVM
package import Kernels

/// What runs batches in lanes beside the host: a GPU, or what stands in for one in tests.
///
/// One caller at a time.
package protocol LaneExecutor: AnyObject {
  /// What to call it in reports, such as `cuda:0`.
  var name: String { get }
  /// Lanes of a launch.
  var laneCount: Int { get }

  /// Takes a state, in place of the one before.
  func load(_ image: StateImage) throws(CUDAError)

  /// Executes a batch on the state that was loaded, hands over what came of it in pieces, and gives
  /// the numbers of the transactions that it could not do, with the faults that say why.
  ///
  /// A transaction that is neither done nor left was not run: its launch passed its time budget.
  func execute(
    _ columns: BatchColumns, selection: RecordSelection, _ take: (OutcomePiece) -> Void
  ) throws(CUDAError) -> (
    statistics: BatchStatistics, left: [(number: UInt32, status: ExecutionStatus)]
  )
}

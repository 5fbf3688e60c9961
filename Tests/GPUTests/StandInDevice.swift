import CUDA
import EVM
import Kernels

@testable import GPU

/// A device for machines without one: the lanes of the host behind the interface of a GPU, which
/// fails, leaves transactions or passes its budget when it is told to.
final class StandInDevice: LaneExecutor {
  let name: String
  let laneCount = 1
  /// Transactions that it leaves, by gas limit, and the fault it gives.
  var leaves: [UInt64: ExecutionStatus] = [:]
  /// Gas limits of transactions that its launches do not come to.
  var cutsOff: Set<UInt64> = []
  /// After so many batches every call fails with this error.
  var failure: (after: Int, error: CUDAError)?
  /// Rows of each batch that it was given.
  private(set) var batches: [Int] = []
  private var image: StateImage?

  init(_ name: String = "stand-in:0") { self.name = name }

  func load(_ image: StateImage) throws(CUDAError) { self.image = image }

  func execute(
    _ columns: BatchColumns, selection: RecordSelection, _ take: (OutcomePiece) -> Void
  ) throws(CUDAError) -> (
    statistics: BatchStatistics, left: [(number: UInt32, status: ExecutionStatus)]
  ) {
    if let failure, batches.count >= failure.after { throw failure.error }
    guard let image else { preconditionFailure("a state is loaded before a batch is executed") }
    batches.append(columns.rows.count)
    var left: [(number: UInt32, status: ExecutionStatus)] = []
    var numbers: [UInt32] = []
    for (number, row) in columns.rows.enumerated() {
      if let status = leaves[row.gasLimit] {
        left.append((UInt32(number), status))
      } else if !cutsOff.contains(row.gasLimit) {
        numbers.append(UInt32(number))
      }
    }
    HostLanes(image, threads: 2).execute(columns, only: numbers, selection: selection, take)
    var statistics = BatchStatistics()
    statistics.launches = 1
    return (statistics, left)
  }
}

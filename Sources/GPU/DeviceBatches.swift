package import CUDA
package import EVM
package import Kernels

/// A device that executes batches on one state after the other, and the host for what the device
/// leaves.
///
/// One caller at a time.
package final class DeviceBatches {
  private let device: TransactionDevice
  private let executor: DeviceExecutor

  /// A device that runs an image of kernels.
  package init(_ device: Device, image: KernelImage, options: DeviceExecutor.Options = .init())
    throws(CUDAError)
  {
    self.device = try TransactionDevice(Context(device), image: image)
    executor = try DeviceExecutor(self.device, options: options)
  }

  /// Executes a batch on a state, which is uploaded first.
  ///
  /// `left` are the transactions that the device could not do: `outcome` has nothing of them.
  package func execute(
    _ batch: TransactionBatch, on image: StateImage, selection: RecordSelection
  ) throws(CUDAError) -> (
    outcome: BatchOutcome, statistics: BatchStatistics,
    left: [(number: UInt32, status: ExecutionStatus)]
  ) {
    try device.load(image)
    var outcome = BatchOutcome(count: batch.count)
    let (statistics, left) = try batch.withColumns { columns throws(CUDAError) in
      try executor.execute(columns, selection: selection) { outcome.take($0) }
    }
    return (outcome, statistics, left)
  }
}

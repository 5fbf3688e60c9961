package import CUDA
import Kernels

/// A batch in memory that devices read and write by themselves: what a program that has its
/// transactions in columns keeps them in.
package final class PinnedBatch {
  private let rows: PinnedBuffer<TransactionRow>
  private let bytes: PinnedBuffer<UInt8>
  private let environments: PinnedBuffer<EnvironmentRow>
  private let hashes: PinnedBuffer<EnvironmentRow.BlockHash>

  /// A copy of a batch.
  package init(_ batch: TransactionBatch, _ context: Context) throws(CUDAError) {
    let counts = batch.withColumns {
      ($0.rows.count, $0.bytes.count, $0.environments.count, $0.hashes.count)
    }
    rows = try PinnedBuffer(context, count: counts.0)
    bytes = try PinnedBuffer(context, count: counts.1)
    environments = try PinnedBuffer(context, count: counts.2)
    hashes = try PinnedBuffer(context, count: counts.3)
    batch.withColumns { columns in
      _ = rows.elements.initialize(fromContentsOf: columns.rows)
      _ = bytes.elements.initialize(
        fromContentsOf: columns.bytes.bindMemory(to: UInt8.self))
      _ = environments.elements.initialize(fromContentsOf: columns.environments)
      _ = hashes.elements.initialize(fromContentsOf: columns.hashes)
    }
  }

  /// The columns, which live as long as the batch.
  package var columns: BatchColumns {
    BatchColumns(
      rows: UnsafeBufferPointer(rows.elements),
      bytes: UnsafeRawBufferPointer(bytes.elements),
      environments: UnsafeBufferPointer(environments.elements),
      hashes: UnsafeBufferPointer(hashes.elements))
  }
}

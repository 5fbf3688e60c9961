import CUDA
package import EVM
import Kernels

/// How much memory the lanes of a launch have: a transaction that runs out is run again in the next
/// class.
package enum WorkspaceClass: Int, CaseIterable, Sendable {
  /// The lane's local memory; without heavy precompiles.
  case local
  /// About 1 MB: calls 60 deep with little on their stacks.
  case medium
  /// About 5 MB: the same with more memory.
  case wide
  /// About 60 MB: all 1,024 frames with full stacks.
  case large
  /// As much as a transaction has on the host at first.
  case huge

  /// The sizes of a workspace.
  package var sizes: WorkspaceSizes {
    switch self {
    case .local: TransactionKernel.localSizes
    case .medium: Self.calls(memoryBytes: 256 << 10)
    case .wide: Self.calls(memoryBytes: 4 << 20)
    case .large:
      WorkspaceSizes(
        stackWords: 1026 << 10, memoryBytes: 16 << 20, frames: 1026, accounts: 4 << 10,
        slots: 16 << 10, undoRecords: 64 << 10, logs: 8 << 10, logBytes: 2 << 20,
        codeBytes: 2 << 20, returnBytes: 2 << 20)
    case .huge: .host(scale: 1)
    }
  }

  private static func calls(memoryBytes: Int) -> WorkspaceSizes {
    WorkspaceSizes(
      stackWords: 12 << 10, memoryBytes: memoryBytes, frames: 64, accounts: 512, slots: 2 << 10,
      undoRecords: 8 << 10, logs: 512, logBytes: 128 << 10, codeBytes: 64 << 10,
      returnBytes: 128 << 10)
  }

  /// The most lanes at once.
  var lanes: Int {
    switch self {
    case .local: .max
    case .medium, .wide: 4096
    case .large: 128
    case .huge: 16
    }
  }

  var next: WorkspaceClass? { WorkspaceClass(rawValue: rawValue + 1) }
}

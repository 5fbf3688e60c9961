package import CUDA

/// Why a batch has no result.
package enum BatchError: Error, Hashable, Sendable {
  /// A device refused, in a way that is no fault of its transactions.
  case device(name: String, CUDAError)
  /// Launches passed their time budget, so that some transactions were not run.
  case overBudget(pending: Int, of: Int)
}

extension BatchError: CustomStringConvertible {
  /// One line that says what is wrong and what to do.
  package var description: String {
    switch self {
    case .device(let name, let error):
      "\(name): \(error)"
        + (error.isOutOfMemory ? "; a smaller batch or another device may do" : "")
    case .overBudget(let pending, let count):
      "the watchdog stopped a launch that passed its time budget: \(pending) of \(count) "
        + "transactions were not run; a lower --gas-ceiling gives the longest ones to the host, a "
        + "higher --launch-budget gives launches more time"
    }
  }
}

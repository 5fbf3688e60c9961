/// What came of a batch on the devices that the user asked for.
package struct BatchResult {
  /// An outcome for each transaction.
  package internal(set) var outcome: BatchOutcome
  /// What it took.
  package internal(set) var statistics = BatchStatistics()
  /// The transactions that ran on the host in place of a device, by number, and why.
  package internal(set) var onHost: [UInt32: HostReason] = [:]

  init(count: Int) { outcome = BatchOutcome(count: count) }
}

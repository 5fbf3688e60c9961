/// What executing a batch took.
package struct BatchStatistics: Sendable {
  /// Transactions.
  package var transactions = 0
  /// Launches of kernels.
  package var launches = 0
  /// Bytes to the device and from it.
  package var bytesUp = 0
  package var bytesDown = 0
  /// Time in kernels, all launches together.
  package var kernelTime = Duration.zero
  /// Transactions that ran again on the device, by the class of memory they needed.
  package var rerunsOnDevice: [WorkspaceClass: Int] = [:]
  /// How often transactions were suspended for a coprocessor's answer, by the coprocessor; after each the
  /// transaction ran again.
  package var answers: [String: Int] = [:]
  /// Transactions that ran on the host in place of a device, by reason.
  package var rerunsOnHost: [HostReason: Int] = [:]
  /// The devices that failed, each with its error.
  package var lostDevices: [String] = []

  /// Of nothing.
  package init() {}

  /// All of them.
  package var hostReruns: Int { rerunsOnHost.values.reduce(0, +) }

  /// All suspensions.
  package var suspended: Int { answers.values.reduce(0, +) }

  /// Adds what other batches took.
  package mutating func add(_ other: BatchStatistics) {
    transactions += other.transactions
    launches += other.launches
    bytesUp += other.bytesUp
    bytesDown += other.bytesDown
    kernelTime += other.kernelTime
    rerunsOnDevice.merge(other.rerunsOnDevice, uniquingKeysWith: +)
    answers.merge(other.answers, uniquingKeysWith: +)
    rerunsOnHost.merge(other.rerunsOnHost, uniquingKeysWith: +)
    lostDevices += other.lostDevices
  }
}

package import Synchronization

/// What there is to know of a node that follows a feed: for metrics and `/ready`.
package final class FollowerStatus: Sendable {
  /// Blocks that were executed and found right.
  package let blocks = Atomic<UInt64>(0)
  /// Connections to the feed that were made.
  package let connections = Atomic<UInt64>(0)
  /// Attempts that failed, and connections that ended.
  package let interruptions = Atomic<UInt64>(0)
  /// Blocks or statements with a signature that is not the sequencer's.
  package let invalidSignatures = Atomic<UInt64>(0)
  /// Blocks that are not what their transactions give: 0 or 1, as following ends with the first.
  package let differences = Atomic<UInt64>(0)
  /// Transactions of blocks in the making that the feed told of.
  package let preconfirmed = Atomic<UInt64>(0)
  /// Times that the sequencer's block was not what it had said of it.
  package let brokenPromises = Atomic<UInt64>(0)
  /// The newest block that the feed told of.
  package let feedHead = Atomic<UInt64>(0)
  /// Whether it is connected.
  package let isConnected = Atomic(false)
  private let halt = Mutex<String?>(nil)

  /// Why following has ended for good; `nil` while it goes on.
  package var failure: String? { halt.withLock { $0 } }

  func stop(_ reason: String) { halt.withLock { $0 = $0 ?? reason } }

  /// The metrics: name, type, help and value.
  package var metrics: [(name: String, type: String, help: String, value: UInt64)] {
    [
      (
        "follower_blocks_total", "counter", "Blocks of the feed that were executed and right.",
        blocks.load(ordering: .relaxed)
      ),
      (
        "follower_connections_total", "counter", "Connections to the feed.",
        connections.load(ordering: .relaxed)
      ),
      (
        "follower_interruptions_total", "counter",
        "Attempts to connect that failed, and connections that ended.",
        interruptions.load(ordering: .relaxed)
      ),
      (
        "follower_invalid_signatures_total", "counter",
        "Messages whose signature is not the sequencer's.",
        invalidSignatures.load(ordering: .relaxed)
      ),
      (
        "follower_differences_total", "counter",
        "Blocks that are not what their transactions give; following ends with the first.",
        differences.load(ordering: .relaxed)
      ),
      (
        "follower_preconfirmed_transactions_total", "counter",
        "Transactions of blocks in the making that the feed told of.",
        preconfirmed.load(ordering: .relaxed)
      ),
      (
        "follower_broken_promises_total", "counter",
        "Times that a block was not what the sequencer had said of it.",
        brokenPromises.load(ordering: .relaxed)
      ),
      (
        "follower_feed_head_number", "gauge", "The newest block that the feed told of.",
        feedHead.load(ordering: .relaxed)
      ),
      (
        "follower_connected", "gauge", "Whether the feed is connected.",
        isConnected.load(ordering: .relaxed) ? 1 : 0
      ),
    ]
  }
}

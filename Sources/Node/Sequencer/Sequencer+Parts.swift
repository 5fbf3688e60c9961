import EVM
import Ethereum
import Execution
import Storage

/// Who is told what was executed of a block in the making. On the sequencer's queue.
protocol PartListener: AnyObject, Sendable {
  /// Whether anybody listens.
  var wantsParts: Bool { get }
  /// What was executed of a block by now, in its order, with the receipts.
  func executed(
    _ header: BlockHeader, _ transactions: [PreparedTransaction], _ receipts: [Receipt])
}

extension FeedServer: PartListener {}

extension Sequencer {
  /// What others were told of the next block: the block will be so.
  struct Promise {
    /// The block that it follows.
    var parent: Hash256
    var attributes: BlockAttributes
    var transactions: [PreparedTransaction] = []
    /// Their hashes.
    var hashes: Set<Hash256> = []
    /// Whether what there is takes too long to be executed again for each part.
    var isComplete = false
  }

  /// Executes what waits on top of what others were told of already, and tells them; on `queue`.
  ///
  /// All of the block so far is executed each time: what comes of it with the block is the same. When
  /// that takes more than half of the time between parts, what comes later has to wait for the block.
  func makePart(within interval: Duration) {
    let listener = listener.withLock { $0 }
    guard listener?.wantsParts == true || hasWaiting else { return }
    do {
      let start = ContinuousClock.now
      let snapshot = try chain.snapshot()
      let head = snapshot.head
      if promise?.parent != head.hash {
        promise = Promise(parent: head.hash, attributes: attributes(head.header))
      }
      guard var promise, !promise.isComplete else { return }
      let source = try snapshot.source(after: head.header.number)
      let more = selection(after: promise.transactions, promise.attributes, snapshot, source)
      if more.isEmpty { return }
      let executed = try rehearse(
        promise.transactions + more, promise.attributes, on: snapshot)
      let new = executed.transactions.dropFirst(promise.transactions.count).map(\.transaction.hash)
      promise.transactions = executed.transactions
      promise.hashes.formUnion(new)
      promise.isComplete = ContinuousClock.now - start > interval / 2
      self.promise = promise
      listener?.executed(executed.header, executed.transactions, executed.outcome.receipts)
      wake(those: new)
    } catch {
      // With the block it is tried again, and said if it fails.
      promise = nil
    }
  }
}

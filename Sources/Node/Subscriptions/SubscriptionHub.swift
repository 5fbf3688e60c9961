import Dispatch
import EVM
import Ethereum
import Execution
import Storage
import Synchronization

/// Tells subscribers what happens, on a queue of its own.
final class SubscriptionHub: ChainObserver {
  private let service: RPCService
  private let queue = DispatchQueue(label: "needletail.subscriptions")
  private let subscriptions = Mutex<[String: Subscription]>([:])
  /// How many subscriptions there are of each kind, so that nothing is prepared for nobody.
  private let counts = Mutex(Counts())
  /// Events that wait to be told.
  private let backlog = Atomic(0)
  /// More events than these are told to nobody: the subscribers they were for are disconnected.
  private static let backlogLimit = 100_000

  private struct Counts {
    var all = 0
    var logs = 0
    var transactions = 0
  }

  init(_ service: RPCService) { self.service = service }

  /// How many subscriptions there are.
  var count: Int { counts.withLock { $0.all } }

  func add(_ subscription: Subscription) {
    subscriptions.withLock { $0[subscription.id] = subscription }
    count(subscription, 1)
  }

  func remove(_ ids: Set<String>) {
    for id in ids {
      guard let gone = subscriptions.withLock({ $0.removeValue(forKey: id) }) else { continue }
      count(gone, -1)
    }
  }

  private func count(_ subscription: Subscription, _ change: Int) {
    counts.withLock {
      $0.all += change
      switch subscription.kind {
      case .logs: $0.logs += change
      case .transactions: $0.transactions += change
      case .heads, .receipts: break
      }
    }
  }

  private func enqueue(_ events: Int, _ work: @escaping @Sendable ([Subscription]) -> Void) {
    guard backlog.add(events, ordering: .relaxed).newValue <= Self.backlogLimit else {
      backlog.subtract(events, ordering: .relaxed)
      // Nobody may believe that he was told of everything.
      for subscription in subscriptions.withLock({ Array($0.values) }) {
        subscription.peer.close(.tryAgainLater, "too many events at once")
      }
      return
    }
    queue.async { [self] in
      work(subscriptions.withLock { Array($0.values) })
      backlog.subtract(events, ordering: .relaxed)
    }
  }

  // MARK: The chain

  func headChanged(_ block: StoredBlock) {
    if count == 0 { return }
    enqueue(1) { [service] subscriptions in
      var head: [UInt8]?
      for subscription in subscriptions {
        switch subscription.kind {
        case .heads:
          let text = head ?? Self.head(block)
          head = text
          subscription.notify(text)
        case .logs(let query):
          Self.tell(subscription, query, block.summary, block.body, block.receipts)
        case .receipts(let hashes):
          if let text = Self.receipts(hashes, block, service) { subscription.notify(text) }
        case .transactions: break
        }
      }
    }
  }

  func willRewind(to number: UInt64, from snapshot: Snapshot) {
    if counts.withLock({ $0.logs }) == 0 { return }
    var blocks: [(header: StoredHeader, body: BodyRecord, receipts: ReceiptsRecord)] = []
    var next = snapshot.head.header.number
    while next > number {
      if let header = try? snapshot.header(next), let body = snapshot.body(next),
        let receipts = snapshot.receipts(next)
      {
        blocks.append((header, body, receipts))
      }
      next -= 1
    }
    enqueue(1) { [blocks] subscriptions in
      for subscription in subscriptions {
        guard case .logs(let query) = subscription.kind else { continue }
        for block in blocks {
          Self.tell(
            subscription, query, block.header, block.body, block.receipts, isRemoved: true)
        }
      }
    }
  }

  private static func head(_ block: StoredBlock) -> [UInt8] {
    var writer = JSONWriter()
    writer.object { $0.members(of: block.header, hash: block.hash) }
    return writer.takeBytes()
  }

  private static func tell(
    _ subscription: Subscription, _ query: LogQuery, _ header: StoredHeader, _ body: BodyRecord,
    _ receipts: ReceiptsRecord, isRemoved: Bool = false
  ) {
    guard query.mayMatch(header.header.logsBloom) else { return }
    // What is stored can be read; a fault shows with whoever asks for the block.
    try? query.forEachMatch(header, body, receipts) { log, place in
      var writer = JSONWriter()
      writer.log(log, at: place, isRemoved: isRemoved)
      subscription.notify(writer.takeBytes())
    }
  }

  private static func receipts(
    _ hashes: Set<Hash256>, _ block: StoredBlock, _ service: RPCService
  ) -> [UInt8]? {
    let places = block.transactionHashes.indices.filter {
      hashes.isEmpty || hashes.contains(block.transactionHashes[$0])
    }
    if places.isEmpty { return nil }
    var writer = JSONWriter()
    writer.array { writer in
      for index in places {
        try? service.writeReceipt(block.summary, block.body, block.receipts, index, &writer)
      }
    }
    return writer.takeBytes()
  }

  // MARK: The pool

  /// Transactions have come into the pool.
  func transactionsArrived(_ transactions: [(transaction: PreparedTransaction, hash: Hash256)]) {
    if counts.withLock({ $0.transactions }) == 0 { return }
    enqueue(transactions.count) { subscriptions in
      for (prepared, hash) in transactions {
        var full: [UInt8]?
        for subscription in subscriptions {
          guard case .transactions(let isFull) = subscription.kind else { continue }
          if isFull {
            let text = full ?? Self.transaction(prepared, hash)
            full = text
            subscription.notify(text)
          } else {
            subscription.notify([UInt8]("\"\(hash)\"".utf8))
          }
        }
      }
    }
  }

  private static func transaction(_ prepared: PreparedTransaction, _ hash: Hash256) -> [UInt8] {
    var writer = JSONWriter()
    writer.transaction(prepared.transaction, sender: prepared.sender, place: nil, hash: hash)
    return writer.takeBytes()
  }
}

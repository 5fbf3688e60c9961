import EVM
import Ethereum
import Execution
import Storage
import Synchronization

/// The block in the making, as it would be if it ended now: made when somebody asks for it, and kept while
/// it would be the same again. Any number of threads at once.
final class PendingBlocks: Sendable {
  /// What a block in the making follows from.
  struct Origin: Equatable, Sendable {
    /// The state that it is made on.
    var version: Snapshot.Version
    var attributes: BlockAttributes
    /// How often what waits for a block changed.
    var revision: UInt64
    /// What others were told of: there is only ever more of it.
    var promised: [PreparedTransaction]

    static func == (a: Origin, b: Origin) -> Bool {
      a.version == b.version && a.attributes == b.attributes && a.revision == b.revision
        && a.promised.count == b.promised.count
    }
  }

  /// A block that is in no chain.
  private struct Candidate: Sendable {
    var origin: Origin
    var block: StoredBlock
    var layer: StateLayer
    /// How long it took.
    var duration: Duration
    var end: ContinuousClock.Instant
  }

  /// A block that takes less is made anew with every change.
  private let freshness: Duration
  /// Another is used for so many times the time that it took: who asks again and again takes a fifth of a
  /// core at most.
  private let patience: Int

  /// What making blocks needs.
  private final class Workshop: @unchecked Sendable {
    // Sendable: whoever makes a block is the only one.

    var codes = CodeStore()
  }

  private let newest = Mutex<Candidate?>(nil)
  /// Held by whoever makes a block.
  private let workshop = Mutex(Workshop())

  init(freshness: Duration = .milliseconds(20), patience: Int = 4) {
    self.freshness = freshness
    self.patience = patience
  }

  /// Whether a block may stand for a later one on the same state: it took long, and not long ago.
  private func isRecent(_ candidate: Candidate, _ origin: Origin) -> Bool {
    candidate.origin.version == origin.version && candidate.duration > freshness
      && candidate.end.duration(to: .now) < candidate.duration * patience
  }

  /// A chain with the block in the making at its end. `origin` tells what it follows from now, `make` makes
  /// it; one that must have `hash` is made now.
  func extend(
    _ snapshot: Snapshot, having hash: Hash256? = nil, from origin: () throws -> Origin,
    make: (Origin, CodeStore) throws -> (StoredBlock, StateLayer)
  ) throws -> Snapshot {
    func known(_ origin: Origin) -> Candidate? {
      newest.withLock { candidate in
        guard let candidate, candidate.origin == origin || isRecent(candidate, origin) else {
          return nil
        }
        if let hash, !candidate.block.transactionHashes.contains(hash) { return nil }
        return candidate
      }
    }
    if let candidate = known(try origin()) {
      return snapshot.adding(candidate.block, candidate.layer)
    }
    return try workshop.withLock { workshop in
      // Others may have made it meanwhile.
      let origin = try origin()
      if let candidate = known(origin) {
        return snapshot.adding(candidate.block, candidate.layer)
      }
      if workshop.codes.byteCount > 16 << 20 { workshop.codes = CodeStore() }
      let start = ContinuousClock.now
      let (block, layer) = try make(origin, workshop.codes)
      let end = ContinuousClock.now
      newest.withLock {
        $0 = Candidate(
          origin: origin, block: block, layer: layer, duration: start.duration(to: end), end: end)
      }
      return snapshot.adding(block, layer)
    }
  }
}

extension Sequencer {
  /// A chain with the block in the making at its end: what others were told of it, and what waits and has
  /// a place in it. It may lack what has come since, where making it takes long, but for a transaction that
  /// is named.
  func pending(on snapshot: Snapshot, having hash: Hash256? = nil) throws -> Snapshot {
    try pendingBlocks.extend(snapshot, having: hash) {
      // Before what waits is looked at: what comes later makes it another.
      let revision = pool.revision
      let promise = promise.flatMap { $0.parent == snapshot.head.hash ? $0 : nil }
      return PendingBlocks.Origin(
        version: snapshot.version,
        attributes: promise?.attributes ?? attributes(snapshot.head.header), revision: revision,
        promised: promise?.transactions ?? [])
    } make: { origin, codes in
      let source = try snapshot.source(after: snapshot.head.header.number)
      let chosen =
        origin.promised + selection(after: origin.promised, origin.attributes, snapshot, source)
      let built = try maker.finish(
        try maker.execute(
          on: snapshot, origin.attributes, chosen, executor: SerialExecutor(), codes: codes,
          workers: 1), origin.attributes
      ) {
        // The rows that are kept for the next root are the block's, which is made at the same time.
        try snapshot.state.layer($0, number: $1)
      }
      return (
        StoredBlock(
          built.block, hash: built.block.hash, size: built.block.encoded.count,
          totalDifficulty: snapshot.head.totalDifficulty, senders: built.senders,
          receipts: built.receipts, envelopes: built.contents.envelopes,
          transactionHashes: built.contents.hashes, sequence: 0), built.layer
      )
    }
  }
}

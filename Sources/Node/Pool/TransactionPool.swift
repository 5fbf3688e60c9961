import Collections
import EVM
import Ethereum
import Execution
import Synchronization

/// The transactions that wait for a block: a queue of nonces for each sender.
package final class TransactionPool: Sendable {
  /// What the pool holds at most.
  package struct Limits: Sendable {
    /// Transactions of one sender.
    package var perSender = 1024
    /// Transactions of all.
    package var transactions = 200_000
    /// Bytes of all.
    package var bytes = 256 << 20
    /// Nonces that a transaction may be ahead of its sender's.
    package var nonceGap: UInt64 = 4096
    /// Bytes of one transaction, without blobs (go-ethereum's limit).
    package var transactionBytes = 128 << 10
    /// How much more a replacement pays, in percent.
    package var replacementPercent: UInt64 = 10
    /// Seconds after which a transaction is forgotten.
    package var lifetime: Duration = .seconds(3 * 3600)

    /// The limits of a node that anybody may send to.
    package init() {}
  }

  /// A transaction that waits.
  struct Entry: Sendable {
    var prepared: PreparedTransaction
    var hash: Hash256
    var bytes: Int
    /// Its number in the order of arrival.
    var sequence: UInt64
    var arrival: ContinuousClock.Instant
    /// Whether it was sent by who runs the node: never dropped for others.
    var isLocal: Bool

    var nonce: UInt64 { prepared.transaction.nonce }
  }

  /// A transaction that came in.
  typealias Arrival = (transaction: PreparedTransaction, hash: Hash256)

  private struct State {
    var senders: [Address: [UInt64: Entry]] = [:]
    var hashes: [Hash256: (Address, UInt64)] = [:]
    var bytes = 0
    var sequence: UInt64 = 0
    /// How often anything came or went.
    var revision: UInt64 = 0
    /// The newest arrivals, for filters.
    var arrivals: Deque<(sequence: UInt64, hash: Hash256)> = []
  }

  private let state = Mutex(State())
  private let journalBox = Mutex<PoolJournal?>(nil)
  private let onArrival = Mutex<(@Sendable ([Arrival]) -> Void)?>(nil)
  let limits: Limits
  private static let arrivalLimit = 16_384

  /// An empty pool.
  package init(limits: Limits = Limits()) { self.limits = limits }

  /// Where what waits is kept over a restart.
  var journal: PoolJournal? { journalBox.withLock { $0 } }

  /// Keeps what waits, and what comes in from now on, in a journal.
  func keep(in journal: PoolJournal) {
    journalBox.withLock { $0 = journal }
    rewriteJournal()
  }

  /// All that waits, in the order of arrival.
  var entries: [Entry] {
    state.withLock { $0.senders.values.flatMap(\.values) }.sorted { $0.sequence < $1.sequence }
  }

  /// Calls `body` with all that comes in from now on.
  func observe(_ body: @escaping @Sendable ([Arrival]) -> Void) {
    onArrival.withLock { $0 = body }
  }

  /// How many transactions came in.
  var sequence: UInt64 { state.withLock { $0.sequence } }

  /// How often anything that waits came or went.
  var revision: UInt64 { state.withLock { $0.revision } }

  /// Bytes of the transactions that wait.
  var byteCount: Int { state.withLock { $0.bytes } }

  /// How many transactions wait.
  package var count: Int { state.withLock { $0.hashes.count } }

  /// The hashes of transactions that came after a number.
  func hashes(after sequence: UInt64) -> [Hash256] {
    state.withLock { state in
      state.arrivals.filter { $0.sequence > sequence }.map(\.hash)
    }
  }

  /// A transaction by its hash.
  func transaction(_ hash: Hash256) -> PreparedTransaction? {
    state.withLock { state in
      state.hashes[hash].flatMap { state.senders[$0.0]?[$0.1]?.prepared }
    }
  }

  /// The nonce after the transactions of a sender that wait without a gap.
  func nextNonce(of sender: Address) -> UInt64? {
    state.withLock { state in
      guard let queue = state.senders[sender], var nonce = queue.keys.min() else { return nil }
      while queue[nonce] != nil { nonce += 1 }
      return nonce
    }
  }

  /// A transaction that wants in, whose signature is right; `account` is its sender's.
  struct Candidate {
    var prepared: PreparedTransaction
    var hash: Hash256
    var bytes: Int
    var account: SourceAccount?
    var isLocal = false
  }

  /// Takes transactions in, in their order; for each the reason where it is refused.
  func add(_ candidates: [Candidate], head: BlockHeader, fork: Fork) -> [RPCError?] {
    var refusals = candidates.map { candidate -> RPCError? in
      do throws(RPCError) {
        try check(candidate.prepared, candidate.bytes, candidate.account, head, fork)
        return nil
      } catch { return error }
    }
    let now = ContinuousClock.now
    state.withLock { state in
      for (index, candidate) in candidates.enumerated() where refusals[index] == nil {
        do throws(RPCError) {
          try insert(candidate, now, &state)
        } catch { refusals[index] = error }
      }
    }
    keep(candidates.indices.lazy.filter { refusals[$0] == nil }.map { candidates[$0] })
    if let onArrival = onArrival.withLock({ $0 }) {
      onArrival(
        candidates.indices.lazy.filter { refusals[$0] == nil }.map {
          (candidates[$0].prepared, candidates[$0].hash)
        })
    }
    return refusals
  }

  /// Writes what came in into the journal.
  private func keep(_ candidates: some Sequence<Candidate>) {
    guard let journal else { return }
    let bytes = state.withLock { $0.bytes }
    let records = candidates.map {
      PoolJournal.Record(
        envelope: $0.prepared.transaction.encoded, isLocal: $0.isLocal)
    }
    if journal.append(records, liveBytes: bytes) { rewriteJournal() }
  }

  private func insert(
    _ candidate: Candidate, _ now: ContinuousClock.Instant, _ state: inout State
  ) throws(RPCError) {
    let transaction = candidate.prepared.transaction
    let sender = candidate.prepared.sender
    if state.hashes[candidate.hash] != nil { throw RPCError.server("already known") }
    // Read in place: a queue that is held would be copied when it is changed.
    if let old = state.senders[sender]?[transaction.nonce] {
      guard Self.outbids(transaction, old.prepared.transaction, limits.replacementPercent) else {
        throw RPCError.server("replacement transaction underpriced")
      }
      state.bytes -= old.bytes
      state.hashes[old.hash] = nil
    } else if state.senders[sender]?.count ?? 0 >= limits.perSender {
      throw RPCError.server("account limit exceeded: \(limits.perSender) transactions wait")
    }
    if state.hashes.count >= limits.transactions || state.bytes + candidate.bytes > limits.bytes {
      throw RPCError.server("txpool is full")
    }
    state.sequence += 1
    state.revision += 1
    state.senders[sender, default: [:]][transaction.nonce] = Entry(
      prepared: candidate.prepared, hash: candidate.hash, bytes: candidate.bytes,
      sequence: state.sequence, arrival: now, isLocal: candidate.isLocal)
    state.hashes[candidate.hash] = (sender, transaction.nonce)
    state.bytes += candidate.bytes
    state.arrivals.append((state.sequence, candidate.hash))
    if state.arrivals.count > Self.arrivalLimit { state.arrivals.removeFirst() }
  }

  /// Whether a transaction pays enough more than the one in its place.
  private static func outbids(_ new: Transaction, _ old: Transaction, _ percent: UInt64) -> Bool {
    func isAbove(_ new: UInt256, _ old: UInt256) -> Bool {
      let (bid, high) = UInt256.multiplyFullWidth(old, UInt256(100 + percent))
      let (offer, offerHigh) = UInt256.multiplyFullWidth(new, UInt256(100))
      return (offerHigh, offer) >= (high, bid)
    }
    return isAbove(new.maxFeePerGas, old.maxFeePerGas)
      && isAbove(new.maxPriorityFeePerGas, old.maxPriorityFeePerGas)
      && (new.type != .blob || isAbove(new.maxFeePerBlobGas, old.maxFeePerBlobGas))
  }

  private func check(
    _ prepared: PreparedTransaction, _ bytes: Int, _ account: SourceAccount?, _ head: BlockHeader,
    _ fork: Fork
  ) throws(RPCError) {
    let transaction = prepared.transaction
    let nonce = account?.nonce ?? 0
    guard fork >= transaction.type.since else {
      throw .server("transaction type not supported: \(transaction.type.rawValue)")
    }
    if bytes > limits.transactionBytes && transaction.type != .blob {
      throw .server("oversized data: transaction size \(bytes), limit \(limits.transactionBytes)")
    }
    if transaction.maxPriorityFeePerGas > transaction.maxFeePerGas {
      throw .server("max priority fee per gas higher than max fee per gas")
    }
    if transaction.nonce < nonce {
      throw .server("nonce too low: next nonce \(nonce), tx nonce \(transaction.nonce)")
    }
    if transaction.nonce - nonce > limits.nonceGap {
      throw .server("nonce too high: next nonce \(nonce), tx nonce \(transaction.nonce)")
    }
    if transaction.gasLimit > head.gasLimit { throw .server("exceeds block gas limit") }
    let schedule = GasSchedule(fork)
    if transaction.gasLimit > schedule.transactionGasLimit {
      throw .server("transaction gas limit too high (cap: \(schedule.transactionGasLimit))")
    }
    if transaction.createsContract, transaction.data.count > schedule.initCodeSizeLimit {
      throw .server("max initcode size exceeded: code size \(transaction.data.count)")
    }
    let costs = prepared.withMessage { IntrinsicGas($0, schedule, blockGasLimit: head.gasLimit) }
    if transaction.gasLimit < UInt64(bitPattern: costs.intrinsic) {
      throw .server(
        "intrinsic gas too low: gas \(transaction.gasLimit), minimum needed \(costs.intrinsic)")
    }
    if transaction.gasLimit < UInt64(bitPattern: costs.floor) {
      throw .server(
        "insufficient gas for floor data gas cost: gas \(transaction.gasLimit), minimum needed "
          + "\(costs.floor)")
    }
    if transaction.type == .setCode, transaction.authorizationList.isEmpty {
      throw .server("EIP-7702 transaction with empty auth list")
    }
    let balance = account?.balance ?? .zero
    let gas = UInt256.multiplyFullWidth(UInt256(transaction.gasLimit), transaction.maxFeePerGas)
    let blobGas = UInt64(transaction.blobVersionedHashes.count) * BlobGas.perBlob
    let blobs = UInt256.multiplyFullWidth(UInt256(blobGas), transaction.maxFeePerBlobGas)
    let fees = UInt256.addingReportingCarry(gas.low, blobs.low)
    let all = UInt256.addingReportingCarry(fees.value, transaction.value)
    guard gas.high.isZero, blobs.high.isZero, !fees.carry, !all.carry, all.value <= balance else {
      throw .server(
        "insufficient funds for gas * price + value: balance \(balance.decimal), tx cost "
          + "\(all.value.decimal)")
    }
  }

  // MARK: For blocks

  /// Transactions for a block, in the order in which they should stand: of those whose nonce is next
  /// the one that pays most, the older one among equals. `nonce` tells a sender's.
  func selection(
    baseFee: UInt256, gas: UInt64, bytes: Int, limit: Int, nonce: (Address) -> UInt64
  ) -> [PreparedTransaction] {
    var heads: Heap<Turn> = []
    // The heap moves its elements a lot: what is large stays here.
    var entries: [Entry] = []
    let senders = state.withLock { $0.senders }
    var gasLeft = gas
    var bytesLeft = bytes
    func push(_ sender: Address, _ nonce: UInt64) {
      guard let entry = senders[sender]?[nonce],
        entry.prepared.transaction.maxFeePerGas >= baseFee
      else { return }
      let tip = min(
        entry.prepared.transaction.maxPriorityFeePerGas,
        entry.prepared.transaction.maxFeePerGas &- baseFee)
      heads.insert(Turn(place: entries.count, sequence: entry.sequence, tip: tip))
      entries.append(entry)
    }
    for sender in senders.keys { push(sender, nonce(sender)) }
    var chosen: [PreparedTransaction] = []
    while chosen.count < limit, let best = heads.popMax() {
      let entry = entries[best.place]
      let transaction = entry.prepared.transaction
      // What has no room waits, and with it the sender's later ones.
      if transaction.gasLimit > gasLeft || entry.bytes > bytesLeft { continue }
      gasLeft -= transaction.gasLimit
      bytesLeft -= entry.bytes
      chosen.append(entry.prepared)
      push(entry.prepared.sender, transaction.nonce + 1)
    }
    return chosen
  }

  private struct Turn: Comparable {
    /// Among the entries that had a turn.
    var place: Int
    var sequence: UInt64
    var tip: UInt256

    static func < (a: Turn, b: Turn) -> Bool {
      a.tip != b.tip ? a.tip < b.tip : a.sequence > b.sequence
    }

    static func == (a: Turn, b: Turn) -> Bool { a.sequence == b.sequence }
  }

  /// Forgets transactions that are in a block, or whose nonce is past, and those that have waited too
  /// long.
  func remove(senders: Set<Address>, nonce: (Address) -> UInt64) {
    let next = senders.map { ($0, nonce($0)) }
    state.withLock { state in
      state.revision += 1
      for (sender, nonce) in next {
        // Listed first: a queue that is held would be copied when it is changed.
        let past = state.senders[sender]?.keys.filter { $0 < nonce } ?? []
        for number in past {
          guard let entry = state.senders[sender]?.removeValue(forKey: number) else { continue }
          state.hashes[entry.hash] = nil
          state.bytes -= entry.bytes
        }
        if state.senders[sender]?.isEmpty == true { state.senders[sender] = nil }
      }
    }
  }

  /// Forgets one transaction, and says whether it was there.
  @discardableResult
  func remove(_ hash: Hash256) -> Bool {
    state.withLock { state in
      guard let (sender, nonce) = state.hashes[hash], let entry = state.senders[sender]?[nonce]
      else { return false }
      Self.remove(entry, sender, &state)
      return true
    }
  }

  /// Forgets what has waited longer than the limit.
  func removeExpired() {
    let now = ContinuousClock.now
    state.withLock { state in
      for (sender, queue) in state.senders {
        for entry in queue.values
        where !entry.isLocal && entry.arrival.duration(to: now) > limits.lifetime {
          Self.remove(entry, sender, &state)
        }
      }
    }
  }

  /// Forgets all.
  func removeAll() {
    state.withLock { state in
      let (sequence, revision) = (state.sequence, state.revision)
      state = State()
      (state.sequence, state.revision) = (sequence, revision + 1)
    }
  }

  private static func remove(_ entry: Entry, _ sender: Address, _ state: inout State) {
    state.revision += 1
    state.senders[sender]?[entry.nonce] = nil
    if state.senders[sender]?.isEmpty == true { state.senders[sender] = nil }
    state.hashes[entry.hash] = nil
    state.bytes -= entry.bytes
  }

  /// What waits, by sender: those whose turn comes without a gap, and the others.
  func content(nonce: (Address) -> UInt64) -> (
    pending: [Address: [Entry]], queued: [Address: [Entry]]
  ) {
    let senders = state.withLock { $0.senders }
    var pending: [Address: [Entry]] = [:]
    var queued: [Address: [Entry]] = [:]
    for (sender, queue) in senders {
      var next = nonce(sender)
      for entry in queue.values.sorted(by: { $0.nonce < $1.nonce }) {
        if entry.nonce == next {
          pending[sender, default: []].append(entry)
          next += 1
        } else {
          queued[sender, default: []].append(entry)
        }
      }
    }
    return (pending, queued)
  }
}

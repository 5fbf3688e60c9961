import Coprocessors
import EVM
import Ethereum
import Execution
import Foundation
import Storage

/// Takes signed transactions in, many at once, wherever they come from: into the pool, or on to the
/// sequencer.
final class TransactionIntake: Sendable {
  /// Where transactions go.
  enum Destination: Sendable {
    /// Into this node's pool; the sequencer makes blocks of them, or a consensus client has them made.
    case pool
    /// To the sequencer that this node follows.
    case relay(SequencerClient)
    /// Nowhere, for this reason.
    case nowhere(String)
  }

  let destination: Destination
  private let chain: Blockchain
  private let pool: TransactionPool
  private let sequencer: Sequencer?
  private let recovery: SenderRecovery

  init(
    chain: Blockchain, pool: TransactionPool, sequencer: Sequencer?, recovery: SenderRecovery,
    destination: Destination = .pool
  ) {
    self.chain = chain
    self.pool = pool
    self.sequencer = sequencer
    self.recovery = recovery
    self.destination = destination
  }

  /// Takes transactions in as they were sent; gives each one's hash, or why it is refused. `waits` is
  /// whether blocks that come with transactions are made before it returns.
  func take(_ sent: [[UInt8]], waits: Bool = true) -> [Result<Hash256, RPCError>] {
    switch destination {
    case .pool:
      let results = add(sent)
      if results.contains(where: { if case .success = $0 { true } else { false } }) {
        sequencer?.transactionsArrived(waits: waits)
      }
      return results
    case .relay(let client): return client.send(sent)
    case .nowhere(let reason):
      return sent.map { _ in .failure(.server(reason)) }
    }
  }

  /// Takes a transaction in that nobody signed, from an account that the node impersonates; waits for no
  /// block.
  func take(_ unsigned: PreparedTransaction) throws -> Hash256 {
    let snapshot = try chain.snapshot()
    let head = snapshot.head.header
    let envelope = unsigned.transaction.encoded
    let candidate = TransactionPool.Candidate(
      prepared: unsigned, hash: Keccak256.hash(envelope), bytes: envelope.count,
      account: try snapshot.source(after: head.number).account(unsigned.sender))
    if let refusal = pool.add([candidate], head: head, fork: fork(head))[0] { throw refusal }
    sequencer?.transactionsArrived(waits: false)
    return candidate.hash
  }

  /// Takes transactions in that came faster than blocks can: waits while the pool is full, and for no
  /// block.
  func takeWhenThereIsRoom(_ sent: [[UInt8]]) -> [Result<Hash256, RPCError>] {
    let limit = max(0, pool.limits.transactions - sent.count)
    let end = ContinuousClock.now + Self.longestWait
    while pool.count > limit, ContinuousClock.now < end { usleep(1000) }
    return take(sent, waits: false)
  }

  /// After this a full pool refuses.
  private static let longestWait = Duration.seconds(10)

  /// The rules that a transaction in the next block follows.
  private func fork(_ head: BlockHeader) -> Fork {
    chain.rules.schedule.fork(
      number: head.number + 1,
      timestamp: max(head.timestamp + 1, UInt64(max(0, WallClock.seconds))), totalDifficulty: .max)
  }

  /// Checks the proofs of blobs, of no more than a block may have.
  private func check(_ sidecar: BlobSidecar.Contents) throws(FormatError) {
    guard let head = chain.database.head else { return }
    let limit = chain.rules.blobSchedule[fork(head.header)]?.max ?? 0
    guard sidecar.blobs.count <= limit else {
      throw FormatError(
        .valueOutOfRange, "\(sidecar.blobs.count) blobs; a block has at most \(limit)",
        field: "blobs")
    }
    if let fault = BlobChecker.check(sidecar) { throw fault }
  }

  private func add(_ sent: [[UInt8]]) -> [Result<Hash256, RPCError>] {
    var results = [Result<Hash256, RPCError>](
      repeating: .failure(.internalFault("it was not looked at")), count: sent.count)
    var places: [Int] = []
    var decoded: [SenderRecovery.Sent] = []
    places.reserveCapacity(sent.count)
    decoded.reserveCapacity(sent.count)
    for (index, bytes) in sent.enumerated() {
      do throws(FormatError) {
        let (transaction, envelope, sidecar) = try BlobSidecar.transaction(bytes)
        if let sidecar { try check(sidecar) }
        decoded.append(SenderRecovery.Sent(transaction: transaction, envelope: envelope))
        places.append(index)
      } catch { results[index] = .failure(.server("rlp: \(error)")) }
    }
    if decoded.isEmpty { return results }
    do {
      let snapshot = try chain.snapshot()
      let head = snapshot.head.header
      let fork = fork(head)
      let signed = recovery.recover(
        decoded, fork: fork, chainID: chain.rules.schedule.chainID)
      let source = try snapshot.source(after: head.number)
      var arrivals: [TransactionPool.Candidate] = []
      var arrivalPlaces: [Int] = []
      for (index, result) in signed.enumerated() {
        switch result {
        case .success(let signed):
          arrivals.append(
            TransactionPool.Candidate(
              prepared: signed.prepared, hash: signed.hash, bytes: decoded[index].envelope.count,
              account: source.account(signed.prepared.sender)))
          arrivalPlaces.append(places[index])
        case .failure(let error):
          results[places[index]] = .failure(.server("invalid sender: \(error)"))
        }
      }
      let refusals = pool.add(arrivals, head: head, fork: fork)
      for (index, refusal) in refusals.enumerated() {
        results[arrivalPlaces[index]] =
          refusal.map { .failure($0) } ?? .success(arrivals[index].hash)
      }
    } catch {
      let fault = RPCError(fault: error)
      for place in places { results[place] = .failure(fault) }
    }
    return results
  }
}

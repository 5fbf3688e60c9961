import Coprocessors
import EVM
import Ethereum
import Execution
import Storage
import Synchronization

/// Surviving a restart.
extension TransactionPool {
  /// Takes in what a journal has, as far as it is still valid on the chain, and keeps the journal from
  /// then on. Gives how many transactions wait again.
  package func restore(from journal: PoolJournal, chain: Blockchain) throws -> Int {
    let records = journal.records()
    let snapshot = try chain.snapshot()
    let head = snapshot.head.header
    let fork = chain.rules.schedule.fork(
      number: head.number + 1, timestamp: head.timestamp + 1, totalDifficulty: .max)
    let chainID = chain.rules.schedule.chainID
    let prepared = Mutex([PreparedTransaction?](repeating: nil, count: records.count))
    Workers.run((records.count + 63) / 64, on: 2) { piece in
      for index in piece * 64..<min(records.count, piece * 64 + 64) {
        guard let transaction = try? Transaction(decoding: records[index].envelope),
          let sender = try? transaction.recoverSender(fork: fork, chainID: chainID)
        else { continue }
        prepared.withLock { $0[index] = PreparedTransaction(transaction, sender: sender) }
      }
    }
    let source = try snapshot.source(after: head.number)
    let candidates = zip(records, prepared.withLock { $0 }).compactMap { record, prepared in
      prepared.map {
        Candidate(
          prepared: $0, hash: Keccak256.hash(record.envelope), bytes: record.envelope.count,
          account: source.account($0.sender), isLocal: record.isLocal)
      }
    }
    // What is in the chain by now is not wanted any more.
    _ = add(candidates, head: head, fork: fork)
    keep(in: journal)
    return count
  }

  /// Writes the journal anew, with what waits.
  func rewriteJournal() {
    guard let journal else { return }
    journal.rewrite {
      entries.map {
        PoolJournal.Record(envelope: $0.prepared.transaction.encoded, isLocal: $0.isLocal)
      }
    }
  }
}

import Dispatch
package import EVM
package import Ethereum
import Execution
import Synchronization

/// What a header says of a block's transactions and receipts, and what the database wants of them:
/// each transaction is encoded once.
package struct BlockContents: Sendable {
  /// The transactions as their hashes are made of.
  package let envelopes: [[UInt8]]
  /// Their hashes.
  package let hashes: [Hash256]
  /// The root of their trie.
  package let transactionsRoot: Hash256
  /// The root of the receipts' trie.
  package let receiptsRoot: Hash256
  /// The union of the receipts' blooms.
  package let logsBloom: Bloom

  /// Those of transactions and their receipts.
  package init(_ transactions: [Transaction], _ receipts: [Receipt]) {
    envelopes = transactions.map(\.encoded)
    hashes = Keccak256.hashes(of: envelopes)
    transactionsRoot = MerklePatriciaTrie.orderedRoot(envelopes)
    var outcome = BlockOutcome()
    outcome.receipts = receipts
    (receiptsRoot, logsBloom) = outcome.commitments()
  }

  /// Works them out on another thread while `body` runs.
  package static func during<Result>(
    _ transactions: [Transaction], _ receipts: [Receipt], _ body: () throws -> Result
  ) rethrows -> (BlockContents, Result) {
    let work = Work()
    DispatchQueue.global(qos: .userInitiated).async(group: work.group) {
      work.contents.withLock { $0 = BlockContents(transactions, receipts) }
    }
    let result = try body()
    work.group.wait()
    guard let contents = work.contents.withLock({ $0 }) else {
      preconditionFailure("the group's work is done")
    }
    return (contents, result)
  }

  private final class Work: Sendable {
    let group = DispatchGroup()
    let contents = Mutex<BlockContents?>(nil)
  }
}

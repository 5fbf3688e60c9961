import Dispatch
import EVM
import Ethereum
import Execution
import Foundation
import Node
import Storage
import Synchronization

/// A node in this process, on a chain with many accounts with funds, and transfers that they signed.
final class NodeBench {
  let node: NodeService
  let folder: String
  private let keys: [UInt256]
  private let addresses: [Address]
  private var nonces: [UInt64]
  private let chainID: UInt64 = 1337

  /// Starts a node with a sequencer in a new folder.
  init(senders: Int, gasLimit: UInt64, isDurable: Bool) throws {
    folder = NSTemporaryDirectory() + "needletail-bench-node-\(getpid())"
    try? FileManager.default.removeItem(atPath: folder)
    keys = (0..<senders).map { UInt256(UInt64($0 + 1)) &* UInt256(0x9E37_79B9_7F4A_7C15) }
    nonces = [UInt64](repeating: 0, count: senders)
    var options = NodeService.Options(folder: folder)
    addresses = keys.compactMap { FeedSigner(secret: $0)?.address }
    options.genesis = DevelopmentGenesis.file(
      chainID: chainID, funded: addresses, time: UInt64(time(nil)), gasLimit: gasLimit)
    options.chain.syncPolicy = isDurable ? .everyEntry : .never
    options.chain.database.history = .blocks(64)
    options.http.port = 0
    var ingest = IngestServer.Options()
    ingest.port = 0
    options.ingest = ingest
    var sequencer = Sequencer.Options()
    sequencer.gasLimit = gasLimit
    options.sequencer = sequencer
    node = try NodeService(options)
  }

  func close() throws {
    try node.close()
    try FileManager.default.removeItem(atPath: folder)
  }

  /// Signed transfers of one wei to new accounts, in a list for each of some connections: of each
  /// sender's in the order of their nonces, the senders in turn.
  func transfers(_ count: Int, connections: Int) -> [[[UInt8]]] {
    let share = (count + keys.count - 1) / keys.count
    let first = nonces
    let keys = keys
    let chainID = chainID
    let made = Mutex([[[UInt8]]](repeating: [], count: keys.count))
    DispatchQueue.concurrentPerform(iterations: keys.count) { sender in
      let own = (0..<share).map { offset -> [UInt8] in
        let nonce = first[sender] + UInt64(offset)
        var transaction = Transaction(
          type: .dynamicFee, chainID: chainID, nonce: nonce,
          maxFeePerGas: UInt256(1_000_000_000_000), maxPriorityFeePerGas: UInt256(1_000_000_000),
          gasLimit: 21_000, to: Address(Keccak256.hash(UInt256(UInt64(sender) << 32 | nonce)).word),
          value: .one)
        try? transaction.sign(secretKey: keys[sender])
        return transaction.encoded
      }
      made.withLock { $0[sender] = own }
    }
    let signed = made.withLock { $0 }
    var left = count
    var lists = [[[UInt8]]](repeating: [], count: connections)
    for offset in 0..<share {
      for sender in keys.indices where left > 0 {
        left -= 1
        lists[sender % connections].append(signed[sender][offset])
        nonces[sender] += 1
      }
    }
    return lists
  }

  /// Waits until all transactions that were made are in the chain; false when they do not come.
  func waitForAll(seconds: Double = 60) throws -> Bool {
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {
      if node.pool.count == 0, try isComplete() { return true }
      usleep(500)
    }
    return false
  }

  /// Whether each sender's nonce is that of all its transfers.
  private func isComplete() throws -> Bool {
    let snapshot = try node.chain.snapshot()
    let source = try snapshot.source(after: snapshot.head.header.number)
    return zip(addresses, nonces).allSatisfy { source.account($0)?.nonce ?? 0 == $1 }
  }
}

import EVM
import Ethereum
import Execution
import Storage

extension Blockchain {
  /// What came of a block that a sequencer gave.
  enum Followed {
    /// It is the head.
    case committed
    /// It is in the chain already.
    case known
    /// It does not follow the head: blocks between are missing.
    case gap
    /// It is not what its transactions give.
    case wrong(DifferenceReport)
  }

  /// Executes a block of a feed, compares all that comes of it, and makes it the head when it is right.
  func follow(_ received: FeedBlock, _ block: Block, hash: Hash256, signer: Address) throws
    -> Followed
  {
    try queue.sync {
      let header = block.header
      let head = try snapshot().head
      var report = DifferenceReport(
        kind: .difference, number: header.number, hash: hash, signer: signer,
        signature: received.signature, message: "")
      if header.number <= head.header.number {
        let ours = try snapshot().hash(header.number)
        if ours == hash { return .known }
        report.kind = .equivocation
        report.message =
          "the sequencer signed block \(header.number) as \(hash), and before as "
          + "\(ours.map { "\($0)" } ?? "another")"
        return .wrong(report)
      }
      if header.number > head.header.number + 1 { return .gap }
      guard header.parentHash == head.hash else {
        report.kind = .equivocation
        report.message =
          "the sequencer signed block \(header.number) on \(header.parentHash), and before block "
          + "\(head.header.number) as \(head.hash)"
        return .wrong(report)
      }
      do {
        let execution = try execute(block, size: received.rlp.count)
        do throws(BlockError) {
          try validate(execution, block)
        } catch {
          report.message = error.message
          // Once more, with a list of who writes what.
          let noted = try execute(block, size: received.rlp.count, recordsAccessList: true)
          report.differences = BlockComparison(
            header: header, received: received, execution: noted
          ).differences()
          report.transaction = report.transactionIndex.flatMap {
            block.transactions.indices.contains($0) ? block.transactions[$0].hash : nil
          }
          return .wrong(report)
        }
        try commit(execution, block, rlp: received.rlp, sequence: nil)
        return .committed
      } catch let error as BlockError {
        report.kind = .invalidBlock
        report.message = error.message
        return .wrong(report)
      }
    }
  }
}

import EVM
import Ethereum
import Execution

/// Chooses the order of a block's transactions: as they pay, or so that those which need one another are
/// spread apart (`BlockBuilder`).
///
/// Which transactions have a place follows from what they pay either way, and those that need one another
/// keep their order.
final class BlockPlanner {
  /// What was asked for.
  let order: Sequencer.Order
  private let threads: Int
  private var builder: BlockBuilder

  /// Transactions from which on `auto` plans: less is over before it pays.
  static let leastTransactions = 64
  /// Threads from which on it does.
  static let leastThreads = 4
  /// Blocks after which one is left as it pays, to see whether planning still does.
  static let patience = 16
  /// Whether transactions got into each other's way in the last block that was left as it pays.
  private var hasConflicts = false
  /// Blocks that were planned since.
  private var planned = 0

  /// A planner for an executor on so many threads.
  init(_ order: Sequencer.Order, threads: Int) {
    self.order = order
    self.threads = threads
    builder = BlockBuilder(threads: threads, foresight: .templates)
  }

  /// The places of the transactions in the order of the block; `nil` where they are to stay as they are.
  /// Some may be left out, for want of room.
  func plan(
    _ transactions: [PreparedTransaction], for block: PreparedBlock, on state: WorldState
  ) -> [Int]? {
    guard pays(transactions) else { return nil }
    let plan = builder.plan(
      transactions.map { BlockBuilder.Candidate($0, bytes: 0) }, for: block, on: state,
      limits: BlockBuilder.Limits(gas: block.environment.gasLimit, blobs: block.maxBlobs))
    // What is not valid before the block may be valid in it: the executor decides, at the end.
    let places = plan.chosen + plan.refused.map(\.candidate).sorted()
    return places.isEmpty ? nil : places
  }

  /// Learns from a block that was executed in parallel: how many of its transactions ran in vain, waited, or
  /// were executed one after the other in the end.
  func note(transactions: Int, conflicts: Int, isPlanned: Bool) {
    if isPlanned {
      planned += 1
    } else if transactions >= Self.leastTransactions {
      planned = 0
      hasConflicts = conflicts * 10 > transactions
    }
  }

  /// Whether an order is worth the time of finding it: where many call contracts, several threads can make
  /// use of it, and the order of fees was seen to hold them up.
  private func pays(_ transactions: [PreparedTransaction]) -> Bool {
    switch order {
    case .fees: return false
    case .spread: return transactions.count > 1
    case .auto:
      guard threads >= Self.leastThreads, transactions.count >= Self.leastTransactions,
        hasConflicts, planned < Self.patience
      else { return false }
      let calls = transactions.count { !$0.transaction.data.isEmpty }
      return calls * 4 >= transactions.count
    }
  }
}

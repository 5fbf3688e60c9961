public import EVM
import Ethereum

/// Chooses transactions for a block and their order: those that pay most within the block's limits, each
/// sender's in order of their nonces, and those that need each other spread apart, so that an executor
/// runs as many at once as it can.
///
///     var builder = BlockBuilder()
///     let plan = builder.plan(candidates, for: block, on: state, limits: limits)
///     var built = block
///     built.transactions = plan.transactions
///     built.invalidTransactions = .reject
///     let outcome = try executor.execute(built, on: &state)
///
/// The order is fixed with the plan: any executor that replays it comes to the same root. What the
/// builder knows of the transactions is a prediction (they are executed on the state before the block);
/// where it is wrong, the executor finds so, and at worst rejects a transaction, which is reported.
public struct BlockBuilder {
  /// What a block has room for.
  public struct Limits: Sendable {
    /// Gas.
    public var gas: UInt64
    /// Bytes of encoded transactions.
    public var bytes: Int
    /// Blobs.
    public var blobs: Int
    /// Transactions.
    public var transactions: Int

    /// Limits; what is not given does not limit.
    public init(gas: UInt64, bytes: Int = .max, blobs: Int = 0, transactions: Int = .max) {
      self.gas = gas
      self.bytes = bytes
      self.blobs = blobs
      self.transactions = transactions
    }
  }

  /// A transaction that may go into a block.
  public struct Candidate: Sendable {
    /// The transaction and its sender.
    public var transaction: PreparedTransaction
    /// Bytes of its encoding.
    public var bytes: Int

    /// A candidate.
    public init(_ transaction: PreparedTransaction, bytes: Int) {
      self.transaction = transaction
      self.bytes = bytes
    }
  }

  /// A block's transactions in their order.
  public struct Plan: Sendable {
    /// The transactions.
    public var transactions: [PreparedTransaction] = []
    /// Which candidate each of them is.
    public var chosen: [Int] = []
    /// Which of them can run at once, as far as was predicted.
    public var schedule = BlockSchedule(sets: [])
    /// Gas that they use, as far as was predicted.
    public var gas: UInt64 = 0
    /// Candidates that found no room, or wait for one with a lower nonce.
    public var left: [Int] = []
    /// Candidates that are not valid on the state before the block, and why.
    public var refused: [(candidate: Int, error: TransactionError)] = []
  }

  /// How transactions' accesses are foreseen.
  public let predictor: AccessPredictor

  /// A builder that foresees by executing on so many threads.
  public init(threads: Int = 1, foresight: AccessPredictor.Foresight = .execution) {
    predictor = AccessPredictor(threads: threads, foresight: foresight)
  }

  /// A plan for a block, whose own transactions do not count. `state` is the one before it.
  public mutating func plan(
    _ candidates: [Candidate], for block: PreparedBlock, on state: WorldState, limits: Limits
  ) -> Plan {
    let predictions = predictor.predict(
      candidates.map(\.transaction), for: block, on: state)
    var plan = Plan()
    var selection = BlockSelection(candidates, predictions, block, state, limits)
    let chosen = selection.choose(&plan)
    let order = ConflictOrder(chosen.map { predictions[$0] }).arranged()
    for places in order {
      let first = plan.chosen.count
      for place in places {
        plan.chosen.append(chosen[place])
        plan.transactions.append(candidates[chosen[place]].transaction)
        plan.gas += predictions[chosen[place]].gasUsed
      }
      plan.schedule.sets.append(first..<plan.chosen.count)
    }
    return plan
  }
}

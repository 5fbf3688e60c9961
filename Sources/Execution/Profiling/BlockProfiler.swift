import EVM
import Ethereum

/// Profiles a block on its way from signed transactions to roots, on one core, or with the stages that
/// are coprocessors' work as a whole on a device.
///
/// The block runs several times, watched and unwatched in turn, and the fastest of each counts.
/// What the watched one took longer than the unwatched one is taken from glue and given to the
/// profiler: the watched machine interprets code that otherwise runs translated, and counts every
/// opcode.
package struct BlockProfiler {
  /// How often each kind of run is made, at most; fewer when a second is over, but one.
  package var repeats: Int
  /// Who recovers senders and works roots out; `nil` for the core's functions.
  var stages: (any ProfileStages)?

  /// A profiler that makes so many runs.
  package init(repeats: Int = 15) { self.repeats = repeats }

  init(repeats: Int, stages: (any ProfileStages)?) {
    self.repeats = repeats
    self.stages = stages
  }

  private static let budget: UInt64 = 1_000_000_000

  /// One watched run.
  private struct Watched {
    var profile: ExecutionProfile
    var outcome: BlockOutcome
    var nanoseconds: UInt64
    var costs: [ProfileBucket: StageCost] = [:]
  }

  /// Profiles a block. The state root is a part of it where the whole state is known.
  package func profile(
    _ block: PreparedBlock, on pre: WorldState, name: String, executor: SerialExecutor
  ) throws(ExecutionError) -> BlockProfile {
    var best: Watched?
    var unwatched = UInt64.max
    var count = 0
    let start = MonotonicClock.nanoseconds
    while count < max(1, repeats),
      count == 0 || MonotonicClock.nanoseconds &- start < Self.budget
    {
      unwatched = min(unwatched, try Self.time(block, on: pre, executor))
      let run = try watch(block, on: pre, executor)
      if run.nanoseconds < best?.nanoseconds ?? .max { best = run }
      count += 1
    }
    guard let best else { preconditionFailure("at least one run is made") }
    var assembly = ProfileAssembly(best.profile, block, best.outcome, name: name)
    assembly.moveOverhead(unwatched: unwatched)
    var profile = assembly.blockProfile()
    if let stages {
      for index in profile.rows.indices {
        guard let cost = best.costs[profile.rows[index].bucket] else { continue }
        profile.rows[index].move(cost, to: stages.backEnd)
      }
    }
    profile.watchedNanoseconds = best.nanoseconds
    profile.repeats = count
    if block.isPartialState {
      profile.notes.append(
        "no trie root: only the part of the state that the block touches is known")
    }
    if block.transactions.contains(where: { $0.transaction.signature.r.isZero }) {
      profile.notes.append("sender recovery without the transactions that only name their sender")
    }
    return profile
  }

  /// The time of a run that nobody watches.
  private static func time(
    _ block: PreparedBlock, on pre: WorldState, _ executor: SerialExecutor
  ) throws(ExecutionError) -> UInt64 {
    executor.tracer = nil
    var state = pre
    state.detach()
    let start = MonotonicClock.nanoseconds
    _ = try executor.execute(block, on: &state)
    return MonotonicClock.nanoseconds &- start
  }

  private func watch(
    _ block: PreparedBlock, on pre: WorldState, _ executor: SerialExecutor
  ) throws(ExecutionError) -> Watched {
    let profile = ExecutionProfile()
    executor.tracer = profile
    defer { executor.tracer = nil }
    var state = pre
    state.detach()
    let signed = block.transactions.filter { !$0.transaction.signature.r.isZero }
    let raw = stages == nil ? [] : signed.map(\.transaction.encoded)
    var costs: [ProfileBucket: StageCost] = [:]
    var roots: [ProfileBucket: Hash256] = [:]
    let start = MonotonicClock.nanoseconds
    profile.start()
    if !signed.isEmpty {
      try profile.measure(.senderRecovery, units: signed.count) { () throws(ExecutionError) in
        guard let stages else {
          for prepared in signed {
            _ = try? prepared.transaction.recoverSender(requiresLowS: block.fork >= .homestead)
          }
          return
        }
        let (senders, cost) = try stages.senders(raw)
        costs[.senderRecovery] = cost
        // Before Homestead a high s is a signature, which the coprocessor refuses (EIP-2).
        for (sender, prepared) in zip(senders, signed)
        where sender != prepared.sender && (sender != nil || block.fork >= .homestead) {
          throw ExecutionError(.device, "\(stages.backEnd): a sender is another one")
        }
      }
    }
    let outcome = try executor.execute(block, on: &state)
    profile.leaveTransaction()
    try profile.measure(.transactionRoot, units: outcome.transactions.count) {
      () throws(ExecutionError) in
      let items = outcome.transactions.map { block.transactions[$0.index].transaction.encoded }
      guard let stages else {
        _ = MerklePatriciaTrie.orderedRoot(items)
        return
      }
      (roots[.transactionRoot], costs[.transactionRoot]) = try stages.orderedRoot(items)
    }
    try profile.measure(.receiptRoot, units: outcome.receipts.count) { () throws(ExecutionError) in
      guard let stages else {
        _ = outcome.commitments()
        return
      }
      let items = outcome.encodedReceipts().items
      (roots[.receiptRoot], costs[.receiptRoot]) = try stages.orderedRoot(items)
    }
    if !block.isPartialState {
      let accounts = state.accounts.count
      try profile.measure(.trieRoot, units: accounts) { () throws(ExecutionError) in
        guard let stages else {
          _ = state.stateRoot()
          return
        }
        (roots[.trieRoot], costs[.trieRoot]) = try stages.stateRoot(state.allocation)
      }
    }
    profile.stop()
    let nanoseconds = MonotonicClock.nanoseconds &- start
    // A root that is wrong has no time.
    for (bucket, root) in roots {
      let expected =
        switch bucket {
        case .transactionRoot:
          MerklePatriciaTrie.orderedRoot(
            outcome.transactions.map { block.transactions[$0.index].transaction.encoded })
        case .receiptRoot: outcome.receiptsRoot
        default: state.stateRoot()
        }
      if root != expected {
        throw ExecutionError(
          .device, "\(stages?.backEnd ?? ""): the \(bucket.name) is \(root), not \(expected)")
      }
    }
    return Watched(profile: profile, outcome: outcome, nanoseconds: nanoseconds, costs: costs)
  }
}

import EVM
import Ethereum

/// Chooses what goes into a block: the best paying transaction first, of each sender the one with the
/// next nonce.
struct BlockSelection {
  private let candidates: [BlockBuilder.Candidate]
  private let predictions: [AccessPrediction]
  private let baseFee: UInt256
  private let limits: BlockBuilder.Limits
  /// The candidates of each sender, in order of their nonces; the next one last.
  private var queues: [Address: [Int]] = [:]
  private let nonces: [Address: UInt64]

  /// The next transaction of a sender.
  private struct Head {
    let candidate: Int
    /// Wei that the coinbase gets for each gas.
    let tip: UInt256

    /// Of equal ones the earlier candidate is the better one.
    func isBetter(than other: Head) -> Bool {
      tip != other.tip ? tip > other.tip : candidate < other.candidate
    }
  }

  /// The senders' next transactions, a binary heap with the best one first.
  private struct Heads {
    private var items: [Head] = []

    mutating func insert(_ head: Head) {
      items.append(head)
      var child = items.count - 1
      while child > 0 && items[child].isBetter(than: items[(child - 1) / 2]) {
        items.swapAt(child, (child - 1) / 2)
        child = (child - 1) / 2
      }
    }

    mutating func popBest() -> Head? {
      guard let best = items.first else { return nil }
      let last = items.removeLast()
      if items.isEmpty { return best }
      items[0] = last
      var parent = 0
      while true {
        var child = parent * 2 + 1
        if child >= items.count { return best }
        if child + 1 < items.count && items[child + 1].isBetter(than: items[child]) { child += 1 }
        if !items[child].isBetter(than: items[parent]) { return best }
        items.swapAt(child, parent)
        parent = child
      }
    }
  }

  init(
    _ candidates: [BlockBuilder.Candidate], _ predictions: [AccessPrediction],
    _ block: PreparedBlock, _ state: WorldState, _ limits: BlockBuilder.Limits
  ) {
    self.candidates = candidates
    self.predictions = predictions
    self.limits = limits
    baseFee = block.environment.baseFeePerGas
    for index in candidates.indices {
      queues[candidates[index].transaction.sender, default: []].append(index)
    }
    var nonces: [Address: UInt64] = [:]
    for (sender, queue) in queues {
      nonces[sender] = state.record(sender).nonce
      queues[sender] = queue.sorted {
        let (a, b) = (
          candidates[$0].transaction.transaction, candidates[$1].transaction.transaction
        )
        return a.nonce != b.nonce ? a.nonce > b.nonce : $0 > $1
      }
    }
    self.nonces = nonces
  }

  /// The chosen candidates, best paying first; puts the others into the plan.
  mutating func choose(_ plan: inout BlockBuilder.Plan) -> [Int] {
    var chosen: [Int] = []
    var heads = Heads()
    var next = nonces
    for sender in queues.keys { pushHead(sender, &heads, next, &plan) }
    var (gas, bytes, blobs) = (UInt64(0), 0, 0)
    // The block checks each gas limit against what is left, wherever the transaction stands.
    var slack: UInt64 = 0
    while let head = heads.popBest() {
      let candidate = candidates[head.candidate]
      let transaction = candidate.transaction.transaction
      let sender = candidate.transaction.sender
      let used = min(predictions[head.candidate].gasUsed, transaction.gasLimit)
      let count = transaction.blobVersionedHashes.count
      let newSlack = max(slack, transaction.gasLimit - used)
      let (sum, overflows) = gas.addingReportingOverflow(used)
      if overflows || sum.addingReportingOverflow(newSlack).overflow
        || sum + newSlack > limits.gas || candidate.bytes > limits.bytes - bytes
        || count > limits.blobs - blobs || chosen.count >= limits.transactions
      {
        // What comes after it in the sender's queue can not go either.
        plan.left += queues[sender]!.reversed()
        queues[sender] = []
        continue
      }
      gas = sum
      slack = newSlack
      bytes += candidate.bytes
      blobs += count
      chosen.append(head.candidate)
      queues[sender]!.removeLast()
      next[sender]! += 1
      pushHead(sender, &heads, next, &plan)
    }
    plan.left.sort()
    return chosen
  }

  /// Makes a sender's next transaction eligible, if there is one.
  private mutating func pushHead(
    _ sender: Address, _ heads: inout Heads, _ next: [Address: UInt64],
    _ plan: inout BlockBuilder.Plan
  ) {
    let nonce = next[sender]!
    while let candidate = queues[sender]!.last {
      let transaction = candidates[candidate].transaction.transaction
      if transaction.nonce < nonce || predictions[candidate].error != nil {
        // A nonce that another candidate has taken is too low, too.
        let error = transaction.nonce < nonce ? .nonceTooLow : predictions[candidate].error!
        plan.refused.append((candidate, error))
        queues[sender]!.removeLast()
        continue
      }
      if transaction.nonce > nonce || transaction.maxFeePerGas < baseFee {
        plan.left += queues[sender]!.reversed()
        queues[sender] = []
        return
      }
      let tip = min(transaction.maxPriorityFeePerGas, transaction.maxFeePerGas &- baseFee)
      heads.insert(Head(candidate: candidate, tip: tip))
      return
    }
  }
}

import EVM
package import Ethereum

extension RandomBlock {
  /// What came of a block: the outcome or the error, and the state's root.
  package struct Result: Sendable {
    /// What came of the block.
    package var outcome: BlockOutcome?
    /// Why it is not valid.
    package var error: String?
    /// The state afterwards.
    package var allocation: Allocation?
  }

  /// Executes the block.
  package func run(_ executor: any BlockExecutor) -> Result {
    var executor = executor
    var state = WorldState(allocation)
    do throws(ExecutionError) {
      let outcome = try executor.execute(block, on: &state)
      return Result(outcome: outcome, allocation: state.allocation)
    } catch {
      return Result(error: "\(error)")
    }
  }

  /// The first thing in which a result differs from the serial one; `nil` when there is none.
  package static func difference(_ expected: Result, _ got: Result) -> String? {
    if expected.error != got.error {
      return "error: expected \(expected.error ?? "none"), got \(got.error ?? "none")"
    }
    guard let a = expected.outcome, let b = got.outcome else { return nil }
    if a.rejected.map(\.index) != b.rejected.map(\.index)
      || a.rejected.map(\.error) != b.rejected.map(\.error)
    {
      return "rejected: expected \(a.rejected), got \(b.rejected)"
    }
    if a.transactions.map(\.index) != b.transactions.map(\.index) { return "executed transactions" }
    for (x, y) in zip(a.transactions, b.transactions) {
      if x.status != y.status || x.gasUsed != y.gasUsed || x.gasRefunded != y.gasRefunded
        || x.effectiveGasPrice != y.effectiveGasPrice || x.contractAddress != y.contractAddress
        || x.output != y.output
      {
        return
          "transaction \(x.index): expected \(x.status) \(x.gasUsed), got \(y.status) \(y.gasUsed)"
      }
    }
    if a.receipts != b.receipts { return "receipts" }
    if a.gasUsed != b.gasUsed || a.blobGasUsed != b.blobGasUsed { return "gas used" }
    if expected.allocation != got.allocation {
      return expected.allocation!.differences(from: got.allocation!).joined(separator: "; ")
    }
    return nil
  }

  /// The block without transactions that a difference does not need; `differs` tells.
  package func shrunk(_ differs: (RandomBlock) -> Bool) -> RandomBlock {
    var smallest = self
    var size = max(1, block.transactions.count / 2)
    while size > 0 {
      var start = 0
      while start < smallest.block.transactions.count {
        var candidate = smallest
        let end = min(start + size, candidate.block.transactions.count)
        candidate.block.transactions.removeSubrange(start..<end)
        if differs(candidate) { smallest = candidate } else { start = end }
      }
      size /= 2
    }
    return smallest
  }

  /// The block for people.
  package var description: String {
    var lines = [
      "\(block.fork), coinbase \(block.environment.coinbase), gas limit \(block.environment.gasLimit)"
    ]
    for (index, prepared) in block.transactions.enumerated() {
      let transaction = prepared.transaction
      lines.append(
        "\(index): \(transaction.type) \(prepared.sender) nonce \(transaction.nonce) to "
          + "\(transaction.to?.description ?? "new") value \(transaction.value) gas "
          + "\(transaction.gasLimit) at \(transaction.maxFeePerGas) data "
          + Hexadecimal.string(transaction.data)
          + (prepared.authorities.isEmpty
            ? ""
            : " authorities \(zip(prepared.authorities, transaction.authorizationList).map { "\($0!) \($1.nonce) \($1.address)" })")
      )
    }
    return lines.joined(separator: "\n")
  }
}

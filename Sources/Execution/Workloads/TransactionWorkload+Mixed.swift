import EVM
import Ethereum

extension TransactionWorkload {
  /// The transactions of two workloads in one block, evenly mixed; each keeps its own order.
  package static func mixed(_ a: TransactionWorkload, _ b: TransactionWorkload)
    -> TransactionWorkload
  {
    var mixed = a
    mixed.name = a.name + "+" + b.name
    mixed.allocation.accounts.merge(b.allocation.accounts) { first, _ in first }
    mixed.slots += b.slots
    mixed.receiptsRoot = nil
    mixed.block.transactions = []
    mixed.expected = []
    var (left, right) = (0, 0)
    let (most, least) = (a.expected.count, b.expected.count)
    while left < most || right < least {
      // Whose part so far is the smaller one.
      if right == least || left < most && left * least <= right * most {
        mixed.block.transactions.append(a.block.transactions[left])
        mixed.expected.append(a.expected[left])
        left += 1
      } else {
        mixed.block.transactions.append(b.block.transactions[right])
        mixed.expected.append(b.expected[right])
        right += 1
      }
    }
    return mixed
  }
}

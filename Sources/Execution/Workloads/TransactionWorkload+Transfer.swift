import EVM
import Ethereum

extension TransactionWorkload {
  /// Raw transfers: each of `people` sends as many wei to the one half of them further on, `rounds`
  /// times.
  package static func transfers(people: Int, rounds: Int = 1) -> TransactionWorkload {
    var numbers = WorkloadNumbers(seed: 7)
    let addresses = (0..<people).map { _ in numbers.address() }
    var allocation = Allocation([Address(number: 0xfee): .init(balance: 1)])
    for address in addresses {
      allocation.accounts[address] = .init(balance: UInt256(4_567) &* UInt256(ether))
    }
    var block = block()
    for round in 0..<rounds {
      for (index, sender) in addresses.enumerated() {
        var prepared = transaction(
          sender, UInt64(round), addresses[(index + people / 2) % people], [])
        prepared.transaction.gasLimit = 21_000
        prepared.transaction.value = 1000
        block.transactions.append(prepared)
      }
    }
    return TransactionWorkload(
      name: "transfer", allocation: allocation, block: block,
      expected: block.transactions.map { _ in Expectation(gasUsed: 21_000, output: [], logs: []) },
      slots: [])
  }

  /// The transactions dealt out: as many piles as told, one of each pile in turn. Transactions of one
  /// pool then lie that far apart.
  package func dealt(into piles: Int) -> TransactionWorkload {
    var dealt = self
    let size = (expected.count + piles - 1) / piles
    let order = (0..<size).flatMap { row in
      (0..<piles).map { $0 * size + row }.filter { $0 < expected.count }
    }
    dealt.block.transactions = order.map { block.transactions[$0] }
    dealt.expected = order.map { expected[$0] }
    dealt.receiptsRoot = nil
    return dealt
  }
}

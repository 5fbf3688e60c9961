import EVM
import Ethereum

extension TransactionWorkload {
  /// Calls of a precompile by a contract: one by each of `people`, who are given different inputs of about
  /// the same size: pairs of bn254 whose product is one, or numbers of 64 bytes for a modular power.
  package static func precompileCalls(_ precompile: UInt64, people: Int) -> TransactionWorkload {
    var numbers = WorkloadNumbers(seed: 12)
    let contract = Address(number: 0x51c)
    var allocation = Allocation([
      contract: .init(nonce: 1, code: PrecompileCalls.code),
      Address(number: 0xfee): .init(balance: 1),
    ])
    let inputs = (0..<min(people, 256)).map { _ in
      PrecompileCalls.data([.init(precompile, PrecompileInputs.typical(precompile, &numbers))])
    }
    var block = block()
    for index in 0..<people {
      let sender = numbers.address()
      allocation.accounts[sender] = .init(balance: UInt256(4_567) &* UInt256(ether))
      var prepared = transaction(sender, 0, contract, inputs[index % inputs.count])
      prepared.transaction.gasLimit = 1_000_000
      block.transactions.append(prepared)
    }
    return TransactionWorkload(
      name: "precompile", allocation: allocation, block: block,
      expected: block.transactions.map { _ in Expectation(gasUsed: nil, output: [], logs: []) },
      slots: [])
  }
}

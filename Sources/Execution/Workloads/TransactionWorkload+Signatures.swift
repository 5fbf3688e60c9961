import EVM
import Ethereum

extension TransactionWorkload {
  /// Signatures that a contract checks, as in a token's permit: each of `people` has one recovered by
  /// ECRECOVER and the signer stored in a slot of its own.
  package static func signatures(people: Int) -> TransactionWorkload {
    var numbers = WorkloadNumbers(seed: 11)
    // PUSH1 128 PUSH0 PUSH0 CALLDATACOPY
    let code: [UInt8] =
      [0x60, 128, 0x5f, 0x5f, 0x37]
      // PUSH1 32 PUSH0 PUSH1 128 PUSH0 PUSH1 1 GAS STATICCALL POP
      + [0x60, 32, 0x5f, 0x60, 128, 0x5f, 0x60, 1, 0x5a, 0xfa, 0x50]
      // PUSH0 MLOAD CALLER SSTORE
      + [0x5f, 0x51, 0x33, 0x55]
    let contract = Address(number: 0x51c)
    var allocation = Allocation([
      contract: .init(nonce: 1, code: code), Address(number: 0xfee): .init(balance: 1),
    ])
    // A few keys sign: who recovers can not tell.
    let signed: [(signer: Address, data: [UInt8])] = (0..<min(people, 256)).compactMap { _ in
      let hash = numbers.hash()
      guard
        let made = Secp256k1.sign(hash: hash, secret: numbers.hash().word >> 1),
        let signer = Secp256k1.recover(hash: hash, r: made.r, s: made.s, yParity: made.yParity)
      else { return nil }
      let v = UInt256(UInt64(27 + made.yParity))
      return (signer, hash.bytes + v.bytes + made.r.bytes + made.s.bytes)
    }
    var block = block()
    var slots: [Slot] = []
    for index in 0..<people {
      let sender = numbers.address()
      let (signer, data) = signed[index % signed.count]
      allocation.accounts[sender] = .init(balance: UInt256(4_567) &* UInt256(ether))
      block.transactions.append(transaction(sender, 0, contract, data))
      slots.append(Slot(address: contract, key: sender.word, value: signer.word))
    }
    return TransactionWorkload(
      name: "signature", allocation: allocation, block: block,
      expected: block.transactions.map { _ in Expectation(gasUsed: nil, output: [], logs: []) },
      slots: slots)
  }
}

import EVM
import Ethereum

/// OpenZeppelin's ERC-20 token: balances in slot 0, allowances in 1, then the supply, name, symbol
/// and decimals.
struct TokenContract {
  var name: String
  var symbol: String
  var supply: UInt256
  var balances: [Address: UInt256] = [:]
  var allowances: [(owner: Address, spender: Address, amount: UInt256)] = []

  static func balanceSlot(_ owner: Address) -> UInt256 { SolidityLayout.slot(0, owner.word) }

  static func allowanceSlot(_ owner: Address, _ spender: Address) -> UInt256 {
    SolidityLayout.slot(1, owner.word, spender.word)
  }

  static let transferTopic = Keccak256.hash([UInt8]("Transfer(address,address,uint256)".utf8))

  static func transferred(_ token: Address, _ from: Address, _ to: Address, _ amount: UInt256)
    -> Log
  {
    Log(
      address: token, topics: [transferTopic, Hash256(from.word), Hash256(to.word)],
      data: SolidityLayout.bytes(amount))
  }

  /// The account with this byte code.
  func account(code: [UInt8]) -> Allocation.Account {
    var storage: [UInt256: UInt256] = [
      2: supply, 3: SolidityLayout.string(name), 4: SolidityLayout.string(symbol), 5: 18,
    ]
    for (owner, amount) in balances { storage[Self.balanceSlot(owner)] = amount }
    for entry in allowances {
      storage[Self.allowanceSlot(entry.owner, entry.spender)] = entry.amount
    }
    return Allocation.Account(nonce: 1, code: code, storage: storage)
  }
}

/// Who must have how many tokens.
struct TokenLedger {
  /// By token, then by owner.
  var balances: [Address: [Address: UInt256]] = [:]

  /// Moves tokens; both have some already.
  mutating func move(_ amount: UInt256, of token: Address, from: Address, to: Address) {
    balances[token]![from] = balances[token]![from]! &- amount
    balances[token]![to] = balances[token]![to]! &+ amount
  }

  /// The balances as slots.
  var slots: [TransactionWorkload.Slot] {
    balances.flatMap { token, owners in
      owners.map {
        TransactionWorkload.Slot(
          address: token, key: TokenContract.balanceSlot($0.key), value: $0.value)
      }
    }
  }
}

extension TransactionWorkload {
  static let gasPrice: UInt256 = 3_000_000_007
  static let ether: UInt64 = 1_000_000_000_000_000_000

  /// A block under Osaka for transactions at 3,000,000,007 wei, 7 of them burnt.
  static func block() -> PreparedBlock {
    var block = PreparedBlock(
      fork: .osaka,
      environment: BlockEnvironment(
        number: 1, timestamp: 1_000, gasLimit: 1 << 62, coinbase: Address(number: 0xfee),
        baseFeePerGas: 7))
    block.callsSystemContracts = false
    return block
  }

  static func transaction(_ sender: Address, _ nonce: UInt64, _ to: Address, _ data: [UInt8])
    -> PreparedTransaction
  {
    var transaction = Transaction(nonce: nonce, gasLimit: 300_000, to: to, data: data)
    transaction.gasPrice = gasPrice
    return PreparedTransaction(transaction, sender: sender)
  }

  /// Transfers of a token: each of `people` sends some to the one `distance` places further on,
  /// `rounds` times. At distance 1 each transfer needs the one before; at half of `people` they are as
  /// far apart as can be.
  ///
  /// Every account has tokens before, so that all transfers cost the same but for the zero bytes of
  /// the addresses. `code` is pevm's `ERC20Token`. One round is pevm's `Independent ERC20`, with
  /// recipients other than the senders.
  /// Of a hundred transfers `hotPercent` go to one account, each of which needs the one before.
  package static func tokenTransfers(
    code: [UInt8], people: Int, rounds: Int = 1, distance: Int = 1, hotPercent: Int = 0
  ) -> TransactionWorkload {
    var numbers = WorkloadNumbers(seed: 20)
    let addresses = (0..<people).map { _ in numbers.address() }
    let token = numbers.address()
    var contract = TokenContract(
      name: "Gold Token", symbol: "GLD", supply: UInt256(222_222) &* UInt256(ether))
    var allocation = Allocation([Address(number: 0xfee): .init(balance: 1)])
    for address in addresses {
      contract.balances[address] = UInt256(ether)
      allocation.accounts[address] = .init(balance: UInt256(4_567) &* UInt256(ether))
    }
    var ledger = TokenLedger(balances: [token: contract.balances])
    allocation.accounts[token] = contract.account(code: code)

    var block = block()
    var expected: [Expectation] = []
    for round in 0..<rounds {
      for (index, sender) in addresses.enumerated() {
        let isHot = index * hotPercent / 100 != (index + 1) * hotPercent / 100
        let recipient = addresses[isHot ? 0 : (index + distance) % people]
        let amount = UInt256(1 + numbers.next() % 255)
        let data = SolidityLayout.call(0xa905_9cbb, recipient.word, amount)
        block.transactions.append(transaction(sender, UInt64(round), token, data))
        ledger.move(amount, of: token, from: sender, to: recipient)
        // 12,967 of execution, then the price of a transaction and of its data.
        let zeros = data.count { $0 == 0 }
        expected.append(
          Expectation(
            gasUsed: tokenTransferGas + 21_000 + UInt64(4 * zeros + 16 * (data.count - zeros)),
            output: SolidityLayout.bytes(1),
            logs: [TokenContract.transferred(token, sender, recipient, amount)]))
      }
    }
    return TransactionWorkload(
      name: "erc20-transfer", allocation: allocation, block: block, expected: expected,
      slots: ledger.slots)
  }

  /// Gas of the byte code of one transfer between accounts that both have tokens.
  static let tokenTransferGas: UInt64 = 12_967
}

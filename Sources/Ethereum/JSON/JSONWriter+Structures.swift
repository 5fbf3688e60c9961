public import EVM

/// The structures of Ethereum's JSON formats, as the transition tool and the JSON-RPC interface
/// write them.
extension JSONWriter {
  /// Writes accounts by address, in the order of the addresses. Slots and values have 32 bytes.
  public mutating func value(_ allocation: Allocation) {
    object { writer in
      for (address, account) in allocation.accounts.sorted(by: { $0.key < $1.key }) {
        writer.key(address.description)
        writer.value(account)
      }
    }
  }

  /// Writes an account; `code`, `storage` and a nonce of zero are left out where they are empty.
  public mutating func value(_ account: Allocation.Account) {
    object { writer in
      writer.member("balance", quantity: account.balance)
      if account.nonce != 0 { writer.member("nonce", quantity: account.nonce) }
      if !account.code.isEmpty { writer.member("code", hexadecimal: account.code) }
      let slots = account.storage.filter { !$0.value.isZero }
      if slots.isEmpty { return }
      writer.key("storage")
      writer.object { writer in
        for (slot, value) in slots.sorted(by: { $0.key < $1.key }) {
          writer.member(Hash256(slot).description, Hash256(value))
        }
      }
    }
  }

  /// Writes a log: its own fields only.
  public mutating func value(_ log: Log) {
    object { writer in
      writer.member("address", log.address)
      writer.key("topics")
      writer.array { writer in
        for topic in log.topics { writer.value(topic) }
      }
      writer.member("data", hexadecimal: log.data)
    }
  }

  /// Writes a receipt. What it does not hold itself is given beside it.
  public mutating func value(
    _ receipt: Receipt, transactionHash: Hash256, index: Int, gasUsed: UInt64,
    contractAddress: Address? = nil
  ) {
    object { writer in
      writer.member("type", quantity: UInt64(receipt.type.rawValue))
      switch receipt.outcome {
      case .status(let success): writer.member("status", quantity: success ? UInt64(1) : 0)
      case .stateRoot(let root): writer.member("root", root)
      }
      writer.member("cumulativeGasUsed", quantity: receipt.cumulativeGasUsed)
      writer.member("logsBloom", receipt.bloom.description)
      writer.key("logs")
      writer.array { writer in
        for log in receipt.logs { writer.value(log) }
      }
      writer.member("transactionHash", transactionHash)
      if let contractAddress { writer.member("contractAddress", contractAddress) }
      writer.member("gasUsed", quantity: gasUsed)
      writer.member("transactionIndex", quantity: UInt64(index))
    }
  }

  /// Writes a withdrawal.
  public mutating func value(_ withdrawal: Withdrawal) {
    object { writer in
      writer.member("index", quantity: withdrawal.index)
      writer.member("validatorIndex", quantity: withdrawal.validatorIndex)
      writer.member("address", withdrawal.address)
      writer.member("amount", quantity: withdrawal.amount)
    }
  }

  /// Writes a header in the names of the JSON-RPC interface, with its hash.
  public mutating func value(_ header: BlockHeader) {
    object { writer in
      writer.member("parentHash", header.parentHash)
      writer.member("sha3Uncles", header.ommersHash)
      writer.member("miner", header.coinbase)
      writer.member("stateRoot", header.stateRoot)
      writer.member("transactionsRoot", header.transactionsRoot)
      writer.member("receiptsRoot", header.receiptsRoot)
      writer.member("logsBloom", header.logsBloom.description)
      writer.member("difficulty", quantity: header.difficulty)
      writer.member("number", quantity: header.number)
      writer.member("gasLimit", quantity: header.gasLimit)
      writer.member("gasUsed", quantity: header.gasUsed)
      writer.member("timestamp", quantity: header.timestamp)
      writer.member("extraData", hexadecimal: header.extraData)
      writer.member("mixHash", header.mixHash)
      let nonce = (0..<8).map { UInt8(truncatingIfNeeded: header.nonce >> UInt64(56 - $0 * 8)) }
      writer.member("nonce", hexadecimal: nonce)
      if let fee = header.baseFeePerGas { writer.member("baseFeePerGas", quantity: fee) }
      if let root = header.withdrawalsRoot { writer.member("withdrawalsRoot", root) }
      if let gas = header.blobGasUsed { writer.member("blobGasUsed", quantity: gas) }
      if let gas = header.excessBlobGas { writer.member("excessBlobGas", quantity: gas) }
      if let root = header.parentBeaconBlockRoot { writer.member("parentBeaconBlockRoot", root) }
      if let hash = header.requestsHash { writer.member("requestsHash", hash) }
      if let hash = header.blockAccessListHash { writer.member("blockAccessListHash", hash) }
      if let slot = header.slotNumber { writer.member("slotNumber", quantity: slot) }
      writer.member("hash", header.hash)
    }
  }
}

import EVM
import Ethereum
import Execution
import Storage

/// The objects of the JSON-RPC interface.
extension JSONWriter {
  /// Writes the members of a header of the chain, or of the block in the making.
  mutating func members(of header: StoredHeader) {
    members(of: header.header, hash: header.isPending ? nil : header.hash)
  }

  /// Writes the hash of the block that something is in; null for the block in the making.
  mutating func blockHash(_ header: StoredHeader) {
    key("blockHash")
    if header.isPending { null() } else { value(header.hash) }
  }

  /// Writes the members of a header; one without a hash is of a block in the making.
  mutating func members(of header: BlockHeader, hash: Hash256?) {
    if let fee = header.baseFeePerGas { member("baseFeePerGas", quantity: fee) }
    if let used = header.blobGasUsed { member("blobGasUsed", quantity: used) }
    member("difficulty", quantity: header.difficulty)
    if let excess = header.excessBlobGas { member("excessBlobGas", quantity: excess) }
    member("extraData", hexadecimal: header.extraData)
    member("gasLimit", quantity: header.gasLimit)
    member("gasUsed", quantity: header.gasUsed)
    key("hash")
    if let hash { value(hash) } else { null() }
    member("logsBloom", hexadecimal: header.logsBloom.bytes)
    member("miner", header.coinbase)
    member("mixHash", header.mixHash)
    key("nonce")
    if hash == nil {
      null()
    } else {
      value(
        hexadecimal: (0..<8).map { UInt8(truncatingIfNeeded: header.nonce >> UInt64(56 - $0 * 8)) })
    }
    member("number", quantity: header.number)
    if let root = header.parentBeaconBlockRoot { member("parentBeaconBlockRoot", root) }
    member("parentHash", header.parentHash)
    member("receiptsRoot", header.receiptsRoot)
    if let hash = header.requestsHash { member("requestsHash", hash) }
    member("sha3Uncles", header.ommersHash)
    member("stateRoot", header.stateRoot)
    member("timestamp", quantity: header.timestamp)
    member("transactionsRoot", header.transactionsRoot)
    if let root = header.withdrawalsRoot { member("withdrawalsRoot", root) }
    if let hash = header.blockAccessListHash { member("blockAccessListHash", hash) }
    if let slot = header.slotNumber { member("slotNumber", quantity: slot) }
  }

  /// Writes a withdrawal.
  mutating func withdrawal(_ withdrawal: Withdrawal) {
    object { writer in
      writer.member("index", quantity: withdrawal.index)
      writer.member("validatorIndex", quantity: withdrawal.validatorIndex)
      writer.member("address", withdrawal.address)
      writer.member("amount", quantity: withdrawal.amount)
    }
  }

  /// Writes a transaction, with its place in the chain; `nil` for one that waits.
  mutating func transaction(
    _ transaction: Transaction, sender: Address, place: (header: StoredHeader, index: Int)?,
    hash: Hash256? = nil
  ) {
    object { writer in
      writer.key("blockHash")
      if let place { writer.value(place.header.hash) } else { writer.null() }
      writer.key("blockNumber")
      if let place {
        writer.value(quantity: place.header.header.number)
      } else {
        writer.null()
      }
      writer.key("blockTimestamp")
      if let place {
        writer.value(quantity: place.header.header.timestamp)
      } else {
        writer.null()
      }
      writer.member("from", sender)
      writer.member("gas", quantity: transaction.gasLimit)
      writer.member(
        "gasPrice",
        quantity: place.map { transaction.effectiveGasPrice($0.header.header.baseFeePerGas) }
          ?? transaction.maxFeePerGas)
      if transaction.type.rawValue >= 2 {
        writer.member("maxFeePerGas", quantity: transaction.maxFeePerGas)
        writer.member("maxPriorityFeePerGas", quantity: transaction.maxPriorityFeePerGas)
      }
      if transaction.type == .blob {
        writer.member("maxFeePerBlobGas", quantity: transaction.maxFeePerBlobGas)
      }
      writer.member("hash", hash ?? transaction.hash)
      writer.member("input", hexadecimal: transaction.data)
      writer.member("nonce", quantity: transaction.nonce)
      writer.key("to")
      if let to = transaction.to { writer.value(to) } else { writer.null() }
      writer.key("transactionIndex")
      if let place { writer.value(quantity: UInt64(place.index)) } else { writer.null() }
      writer.member("value", quantity: transaction.value)
      writer.member("type", quantity: UInt64(transaction.type.rawValue))
      if transaction.type != .legacy {
        writer.key("accessList")
        writer.accessList(transaction.accessList)
      }
      if let chain = transaction.chainID { writer.member("chainId", quantity: chain) }
      if transaction.type == .blob {
        writer.key("blobVersionedHashes")
        writer.array { writer in
          for hash in transaction.blobVersionedHashes { writer.value(hash) }
        }
      }
      if transaction.type == .setCode {
        writer.key("authorizationList")
        writer.array { writer in
          for authorization in transaction.authorizationList {
            writer.object { writer in
              writer.member("chainId", quantity: authorization.chainID)
              writer.member("address", authorization.address)
              writer.member("nonce", quantity: authorization.nonce)
              writer.member("yParity", quantity: UInt64(authorization.yParity))
              writer.member("r", quantity: authorization.r)
              writer.member("s", quantity: authorization.s)
            }
          }
        }
      }
      writer.member("v", quantity: transaction.v)
      writer.member("r", quantity: transaction.signature.r)
      writer.member("s", quantity: transaction.signature.s)
      if transaction.type != .legacy {
        writer.member("yParity", quantity: transaction.signature.yParity ? UInt64(1) : 0)
      }
    }
  }

  /// Writes an access list.
  mutating func accessList(_ entries: [AccessListEntry]) {
    array { writer in
      for entry in entries {
        writer.object { writer in
          writer.member("address", entry.address)
          writer.key("storageKeys")
          writer.array { writer in
            for key in entry.storageKeys { writer.value(Hash256(key)) }
          }
        }
      }
    }
  }

  /// Where a log stands in the chain.
  struct LogPlace {
    var header: StoredHeader
    var transactionHash: Hash256
    var transactionIndex: Int
    var logIndex: Int
  }

  /// Writes a log with its place.
  mutating func log(_ log: Log, at place: LogPlace, isRemoved: Bool = false) {
    object { writer in
      writer.member("address", log.address)
      writer.key("topics")
      writer.array { writer in
        for topic in log.topics { writer.value(topic) }
      }
      writer.member("data", hexadecimal: log.data)
      writer.member("blockNumber", quantity: place.header.header.number)
      writer.member("transactionHash", place.transactionHash)
      writer.member("transactionIndex", quantity: UInt64(place.transactionIndex))
      writer.blockHash(place.header)
      writer.member("blockTimestamp", quantity: place.header.header.timestamp)
      writer.member("logIndex", quantity: UInt64(place.logIndex))
      writer.member("removed", isRemoved)
    }
  }
}

extension Transaction {
  /// Wei paid for each gas in a block with this base fee.
  func effectiveGasPrice(_ baseFee: UInt256?) -> UInt256 {
    guard let baseFee, maxFeePerGas >= baseFee else { return maxFeePerGas }
    return baseFee &+ min(maxPriorityFeePerGas, maxFeePerGas &- baseFee)
  }
}

extension RPCService {
  /// Writes a receipt with what its block and its transaction tell.
  func writeReceipt(
    _ header: StoredHeader, _ body: BodyRecord, _ receipts: ReceiptsRecord, _ index: Int,
    _ writer: inout JSONWriter
  ) throws(StorageError) {
    let (receipt, firstLog) = try receipts.receipt(index)
    let before = index == 0 ? 0 : try receipts.receipt(index - 1).receipt.cumulativeGasUsed
    let transaction = try body.transaction(index)
    let sender = body.sender(index)
    let hash = transaction.hash
    writer.object { writer in
      if transaction.type == .blob {
        let parameters = chain.rules.blobSchedule[fork(header.header)]
        writer.member(
          "blobGasPrice",
          quantity: parameters.map {
            BlobGas.baseFee(excess: header.header.excessBlobGas ?? 0, parameters: $0)
          } ?? .zero)
        writer.member(
          "blobGasUsed",
          quantity: UInt64(transaction.blobVersionedHashes.count) * BlobGas.perBlob)
      }
      writer.blockHash(header)
      writer.member("blockNumber", quantity: header.header.number)
      writer.key("contractAddress")
      if transaction.createsContract {
        writer.value(Address.created(by: sender, nonce: transaction.nonce))
      } else {
        writer.null()
      }
      writer.member("cumulativeGasUsed", quantity: receipt.cumulativeGasUsed)
      writer.member(
        "effectiveGasPrice",
        quantity: transaction.effectiveGasPrice(header.header.baseFeePerGas))
      writer.member("from", sender)
      writer.member("gasUsed", quantity: receipt.cumulativeGasUsed &- before)
      writer.key("logs")
      writer.array { writer in
        for (offset, log) in receipt.logs.enumerated() {
          writer.log(
            log,
            at: JSONWriter.LogPlace(
              header: header, transactionHash: hash, transactionIndex: index,
              logIndex: firstLog + offset))
        }
      }
      writer.member("logsBloom", hexadecimal: receipt.bloom.bytes)
      switch receipt.outcome {
      case .status(let success): writer.member("status", quantity: success ? UInt64(1) : 0)
      case .stateRoot(let root): writer.member("root", root)
      }
      writer.key("to")
      if let to = transaction.to { writer.value(to) } else { writer.null() }
      writer.member("transactionHash", hash)
      writer.member("transactionIndex", quantity: UInt64(index))
      writer.member("type", quantity: UInt64(transaction.type.rawValue))
    }
  }
}

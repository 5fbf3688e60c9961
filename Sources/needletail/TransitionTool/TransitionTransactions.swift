import EVM
import Ethereum
import Execution

/// The transition tool's transactions: those that can be tried, and those that are rejected before.
struct TransitionTransactions {
  /// Transactions with a sender, and their places in the input.
  var prepared: [(index: Int, transaction: PreparedTransaction)] = []
  /// Places in the input and reasons.
  var rejected: [(index: Int, reason: String)] = []
  /// Every transaction that could be read, in order, for the block's body.
  var readable: [Transaction] = []

  /// One transaction as it was read.
  enum Item {
    case transaction(DescribedTransaction)
    case encoded([UInt8], isList: Bool)
  }

  /// Signs what is to be signed and recovers senders.
  init(_ items: [Item], fork: Fork, chainID: UInt64) throws(ToolFailure) {
    for (index, item) in items.enumerated() {
      let transaction: Transaction
      do throws(FormatError) {
        transaction = try Self.transaction(item, fork: fork, chainID: chainID)
      } catch {
        rejected.append((index, Self.reason(error)))
        continue
      }
      readable.append(transaction)
      if !transaction.type.isKnown(to: fork) {
        rejected.append((index, "transaction type not supported"))
        continue
      }
      do throws(FormatError) {
        let sender = try transaction.recoverSender(fork: fork, chainID: chainID)
        prepared.append((index, PreparedTransaction(transaction, sender: sender)))
      } catch {
        rejected.append((index, Self.reason(error)))
      }
    }
  }

  /// The elements of an RLP list of transactions, as the tool's `body` output has it.
  static func items(rlp bytes: [UInt8]) throws(ToolFailure) -> [Item] {
    do throws(FormatError) {
      return try withBytes(bytes) { (buffer) throws(FormatError) in
        var items: [Item] = []
        var reader = try RLPItem(buffer).list("txs")
        while !reader.isAtEnd {
          let item = try reader.next("txs[\(items.count)]")
          items.append(
            .encoded([UInt8](item.isList ? item.encoding : item.payload), isList: item.isList))
        }
        return items
      }
    } catch {
      throw ToolFailure(.rlp, "txs: \(error)")
    }
  }

  private static func transaction(
    _ item: Item, fork: Fork, chainID: UInt64
  ) throws(FormatError) -> Transaction {
    switch item {
    case .encoded(let bytes, let isList):
      if !isList, let first = bytes.first, first >= 0xC0 {
        throw FormatError(.unexpectedKind, "a legacy transaction stands in a string")
      }
      return try Transaction(decoding: bytes)
    case .transaction(let json):
      guard let key = json.secretKey, json.transaction.signature == Signature() else {
        return json.transaction
      }
      var transaction = json.transaction
      if transaction.type == .legacy {
        transaction.chainID = json.isProtected && fork >= .spuriousDragon ? chainID : nil
      } else if transaction.chainID == nil {
        transaction.chainID = chainID
      }
      try transaction.sign(secretKey: key)
      return transaction
    }
  }

  /// A reading failure in the words that tools look for.
  private static func reason(_ error: FormatError) -> String {
    switch error.code {
    case .invalidYParity, .invalidSignatureValue, .unrecoverableSignature:
      "invalid transaction v, r, s values: \(error.reason)"
    case .invalidChainID: "invalid chain id for signer: \(error.reason)"
    case .unknownTransactionType: "transaction type not supported"
    case .blobTransactionWithoutRecipient: "blob transaction of type create"
    case .setCodeTransactionWithoutRecipient:
      "EIP-7702 transaction cannot be used to create contract"
    default: "rlp: \(error)"
    }
  }
}

extension TransactionType {
  /// Whether a fork has transactions of this type.
  func isKnown(to fork: Fork) -> Bool {
    switch self {
    case .legacy: true
    case .accessList: fork >= .berlin
    case .dynamicFee: fork >= .london
    case .blob: fork >= .cancun
    case .setCode: fork >= .prague
    }
  }
}

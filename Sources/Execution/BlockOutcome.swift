public import EVM
public import Ethereum

/// What came of one transaction.
public struct TransactionOutcome: Sendable {
  /// Its place among the block's transactions, rejected ones counted.
  public var index: Int
  /// How execution ended.
  public var status: ExecutionStatus
  /// Gas paid for.
  public var gasUsed: UInt64
  /// Gas given back for cleared storage.
  public var gasRefunded: UInt64
  /// Wei paid for each gas.
  public var effectiveGasPrice: UInt256
  /// The contract that it made.
  public var contractAddress: Address?
  /// What the first frame returned, in place while it is a word at most.
  var returned: ShortBytes

  /// An outcome of these values.
  package init(
    index: Int, status: ExecutionStatus, gasUsed: UInt64, gasRefunded: UInt64,
    effectiveGasPrice: UInt256, contractAddress: Address?, returned: ShortBytes
  ) {
    self.index = index
    self.status = status
    self.gasUsed = gasUsed
    self.gasRefunded = gasRefunded
    self.effectiveGasPrice = effectiveGasPrice
    self.contractAddress = contractAddress
    self.returned = returned
  }

  /// What the first frame returned.
  public var output: [UInt8] { returned.array }

  init(_ index: Int, _ result: TransactionResult, _ output: UnsafeBufferPointer<UInt8>) {
    self.init(
      index: index, status: result.status, gasUsed: result.gasUsed,
      gasRefunded: result.gasRefunded, effectiveGasPrice: result.effectiveGasPrice,
      contractAddress: result.createdAddress, returned: ShortBytes(output))
  }
}

/// What came of a block.
public struct BlockOutcome: Sendable {
  /// The transactions that were executed.
  public var transactions: [TransactionOutcome] = []
  /// Their receipts.
  public var receipts: [Receipt] = []
  /// The transactions that were not valid, when the block was asked to leave them out.
  public var rejected: [(index: Int, error: TransactionError)] = []
  /// Gas used by all transactions.
  package var gas = BlockGas()
  /// Blob gas used by all transactions.
  public var blobGasUsed: UInt64 = 0
  /// What the block read and changed, where that was asked for (EIP-7928).
  public internal(set) var accessList: BlockAccessList?
  /// Requests for the consensus layer, each with its type byte first; empty ones are left out
  /// (EIP-7685). `nil` before Prague.
  public var requests: [[UInt8]]?

  /// An outcome of no transactions.
  package init() {}

  /// Gas used by all transactions, as the block's header has it.
  public var gasUsed: UInt64 { gas.used }

  /// The union of the receipts' blooms.
  public var logsBloom: Bloom {
    var hashes = BloomHashes()
    var bloom = Bloom()
    for receipt in receipts { bloom.formUnion(receipt.bloom(&hashes)) }
    return bloom
  }

  /// The root of the receipts' trie.
  public var receiptsRoot: Hash256 { commitments().receiptsRoot }

  /// What a header says of the receipts, both from one pass.
  package func commitments() -> (receiptsRoot: Hash256, logsBloom: Bloom) {
    let (items, bloom) = encodedReceipts()
    return (MerklePatriciaTrie.orderedRoot(items), bloom)
  }

  /// The receipts as their trie holds them, and their bloom together.
  func encodedReceipts() -> (items: [[UInt8]], bloom: Bloom) {
    var hashes = BloomHashes()
    var union = Bloom()
    let items = receipts.map {
      let bloom = $0.bloom(&hashes)
      union.formUnion(bloom)
      return $0.encoded(bloom: bloom)
    }
    return (items, union)
  }

  /// The commitment to the requests (EIP-7685).
  public var requestsHash: Hash256? {
    guard let requests else { return nil }
    var all: [UInt8] = []
    for request in requests where request.count > 1 {
      all.append(contentsOf: request.withUnsafeBufferPointer { SHA256.hash($0) }.bytes)
    }
    return all.withUnsafeBufferPointer { SHA256.hash($0) }
  }
}

/// Why a block can not be executed.
public struct ExecutionError: Error, Sendable, CustomStringConvertible {
  /// What kind of fault it is.
  public enum Code: String, Sendable {
    /// A transaction is not valid.
    case invalidTransaction
    /// A system contract is missing or failed (EIP-7002, EIP-7251).
    case systemContract
    /// The deposit contract logged something that is no deposit (EIP-6110).
    case invalidDeposit
    /// A transaction needs more memory than the host gives it.
    case workspaceExhausted
    /// The state could not be read.
    case stateUnavailable
    /// A block hash that the input does not have was asked for.
    case missingBlockHash
    /// The access list that came with the block is not what execution gives (EIP-7928).
    case accessList
    /// A transaction took longer than it may.
    case timeExhausted
    /// The device that transactions ran on failed, or took too long.
    case device
  }

  /// What kind of fault it is.
  public var code: Code
  /// What to tell the user.
  public var message: String
  /// The transaction's place in the block.
  public var transaction: Int?
  /// Why the transaction is not valid.
  public var transactionError: TransactionError?

  /// An error from its parts.
  public init(
    _ code: Code, _ message: String, transaction: Int? = nil,
    transactionError: TransactionError? = nil
  ) {
    self.code = code
    self.message = message
    self.transaction = transaction
    self.transactionError = transactionError
  }

  /// What a fault of the machine on the host means.
  init(fault: ExecutionStatus, transaction: Int? = nil) {
    if fault == .workspaceExhausted {
      self.init(
        .workspaceExhausted, "it needs more memory than the largest workspace has",
        transaction: transaction)
    } else if fault == .timeExhausted {
      self.init(.timeExhausted, "it takes longer than it may", transaction: transaction)
    } else {
      self.init(
        .missingBlockHash, "a block hash that the input lacks was asked for",
        transaction: transaction)
    }
  }

  public var description: String {
    transaction.map { "transaction \($0): \(message)" } ?? message
  }
}

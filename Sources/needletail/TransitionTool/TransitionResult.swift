import EVM
import Ethereum
import Execution

/// What the transition tool writes: the state after the block, and what came of it.
struct TransitionResult {
  /// The state after the block.
  private(set) var state: WorldState
  private var stateRoot: Hash256
  private var outcome: BlockOutcome
  private var rejected: [(index: Int, reason: String)]
  private var transactions: [PreparedTransaction]
  private let block: PreparedBlock
  private let derived: DerivedFields
  /// Why the block as a whole is invalid; the rest is then what came before that.
  private var blockException: String?

  /// Executes a block.
  init(
    _ block: PreparedBlock, derived: DerivedFields, transactions: TransitionTransactions,
    state before: WorldState, tracer: (any TransactionTracer)?
  ) throws(ToolFailure) {
    self.block = block
    self.derived = derived
    let executor = SerialExecutor()
    executor.tracer = tracer
    state = before
    do throws(ExecutionError) {
      outcome = try executor.execute(block, on: &state)
    } catch {
      guard error.code == .systemContract || error.code == .invalidDeposit else {
        throw Self.failure(error)
      }
      // The block is invalid at its end. Its transactions' results are still of use.
      blockException = error.message
      var transactionsOnly = block
      transactionsOnly.callsSystemContracts = false
      state = before
      executor.tracer = nil  // the transactions have been traced
      do throws(ExecutionError) {
        outcome = try executor.execute(transactionsOnly, on: &state)
      } catch {
        throw Self.failure(error)
      }
    }
    stateRoot = state.stateRoot()
    self.transactions = outcome.transactions.map { block.transactions[$0.index] }
    rejected = transactions.rejected
    for (index, error) in outcome.rejected {
      rejected.append((transactions.prepared[index].index, error.gethWords))
    }
    rejected.sort { $0.index < $1.index }
  }

  private static func failure(_ error: ExecutionError) -> ToolFailure {
    ToolFailure(
      error.code == .missingBlockHash ? .missingBlockHash : .execution, error.description)
  }

  /// The RLP list of transactions.
  static func body(_ transactions: [Transaction]) -> [UInt8] {
    var encoder = RLPEncoder()
    encoder.list { encoder in
      for transaction in transactions { transaction.encode(blockItem: &encoder) }
    }
    return encoder.bytes
  }

  /// Writes the `result` object.
  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("stateRoot", stateRoot)
      writer.member(
        "txRoot",
        MerklePatriciaTrie.orderedRoot(transactions.map { $0.transaction.encoded }))
      writer.member("receiptsRoot", outcome.receiptsRoot)
      writer.member("logsHash", Log.hash(of: outcome.receipts.flatMap { $0.logs }))
      writer.member("logsBloom", hexadecimal: outcome.logsBloom.bytes)
      writer.key("receipts")
      writer.array { writer in
        for index in outcome.receipts.indices { writeReceipt(index, to: &writer) }
      }
      writer.key("rejected")
      writer.array { writer in
        for (index, reason) in rejected {
          writer.object { writer in
            writer.member("index", index)
            writer.member("error", reason)
          }
        }
      }
      writer.key("currentDifficulty")
      if let difficulty = derived.difficulty {
        writer.value(quantity: difficulty)
      } else {
        writer.null()
      }
      writer.member("gasUsed", quantity: outcome.gasUsed)
      if let fee = derived.baseFeePerGas { writer.member("currentBaseFee", quantity: fee) }
      if block.fork >= .shanghai {
        writer.member(
          "withdrawalsRoot",
          MerklePatriciaTrie.orderedRoot(block.withdrawals.map { $0.encoded }))
      }
      if let excess = derived.excessBlobGas {
        writer.member("currentExcessBlobGas", quantity: excess)
        writer.member("blobGasUsed", quantity: outcome.blobGasUsed)
      }
      if let requests = outcome.requests, let hash = outcome.requestsHash {
        writer.member("requestsHash", hash)
        writer.key("requests")
        writer.array { writer in
          for request in requests { writer.value(hexadecimal: request) }
        }
      }
      // As the executable specification's tool names and writes them.
      if let list = outcome.accessList {
        writer.member("blockAccessList", hexadecimal: list.encoded)
        writer.member("blockAccessListHash", list.hash)
      }
      if let blockException { writer.member("blockException", blockException) }
    }
  }

  private func writeReceipt(_ index: Int, to writer: inout JSONWriter) {
    let receipt = outcome.receipts[index]
    let executed = outcome.transactions[index]
    let transaction = transactions[index].transaction
    let hash = transaction.hash
    writer.object { writer in
      writer.member("type", quantity: UInt64(receipt.type.rawValue))
      switch receipt.outcome {
      case .stateRoot(let root):
        writer.member("root", root)
        writer.member("status", quantity: executed.status.isSuccess ? 1 : 0 as UInt64)
      case .status(let success):
        writer.member("root", "0x")
        writer.member("status", quantity: success ? 1 : 0 as UInt64)
      }
      writer.member("cumulativeGasUsed", quantity: receipt.cumulativeGasUsed)
      writer.member("logsBloom", hexadecimal: receipt.bloom.bytes)
      writer.key("logs")
      writer.array { writer in
        for log in receipt.logs { log.write(to: &writer) }
      }
      writer.member("transactionHash", hash)
      writer.member("contractAddress", executed.contractAddress ?? .zero)
      writer.member("gasUsed", quantity: executed.gasUsed)
      writer.member("effectiveGasPrice", quantity: executed.effectiveGasPrice)
      writer.member("transactionIndex", quantity: UInt64(index))
    }
  }
}

extension Log {
  /// Writes the log in the names of the JSON-RPC interface.
  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("address", address)
      writer.key("topics")
      writer.array { writer in
        for topic in topics { writer.value(topic) }
      }
      writer.member("data", hexadecimal: data)
    }
  }
}

extension Allocation {
  /// Writes the accounts as the tool's `alloc` has them, in the order of addresses and slots; zero
  /// fields are left out.
  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      for (address, account) in accounts.sorted(by: { $0.key < $1.key }) {
        writer.key(address.description)
        account.write(to: &writer)
      }
    }
  }
}

extension Allocation.Account {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.object { writer in
      if !code.isEmpty { writer.member("code", hexadecimal: code) }
      if !storage.isEmpty {
        writer.key("storage")
        writer.object { writer in
          for (slot, value) in storage.sorted(by: { $0.key < $1.key }) {
            writer.key(Hash256(slot).description)
            writer.value(Hash256(value))
          }
        }
      }
      writer.member("balance", quantity: balance)
      if nonce != 0 { writer.member("nonce", quantity: nonce) }
    }
  }
}

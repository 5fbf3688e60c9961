import EVM
public import Ethereum

extension InputRunner {
  /// Runs a block of the main network on the touched part of the state, and compares gas, bloom and
  /// roots with its header. The state root can not be told from a part of the state.
  public func run(_ input: MainnetBlock, name: String) -> RunReport {
    let header = input.block.header
    let fork =
      fork ?? ForkSchedule.mainnet.fork(number: header.number, timestamp: header.timestamp)
    var report = RunReport(
      name: name == "\(header.number)" ? "block \(name)" : name, fork: fork,
      state: WorldState(input.pre))
    var block = Self.block(input, fork)
    var comparison = Comparison()
    var places: [Int] = []
    for (index, transaction) in input.block.transactions.enumerated() {
      var row = RunReport.Row(index: index, transaction: transaction)
      if let hash = input.transactionHashes[index] {
        comparison.check("transaction \(index) hash", expected: hash, got: transaction.hash)
      }
      do throws(FormatError) {
        let sender = try transaction.recoverSender(fork: fork, chainID: 1)
        if let given = input.senders[index] {
          comparison.check("transaction \(index) sender", expected: given, got: sender)
        }
        row.sender = sender
        block.transactions.append(PreparedTransaction(transaction, sender: sender))
        places.append(index)
      } catch {
        row.rejection = error.description
      }
      report.rows.append(row)
    }
    executor.fallbackBlockHash = nil
    do throws(ExecutionError) {
      let outcome = try execute(block, into: &report)
      report.record(outcome, places: places)
      // Before Byzantium receipts hold state roots, which need the whole state.
      if fork < .byzantium { report.receiptsRoot = nil }
      Self.compare(outcome, report, input, &comparison)
    } catch {
      comparison.fail(error.description)
    }
    report.checkRejections(expected: [])
    report.failures += comparison.failures
    return report
  }

  /// A block of the main network with its transactions' senders.
  package static func prepared(_ input: MainnetBlock) throws(FormatError) -> PreparedBlock {
    let header = input.block.header
    let fork = ForkSchedule.mainnet.fork(number: header.number, timestamp: header.timestamp)
    var block = block(input, fork)
    for transaction in input.block.transactions {
      block.transactions.append(
        PreparedTransaction(
          transaction, sender: try transaction.recoverSender(fork: fork, chainID: 1)))
    }
    return block
  }

  private static func block(_ input: MainnetBlock, _ fork: Fork) -> PreparedBlock {
    let header = input.block.header
    var environment = BlockEnvironment(
      chainID: 1, number: header.number, timestamp: header.timestamp, gasLimit: header.gasLimit,
      coinbase: header.coinbase)
    environment.prevRandao = fork >= .paris ? header.mixHash.word : header.difficulty
    environment.baseFeePerGas = header.baseFeePerGas ?? .zero
    environment.slotNumber = header.slotNumber ?? 0
    var block = PreparedBlock(fork: fork, environment: environment)
    if fork >= .cancun, let parameters = BlobSchedule.mainnet[fork] {
      block.environment.blobBaseFee = BlobGas.baseFee(
        excess: header.excessBlobGas ?? 0, parameters: parameters)
      block.maxBlobs = Int(clamping: parameters.max)
    }
    block.withdrawals = input.block.withdrawals ?? []
    block.blockHashes = input.blockHashes
    if header.number > 0 { block.blockHashes[header.number - 1] = header.parentHash }
    block.parentHash = header.parentHash
    block.parentBeaconBlockRoot = header.parentBeaconBlockRoot
    block.reward = Difficulty.reward(fork)
    block.isPartialState = true
    block.accessList = input.accessList
    block.invalidTransactions = .reject
    return block
  }

  private static func compare(
    _ outcome: BlockOutcome, _ report: RunReport, _ input: MainnetBlock,
    _ comparison: inout Comparison
  ) {
    let header = input.block.header
    comparison.check("block hash", expected: input.hash, got: header.hash)
    comparison.check("gas used", expected: header.gasUsed, got: outcome.gasUsed)
    comparison.check("logs bloom", expected: header.logsBloom, got: report.logsBloom)
    if let root = report.receiptsRoot {
      comparison.check("receipts root", expected: header.receiptsRoot, got: root)
    }
    comparison.check(
      "transactions root", expected: header.transactionsRoot, got: report.transactionsRoot)
    if let used = header.blobGasUsed {
      comparison.check("blob gas used", expected: used, got: outcome.blobGasUsed)
    }
    if let root = header.withdrawalsRoot {
      comparison.check(
        "withdrawals root", expected: root,
        got: MerklePatriciaTrie.orderedRoot((input.block.withdrawals ?? []).map { $0.encoded }))
    }
  }
}

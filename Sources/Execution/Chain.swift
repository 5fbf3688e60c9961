public import EVM
public import Ethereum

/// A chain of blocks in memory: validates and executes blocks, keeps side chains, and follows the
/// heaviest chain before Paris and the last block after.
public final class Chain {
  /// The rules.
  public let rules: ChainRules
  /// The hash of the head.
  public private(set) var head: Hash256
  /// The hash of the genesis block.
  public let genesis: Hash256

  private struct Entry {
    var header: BlockHeader
    var ommerHashes: [Hash256]
    var state: WorldState
    var totalDifficulty: UInt256
    var fork: Fork

    var ancestor: Ancestor {
      Ancestor(
        header: header, ommerHashes: ommerHashes, totalDifficulty: totalDifficulty, fork: fork)
    }
  }

  private var entries: [Hash256: Entry] = [:]
  private let executor: any BlockExecutor

  /// A chain that begins with a block whose state is known.
  public init(
    genesis header: BlockHeader, state: WorldState, rules: ChainRules,
    executor: any BlockExecutor = SerialExecutor()
  ) {
    self.rules = rules
    self.executor = executor
    genesis = header.hash
    head = genesis
    let fork = rules.schedule.fork(
      number: header.number, timestamp: header.timestamp, totalDifficulty: header.difficulty)
    entries[genesis] = Entry(
      header: header, ommerHashes: [], state: state, totalDifficulty: header.difficulty,
      fork: fork)
  }

  /// The state after the head.
  public var headState: WorldState { entries[head]!.state }

  /// The header of the head.
  public var headHeader: BlockHeader { entries[head]!.header }

  /// Imports a block given in RLP: decodes, validates, executes, and makes it the head if its
  /// chain is the heaviest.
  ///
  /// `accessList` is the RLP of the access list that came with the block, where one did (EIP-7928).
  @discardableResult
  public func importBlock(rlp: [UInt8], accessList: [UInt8]? = nil) throws(BlockError)
    -> BlockOutcome
  {
    let block: Block
    do throws(FormatError) {
      block = try Block(decoding: rlp)
    } catch {
      throw BlockError(
        .malformed, error.description, transactionNames: error.testNames)
    }
    return try importBlock(block, size: rlp.count, accessList: accessList)
  }

  private func importBlock(_ block: Block, size: Int, accessList: [UInt8]?) throws(BlockError)
    -> BlockOutcome
  {
    let header = block.header
    guard let parent = entries[header.parentHash] else {
      throw BlockError(.unknownParent, "parentHash: no block \(header.parentHash)")
    }
    var prepared = try rules.prepare(block, size: size, parent: parent.ancestor) {
      entries[$0]?.ancestor
    }
    prepared.blockHashes = recentHashes(header.parentHash)
    let fork = prepared.fork
    if fork >= .amsterdam, let accessList {
      prepared.accessList = try rules.accessList(accessList, of: block)
    }

    var state = parent.state
    let outcome: BlockOutcome
    var executor = executor
    do throws(ExecutionError) {
      outcome = try executor.execute(prepared, on: &state)
    } catch {
      throw BlockError(error, transactions: block.transactions)
    }
    try rules.validate(outcome.accessList, received: prepared.accessList, header: header)
    try rules.validate(outcome, against: header, fork: fork)
    let root = state.stateRoot()
    guard header.stateRoot == root else {
      throw .field(.invalidStateRoot, "stateRoot", expected: header.stateRoot, got: root)
    }

    let hash = header.hash
    let total = parent.totalDifficulty &+ header.difficulty
    entries[hash] = Entry(
      header: header, ommerHashes: block.ommers.map(\.hash), state: state,
      totalDifficulty: total, fork: fork)
    if fork >= .paris || total > entries[head]!.totalDifficulty { head = hash }
    return outcome
  }

  /// The hashes of the last 256 blocks that end with `hash`.
  private func recentHashes(_ hash: Hash256) -> [UInt64: Hash256] {
    var hashes: [UInt64: Hash256] = [:]
    var next = hash
    while hashes.count < 256, let entry = entries[next] {
      hashes[entry.header.number] = next
      next = entry.header.parentHash
    }
    return hashes
  }
}

/// What the rules ask of a block that is there already.
package struct Ancestor: Sendable {
  /// Its header.
  package var header: BlockHeader
  /// The hashes of its ommers.
  package var ommerHashes: [Hash256]
  /// The difficulties of the chain up to it, summed up.
  package var totalDifficulty: UInt256
  /// Its fork.
  package var fork: Fork

  /// A block of these parts.
  package init(
    header: BlockHeader, ommerHashes: [Hash256], totalDifficulty: UInt256, fork: Fork
  ) {
    self.header = header
    self.ommerHashes = ommerHashes
    self.totalDifficulty = totalDifficulty
    self.fork = fork
  }
}

extension ChainRules {
  /// Checks all of a block but what executing it tells, and makes it ready for that. Hashes of older
  /// blocks are the caller's to add. `ancestor` finds blocks by their hash.
  package func prepare(
    _ block: Block, size: Int, parent: Ancestor, transactions known: [PreparedTransaction]? = nil,
    ancestor: (Hash256) -> Ancestor?
  ) throws(BlockError) -> PreparedBlock {
    let header = block.header
    let fork = schedule.fork(
      number: header.number, timestamp: header.timestamp,
      totalDifficulty: parent.totalDifficulty)
    if fork >= .osaka && size > ChainRules.blockSizeLimit {
      throw BlockError(
        .tooLarge, "the block has \(size) bytes, more than \(ChainRules.blockSizeLimit)")
    }
    try validate(header, parent: parent.header, fork: fork, parentFork: parent.fork)
    try validateBody(block, fork: fork)
    let ommers = try validateOmmers(block, fork: fork, ancestor: ancestor)

    var prepared = PreparedBlock(
      fork: fork, environment: environment(header, fork))
    if let known {
      prepared.transactions = known
    } else {
      prepared.transactions = try prepare(block.transactions, fork: fork)
    }
    prepared.withdrawals = block.withdrawals ?? []
    prepared.parentHash = header.parentHash
    prepared.parentBeaconBlockRoot = header.parentBeaconBlockRoot
    prepared.maxBlobs = Int(clamping: blobSchedule[fork]?.max ?? 0)
    prepared.reward = Difficulty.reward(fork)
    prepared.ommers = ommers
    prepared.movesDAO = schedule[.daoFork] == .block(header.number)
    return prepared
  }

  /// The block as opcodes see it.
  package func environment(_ header: BlockHeader, _ fork: Fork) -> BlockEnvironment {
    var environment = BlockEnvironment(
      chainID: UInt256(schedule.chainID), number: header.number,
      timestamp: header.timestamp, gasLimit: header.gasLimit, coinbase: header.coinbase,
      prevRandao: fork >= .paris ? header.mixHash.word : header.difficulty,
      baseFeePerGas: header.baseFeePerGas ?? .zero)
    environment.slotNumber = header.slotNumber ?? 0
    if let parameters = blobSchedule[fork] {
      environment.blobBaseFee = BlobGas.baseFee(
        excess: header.excessBlobGas ?? 0, parameters: parameters)
    }
    return environment
  }

  /// Checks what the header says of the body.
  private func validateBody(_ block: Block, fork: Fork) throws(BlockError) {
    let header = block.header
    let root = MerklePatriciaTrie.orderedRoot(block.transactions.map(\.encoded))
    guard header.transactionsRoot == root else {
      throw .field(
        .invalidTransactionsRoot, "transactionsRoot", expected: header.transactionsRoot, got: root)
    }
    guard (block.withdrawals != nil) == (fork >= .shanghai) else {
      throw BlockError(
        .unexpectedFields, "withdrawals: a block of \(fork.name) has them from Shanghai on only")
    }
    if let withdrawals = block.withdrawals {
      let root = MerklePatriciaTrie.orderedRoot(withdrawals.map(\.encoded))
      guard header.withdrawalsRoot == root else {
        throw BlockError(
          .invalidWithdrawalsRoot,
          "withdrawalsRoot: expected \(header.withdrawalsRoot ?? .zero), got \(root)")
      }
    }
    let ommersHash = BlockHeader.ommersHash(of: block.ommers)
    guard header.ommersHash == ommersHash else {
      throw .field(
        .invalidOmmersHash, "ommersHash", expected: header.ommersHash, got: ommersHash)
    }
  }

  /// Recovers senders, under the fork's rules of signatures.
  package func prepare(_ transactions: [Transaction], fork: Fork) throws(BlockError)
    -> [PreparedTransaction]
  {
    var prepared: [PreparedTransaction] = []
    prepared.reserveCapacity(transactions.count)
    for (index, transaction) in transactions.enumerated() {
      guard fork >= transaction.type.since else {
        throw BlockError(
          ExecutionError(
            .invalidTransaction, TransactionError.typeNotSupported.message, transaction: index,
            transactionError: .typeNotSupported), transactions: transactions)
      }
      do throws(FormatError) {
        if let id = transaction.chainID {
          guard fork >= .spuriousDragon else {
            throw FormatError(
              .invalidChainID, "signatures name a chain from Spurious Dragon on only",
              field: "chainID")
          }
          guard id == schedule.chainID else {
            throw FormatError(
              .invalidChainID, "the chain is \(schedule.chainID), not \(id)",
              field: "chainID")
          }
        }
        prepared.append(
          try PreparedTransaction(transaction, requiresLowS: fork >= .homestead))
      } catch {
        throw BlockError(
          .invalidTransaction, error.within("transactions[\(index)]").description,
          transactionNames: error.testNames)
      }
    }
    return prepared
  }

  /// Checks the ommers (yellow paper, section 11.1) and gives their coinbases.
  private func validateOmmers(
    _ block: Block, fork: Fork, ancestor: (Hash256) -> Ancestor?
  ) throws(BlockError) -> [(coinbase: Address, depth: UInt64)] {
    if block.ommers.isEmpty { return [] }
    guard block.ommers.count <= 2 else {
      throw BlockError(.invalidOmmers, "\(block.ommers.count) ommers are more than 2")
    }
    // The last seven ancestors, and the ommers that they have.
    var ancestors: [Hash256] = []
    var known: Set<Hash256> = []
    var hash = block.header.parentHash
    while ancestors.count < 7, let entry = ancestor(hash) {
      ancestors.append(hash)
      known.formUnion(entry.ommerHashes)
      hash = entry.header.parentHash
    }
    known.formUnion(ancestors)
    var result: [(coinbase: Address, depth: UInt64)] = []
    for ommer in block.ommers {
      let ommerHash = ommer.hash
      guard known.insert(ommerHash).inserted else {
        throw BlockError(
          .invalidOmmers, "the ommer \(ommerHash) is an ancestor, or an ommer already")
      }
      guard ommer.parentHash != block.header.parentHash,
        ancestors.contains(ommer.parentHash), let parent = ancestor(ommer.parentHash)
      else {
        throw BlockError(
          .invalidOmmers, "the parent of the ommer \(ommerHash) is not among the last ancestors")
      }
      let ommerFork = schedule.fork(
        number: ommer.number, timestamp: ommer.timestamp,
        totalDifficulty: parent.totalDifficulty)
      try validate(
        ommer, parent: parent.header, fork: ommerFork, parentFork: parent.fork)
      result.append((ommer.coinbase, block.header.number - ommer.number))
    }
    return result
  }

  /// Compares what execution gave with what the header says.
  package func validate(_ outcome: BlockOutcome, against header: BlockHeader, fork: Fork)
    throws(BlockError)
  {
    guard header.gasUsed == outcome.gasUsed else {
      throw .field(.invalidGasUsed, "gasUsed", expected: header.gasUsed, got: outcome.gasUsed)
    }
    if fork >= .cancun {
      guard header.blobGasUsed == outcome.blobGasUsed else {
        throw .field(
          .invalidBlobGasUsed, "blobGasUsed", expected: header.blobGasUsed ?? 0,
          got: outcome.blobGasUsed)
      }
    }
    let (receiptsRoot, bloom) = outcome.commitments()
    guard header.receiptsRoot == receiptsRoot else {
      throw .field(
        .invalidReceiptsRoot, "receiptsRoot", expected: header.receiptsRoot, got: receiptsRoot)
    }
    guard header.logsBloom == bloom else {
      throw .field(.invalidLogsBloom, "logsBloom", expected: header.logsBloom, got: bloom)
    }
    if fork >= .prague {
      guard header.requestsHash == outcome.requestsHash else {
        throw BlockError(
          .invalidRequests,
          "requestsHash: expected \(header.requestsHash ?? .zero), "
            + "got \(outcome.requestsHash ?? .zero)")
      }
    }
  }
}

extension BlockError {
  /// What an executor's error means for the block.
  package init(_ error: ExecutionError, transactions: [Transaction]) {
    switch error.code {
    case .invalidTransaction:
      var names = error.transactionError?.testNames ?? []
      if let index = error.transaction, error.transactionError == .typeNotSupported {
        names.append("TYPE_\(transactions[index].type.rawValue)_TX_PRE_FORK")
      }
      self.init(.invalidTransaction, error.description, transactionNames: names)
    case .systemContract: self.init(.systemContract, error.description)
    case .invalidDeposit: self.init(.invalidDeposit, error.description)
    case .accessList: self.init(.invalidAccessList, error.description)
    case .workspaceExhausted, .stateUnavailable, .missingBlockHash, .timeExhausted, .device:
      self.init(.resources, error.description)
    }
  }
}

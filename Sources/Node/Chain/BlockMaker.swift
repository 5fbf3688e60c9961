package import EVM
package import Ethereum
package import Execution
package import Storage

/// A block that was made here and is not in the chain.
package struct BuiltBlock: Sendable {
  /// The block with its header sealed.
  package var block: Block
  /// Its transactions in bytes, and what the header says of them.
  package var contents: BlockContents
  /// The senders of its transactions.
  package var senders: [Address]
  /// The receipts.
  package var receipts: [Receipt]
  /// What each transaction used and returned.
  package var outcomes: [TransactionOutcome]
  /// The transactions that were left out, by their place among those given.
  package var rejected: [(index: Int, error: TransactionError)]
  /// Requests for the consensus layer (EIP-7685).
  package var requests: [[UInt8]]?
  /// The state after it.
  package var layer: StateLayer
  /// What its transactions changed, where that was asked for.
  package var accessList: BlockAccessList?
}

/// What a block's maker decides.
package struct BlockAttributes: Equatable, Sendable {
  /// Seconds since 1970.
  package var timestamp: UInt64
  /// Who gets the fees.
  package var coinbase = Address.zero
  /// The beacon chain's randomness.
  package var prevRandao = Hash256.zero
  /// Withdrawals from the beacon chain.
  package var withdrawals: [Withdrawal] = []
  /// The root of the beacon block before.
  package var parentBeaconBlockRoot = Hash256.zero
  /// Up to 32 bytes.
  package var extraData: [UInt8] = []
  /// Gas of all transactions.
  package var gasLimit: UInt64
  /// The beacon chain's slot (from Amsterdam on); the one after the parent's, unless told otherwise.
  package var slotNumber: UInt64?
  /// Wei for each gas; what the rules give, unless told otherwise.
  package var baseFeePerGas: UInt256?
  /// What happens to a transaction that is not valid.
  package var invalidTransactions = PreparedBlock.InvalidTransactions.reject
  /// Whether to note what every transaction changes.
  package var recordsAccessList = false

  /// Attributes of these values.
  package init(timestamp: UInt64, gasLimit: UInt64) {
    self.timestamp = timestamp
    self.gasLimit = gasLimit
  }
}

/// Makes blocks: executes transactions on a parent and seals the header.
struct BlockMaker {
  let rules: ChainRules
  /// What the maker does wrong, for tests of those who check it.
  var fault: BlockFault?

  /// The header of a block on a parent, before anything is executed.
  ///
  /// Only a simulation may follow a block with proof of work: with its difficulty.
  func header(
    on parent: BlockHeader, parentHash: Hash256, _ attributes: BlockAttributes,
    isSimulated: Bool = false
  ) throws(RPCError) -> (header: BlockHeader, fork: Fork) {
    var header = BlockHeader()
    header.parentHash = parentHash
    header.number = parent.number + 1
    header.timestamp = attributes.timestamp
    header.coinbase = attributes.coinbase
    header.mixHash = attributes.prevRandao
    header.gasLimit = attributes.gasLimit
    header.extraData = attributes.extraData
    let fork = rules.schedule.fork(
      number: header.number, timestamp: header.timestamp, totalDifficulty: .max)
    if fork < .paris { header.difficulty = parent.difficulty }
    guard fork >= .paris || isSimulated else {
      throw .server("blocks are made from Paris on; the chain is at \(fork.name)")
    }
    if fork >= .london {
      header.baseFeePerGas = attributes.baseFeePerGas ?? nextBaseFee(parent)
    }
    if fork >= .shanghai {
      header.withdrawalsRoot = MerklePatriciaTrie.orderedRoot(
        attributes.withdrawals.map(\.encoded))
    }
    if fork >= .cancun {
      header.excessBlobGas = rules.excessBlobGas(parent: parent, fork: fork)
      header.blobGasUsed = 0
      header.parentBeaconBlockRoot = attributes.parentBeaconBlockRoot
    }
    if fork >= .prague { header.requestsHash = Genesis.emptyRequestsHash }
    if fork >= .amsterdam {
      // Without a beacon chain every block has the next slot.
      header.slotNumber =
        attributes.slotNumber ?? parent.slotNumber.map { $0 &+ 1 } ?? header.number
    }
    return (header, fork)
  }

  /// Wei for each gas in the block after one.
  func nextBaseFee(_ parent: BlockHeader) -> UInt256 {
    guard let fee = parent.baseFeePerGas else { return BaseFee.initial }
    return BaseFee.next(parentBaseFee: fee, gasLimit: parent.gasLimit, gasUsed: parent.gasUsed)
  }

  /// The block as executors take it, without transactions.
  func prepared(
    _ header: BlockHeader, _ fork: Fork, _ attributes: BlockAttributes,
    blockHashes: [UInt64: Hash256]
  ) -> PreparedBlock {
    var prepared = PreparedBlock(fork: fork, environment: rules.environment(header, fork))
    prepared.withdrawals = fork >= .shanghai ? attributes.withdrawals : []
    prepared.parentHash = header.parentHash
    prepared.parentBeaconBlockRoot = header.parentBeaconBlockRoot
    prepared.blockHashes = blockHashes
    prepared.maxBlobs = Int(clamping: rules.blobSchedule[fork]?.max ?? 0)
    prepared.invalidTransactions = attributes.invalidTransactions
    return prepared
  }

  /// Fills a header in with what execution gave.
  func seal(
    _ header: inout BlockHeader, _ fork: Fork, _ contents: BlockContents, _ outcome: BlockOutcome,
    stateRoot: Hash256
  ) {
    header.transactionsRoot = contents.transactionsRoot
    header.receiptsRoot = contents.receiptsRoot
    header.logsBloom = contents.logsBloom
    header.gasUsed = outcome.gasUsed
    if fork >= .cancun { header.blobGasUsed = outcome.blobGasUsed }
    if fork >= .prague { header.requestsHash = outcome.requestsHash }
    if fork >= .amsterdam, let list = outcome.accessList {
      header.blockAccessListHash = Keccak256.hash(list.encoded)
    }
    header.stateRoot = stateRoot
  }

  /// A block's transactions as they were executed, before anything follows from it.
  struct Executed {
    /// As it is before execution.
    var header: BlockHeader
    var fork: Fork
    /// What has a place in the block, in its order.
    var transactions: [PreparedTransaction]
    var outcome: BlockOutcome
    /// What was left out, by its place among those given.
    var rejected: [(index: Int, error: TransactionError)]
    var state: WorldState
    /// Whether a planner gave the order.
    var isPlanned: Bool
  }

  /// Executes a block's transactions on the head of a snapshot, in the order that a planner gives them.
  func execute(
    on snapshot: Snapshot, _ attributes: BlockAttributes, _ transactions: [PreparedTransaction],
    executor: any BlockExecutor, planner: BlockPlanner? = nil, codes: CodeStore, workers: Int
  ) throws -> Executed {
    let parent = snapshot.head
    let (header, fork) = try header(on: parent.header, parentHash: parent.hash, attributes)
    var prepared = prepared(
      header, fork, attributes,
      blockHashes: snapshot.recentHashes(endingWith: parent.header.number))
    prepared.transactions = transactions
    prepared.recordsAccessList = attributes.recordsAccessList || fork >= .amsterdam
    let source = try snapshot.source(after: parent.header.number)
    try source.readAhead(prepared, workers: workers)
    var state = WorldState(source: source, codes: codes)
    let order = planner?.plan(transactions, for: prepared, on: state)
    if let order { prepared.transactions = order.map { transactions[$0] } }
    var executor = executor
    let outcome = try executor.execute(prepared, on: &state)
    let left = Set(outcome.rejected.map(\.index))
    return Executed(
      header: header, fork: fork,
      transactions: prepared.transactions.indices.filter { !left.contains($0) }
        .map { prepared.transactions[$0] },
      outcome: outcome,
      rejected: outcome.rejected.map { (order?[$0.index] ?? $0.index, $0.error) }, state: state,
      isPlanned: order != nil)
  }

  /// Makes a block on the head of a snapshot.
  func make(
    on snapshot: Snapshot, _ attributes: BlockAttributes, _ transactions: [PreparedTransaction],
    executor: any BlockExecutor, codes: CodeStore, database: Database
  ) throws -> BuiltBlock {
    try finish(
      execute(
        on: snapshot, attributes, transactions, executor: executor, codes: codes,
        workers: database.options.workers), attributes
    ) { try database.layer($0, on: snapshot, number: $1) }
  }

  /// Makes a block of transactions that were executed; `layer` works out what they changed, with the root.
  func finish(
    _ executed: Executed, _ attributes: BlockAttributes,
    layer: (StateDelta, UInt64) throws -> StateLayer
  ) throws -> BuiltBlock {
    let (taken, outcome, fork) = (executed.transactions, executed.outcome, executed.fork)
    var header = executed.header
    var delta = executed.state.delta
    fault?.apply(to: &delta, block: header.number)
    let (contents, layer) = try BlockContents.during(taken.map(\.transaction), outcome.receipts) {
      try layer(delta, header.number)
    }
    seal(&header, fork, contents, outcome, stateRoot: layer.root)
    if fork >= .amsterdam, let list = outcome.accessList {
      try rules.validate(list, received: nil, header: header)
    }
    let block = Block(
      header: header, transactions: taken.map(\.transaction),
      withdrawals: fork >= .shanghai ? attributes.withdrawals : nil)
    return BuiltBlock(
      block: block, contents: contents, senders: taken.map(\.sender), receipts: outcome.receipts,
      outcomes: outcome.transactions, rejected: executed.rejected, requests: outcome.requests,
      layer: layer, accessList: outcome.accessList)
  }
}

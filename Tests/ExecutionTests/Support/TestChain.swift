import EVM
import Ethereum

@testable import Execution

/// A chain, and a maker of blocks that it accepts.
final class TestChain {
  /// A development key, and its account.
  static let key: UInt256 = 0x1234
  static let sender: Address = {
    var transaction = Transaction(to: .zero)
    try! transaction.sign(secretKey: key)
    return try! transaction.recoverSender()
  }()
  static let coinbase = Address(number: 0xc01b)
  static let recipient = Address(number: 0xbeef)

  /// What a contract of the system needs at least: it returns nothing.
  static let stop: [UInt8] = [0x00]

  let rules: ChainRules
  let chain: Chain
  let genesis: BlockHeader
  /// The access list of the block that was made last.
  private(set) var accessList: BlockAccessList?
  private var known: [Hash256: (header: BlockHeader, state: WorldState, total: UInt256, fork: Fork)]

  init(
    _ schedule: ForkSchedule, accounts: [Address: Allocation.Account] = [:],
    genesis edit: (inout BlockHeader) -> Void = { _ in }
  ) {
    rules = ChainRules(schedule: schedule, blobSchedule: .testNetworks)
    var allocation = Allocation([Self.sender: .init(balance: UInt256(1) << 90)])
    for contract in [SystemContracts.withdrawalRequests, SystemContracts.consolidationRequests] {
      allocation.accounts[contract] = .init(nonce: 1, code: Self.stop)
    }
    for (address, account) in accounts { allocation.accounts[address] = account }
    var state = WorldState(allocation)
    let fork = schedule.fork(number: 0, timestamp: 1000, totalDifficulty: 0)
    var header = BlockHeader()
    header.timestamp = 1000
    header.gasLimit = 30_000_000
    if fork < .paris { header.difficulty = 3_000_000 }
    if fork >= .london { header.baseFeePerGas = BaseFee.initial }
    if fork >= .shanghai { header.withdrawalsRoot = MerklePatriciaTrie.emptyRoot }
    if fork >= .cancun {
      header.blobGasUsed = 0
      header.excessBlobGas = 0
      header.parentBeaconBlockRoot = .zero
    }
    if fork >= .prague { header.requestsHash = BlockOutcome(requests: []).requestsHash }
    if fork >= .amsterdam {
      header.blockAccessListHash = BlockAccessList().hash
      header.slotNumber = 0
    }
    header.stateRoot = state.stateRoot()
    edit(&header)
    genesis = header
    chain = Chain(genesis: header, state: state, rules: rules)
    known = [header.hash: (header, state, header.difficulty, fork)]
  }

  convenience init(
    _ fork: Fork, accounts: [Address: Allocation.Account] = [:],
    genesis edit: (inout BlockHeader) -> Void = { _ in }
  ) {
    self.init(.always(fork), accounts: accounts, genesis: edit)
  }

  /// The state after a block that this maker made.
  func state(_ hash: Hash256) -> WorldState { known[hash]!.state }

  /// A signed transaction to an account, with 1,000,000 gas at 2 gwei.
  func transaction(
    _ nonce: UInt64 = 0, to recipient: Address? = TestChain.recipient, data: [UInt8] = [],
    edit: (inout Transaction) -> Void = { _ in }
  ) -> Transaction {
    var transaction = Transaction(
      nonce: nonce, maxFeePerGas: 2_000_000_000, maxPriorityFeePerGas: 2_000_000_000,
      gasLimit: 1_000_000, to: recipient, data: data)
    edit(&transaction)
    try! transaction.sign(secretKey: Self.key)
    return transaction
  }

  /// A valid block after `parent` (the genesis by default). `header` changes what a producer
  /// chooses, before execution; `fault` breaks what is finished.
  func block(
    on parentHash: Hash256? = nil, transactions: [Transaction] = [],
    withdrawals: [Withdrawal] = [], ommers: [BlockHeader] = [],
    header edit: (inout BlockHeader) -> Void = { _ in },
    fault: (inout Block) -> Void = { _ in }
  ) -> Block {
    let parent = known[parentHash ?? genesis.hash]!
    var header = BlockHeader()
    header.parentHash = parent.header.hash
    header.coinbase = Self.coinbase
    header.number = parent.header.number + 1
    header.timestamp = parent.header.timestamp + 12
    header.gasLimit = parent.header.gasLimit
    edit(&header)
    let fork = rules.schedule.fork(
      number: header.number, timestamp: header.timestamp, totalDifficulty: parent.total)
    if fork >= .london {
      if parent.fork < .london { header.gasLimit = parent.header.gasLimit * 2 }
      header.baseFeePerGas =
        parent.fork < .london
        ? BaseFee.initial
        : BaseFee.next(
          parentBaseFee: parent.header.baseFeePerGas!, gasLimit: parent.header.gasLimit,
          gasUsed: parent.header.gasUsed)
    }
    if fork < .paris {
      header.difficulty = Difficulty.next(
        fork: fork, number: header.number, timestamp: header.timestamp,
        parentTimestamp: parent.header.timestamp, parentDifficulty: parent.header.difficulty,
        parentHasOmmers: parent.header.ommersHash != BlockHeader.emptyOmmersHash)
    }
    if fork >= .cancun {
      header.excessBlobGas = rules.excessBlobGas(parent: parent.header, fork: fork)
      header.parentBeaconBlockRoot = Hash256(0xbeac)
    }
    if fork >= .amsterdam { header.slotNumber = header.number }
    header.ommersHash = BlockHeader.ommersHash(of: ommers)
    header.transactionsRoot = MerklePatriciaTrie.orderedRoot(transactions.map(\.encoded))
    if fork >= .shanghai {
      header.withdrawalsRoot = MerklePatriciaTrie.orderedRoot(withdrawals.map(\.encoded))
    }
    let state = execute(
      &header, parent.state, transactions, withdrawals, ommers, fork: fork)
    known[header.hash] = (header, state, parent.total &+ header.difficulty, fork)
    var block = Block(
      header: header, transactions: transactions, ommers: ommers,
      withdrawals: fork >= .shanghai ? withdrawals : nil)
    fault(&block)
    return block
  }

  /// Fills in what execution tells; a block that does not execute keeps the fields of an empty one.
  private func execute(
    _ header: inout BlockHeader, _ parent: WorldState, _ transactions: [Transaction],
    _ withdrawals: [Withdrawal], _ ommers: [BlockHeader], fork: Fork
  ) -> WorldState {
    var state = parent
    var environment = BlockEnvironment(
      chainID: UInt256(rules.schedule.chainID), number: header.number,
      timestamp: header.timestamp, gasLimit: header.gasLimit, coinbase: header.coinbase,
      prevRandao: fork >= .paris ? header.mixHash.word : header.difficulty,
      baseFeePerGas: header.baseFeePerGas ?? .zero)
    if let parameters = rules.blobSchedule[fork] {
      environment.blobBaseFee = BlobGas.baseFee(
        excess: header.excessBlobGas ?? 0, parameters: parameters)
    }
    var prepared = PreparedBlock(fork: fork, environment: environment)
    prepared.transactions = transactions.compactMap {
      try? PreparedTransaction($0, requiresLowS: fork >= .homestead)
    }
    prepared.withdrawals = withdrawals
    prepared.parentHash = header.parentHash
    prepared.parentBeaconBlockRoot = header.parentBeaconBlockRoot
    prepared.maxBlobs = Int(clamping: rules.blobSchedule[fork]?.max ?? 0)
    prepared.reward = Difficulty.reward(fork)
    prepared.ommers = ommers.map { ($0.coinbase, header.number - $0.number) }
    prepared.movesDAO = rules.schedule[.daoFork] == .block(header.number)
    prepared.blockHashes = [header.number - 1: header.parentHash]
    prepared.environment.slotNumber = header.slotNumber ?? 0
    let outcome = try? SerialExecutor().execute(prepared, on: &state)
    header.gasUsed = outcome?.gasUsed ?? 0
    if let outcome {
      header.receiptsRoot = outcome.receiptsRoot
      header.logsBloom = outcome.logsBloom
    }
    if fork >= .cancun { header.blobGasUsed = outcome?.blobGasUsed ?? 0 }
    if fork >= .prague {
      header.requestsHash = outcome?.requestsHash ?? BlockOutcome(requests: []).requestsHash
    }
    if fork >= .amsterdam {
      header.blockAccessListHash = (outcome?.accessList ?? BlockAccessList()).hash
      accessList = outcome?.accessList
    }
    header.stateRoot = state.stateRoot()
    return state
  }

  /// Imports a block; the rule that it breaks.
  @discardableResult
  func add(_ block: Block) -> BlockError.Code? { error(block)?.code }

  /// Imports a block; why it is refused.
  func error(_ block: Block, accessList: [UInt8]? = nil) -> BlockError? {
    do throws(BlockError) {
      try chain.importBlock(rlp: block.encoded, accessList: accessList)
      return nil
    } catch {
      return error
    }
  }
}

extension BlockOutcome {
  init(requests: [[UInt8]]) {
    self.init()
    self.requests = requests
  }
}

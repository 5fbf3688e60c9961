import CMachineForms
import EVM
import Ethereum
import Synchronization

/// One block while it runs on several threads: what all workers share.
struct BlockInFlight: ~Copyable {
  /// Its number among those that the workers run.
  let round: UInt64
  let fork: Fork
  let environment: BlockEnvironment
  let maxBlobs: Int
  let transactions: UnsafePointer<PreparedTransaction>
  let schedule: UnsafeMutablePointer<TurnSchedule>
  let cells: UnsafeMutablePointer<CellStore>
  /// The state's, which outlives the block. Counting references would be done by all workers at once.
  unowned(unsafe) let codes: CodeStore
  let rules: ExactnessRules
  /// Filled in by the workers, by place in the block.
  let outcomes: UnsafeMutablePointer<TransactionOutcome>
  /// The same for receipts; their cumulative gas is filled in at the end.
  let receipts: UnsafeMutablePointer<Receipt>
  /// Answers BLOCKHASH; called by one worker at a time.
  let blockHash: (UInt64) -> Hash256?
  let blockHashLock = SpinLock()
  /// Where and with which seed workers pause, in tests.
  let delays: ScheduleDelays?
  /// The coinbase's balance in wei before the block: what workers suppose it to be. What they relied on
  /// is compared when they are the next to be final, and those that run then are told the right one.
  let coinbaseBefore: UInt256
  let invalidTransactions: PreparedBlock.InvalidTransactions
  /// Whether workers take notes for the block's access list.
  let takesNotes: Bool
  /// Whether cells ran out, so that the block has to be executed in another way.
  let isOutOfCells = Atomic<Bool>(false)

  private let line1 = CacheLines()
  let commitLock = SpinLock()
  private let line2 = CacheLines()

  // What the committer keeps, for the frontier.

  /// The coinbase's balance in wei.
  var coinbaseBalance: UInt256
  /// Gas used by the transactions that are final.
  var gas: BlockGas
  /// Blobs of the transactions that are final.
  var blobsUsed: Int
  /// Why the block can not go on.
  var error: ExecutionError?
  /// The transactions that are not valid, where that is no error.
  var rejected: [(index: Int, error: TransactionError)] = []
  let finals: UnsafeMutablePointer<FinalRecord>
  /// How many workers the block is worth.
  var throttle: Throttle
  private let line3 = CacheLines()

  init(
    round: UInt64, fork: Fork, environment: BlockEnvironment, maxBlobs: Int,
    transactions: UnsafePointer<PreparedTransaction>,
    schedule: UnsafeMutablePointer<TurnSchedule>, cells: UnsafeMutablePointer<CellStore>,
    codes: CodeStore, rules: ExactnessRules, outcomes: UnsafeMutablePointer<TransactionOutcome>,
    receipts: UnsafeMutablePointer<Receipt>, blockHash: @escaping (UInt64) -> Hash256?,
    delays: ScheduleDelays?, coinbaseBefore: UInt256, gas: BlockGas, blobsUsed: Int,
    invalidTransactions: PreparedBlock.InvalidTransactions, takesNotes: Bool,
    finals: UnsafeMutablePointer<FinalRecord>, throttle: Throttle
  ) {
    self.round = round
    self.fork = fork
    self.environment = environment
    self.maxBlobs = maxBlobs
    self.transactions = transactions
    self.schedule = schedule
    self.cells = cells
    self.codes = codes
    self.rules = rules
    self.outcomes = outcomes
    self.receipts = receipts
    self.blockHash = blockHash
    self.delays = delays
    self.coinbaseBefore = coinbaseBefore
    self.gas = gas
    self.blobsUsed = blobsUsed
    self.invalidTransactions = invalidTransactions
    self.takesNotes = takesNotes
    self.finals = finals
    self.throttle = throttle
    coinbaseBalance = coinbaseBefore
  }

  /// Begins to load what transactions that a worker will run will read first. One alone would wait for
  /// each in turn.
  borrowing func prefetch(_ range: Range<Int32>) {
    for index in range {
      let transaction = transactions + Int(index)
      cells.pointee.prefetch(transaction.pointee.sender)
      if let to = transaction.pointee.transaction.to { cells.pointee.prefetch(to) }
      transaction.pointee.transaction.data.withUnsafeBytes { data in
        if let base = data.baseAddress { machine_prefetch(base) }
      }
    }
  }
}

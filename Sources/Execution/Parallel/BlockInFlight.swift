import EVM
import Ethereum
import Synchronization

/// One block while it runs on several threads: what all workers share.
struct BlockInFlight: ~Copyable {
  let fork: Fork
  let environment: BlockEnvironment
  let maxBlobs: Int
  let transactions: UnsafePointer<PreparedTransaction>
  let schedule: UnsafeMutablePointer<BlockSchedule>
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

  // What the committer keeps, for the frontier.

  /// The coinbase's balance in wei. Workers read it without a lock; what they relied on is compared
  /// when they are the next to be final, and those that run then read it right.
  var coinbaseBalance: UInt256
  /// Gas used by the transactions that are final.
  var gas: BlockGas
  /// Blobs of the transactions that are final.
  var blobsUsed: Int
  /// Why the block can not go on.
  var error: ExecutionError?
  /// The transactions that are not valid, where that is no error.
  var rejected: [(index: Int, error: TransactionError)] = []
  let invalidTransactions: PreparedBlock.InvalidTransactions
  /// Whether workers take notes for the block's access list.
  let takesNotes: Bool
  /// Whether cells ran out, so that the block has to be executed in another way.
  let isOutOfCells = Atomic<Bool>(false)

  let commitLock = SpinLock()
  /// How many workers the block is worth.
  var throttle: Throttle
}

/// The rules that make parallel execution exact. Tests take one away each and expect another outcome.
struct ExactnessRules: OptionSet {
  let rawValue: UInt32

  /// A slot's value that was read must be the right one.
  static let slots = ExactnessRules(rawValue: 1 << 0)
  /// A nonce that decided something must be the right one.
  static let nonces = ExactnessRules(rawValue: 1 << 1)
  /// A balance that was observed must be the right one.
  static let balances = ExactnessRules(rawValue: 1 << 2)
  /// A balance that had to be large enough must be so.
  static let floors = ExactnessRules(rawValue: 1 << 3)
  /// The code, the existence and the storage's epoch that were seen must be the right ones.
  static let lifecycles = ExactnessRules(rawValue: 1 << 4)
  /// The coinbase's balance is what all before have made it.
  static let coinbase = ExactnessRules(rawValue: 1 << 5)
  /// The gas limit is no more than what the block has left.
  static let gasLimit = ExactnessRules(rawValue: 1 << 6)
  /// The blobs are no more than the block has left.
  static let blobs = ExactnessRules(rawValue: 1 << 7)
  /// What an earlier incarnation published and the last one did not is taken back.
  static let retraction = ExactnessRules(rawValue: 1 << 8)
  /// A created account begins without storage.
  static let epochs = ExactnessRules(rawValue: 1 << 9)
  /// An empty account that is touched is deleted (EIP-161).
  static let emptyTouches = ExactnessRules(rawValue: 1 << 10)
  /// Whether an account was empty depends on its nonce and balance.
  static let emptiness = ExactnessRules(rawValue: 1 << 11)

  static let all = ExactnessRules(rawValue: 1 << 12 - 1)
}

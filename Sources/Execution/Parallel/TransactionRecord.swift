import EVM
import Synchronization

/// Where a transaction stands, and which incarnation of it that is, in one word.
struct TransactionStatus: Equatable {
  enum Phase: UInt32 {
    /// To be run (again).
    case pending
    /// A worker runs it or publishes what it did.
    case running
    /// The same, and it is known already that it has to run again.
    case runningInvalid
    /// Its effects are published, and nothing is known against them.
    case executed
    /// Waits for another transaction, or for all before it.
    case waiting
    /// Final.
    case committed
  }

  let word: UInt32

  @inline(__always)
  init(word: UInt32) { self.word = word }

  @inline(__always)
  init(_ phase: Phase, _ incarnation: UInt32) { word = incarnation << 3 | phase.rawValue }

  @inline(__always)
  var phase: Phase { Phase(rawValue: word & 7)! }

  @inline(__always)
  var incarnation: UInt32 { word >> 3 }

  /// Whether its effects can be read: they are all published and nothing is known against them.
  @inline(__always)
  var isReadable: Bool {
    word & 7 == Phase.executed.rawValue || word & 7 == Phase.committed.rawValue
  }
}

/// What is known of one transaction of a block while the block runs.
///
/// The worker that runs the transaction writes it, and after the phase `executed` the committer reads
/// it; the status orders the two.
struct TransactionRecord: ~Copyable {
  private let word = Atomic<UInt32>(TransactionStatus(.pending, 0).word)
  /// Guards the list of those who wait.
  let waitersLock = SpinLock()
  /// The first transaction that waits for this one; -1 for none.
  var firstWaiter: Int32 = -1
  /// The next one that waits for the same transaction.
  var nextWaiter: Int32 = -1
  /// The last transaction of the same sender before it; -1 for none.
  var predecessor: Int32 = -1
  /// How many of the same sender are before it.
  var chainLength: Int32 = 0
  /// Whether it waits until all before it are final.
  let waitsForAll = Atomic<Bool>(false)

  // What the last incarnation found.

  /// Whether all before it were final when it began: then it is right.
  var ranLast = false
  /// Whether the outcome and the receipt are filled in.
  var hasOutcome = false
  /// Why it is not valid.
  var refusal: TransactionError?
  /// Why it can not be executed.
  var fault: ExecutionStatus?
  var gas = BlockGas()
  /// The gas that it and all before it paid for, once it is final.
  var cumulativeGas: UInt64 = 0
  /// The most gas of each kind that it could have used: its gas limit, before Amsterdam.
  var mostGas: UInt64 = 0
  var mostStateGas: UInt64 = 0
  var blobs: Int32 = 0
  /// What the block's access list wants to know, in the worker's slab.
  var notes: AccessNotes?
  /// What it does to the coinbase's balance, modulo 2^256.
  var coinbaseChange = UInt256.zero
  /// The coinbase's balance that it read, when that decided something.
  var coinbaseBalance: UInt256?
  /// The least balance of the coinbase that would do.
  var coinbaseFloor = UInt256.zero
  /// The lifecycles that it saw, by number.
  var lifecycles: UnsafeMutablePointer<UInt32>?
  var lifecycleCount = 0
  /// How many changes of lifecycles there had been when it began.
  var lifecycleChanges: UInt64 = 0

  // What it has published.

  var changes: UnsafeMutablePointer<UnsafeMutablePointer<Timeline>>?
  var changeCount = 0
  var changedAccounts: UnsafeMutablePointer<UnsafeMutablePointer<AccountCell>>?
  var changedAccountCount = 0

  @inline(__always)
  var status: TransactionStatus { TransactionStatus(word: word.load(ordering: .acquiring)) }

  /// Changes the status if it is still the old one.
  @inline(__always)
  borrowing func move(_ old: TransactionStatus, to new: TransactionStatus) -> Bool {
    word.compareExchange(
      expected: old.word, desired: new.word, ordering: .acquiringAndReleasing
    ).exchanged
  }
}

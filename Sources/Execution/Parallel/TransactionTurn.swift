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
    /// Its effects are published, and nothing is known against them; final, once the frontier is past.
    case executed
    /// Waits for another transaction.
    case waiting
    /// Waits until all before it are final.
    case waitingForAll
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
    word & 7 == Phase.executed.rawValue
  }
}

/// What of a transaction all workers look at: where it stands, for whom it waits and who waits for it.
/// Two lie in a cache line.
struct TransactionTurn: ~Copyable {
  private let word = Atomic<UInt32>(TransactionStatus(.pending, 0).word)
  /// Guards the list of those who wait.
  let waitersLock = SpinLock()
  /// The first transaction that waits for this one; -1 for none.
  var firstWaiter: Int32 = -1
  /// The next one that waits for the same transaction.
  var nextWaiter: Int32 = -1
  /// The last transaction of the same sender before it, whose nonce it needs; -1 for none.
  var predecessor: Int32 = -1
  /// The last transaction before it that calls the same contract; -1 for none.
  var alike: Int32 = -1
  /// The number of the contract that it calls, among those of the block; -1 for none.
  var target: Int32 = -1
  /// Where it is a payment in tokens, the last transaction before it that pays the same account by the same
  /// contract; `noPayment` where it is none, -1 where there is none before.
  var related = Self.noPayment

  static var noPayment: Int32 { -2 }

  /// Whether it is known beforehand what it pays to whom: a call of ERC-20's `transfer` or `transferFrom`.
  @inline(__always)
  var isPayment: Bool { related != Self.noPayment }

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

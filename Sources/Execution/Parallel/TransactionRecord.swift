import EVM

/// What is known of one transaction of a block while the block runs.
///
/// The worker that runs the transaction writes it, and after the phase `executed` the committer reads
/// it; the status orders the two. It has no meaning before the first incarnation.
struct TransactionRecord: BitwiseCopyable {
  // What the last incarnation found. The committer reads the first two cache lines of each.

  var gas = BlockGas()
  /// The most gas of each kind that it could have used: its gas limit, before Amsterdam.
  var mostGas: UInt64 = 0
  var mostStateGas: UInt64 = 0
  /// What it does to the coinbase's balance, modulo 2^256.
  var coinbaseChange = UInt256.zero
  /// How many changes of lifecycles there had been when it began.
  var lifecycleChanges: UInt64 = 0
  var blobs: UInt16 = 0
  /// The worker that filled in the outcome and the receipt last.
  var worker: UInt16 = 0
  /// Whether all before it were final when it began: then it is right.
  var ranLast = false
  /// Whether the outcome and the receipt are filled in.
  var hasOutcome = false
  /// Whether it reads what an earlier transaction nearby that calls the same contract wrote.
  var needsAlike = false
  /// Whether that one is one of the last few before it.
  var needsNeighbour = false
  /// Whether it relied on the coinbase's balance.
  var reliesOnCoinbase = false
  /// Why it is not valid.
  var refusal: TransactionError?
  /// Why it can not be executed.
  var fault: ExecutionStatus?

  /// The coinbase's balance that it read, when `readsCoinbase`.
  var coinbaseBalance = UInt256.zero
  /// The least balance of the coinbase that would do.
  var coinbaseFloor = UInt256.zero
  /// Whether the coinbase's balance decided something.
  var readsCoinbase = false
  /// What the block's access list wants to know, in the worker's slab.
  var notes: AccessNotes?
  /// The lifecycles that it saw, by number.
  var lifecycles: UnsafeMutablePointer<UInt32>?
  var lifecycleCount = 0

  // What it has published.

  var changes: UnsafeMutablePointer<UnsafeMutablePointer<Timeline>>?
  var changeCount = 0
  var changedAccounts: UnsafeMutablePointer<UnsafeMutablePointer<AccountCell>>?
  var changedAccountCount = 0
}

/// What the committer notes of a transaction that it has made final.
struct FinalRecord: BitwiseCopyable {
  /// The gas that it and all before it used.
  var cumulativeGas: UInt64
  /// The gas of the longest row of transactions, each of which waited for the one before, that ends
  /// with it.
  var rowGas: UInt64
}

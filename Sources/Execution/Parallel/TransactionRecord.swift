import EVM

/// What is known of one transaction of a block while the block runs.
///
/// The worker that runs the transaction writes it, and after the phase `executed` the committer reads
/// it; the status orders the two. It has no meaning before the first incarnation.
struct TransactionRecord: BitwiseCopyable {
  // What the last incarnation found.

  /// Whether all before it were final when it began: then it is right.
  var ranLast = false
  /// Whether the outcome and the receipt are filled in.
  var hasOutcome = false
  /// Why it is not valid.
  var refusal: TransactionError?
  /// Why it can not be executed.
  var fault: ExecutionStatus?
  var blobs: Int32 = 0
  var gasUsed: UInt64 = 0
  /// The gas that it and all before it used, once it is final.
  var cumulativeGas: UInt64 = 0
  var gasLimit: UInt64 = 0
  /// The gas of the longest row of transactions, each of which waited for the one before, that ends
  /// with it; the committer's.
  var rowGas: UInt64 = 0
  /// What it does to the coinbase's balance, modulo 2^256.
  var coinbaseChange = UInt256.zero
  /// The coinbase's balance that it read, when `readsCoinbase`.
  var coinbaseBalance = UInt256.zero
  /// The least balance of the coinbase that would do.
  var coinbaseFloor = UInt256.zero
  /// Whether the coinbase's balance decided something.
  var readsCoinbase = false
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
}

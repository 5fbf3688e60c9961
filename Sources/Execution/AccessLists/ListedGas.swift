import EVM

/// What a transaction of a listed block used, and could have used at most.
struct ListedGas {
  /// The run in which it was executed.
  var run: UInt64 = 0
  var gas = BlockGas()
  var most: UInt64 = 0
  var mostState: UInt64 = 0
  var blobs = 0

  init() {}

  init(
    _ message: TransactionMessage, _ result: TransactionResult, _ schedule: GasSchedule,
    blockGasLimit: UInt64, run: UInt64
  ) {
    self.run = run
    gas = BlockGas(result)
    blobs = message.blobHashes.count
    most = message.gasLimit
    if schedule.fork >= .amsterdam {
      let costs = IntrinsicGas(message, schedule, blockGasLimit: blockGasLimit)
      most = costs.mostRegular(of: message.gasLimit, schedule)
      mostState = costs.mostState(of: message.gasLimit, schedule)
    }
  }
}

/// Some transactions of a listed block that one worker runs one after the other, and what they used.
struct ListedPart {
  var gas = BlockGas()
  /// The most that one of them could have used.
  var most: UInt64 = 0
  var mostState: UInt64 = 0
  var blobs = 0
  /// How many they are.
  var count: Int32 = 0
  /// What was paid for by all before them.
  var paidBefore: UInt64 = 0

  /// Transactions of a part; the last one may have less.
  static let size = 16

  /// How many parts a block of so many transactions has.
  static func count(for transactions: Int) -> Int { (transactions + size - 1) / size }

  /// The transactions of a part.
  static func range(_ number: Int, of transactions: Int) -> Range<Int> {
    number * size..<min((number + 1) * size, transactions)
  }

  /// Counts one in.
  @inline(__always)
  mutating func add(_ used: ListedGas) {
    gas += used.gas
    most = max(most, used.most)
    mostState = max(mostState, used.mostState)
    blobs += used.blobs
    count += 1
  }
}

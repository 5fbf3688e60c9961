import EVM
import Ethereum
import Execution

/// The block around the transactions, as the transition tool's `env` has it: some fields as such,
/// or what of the parent they follow from.
struct TransitionEnvironment {
  /// A block that the coinbase is paid for including.
  struct Ommer {
    var delta: UInt64
    var address: Address
  }

  var coinbase: Address?
  var gasLimit: UInt64?
  var number: UInt64?
  var timestamp: UInt64?
  var difficulty: UInt256?
  var prevRandao: UInt256?
  var baseFeePerGas: UInt256?
  var excessBlobGas: UInt64?
  var parentDifficulty: UInt256?
  var parentTimestamp: UInt64?
  var parentOmmersHash: Hash256?
  var parentBaseFeePerGas: UInt256?
  var parentGasUsed: UInt64?
  var parentGasLimit: UInt64?
  var parentExcessBlobGas: UInt64?
  var parentBlobGasUsed: UInt64?
  var parentBeaconBlockRoot: Hash256?
  var slotNumber: UInt64?
  var blockHashes: [UInt64: Hash256] = [:]
  var ommers: [Ommer] = []
  var withdrawals: [Withdrawal]?

  init(from cursor: inout JSONCursor) throws(FormatError) {
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      if try cursor.skipNull() { continue }
      switch key {
      case "currentCoinbase": coinbase = try cursor.paddedAddress()
      case "currentGasLimit": gasLimit = try cursor.uint64()
      case "currentNumber": number = try cursor.uint64()
      case "currentTimestamp": timestamp = try cursor.uint64()
      case "currentDifficulty": difficulty = try cursor.uint256()
      case "currentRandom": prevRandao = try cursor.uint256()
      case "currentBaseFee": baseFeePerGas = try cursor.uint256()
      case "currentExcessBlobGas": excessBlobGas = try cursor.uint64()
      case "parentDifficulty": parentDifficulty = try cursor.uint256()
      case "parentTimestamp": parentTimestamp = try cursor.uint64()
      case "parentUncleHash": parentOmmersHash = try cursor.hash()
      case "parentBaseFee": parentBaseFeePerGas = try cursor.uint256()
      case "parentGasUsed": parentGasUsed = try cursor.uint64()
      case "parentGasLimit": parentGasLimit = try cursor.uint64()
      case "parentExcessBlobGas": parentExcessBlobGas = try cursor.uint64()
      case "parentBlobGasUsed": parentBlobGasUsed = try cursor.uint64()
      case "parentBeaconBlockRoot": parentBeaconBlockRoot = Hash256(try cursor.uint256())
      case "slotNumber": slotNumber = try cursor.uint64()
      case "blockHashes": blockHashes = try cursor.blockHashes()
      case "ommers":
        ommers = try cursor.array { (cursor) throws(FormatError) in try Ommer(from: &cursor) }
      case "withdrawals": withdrawals = try cursor.withdrawals()
      default: try cursor.skipValue()
      }
    }
    _ = try cursor.required(coinbase, "currentCoinbase")
    _ = try cursor.required(gasLimit, "currentGasLimit")
    _ = try cursor.required(number, "currentNumber")
    _ = try cursor.required(timestamp, "currentTimestamp")
  }
}

extension TransitionEnvironment.Ommer {
  fileprivate init(from cursor: inout JSONCursor) throws(FormatError) {
    var delta: UInt64?
    var address: Address?
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key {
      case "delta": delta = try cursor.uint64()
      case "address": address = try cursor.paddedAddress()
      default: try cursor.skipValue()
      }
    }
    self.delta = try cursor.required(delta, "delta")
    self.address = try cursor.required(address, "address")
  }
}

extension JSONCursor {
  /// An address with or without its `0x`.
  fileprivate mutating func paddedAddress() throws(FormatError) -> Address {
    let text = try string()
    guard let address = Address(text: text.rawBytes) ?? Address(digits: text.rawBytes) else {
      throw failure(
        .malformedHexadecimal, "an address should be 0x and 40 hexadecimal digits",
        at: offset(of: text))
    }
    return address
  }
}

extension TransitionEnvironment {
  /// The block under a fork's rules, without transactions. Fields that are not given are computed
  /// from the parent's; one that can not be is a configuration failure.
  func block(
    fork: Fork, chainID: UInt64, reward: Int64, schedule: BlobSchedule
  ) throws(ToolFailure) -> (block: PreparedBlock, derived: DerivedFields) {
    let number = number ?? 0
    let timestamp = timestamp ?? 0
    var derived = DerivedFields()
    var environment = BlockEnvironment(
      chainID: UInt256(chainID), number: number, timestamp: timestamp, gasLimit: gasLimit ?? 0,
      coinbase: coinbase ?? .zero)
    if fork >= .paris {
      guard let prevRandao else { throw missing("currentRandom", fork) }
      if let difficulty, !difficulty.isZero {
        throw ToolFailure(
          .configuration, "env: currentDifficulty must be zero or absent from Paris on")
      }
      environment.prevRandao = prevRandao
    } else {
      let difficulty = try difficulty(fork: fork)
      environment.prevRandao = difficulty
      derived.difficulty = difficulty
    }
    if fork >= .london {
      environment.baseFeePerGas = try baseFee(fork: fork)
      derived.baseFeePerGas = environment.baseFeePerGas
    }
    var block = PreparedBlock(fork: fork, environment: environment)
    block.blockHashes = blockHashes
    block.invalidTransactions = .reject
    if fork >= .shanghai {
      guard let withdrawals else { throw missing("withdrawals", fork) }
      block.withdrawals = withdrawals
    }
    if fork >= .cancun {
      guard let root = parentBeaconBlockRoot else { throw missing("parentBeaconBlockRoot", fork) }
      guard let parameters = schedule[fork] else {
        throw ToolFailure(.configuration, "no blob limits are known for \(fork.name)")
      }
      block.parentBeaconBlockRoot = root
      let excess =
        excessBlobGas
        ?? BlobGas.excess(
          parentExcess: parentExcessBlobGas ?? 0, parentUsed: parentBlobGasUsed ?? 0,
          parentBaseFee: parentBaseFeePerGas ?? .zero, parameters: parameters, fork: fork)
      derived.excessBlobGas = excess
      block.environment.blobBaseFee = BlobGas.baseFee(excess: excess, parameters: parameters)
      block.maxBlobs = Int(clamping: parameters.max)
    }
    if fork >= .amsterdam {
      guard let slotNumber else { throw missing("slotNumber", fork) }
      block.environment.slotNumber = slotNumber
      block.recordsAccessList = true
    }
    if fork >= .prague, number > 0 {
      guard let hash = blockHashes[number - 1] else {
        throw ToolFailure(
          .missingBlockHash, "env: blockHashes lacks the parent's hash, of block \(number - 1)")
      }
      block.parentHash = hash
    }
    if fork < .paris, reward >= 0 {
      block.reward = UInt256(UInt64(reward))
      block.ommers = ommers.map { ($0.address, $0.delta) }
    }
    return (block, derived)
  }

  private func missing(_ field: String, _ fork: Fork) -> ToolFailure {
    ToolFailure(.configuration, "env: \(fork.name) needs the field \(field)")
  }

  private func difficulty(fork: Fork) throws(ToolFailure) -> UInt256 {
    if let difficulty { return difficulty }
    guard let parentDifficulty, let parentTimestamp else {
      throw ToolFailure(
        .configuration,
        "env: \(fork.name) needs currentDifficulty, or parentDifficulty and parentTimestamp")
    }
    guard let timestamp, timestamp > parentTimestamp else {
      throw ToolFailure(.configuration, "env: currentTimestamp must be after parentTimestamp")
    }
    return Difficulty.next(
      fork: fork, number: number ?? 0, timestamp: timestamp, parentTimestamp: parentTimestamp,
      parentDifficulty: parentDifficulty,
      parentHasOmmers: parentOmmersHash.map {
        $0 != BlockHeader.emptyOmmersHash && $0 != .zero
      } ?? false)
  }

  private func baseFee(fork: Fork) throws(ToolFailure) -> UInt256 {
    if let baseFeePerGas { return baseFeePerGas }
    guard let parentBaseFeePerGas, let parentGasUsed, let parentGasLimit else {
      throw ToolFailure(
        .configuration,
        "env: \(fork.name) needs currentBaseFee, or parentBaseFee, parentGasUsed and "
          + "parentGasLimit")
    }
    return BaseFee.next(
      parentBaseFee: parentBaseFeePerGas, gasLimit: parentGasLimit, gasUsed: parentGasUsed)
  }
}

/// Header fields that the tool reports back, as given or as computed.
struct DerivedFields {
  var difficulty: UInt256?
  var baseFeePerGas: UInt256?
  var excessBlobGas: UInt64?
}

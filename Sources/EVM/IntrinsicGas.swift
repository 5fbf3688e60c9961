/// What a transaction costs before it runs, and at least.
public struct IntrinsicGas: BitwiseCopyable, Sendable {
  /// Gas charged before execution (yellow paper, section 6.2), without `state`.
  public let regular: Int64
  /// State gas charged before execution: for the account that a creation makes, and for those of
  /// authorisations and their delegations (EIP-8037); zero before Amsterdam.
  public let state: Int64
  /// The least gas that is paid for, by the data alone (EIP-7623); zero before Prague.
  public let floor: Int64

  /// The costs of a transaction under a schedule, in a block of so much gas (from Amsterdam on its
  /// limit decides what new state costs).
  @inline(__always)
  public init(_ transaction: TransactionMessage, _ schedule: GasSchedule, blockGasLimit: UInt64) {
    self.init(
      transaction, schedule,
      stateByteGas: StateGas.perByte(schedule.fork, gasLimit: blockGasLimit))
  }

  /// All gas charged before execution; `Int64.max` when it is no less.
  public var intrinsic: Int64 {
    let sum = regular.addingReportingOverflow(state)
    return sum.overflow ? Int64.max : sum.partialValue
  }

  /// The most of a gas limit, which covers these costs, that can count against the block's limit.
  @inline(__always)
  package func mostRegular(of gasLimit: UInt64, _ schedule: GasSchedule) -> UInt64 {
    schedule.fork < .amsterdam
      ? gasLimit : min(schedule.transactionGasLimit, gasLimit &- UInt64(bitPattern: state))
  }

  /// The most of a gas limit, which covers these costs, that can be spent on new state (EIP-8037).
  @inline(__always)
  package func mostState(of gasLimit: UInt64, _ schedule: GasSchedule) -> UInt64 {
    schedule.fork < .amsterdam ? 0 : gasLimit &- UInt64(bitPattern: regular)
  }

  @inline(__always)
  init(_ transaction: TransactionMessage, _ schedule: GasSchedule, stateByteGas: Int64) {
    let isCreation = transaction.recipient == nil
    let zeros = Int64(Self.zeroBytes(transaction.data))
    let count = Int64(transaction.data.count)
    let nonZeros = count &- zeros
    var gas =
      schedule.transaction &+ zeros &* schedule.dataZeroByte
      &+ nonZeros &* schedule.dataNonZeroByte
    if isCreation {
      gas &+= schedule.transactionCreate &+ (count &+ 31) / 32 &* schedule.initCodeWord
    }
    gas &+= Int64(transaction.accessList.count) &* schedule.accessListAddress
    gas &+= Int64(transaction.accessSlots.count) &* schedule.accessListSlot
    gas &+= Int64(transaction.authorizations.count) &* schedule.authorization
    regular = gas
    let stateBytes =
      Int64(transaction.authorizations.count) &* (StateGas.account &+ StateGas.delegation)
      &+ (isCreation ? StateGas.account : 0)
    let stateGas = stateBytes.multipliedReportingOverflow(by: stateByteGas)
    state = stateGas.overflow ? Int64.max : stateGas.partialValue
    // The tokens of EIP-7623: four for a byte that is not zero.
    floor =
      schedule.floorToken == 0
      ? 0
      : schedule.transaction
        &+ (zeros &* schedule.zeroByteTokens &+ nonZeros &* 4) &* schedule.floorToken
        &+ Int64(transaction.accessList.count) &* schedule.accessListAddressFloor
        &+ Int64(transaction.accessSlots.count) &* schedule.accessListSlotFloor
  }

  /// How many bytes are zero, counted eight at a time.
  @inline(__always)
  private static func zeroBytes(_ data: UnsafeBufferPointer<UInt8>) -> Int {
    guard let base = data.baseAddress else { return 0 }
    let raw = UnsafeRawPointer(base)
    let low: UInt64 = 0x7f7f_7f7f_7f7f_7f7f
    var zeros = 0
    var position = 0
    while data.count &- position >= 8 {
      let word = ByteWords.loadAnywhere(raw, position)
      // The top bit of each byte tells whether the byte is not zero; no carry leaves a byte.
      zeros &+= 8 &- ((((word & low) &+ low) | word) & ~low).nonzeroBitCount
      position &+= 8
    }
    while position < data.count {
      zeros &+= base[position] == 0 ? 1 : 0
      position &+= 1
    }
    return zeros
  }
}

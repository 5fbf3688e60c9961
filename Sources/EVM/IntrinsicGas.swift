/// What a transaction costs before it runs, and at least.
public struct IntrinsicGas: BitwiseCopyable, Sendable {
  /// Gas charged before execution (yellow paper, section 6.2).
  public let intrinsic: Int64
  /// The least gas that is paid for, by the data alone (EIP-7623); zero before Prague.
  public let floor: Int64

  /// The costs of a transaction under a schedule.
  public init(_ transaction: TransactionMessage, _ schedule: GasSchedule) {
    let isCreation = transaction.recipient == nil
    var zeros: Int64 = 0
    for byte in transaction.data where byte == 0 { zeros &+= 1 }
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
    intrinsic = gas
    // The tokens of EIP-7623: four for a byte that is not zero.
    floor =
      schedule.floorToken == 0
      ? 0 : schedule.transaction &+ (zeros &+ nonZeros &* 4) &* schedule.floorToken
  }
}

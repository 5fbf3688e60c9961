/// What a transaction costs before it runs, and at least.
public struct IntrinsicGas: BitwiseCopyable, Sendable {
  /// Gas charged before execution (yellow paper, section 6.2).
  public let intrinsic: Int64
  /// The least gas that is paid for, by the data alone (EIP-7623); zero before Prague.
  public let floor: Int64

  /// The costs of a transaction under a schedule.
  @inline(__always)
  public init(_ transaction: TransactionMessage, _ schedule: GasSchedule) {
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
    intrinsic = gas
    // The tokens of EIP-7623: four for a byte that is not zero.
    floor =
      schedule.floorToken == 0
      ? 0 : schedule.transaction &+ (zeros &+ nonZeros &* 4) &* schedule.floorToken
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
      let word = raw.loadUnaligned(fromByteOffset: position, as: UInt64.self)
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

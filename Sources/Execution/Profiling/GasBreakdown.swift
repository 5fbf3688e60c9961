public import EVM
public import Ethereum

/// What one transaction costs before it runs, by part, beside the profile of what ran.
public struct GasBreakdown {
  /// What every transaction costs.
  public var base: Int64
  /// What a creation costs more, initialisation code by the word too (EIP-3860).
  public var creation: Int64 = 0
  /// The data, by the byte.
  public var calldata: Int64
  /// Access list and authorisations.
  public var lists: Int64
  /// The least that is paid for, by the data alone (EIP-7623).
  public var floor: Int64

  /// The gas of `base` that is the signature's: the price of the precompile that checks one.
  public static let signature: Int64 = 3000

  /// The parts of a transaction.
  public init(_ transaction: Transaction, fork: Fork) {
    let schedule = GasSchedule(fork)
    let zeros = Int64(transaction.data.reduce(0) { $0 + ($1 == 0 ? 1 : 0) })
    let count = Int64(transaction.data.count)
    base = schedule.transaction
    calldata = zeros * schedule.dataZeroByte + (count - zeros) * schedule.dataNonZeroByte
    if transaction.createsContract {
      creation = schedule.transactionCreate + (count + 31) / 32 * schedule.initCodeWord
    }
    lists = Int64(transaction.authorizationList.count) * schedule.authorization
    for entry in transaction.accessList {
      lists += schedule.accessListAddress
      lists += Int64(entry.storageKeys.count) * schedule.accessListSlot
    }
    floor =
      schedule.floorToken == 0
      ? 0 : schedule.transaction + (zeros + (count - zeros) * 4) * schedule.floorToken
  }

  /// All of it but the floor.
  public var intrinsic: Int64 { base + creation + calldata + lists }

  /// Gas by the names that a test's `expect.breakdown` uses: `base` (a creation's too), `calldata`,
  /// `lists`, `execution`, an opcode or a family of them, `coldAccountAccess` (first accesses of
  /// accounts at their full price), and `other`: execution without what `names` has of it. `nil`
  /// for a name that is none of these.
  public func gas(
    named name: String, among names: some Collection<String>, profile: ExecutionProfile
  ) -> Int64? {
    switch name {
    case "base": base + creation
    case "calldata": calldata
    case "lists": lists
    case "execution": profile.total
    case "coldAccountAccess": profile.coldAccounts.gas
    case "other":
      names.reduce(profile.total) { rest, other in
        ["base", "calldata", "lists", "execution", "other"].contains(other)
          ? rest : rest - (gas(named: other, among: names, profile: profile) ?? 0)
      }
    default: profile.gas(named: name)
    }
  }
}

public import EVM
public import Ethereum

/// Where the gas of one transaction went.
public struct GasBreakdown {
  /// What every transaction costs, and a creation more.
  public var base: Int64
  /// The data, by the byte, and for a creation by the word too (EIP-3860).
  public var calldata: Int64
  /// Access list and authorisations.
  public var lists: Int64
  /// What ran.
  public var profile: GasProfile

  /// The parts of a transaction that `profile` has watched.
  public init(_ transaction: Transaction, fork: Fork, profile: GasProfile) {
    let schedule = GasSchedule(fork)
    let zeros = Int64(transaction.data.reduce(0) { $0 + ($1 == 0 ? 1 : 0) })
    let count = Int64(transaction.data.count)
    base = schedule.transaction
    calldata = zeros * schedule.dataZeroByte + (count - zeros) * schedule.dataNonZeroByte
    if transaction.createsContract {
      base += schedule.transactionCreate
      calldata += (count + 31) / 32 * schedule.initCodeWord
    }
    lists = Int64(transaction.authorizationList.count) * schedule.authorization
    for entry in transaction.accessList {
      lists += schedule.accessListAddress
      lists += Int64(entry.storageKeys.count) * schedule.accessListSlot
    }
    self.profile = profile
  }

  /// Gas by the names that a test's `expect.breakdown` uses: `base`, `calldata`, `lists`,
  /// `execution`, an opcode or a family of them, `coldAccountAccess` (first accesses of accounts at
  /// their full price), and `other`: execution without what `names` has of it. `nil` for a name that
  /// is none of these.
  public func gas(named name: String, among names: some Collection<String>) -> Int64? {
    switch name {
    case "base": base
    case "calldata": calldata
    case "lists": lists
    case "execution": profile.total
    case "coldAccountAccess": profile.coldAccounts.gas
    case "other":
      names.reduce(profile.total) { rest, other in
        ["base", "calldata", "lists", "execution", "other"].contains(other)
          ? rest : rest - (gas(named: other, among: names) ?? 0)
      }
    default: profile.gas(named: name)
    }
  }
}

import EVM
import Ethereum

/// Makes profiles of what a watched run recorded.
struct ProfileAssembly {
  private let profile: ExecutionProfile
  private let block: PreparedBlock
  private let outcome: BlockOutcome
  private let name: String
  private var entries: [ProfileEntries]
  private var children: [[Int]]
  /// The transactions' places among the calls, by index.
  private var transactions: [Int: Int] = [:]

  /// The buckets of the block that are no part of its execution.
  private static let stages: [ProfileBucket] = [
    .senderRecovery, .transactionRoot, .receiptRoot, .trieRoot,
  ]

  init(
    _ profile: ExecutionProfile, _ block: PreparedBlock, _ outcome: BlockOutcome, name: String
  ) {
    self.profile = profile
    self.block = block
    self.outcome = outcome
    self.name = name
    entries = profile.calls.map { ProfileEntries($0.entries) }
    children = Array(repeating: [], count: entries.count)
    for (place, call) in profile.calls.enumerated() where place > 0 {
      children[call.parent].append(place)
      if case .transaction(let index) = call.subject { transactions[index] = place }
    }
    entries[0][.profiler].nanoseconds += profile.recorder.pointee.clockNanoseconds
    entries[0][.profiler].count = 1
    foldSystemCalls()
    for executed in outcome.transactions { addIntrinsic(executed) }
  }

  /// A system call is one row: no transaction pays for it. Its units are its gas.
  private mutating func foldSystemCalls() {
    for place in children[0] {
      guard case .systemCall = profile.calls[place].subject else { continue }
      let all = sum(place)
      entries[place] = ProfileEntries()
      children[place] = []
      entries[place][.systemCall] = ProfileEntry(
        count: 1, units: Int(all.gas), nanoseconds: all.nanoseconds)
    }
  }

  /// Books what a transaction costs before it runs, and what no frame shows.
  private mutating func addIntrinsic(_ executed: TransactionOutcome) {
    guard let place = transactions[executed.index] else { return }
    let transaction = block.transactions[executed.index].transaction
    let parts = GasBreakdown(transaction, fork: block.fork)
    if executed.status == .addressCollision {
      // No frame began, and all gas is gone.
      let rest = Int64(clamping: transaction.gasLimit) - parts.intrinsic - sum(place).gas
      entries[place][.halt].gas += rest
      entries[place][.halt].count += 1
    }
    let before = parts.intrinsic + sum(place).gas - Int64(clamping: executed.gasRefunded)
    entries[place][.intrinsicSignature].add(
      ProfileEntry(count: 1, gas: GasBreakdown.signature))
    entries[place][.intrinsicBase].add(
      ProfileEntry(count: 1, gas: parts.base - GasBreakdown.signature))
    if parts.calldata > 0 {
      entries[place][.intrinsicCalldata].add(
        ProfileEntry(count: 1, units: transaction.data.count, gas: parts.calldata))
    }
    if parts.lists > 0 {
      entries[place][.intrinsicLists].add(ProfileEntry(count: 1, gas: parts.lists))
    }
    if parts.creation > 0 {
      entries[place][.create].add(ProfileEntry(count: 1, gas: parts.creation))
    }
    if parts.floor > before {
      entries[place][.calldataFloor].add(ProfileEntry(count: 1, gas: parts.floor - before))
    }
  }

  /// Takes from glue, and gives to the profiler, what the execution took longer than unwatched.
  mutating func moveOverhead(unwatched: UInt64) {
    let all = sum(0)
    let apart = Self.stages.reduce(all[.profiler].nanoseconds) { $0 + all[$1].nanoseconds }
    let execution = all.nanoseconds - apart
    let glue = all[.glue].nanoseconds
    guard glue > 0, execution > unwatched else { return }
    let share = min(1, Double(execution - unwatched) / Double(glue))
    for place in entries.indices {
      let moved = UInt64(Double(entries[place][.glue].nanoseconds) * share)
      entries[place][.glue].nanoseconds -= moved
      entries[place][.profiler].nanoseconds += moved
    }
  }

  func blockProfile() -> BlockProfile {
    BlockProfile(
      name: name, fork: block.fork, gasUsed: outcome.gasUsed,
      gasRefunded: outcome.transactions.reduce(0) { $0 + $1.gasRefunded }, rows: sum(0).rows,
      transactions: outcome.transactions.compactMap { transactionProfile($0) }, call: call(0),
      watchedNanoseconds: 0, repeats: 0, notes: [])
  }

  private func transactionProfile(_ executed: TransactionOutcome) -> TransactionProfile? {
    guard let place = transactions[executed.index] else { return nil }
    return TransactionProfile(
      index: executed.index, hash: block.transactions[executed.index].transaction.hash,
      status: executed.status, gasUsed: executed.gasUsed, gasRefunded: executed.gasRefunded,
      rows: sum(place).rows, call: call(place))
  }

  /// A call's entries with all below.
  private func sum(_ place: Int) -> ProfileEntries {
    children[place].reduce(into: entries[place]) { $0.add(sum($1)) }
  }

  private func call(_ place: Int) -> CallProfile {
    CallProfile(
      label: label(profile.calls[place].subject), rows: entries[place].rows,
      children: children[place].map { call($0) })
  }

  private func label(_ subject: ExecutionProfile.Call.Subject) -> String {
    switch subject {
    case .block: return name
    case .transaction(let index):
      return "transaction \(index) \(block.transactions[index].transaction.hash)"
    case .systemCall(let number): return "system call \(number)"
    case .code(let address, let selector, let isCreation):
      if isCreation { return "create \(address)" }
      guard let selector else { return "\(address)" }
      let digits = String(selector, radix: 16)
      return "\(address) 0x\(String(repeating: "0", count: 8 - digits.count))\(digits)"
    }
  }
}

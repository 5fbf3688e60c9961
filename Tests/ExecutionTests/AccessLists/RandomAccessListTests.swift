import EVM
import Ethereum
import Foundation
import Testing

@testable import Execution

/// Random blocks: every executor makes the same access list, gives the same on a list that is right,
/// and refuses one that is not.
@Suite(.serialized) struct RandomAccessListTests {
  /// Blocks: `NEEDLETAIL_SOAK`, else a share that fits into CI.
  private static var soak: UInt64 {
    ProcessInfo.processInfo.environment["NEEDLETAIL_SOAK"].flatMap { UInt64($0) } ?? 1500
  }

  private static func executor(_ threads: Int) -> ParallelExecutor {
    var options = ParallelExecutor.Options(threads: threads)
    options.isForced = true
    return ParallelExecutor(options)
  }

  /// A random block that records its list; two of three are of Amsterdam, with prices of state that
  /// its transactions can pay.
  private static func block(_ seed: UInt64) -> RandomBlock {
    var random = RandomBlock(seed: seed, largest: seed % 50 == 0 ? 1000 : 40)
    random.block.recordsAccessList = true
    if seed % 3 != 0 {
      random.block.fork = .amsterdam
      random.block.environment.slotNumber = seed
      if random.block.environment.gasLimit > 60_000_000 {
        random.block.environment.gasLimit = seed % 2 == 0 ? 30_000_000 : 60_000_000
      }
    }
    return random
  }

  @Test(arguments: [1, 2, 3, 8, 16])
  func everyExecutorMakesTheSameList(threads: Int) {
    let executor = Self.executor(threads)
    let serial = SerialExecutor()
    var items = 0
    for seed in 0..<Self.soak / 5 {
      let random = Self.block(seed &* 5 &+ UInt64(threads))
      executor.delays = seed % 2 == 0 ? nil : ScheduleDelays(seed: seed)
      let expected = random.run(serial)
      let got = random.run(executor)
      #expect(RandomBlock.difference(expected, got) == nil, "seed \(seed), \(threads) threads")
      #expect((expected.outcome == nil) == (expected.outcome?.accessList == nil))
      if let list = got.outcome?.accessList, let right = expected.outcome?.accessList {
        #expect(
          list == right,
          "seed \(seed): \(list.firstDifference(from: right)?.description ?? "order")")
        #expect((try? BlockAccessList(decoding: list.encoded)) == list)
        items += list.itemCount
      }
    }
    #expect(items > Int(Self.soak))
  }

  @Test(arguments: [1, 2, 3, 8, 16])
  func blocksRunOnTheirListsAndNoOthers(threads: Int) {
    let executor = Self.executor(threads)
    let serial = SerialExecutor()
    var listed = 0
    var refused = 0
    for seed in 0..<Self.soak / 5 {
      var random = Self.block(seed &* 5 &+ UInt64(threads) &+ 1_000_000)
      if seed % 2 == 0 { random.allocation = Self.withoutOldAccounts(random.allocation) }
      // Only what is valid, so that the block is.
      let rejected = Set(random.run(serial).outcome?.rejected.map(\.index) ?? [])
      random.block.transactions = random.block.transactions.enumerated()
        .filter { !rejected.contains($0.offset) }.map(\.element)
      let expected = random.run(serial)
      guard let outcome = expected.outcome, let list = outcome.accessList else { continue }
      random.block.accessList = list
      let got = random.run(executor)
      #expect(RandomBlock.difference(expected, got) == nil, "seed \(seed), \(threads) threads")
      #expect(got.outcome?.accessList == list)
      listed += executor.statistics.listedBlocks

      var numbers = WorkloadNumbers(seed: seed)
      guard let other = Self.tampered(list, &numbers) else { continue }
      random.block.accessList = other
      let reason = random.run(executor).error
      #expect(reason?.hasPrefix("blockAccessList") == true, "seed \(seed): accepted")
      #expect(random.run(serial).error?.hasPrefix("blockAccessList") == true)
      refused += 1
    }
    print("\(threads) threads: \(listed) blocks ran on their lists, \(refused) lists were refused")
    #expect(listed > Int(Self.soak / 40))
    #expect(refused > Int(Self.soak / 40))
  }

  /// Without accounts from before EIP-161 and EIP-7610, which keep a block from running on its list.
  private static func withoutOldAccounts(_ allocation: Allocation) -> Allocation {
    Allocation(
      allocation.accounts.filter { _, account in
        account.nonce != 0 || !account.code.isEmpty
          || (!account.balance.isZero && account.storage.isEmpty)
      })
  }

  /// The list with one thing changed; `nil` where that is none that could come with a block.
  private static func tampered(_ list: BlockAccessList, _ numbers: inout WorkloadNumbers)
    -> BlockAccessList?
  {
    var accounts = list.accountChanges
    if accounts.isEmpty { return nil }
    func pick(_ count: Int) -> Int { Int(numbers.next() % UInt64(max(count, 1))) }
    let place = pick(accounts.count)
    var account = accounts[place]
    switch pick(9) {
    case 0:
      accounts.remove(at: place)
      return BlockAccessList(accounts)
    case 1:
      accounts.insert(.init(Address(account.address.word &+ 1)), at: place + 1)
    case 2 where !account.balanceChanges.isEmpty:
      let change = pick(account.balanceChanges.count)
      account.balanceChanges[change].value = account.balanceChanges[change].value &+ 1
      accounts[place] = account
    case 3 where !account.balanceChanges.isEmpty:
      account.balanceChanges.remove(at: pick(account.balanceChanges.count))
      accounts[place] = account
    case 4 where !account.nonceChanges.isEmpty:
      account.nonceChanges[pick(account.nonceChanges.count)].nonce &+= 1
      accounts[place] = account
    case 5 where !account.storageChanges.isEmpty:
      let slot = pick(account.storageChanges.count)
      let change = pick(account.storageChanges[slot].changes.count)
      account.storageChanges[slot].changes[change].value =
        account.storageChanges[slot].changes[change].value &+ 1
      accounts[place] = account
    case 6 where !account.storageChanges.isEmpty:
      let slot = pick(account.storageChanges.count)
      account.storageChanges[slot].changes[0].index &+= 1
      accounts[place] = account
    case 7 where !account.storageReads.isEmpty:
      account.storageReads.removeFirst()
      accounts[place] = account
    case 8:
      account.storageReads.append(UInt256(1) << 250)
      accounts[place] = account
    default: return nil
    }
    let other = BlockAccessList(accounts)
    return (try? BlockAccessList(decoding: other.encoded)) == other && other != list ? other : nil
  }
}

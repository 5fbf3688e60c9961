import EVM
import Ethereum
import Testing

@testable import Execution

/// An allocation that is read account by account.
private final class AllocationSource: StateSource {
  let allocation: Allocation

  init(_ allocation: Allocation) { self.allocation = allocation }

  func account(_ address: Address) -> SourceAccount? {
    allocation.accounts[address].map {
      SourceAccount(
        nonce: $0.nonce, balance: $0.balance, codeHash: $0.codeHash,
        hasStorage: $0.storage.values.contains { !$0.isZero })
    }
  }

  func slot(_ key: UInt256, of address: Address) -> UInt256 {
    allocation.accounts[address]?.storage[key] ?? .zero
  }

  func code(_ hash: Hash256) -> [UInt8] {
    allocation.accounts.values.first { $0.codeHash == hash }?.code ?? []
  }

  func stateRoot(after delta: StateDelta) -> Hash256 { after(delta).stateRoot }

  /// The allocation with changes.
  func after(_ delta: StateDelta) -> Allocation {
    var accounts = allocation.accounts
    for change in delta.accounts {
      guard let after = change.after else {
        accounts[change.address] = nil
        continue
      }
      var account = accounts[change.address] ?? Allocation.Account()
      account.nonce = after.nonce
      account.balance = after.balance
      if after.codeHash != account.codeHash {
        account.code =
          delta.codes.first { $0.hash == after.codeHash }?.bytes ?? code(after.codeHash)
      }
      if change.wipesStorage { account.storage = [:] }
      for slot in delta.slots[change.slots] {
        account.storage[slot.key] = slot.after.isZero ? nil : slot.after
      }
      accounts[change.address] = account
    }
    return Allocation(accounts)
  }
}

@Suite(.serialized) struct PagedStateTests {
  private func run(_ random: RandomBlock, _ executor: any BlockExecutor) -> RandomBlock.Result {
    var executor = executor
    let source = AllocationSource(random.allocation)
    var state = WorldState(source: source, codes: CodeStore())
    do throws(ExecutionError) {
      let outcome = try executor.execute(random.block, on: &state)
      return RandomBlock.Result(outcome: outcome, allocation: source.after(state.delta))
    } catch {
      return RandomBlock.Result(error: "\(error)")
    }
  }

  /// A state that is read account by account, by several threads, is what it is in memory.
  @Test(arguments: [2, 5])
  func blocksOnASourceGiveWhatTheyGiveInMemory(threads: Int) {
    var options = ParallelExecutor.Options(threads: threads)
    options.isForced = true
    let parallel = ParallelExecutor(options)
    let serial = SerialExecutor()
    for seed in UInt64(0)..<300 {
      let random = RandomBlock(seed: seed &* 7 &+ UInt64(threads))
      let expected = random.run(serial)
      parallel.delays = seed % 2 == 0 ? nil : ScheduleDelays(seed: seed)
      for (name, executor) in [("serial", serial as any BlockExecutor), ("parallel", parallel)] {
        let difference = RandomBlock.difference(expected, run(random, executor))
        #expect(difference == nil, "seed \(seed), \(name): \(difference ?? "")")
        if difference != nil { return }
      }
    }
    #expect(parallel.totals.executions > 0)
  }
}

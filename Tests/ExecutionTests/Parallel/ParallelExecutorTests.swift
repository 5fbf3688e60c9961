import EVM
import Ethereum
import Foundation
import Testing

@testable import Execution

/// The parallel executor gives what the serial one gives, whatever the schedule.
@Suite(.serialized) struct ParallelExecutorTests {
  private static func executor(_ threads: Int, seed: UInt64? = nil) -> ParallelExecutor {
    var options = ParallelExecutor.Options(threads: threads)
    options.isForced = true
    let executor = ParallelExecutor(options)
    executor.delays = seed.map { ScheduleDelays(seed: $0) }
    return executor
  }

  /// Blocks of a soak run: `NEEDLETAIL_SOAK`, else a share that fits into CI.
  private static var soak: UInt64 {
    ProcessInfo.processInfo.environment["NEEDLETAIL_SOAK"].flatMap { UInt64($0) } ?? 1500
  }

  @Test(arguments: [1, 2, 3, 8, 16])
  func randomBlocksGiveWhatTheSerialExecutorGives(threads: Int) {
    let executor = Self.executor(threads)
    let serial = SerialExecutor()
    let first = ProcessInfo.processInfo.environment["NEEDLETAIL_SEED"].flatMap { UInt64($0) } ?? 1
    for seed in first..<first + Self.soak / 5 {
      let random = RandomBlock(
        seed: seed &* 5 &+ UInt64(threads), largest: seed % 50 == 0 ? 2000 : 60)
      executor.delays = seed % 2 == 0 ? nil : ScheduleDelays(seed: seed)
      let expected = random.run(serial)
      guard let difference = RandomBlock.difference(expected, random.run(executor)) else {
        continue
      }
      let smallest = random.shrunk { candidate in
        let expected = candidate.run(serial)
        return (0..<20).contains { _ in
          RandomBlock.difference(expected, candidate.run(executor)) != nil
        }
      }
      Issue.record(
        "seed \(seed), \(threads) threads: \(difference)\nsmallest block:\n\(smallest.description)")
      return
    }
    #expect(executor.totals.executions > 0)
    // Every other seed of pauses ends parallel runs.
    #expect(executor.totals.serialTransactions > 0)
    print(
      "\(threads) threads: \(executor.totals.transactions) transactions, "
        + "\(executor.totals.executions) executions, \(executor.totals.waits) waits")
  }

  /// Each rule is needed: without it some block comes out differently.
  @Test(arguments: ExactnessRules.named.map(\.name))
  func eachRuleIsNeeded(name: String) {
    let rule = ExactnessRules.named.first { $0.name == name }!.rule
    let executor = Self.executor(4, seed: 1)
    executor.rules.remove(rule)
    let serial = SerialExecutor()
    for seed in UInt64(0)..<4000 {
      let random = RandomBlock(seed: seed)
      executor.delays = ScheduleDelays(seed: seed)
      executor.delays?.oneIn = 2
      if RandomBlock.difference(random.run(serial), random.run(executor)) != nil {
        print("without \(name): block \(seed) differs")
        return
      }
    }
    Issue.record("nothing differs without the rule \(name)")
  }

  /// The blocks have what they are meant to have: most transactions succeed, some fail, some are
  /// not valid, and contracts come and go.
  @Test func randomBlocksAreVaried() {
    var statuses: [ExecutionStatus: Int] = [:]
    var rejections: Set<TransactionError> = []
    var children = 0
    for seed in UInt64(0)..<300 {
      let result = RandomBlock(seed: seed).run(SerialExecutor())
      for transaction in result.outcome?.transactions ?? [] {
        statuses[transaction.status, default: 0] += 1
      }
      rejections.formUnion(result.outcome?.rejected.map(\.error) ?? [])
      if result.allocation?.accounts[RandomBlock.child(salt: 1)]?.code == RandomBlock.Contract.child
      {
        children += 1
      }
    }
    print("statuses \(statuses), rejections \(rejections), children \(children)")
    for status in [ExecutionStatus.stopped, .outOfGas, .reverted, .selfDestructed] {
      #expect(statuses[status, default: 0] > 50, "\(status)")
    }
    for error in [
      TransactionError.insufficientFunds, .nonceTooHigh, .gasAllowanceExceeded,
      .blobAllowanceExceeded,
    ] {
      #expect(rejections.contains(error), "\(error)")
    }
    #expect(children > 5)
  }

  @Test func smallBlocksAndWatchedOnesRunOneAfterTheOther() throws {
    var random = RandomBlock(seed: 11)
    random.block.transactions = Array(random.block.transactions.prefix(3))
    let executor = ParallelExecutor(ParallelExecutor.Options(threads: 4))
    _ = random.run(executor)
    #expect(executor.statistics.serialBlocks == [.small: 1])
    #expect(executor.statistics.executions == 0)
  }

  /// Transactions of one sender, or on one slot, are found to gain nothing.
  @Test func dependentBlocksEndUpSerial() throws {
    let chain = TransactionWorkload.transfers(people: 1, rounds: 500)
    var state = WorldState(chain.allocation)
    let executor = ParallelExecutor(ParallelExecutor.Options(threads: 4))
    let outcome = try executor.execute(chain.block, on: &state)
    #expect(chain.failures(outcome, state) == [])
    #expect(executor.statistics.serialTransactions >= 250)
    #expect(executor.statistics.waste < 0.5)
  }

  /// Long transactions begin before all others, also where the rest of the block ends up serial.
  @Test func longTransactionsMayBeginFirst() {
    let executor = ParallelExecutor(ParallelExecutor.Options(threads: 4))
    let serial = SerialExecutor()
    var seed: UInt64 = 0
    var endedSerial = 0
    for _ in 0..<12 {
      var random: RandomBlock
      repeat {
        seed += 1
        random = RandomBlock(seed: seed, largest: 2000)
      } while random.block.transactions.count < 300
      let count = random.block.transactions.count
      for place in [count / 3, min(count, 512) - 1] {
        random.block.transactions[place].transaction.gasLimit = 1 << 34
      }
      executor.delays = seed % 2 == 0 ? nil : ScheduleDelays(seed: seed)
      let difference = RandomBlock.difference(random.run(serial), random.run(executor))
      #expect(difference == nil, "seed \(seed)")
      let statistics = executor.statistics
      if statistics.executions > 0 && statistics.serialTransactions > 0 { endedSerial += 1 }
    }
    #expect(endedSerial > 0)
  }
}

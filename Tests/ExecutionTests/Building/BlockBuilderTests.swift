import EVM
import Ethereum
import Testing

@testable import Execution

/// The builder keeps the limits and the order of nonces, and what it says can run at once can.
@Suite struct BlockBuilderTests {
  private static let foresights: [AccessPredictor.Foresight] = [.execution, .templates]

  /// The transactions of random blocks as candidates, shuffled.
  private static func candidates(_ random: RandomBlock) -> [BlockBuilder.Candidate] {
    var numbers = WorkloadNumbers(seed: UInt64(random.block.transactions.count))
    var candidates = random.block.transactions.map {
      BlockBuilder.Candidate($0, bytes: 100 + $0.transaction.data.count)
    }
    for index in candidates.indices.reversed() {
      candidates.swapAt(index, numbers.below(index + 1))
    }
    return candidates
  }

  private static func plan(
    _ random: RandomBlock, _ limits: BlockBuilder.Limits, _ foresight: AccessPredictor.Foresight
  ) -> BlockBuilder.Plan {
    var builder = BlockBuilder(threads: 2, foresight: foresight)
    let state = WorldState(random.allocation)
    // Twice: templates are learned in the first.
    _ = builder.plan(candidates(random), for: random.block, on: state, limits: limits)
    return builder.plan(candidates(random), for: random.block, on: state, limits: limits)
  }

  @Test(arguments: foresights)
  func keepsLimitsAndNonces(_ foresight: AccessPredictor.Foresight) {
    for seed in UInt64(0)..<150 {
      let random = RandomBlock(seed: seed)
      let candidates = Self.candidates(random)
      let limits = BlockBuilder.Limits(
        gas: 300_000 + seed * 10_000, bytes: 2000 + Int(seed) * 20, blobs: 3, transactions: 25)
      let plan = Self.plan(random, limits, foresight)
      #expect(plan.gas <= limits.gas, "seed \(seed)")
      #expect(plan.chosen.reduce(0) { $0 + candidates[$1].bytes } <= limits.bytes)
      #expect(
        plan.transactions.reduce(0) { $0 + $1.transaction.blobVersionedHashes.count }
          <= limits.blobs)
      #expect(plan.transactions.count <= limits.transactions)
      // Every candidate is somewhere, once.
      let all = plan.chosen + plan.left + plan.refused.map(\.candidate)
      #expect(all.sorted() == Array(candidates.indices), "seed \(seed)")
      var nonces: [Address: UInt64] = [:]
      for prepared in plan.transactions {
        let expected =
          nonces[prepared.sender] ?? random.allocation.accounts[prepared.sender]?.nonce ?? 0
        #expect(prepared.transaction.nonce == expected, "seed \(seed)")
        nonces[prepared.sender] = expected + 1
      }
      // The sets are the block, in order.
      #expect(plan.schedule.sets.flatMap { Array($0) } == Array(plan.transactions.indices))
    }
  }

  @Test func takesTheBestPayingFirst() {
    let workload = TransactionWorkload.transfers(people: 8)
    var candidates = workload.block.transactions.map { BlockBuilder.Candidate($0, bytes: 100) }
    for index in candidates.indices {
      candidates[index].transaction.transaction.gasPrice = UInt256(UInt64(100 + index % 4))
    }
    var builder = BlockBuilder()
    let plan = builder.plan(
      candidates, for: workload.block, on: WorldState(workload.allocation),
      limits: BlockBuilder.Limits(gas: 4 * 21_000))
    #expect(Set(plan.chosen) == [2, 3, 6, 7])
    #expect(plan.left == [0, 1, 4, 5])
  }

  @Test func refusesWhatIsNotValidAndKeepsWhatWaits() {
    let workload = TransactionWorkload.transfers(people: 3)
    var candidates = workload.block.transactions.map { BlockBuilder.Candidate($0, bytes: 100) }
    candidates[0].transaction.transaction.value = UInt256.max
    candidates[1].transaction.transaction.nonce = 5
    var builder = BlockBuilder()
    let plan = builder.plan(
      candidates, for: workload.block, on: WorldState(workload.allocation),
      limits: BlockBuilder.Limits(gas: 1_000_000))
    #expect(plan.chosen == [2])
    #expect(plan.left == [1])
    #expect(plan.refused.map(\.candidate) == [0])
    #expect(plan.refused.first?.error == .insufficientFunds)
  }

  /// Serial and parallel executors come to the same; nothing foreseen rightly is rejected.
  @Test(arguments: foresights)
  func anyExecutorReplaysAPlan(_ foresight: AccessPredictor.Foresight) {
    var options = ParallelExecutor.Options(threads: 4)
    options.isForced = true
    let parallel = ParallelExecutor(options)
    let serial = SerialExecutor()
    for seed in UInt64(0)..<200 {
      var random = RandomBlock(seed: seed)
      let plan = Self.plan(random, BlockBuilder.Limits(gas: 20_000_000, blobs: 6), foresight)
      random.block.transactions = plan.transactions
      random.block.invalidTransactions = .reject
      parallel.delays = ScheduleDelays(seed: seed)
      #expect(
        RandomBlock.difference(random.run(serial), random.run(parallel)) == nil, "seed \(seed)")
    }
  }

  /// What transactions really used, one after the other; an invalid one used what it was refused for.
  private static func executed(_ random: RandomBlock) -> [AccessSet] {
    let machine = HeadMachine()
    let serial = SerialExecutor()
    var state = WorldState(random.allocation)
    return random.block.transactions.map { transaction in
      machine.begin(random.block, state)
      let accesses = AccessSet(machine.execute(transaction).accesses)
      var one = random.block
      one.transactions = [transaction]
      one.withdrawals = []
      one.invalidTransactions = .reject
      _ = try? serial.execute(one, on: &state)
      return accesses
    }
  }

  /// A range of the schedule, executed in any order, comes to the same state.
  @Test func rangesOfAScheduleRunInAnyOrder() {
    var widest = 0
    for seed in UInt64(0)..<150 {
      var random = RandomBlock(seed: seed)
      random.block.environment.gasLimit = 1 << 40
      random.block.maxBlobs = 1000
      random.block.invalidTransactions = .reject
      random.block.withdrawals = []
      let schedule = BlockSchedule(of: Self.executed(random))
      #expect(schedule.sets.flatMap { Array($0) } == Array(random.block.transactions.indices))
      var turned = random
      turned.block.transactions = schedule.sets.flatMap { range in
        random.block.transactions[range].reversed()
      }
      widest = max(widest, schedule.sets.map(\.count).max() ?? 0)
      let (a, b) = (random.run(SerialExecutor()), turned.run(SerialExecutor()))
      #expect(a.allocation == b.allocation, "seed \(seed)")
      #expect(
        a.outcome?.transactions.map(\.gasUsed).reduce(0, +)
          == b.outcome?.transactions.map(\.gasUsed).reduce(0, +))
    }
    #expect(widest > 4)
  }

  /// Swaps in pools that come one pool after the other are dealt out: what is foreseen to run at once is
  /// free of conflicts when it is executed.
  @Test func plansOfKnownContractsAreFreeOfConflicts() {
    let workload = TransactionWorkload.transfers(people: 40, rounds: 3)
    let random = RandomBlock(block: workload.block, allocation: workload.allocation)
    var builder = BlockBuilder()
    let plan = builder.plan(
      Self.candidates(random), for: random.block, on: WorldState(random.allocation),
      limits: BlockBuilder.Limits(gas: 1 << 40))
    var built = random
    built.block.transactions = plan.transactions
    let used = Self.executed(built)
    for range in plan.schedule.sets {
      for a in range {
        for b in range where a < b { #expect(!used[a].conflicts(with: used[b]), "\(a), \(b)") }
      }
    }
    #expect(plan.transactions.count == 120)
    #expect(plan.schedule.meanWidth > 10)
  }

  @Test func templatesForeseeWhatExecutionShows() {
    let code = RandomBlock.Contract.bump.code
    let contract = Address(number: 0xc0de)
    var block = TransactionWorkload.block()
    var allocation = Allocation([contract: .init(nonce: 1, code: code)])
    let senders = (0..<4).map { Address(number: UInt64(0x100 + $0)) }
    for sender in senders { allocation.accounts[sender] = .init(balance: UInt256(1) << 80) }
    block.transactions = senders.map {
      TransactionWorkload.transaction(
        $0, 0, contract, [1, 2, 3, 4] + [UInt8](repeating: 0, count: 28))
    }
    let state = WorldState(allocation)
    let executing = AccessPredictor(threads: 1, foresight: .execution)
    let learning = AccessPredictor(threads: 1, foresight: .templates)
    _ = learning.predict([block.transactions[0]], for: block, on: state)
    let expected = executing.predict(block.transactions, for: block, on: state)
    let got = learning.predict(block.transactions, for: block, on: state)
    #expect(got.map(\.accesses) == expected.map(\.accesses))
    #expect(got.map(\.gasUsed) == expected.map(\.gasUsed))
  }
}

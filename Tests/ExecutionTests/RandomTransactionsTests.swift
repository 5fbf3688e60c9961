import EVM
import Ethereum
import Testing

@testable import Execution

/// The generator makes what it says.
@Suite struct RandomTransactionsTests {
  @Test func aSeedGivesTheSameEveryTime() {
    for seed in [UInt64(0), 3, 77, .max] {
      let (one, other) = (RandomTransactions(seed: seed), RandomTransactions(seed: seed))
      #expect(one.allocation == other.allocation)
      for (a, b) in zip(one.block.transactions, other.block.transactions) {
        #expect(a.transaction == b.transaction)
        #expect(a.sender == b.sender)
        #expect(a.authorities == b.authorities)
      }
      #expect(one.block.blockHashes == other.block.blockHashes)
      #expect(one.allocation != RandomTransactions(seed: seed &+ 25).allocation)
    }
  }

  @Test func allForksTakeTurns() {
    let forks = (0..<UInt64(Fork.allCases.count)).map { RandomTransactions(seed: 100 + $0).fork }
    #expect(Set(forks).count == Fork.allCases.count)
  }

  /// Runs a precompile with an input and all the gas that it may want.
  private func succeeds(_ precompile: UInt64, _ input: [UInt8]) throws -> (Bool, Int) {
    let (sender, target) = (Address(number: 0xaaaa), Address(number: precompile))
    var state = WorldState(Allocation([sender: .init(balance: UInt256(0, 1, 0, 0))]))
    var block = PreparedBlock(fork: .osaka, environment: BlockEnvironment())
    block.callsSystemContracts = false
    block.transactions = [
      PreparedTransaction(
        Transaction(gasLimit: 10_000_000, to: target, data: input), sender: sender)
    ]
    let outcome = try SerialExecutor().execute(block, on: &state).transactions[0]
    return (outcome.status == .returned, outcome.output.count)
  }

  @Test(arguments: PrecompileInputs.numbers)
  func precompilesAcceptTheirInputs(_ number: UInt64) throws {
    var numbers = WorkloadNumbers(seed: 5)
    for _ in 0..<4 {
      let (isDone, count) = try succeeds(number, PrecompileInputs.valid(number, &numbers))
      #expect(isDone)
      // ECRECOVER and P256VERIFY give nothing for what is wrong.
      if number == 1 || number == 0x100 { #expect(count == 32) }
    }
  }

  /// Not only garbage, and everything: all ways to end, all ways to be invalid that a generator can
  /// mean, nested creations, refunds, logs, and code of all opcodes.
  @Test func theMixHasEverything() throws {
    var statuses: [ExecutionStatus: Int] = [:]
    var errors: Set<TransactionError> = []
    var (refunds, logs, creations, count) = (0, 0, 0, 0)
    let profile = ExecutionProfile()
    for seed in UInt64(0)..<1500 {
      let world = RandomTransactions(seed: seed)
      let state = WorldState(world.allocation, codes: CodeStore(translation: .never))
      let executor = SerialExecutor()
      if seed % 7 == 0 { executor.tracer = profile }
      for transaction in world.block.transactions {
        var block = world.block
        block.transactions = [transaction]
        var after = state
        let outcome = try executor.execute(block, on: &after)
        count += 1
        for rejected in outcome.rejected { errors.insert(rejected.error) }
        guard let result = outcome.transactions.first else { continue }
        statuses[result.status, default: 0] += 1
        refunds += result.gasRefunded > 0 ? 1 : 0
        logs += outcome.receipts[0].logs.isEmpty ? 0 : 1
        creations += after.accounts.count > state.accounts.count + 2 ? 1 : 0
      }
    }
    let succeeded = statuses.filter(\.key.isSuccess).values.reduce(0, +)
    #expect(succeeded * 10 > count * 3)
    #expect(succeeded * 10 < count * 8)
    for status in [
      ExecutionStatus.stopped, .returned, .selfDestructed, .reverted, .outOfGas, .stackUnderflow,
      .stackOverflow, .invalidJump, .undefinedOpcode, .returnDataOutOfBounds, .precompileFailure,
    ] {
      #expect(statuses[status, default: 0] > 0, "\(status)")
    }
    #expect(refunds * 50 > count && logs * 50 > count && creations * 100 > count)
    // 48 KB of initialisation code are more than a generator needs.
    for error in TransactionError.allCases where error != .initCodeTooLarge {
      #expect(errors.contains(error), "\(error)")
    }
    for byte in UInt8.min ... .max {
      guard let row = OpcodeTable.row(byte), byte != 0xfe else { continue }
      // The generator needs few of the numbered ones, and none of the experimental fork's.
      if byte > 0x60 && byte < 0xa0 || row.since >= .amsterdam { continue }
      #expect(profile.opcodes[Int(byte)].count > 0, "\(row.name)")
    }
    #expect(profile.precompiles.count > 0)
  }
}

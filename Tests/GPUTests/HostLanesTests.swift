import EVM
import Ethereum
import Execution
import Foundation
import Kernels
import TestSupport
import Testing

@testable import GPU

/// Batches on the lanes of the host, beside the serial executor.
@Suite struct HostLanesTests {
  private static func code(_ name: String) throws -> [UInt8] {
    let text = try String(
      contentsOf: Fixtures.folder.appendingPathComponent("contracts/\(name).hex"),
      encoding: .utf8)
    return try #require(
      Hexadecimal.bytes(unprefixed: text.trimmingCharacters(in: .whitespacesAndNewlines)))
  }

  private static func batch(_ workload: TransactionWorkload) -> TransactionBatch {
    var batch = TransactionBatch()
    let environment = batch.append(workload.block.environment)
    for transaction in workload.block.transactions {
      transaction.withMessage { batch.append($0, environment: environment) }
    }
    return batch
  }

  static func run(
    _ batch: TransactionBatch, on image: StateImage, only: [UInt32]? = nil, threads: Int = 1,
    selection: RecordSelection = RandomBatch.selection
  ) -> BatchOutcome {
    var outcome = BatchOutcome(count: batch.count)
    batch.withColumns { columns in
      HostLanes(image, threads: threads).execute(columns, only: only, selection: selection) {
        outcome.take($0)
      }
    }
    return outcome
  }

  /// Each transaction on the state before all of them, and then as the workload says it must be.
  private func check(_ workload: TransactionWorkload, translation: CodeStore.Translation) throws {
    let image = StateImage([workload.allocation], fork: .osaka, translation: translation)
    let outcome = Self.run(Self.batch(workload), on: image)
    let before = WorldState(workload.allocation)
    for index in workload.block.transactions.indices {
      var block = workload.block
      block.transactions = [block.transactions[index]]
      var (expected, got) = (before, before)
      let serial = try SerialExecutor().execute(block, on: &expected)
      let row = outcome.outcomes[index]
      let records = outcome.records(index)
      #expect(row.state == .done)
      #expect(row.error == Kernels.TransactionOutcome.valid)
      #expect(row.status == serial.transactions[0].status)
      #expect(row.gasUsed == serial.transactions[0].gasUsed)
      #expect(row.gasRefunded == serial.transactions[0].gasRefunded)
      #expect(records.output == serial.transactions[0].output)
      #expect(records.output == workload.expected[index].output)
      #expect(records.logs == serial.receipts[0].logs)
      records.apply(to: &got, fork: .osaka)
      #expect(got.stateRoot() == expected.stateRoot())
      #expect(got.stateRoot() != before.allocation.stateRoot)
    }
  }

  @Test(
    .enabled(if: Fixtures.has("contracts/ERC20Token.hex"), Fixtures.missing),
    arguments: [CodeStore.Translation.always, .never])
  func tokenTransfers(translation: CodeStore.Translation) throws {
    try check(
      .tokenTransfers(code: try Self.code("ERC20Token"), people: 20), translation: translation)
  }

  @Test(
    .enabled(if: Fixtures.has("contracts/SwapRouter.hex"), Fixtures.missing),
    arguments: [CodeStore.Translation.always, .never])
  func swaps(translation: CodeStore.Translation) throws {
    let contracts = SwapContracts(
      token: try Self.code("ERC20Token"), wrappedEther: try Self.code("WETH9"),
      factory: try Self.code("UniswapV3Factory"), pool: try Self.code("UniswapV3Pool"),
      router: try Self.code("SwapRouter"), singleSwap: try Self.code("SingleSwap"))
    try check(
      .swaps(contracts, clusters: 2, people: 3, rounds: 1), translation: translation)
  }

  @Test(arguments: [CodeStore.Translation.always, .never])
  func signatures(translation: CodeStore.Translation) throws {
    let workload = TransactionWorkload.signatures(people: 20)
    try check(workload, translation: translation)
    var state = WorldState(workload.allocation)
    let outcome = try SerialExecutor().execute(workload.block, on: &state)
    #expect(workload.failures(outcome, state) == [])
  }

  // MARK: Random transactions

  /// All forks, all types, everything that records hold: the serial executor gives the same, and so
  /// does the state afterwards. The same run, larger: `needletail devices check`.
  @Test(arguments: Fork.allCases.indices) func randomTransactionsAreAsInSerial(fork: Int) {
    let seeds = (0..<16).map { UInt64(fork + $0 * Fork.allCases.count) }
    let batch = RandomBatch(seeds: seeds)
    #expect(batch.fork == Fork.allCases[fork])
    let outcome = Self.run(batch.batch, on: batch.image)
    let found = batch.mismatchesWithSerial(outcome)
    #expect(found.isEmpty, "\(found.prefix(3))")
  }

  /// However many threads share the work, and whatever part of it they take at once.
  @Test func threadsGiveTheSame() {
    // More transactions than a thread takes at a time.
    let batch = RandomBatch(seeds: (0..<600).map { 17 + $0 * UInt64(Fork.allCases.count) })
    let one = Self.run(batch.batch, on: batch.image)
    for threads in [2, 5] {
      let other = Self.run(batch.batch, on: batch.image, threads: threads)
      #expect(batch.mismatches(one, other).isEmpty)
    }
  }

  @Test func onlySomeRowsAreRun() {
    let batch = RandomBatch(seeds: [17, 17 + UInt64(Fork.allCases.count)])
    let all = Self.run(batch.batch, on: batch.image)
    let some = Self.run(batch.batch, on: batch.image, only: [11, 2, 7])
    for index in 0..<batch.batch.count {
      #expect((some.outcomes[index].state == .pending) == ![2, 7, 11].contains(index))
    }
    let others = Set((0..<UInt32(batch.batch.count))).subtracting([2, 7, 11])
    #expect(batch.mismatches(all, some, except: others).isEmpty)
  }

  /// What is not the same is found, and named.
  @Test func mismatchesAreFound() throws {
    let seeds = [UInt64(18), 18 + UInt64(Fork.allCases.count)]
    let batch = RandomBatch(seeds: seeds)
    let outcome = Self.run(batch.batch, on: batch.image)
    let lacking = Self.run(
      batch.batch, on: batch.image, only: (0..<UInt32(batch.batch.count)).filter { $0 != 9 })
    let found = batch.mismatches(outcome, lacking)
    #expect(found.count == 1)
    #expect(found.first?.seed == seeds[1])
    #expect(found.first?.transaction == 1)
    #expect(batch.mismatchesWithSerial(lacking).map(\.transaction) == [1])
    // The states afterwards count, too: other worlds under the same transactions.
    let turned = RandomBatch(seeds: [seeds[1], seeds[0]])
    #expect(!turned.mismatchesWithSerial(outcome).isEmpty)
    let fewer = Self.run(batch.batch, on: batch.image, selection: [.logs, .output])
    let lines = batch.mismatches(outcome, fewer).flatMap(\.differences)
    #expect(lines.contains { $0.hasPrefix("records of ") })
    let others = batch.mismatchesWithSerial(fewer).flatMap(\.differences)
    #expect(others.contains { $0.hasPrefix("state root") })
  }

  // MARK: Room

  /// Calls that return so many zeros each.
  private func returning(_ sizes: [UInt32]) -> (TransactionBatch, StateImage) {
    var allocation = Allocation()
    var batch = TransactionBatch()
    let environment = batch.append(BlockEnvironment(gasLimit: 1 << 40))
    let sender = Address(number: 0xaaaa)
    allocation.accounts[sender] = .init(balance: 1)
    for (index, size) in sizes.enumerated() {
      let address = Address(number: 0x1_0000 + UInt64(index))
      let bytes = (0..<4).map { UInt8(truncatingIfNeeded: size >> (24 - 8 * $0)) }
      // PUSH4 size PUSH0 RETURN
      allocation.accounts[address] = .init(code: [0x63] + bytes + [0x5f, 0xf3])
      let message = TransactionMessage(
        sender: sender, recipient: address, gasLimit: 1 << 36)
      batch.append(message, environment: environment, isCall: true)
    }
    return (batch, StateImage([allocation], fork: .osaka))
  }

  /// The first workspace has 4 MB of memory, the first room for records too: more is found for
  /// both, and what was done before is kept.
  @Test func whatNeedsMoreGetsMore() {
    let sizes: [UInt32] = [10, 3_000_000, 3_000_000, 20_000_000, 5, 9_000_000, 100_000_000, 0]
    let (batch, image) = returning(sizes)
    let outcome = Self.run(batch, on: image, selection: [.output])
    for (index, size) in sizes.enumerated() {
      #expect(outcome.outcomes[index].state == .done)
      #expect(outcome.outcomes[index].status == .returned)
      #expect(outcome.records(index).output.count == Int(size))
    }
  }

  @Test func endingsAreCounted() {
    let (batch, image) = returning([1, 2])
    #expect(Self.run(batch, on: image, only: [1]).endings == ["returned": 1, "pending": 1])
  }
}

import EVM
import Ethereum
import Execution
import Synchronization
import Testing

@testable import GPU

/// Blocks in rounds, against the serial executor. The lanes are the host's.
@Suite struct RoundExecutorTests {
  private static func rounds() -> BatchedRounds {
    var options = BatchRunner.Options()
    options.hostThreads = 1
    return BatchedRounds(BatchRunner([], options: options))
  }

  /// Everything of an outcome that somebody could see.
  private static func words(_ result: Result<BlockOutcome, ExecutionError>, _ state: WorldState)
    -> [String]
  {
    var state = state
    switch result {
    case .failure(let error): return ["\(error.code)", error.description]
    case .success(let outcome):
      return outcome.transactions.map {
        "\($0.index) \($0.status.isSuccess) \($0.gasUsed) \($0.gasRefunded) \($0.effectiveGasPrice) "
          + "\($0.contractAddress.map { "\($0)" } ?? "-") \($0.output)"
      } + [
        "\(outcome.receiptsRoot) \(outcome.gasUsed) \(outcome.blobGasUsed)",
        "\(outcome.rejected.map { "\($0.index) \($0.error)" }) \(outcome.requests ?? [])",
        "\(state.stateRoot())",
      ]
    }
  }

  /// What came of a block, and the state after; `isPaged` says that the state is read account by account.
  private static func run(
    _ block: PreparedBlock, on allocation: Allocation, isPaged: Bool = false,
    by executor: some HostBlockExecutor
  ) -> [String] {
    var state =
      isPaged
      ? WorldState(source: AllocationSource(allocation), codes: CodeStore())
      : WorldState(allocation)
    var executor = executor
    let result: Result<BlockOutcome, ExecutionError>
    do throws(ExecutionError) {
      result = .success(try executor.execute(block, on: &state))
    } catch {
      result = .failure(error)
    }
    return words(result, state)
  }

  private static func check(_ block: PreparedBlock, _ allocation: Allocation, _ name: String)
    -> RoundExecutor.Statistics
  {
    let executor = RoundExecutor(rounds())
    #expect(
      run(block, on: allocation, by: executor) == run(block, on: allocation, by: SerialExecutor()),
      "\(name)")
    return executor.statistics
  }

  /// Contracts of random code under all forks; most transactions depend on others.
  @Test(arguments: 0..<24) func randomTransactions(group: UInt64) {
    for seed in group * 10..<group * 10 + 10 {
      let random = RandomTransactions(seed: seed)
      var block = random.block
      block.invalidTransactions = .reject
      _ = Self.check(block, random.allocation, "seed \(seed)")
      // Only the valid ones, so that more of them follow each other.
      block.invalidTransactions = .failBlock
      _ = Self.check(block, random.allocation, "seed \(seed), failing")
    }
  }

  /// A state of which a device has a part comes to what it comes to in memory.
  @Test(arguments: 0..<24) func randomTransactionsOnASource(group: UInt64) {
    for seed in group * 10..<group * 10 + 10 {
      let random = RandomTransactions(seed: seed)
      var block = random.block
      block.invalidTransactions = seed % 2 == 0 ? .reject : .failBlock
      let executor = RoundExecutor(Self.rounds())
      #expect(
        Self.run(block, on: random.allocation, isPaged: true, by: executor)
          == Self.run(block, on: random.allocation, by: SerialExecutor()), "seed \(seed)")
    }
  }

  /// What nobody named is read before the second round; who goes on asking is the host's.
  @Test func whatLanesAskForIsRead() {
    let target = Address(number: 0xdada)
    // Stores the balance of `target`, whom no transaction names; and a walk: loads slot 0, then the slot
    // that it found, and so on, six times (`SLOAD` each), and stores it in slot 99.
    let balance: [UInt8] = [0x61, 0xda, 0xda, 0x31, 0x5f, 0x55]
    let walk: [UInt8] = [0x5f] + [UInt8](repeating: 0x54, count: 6) + [0x60, 99, 0x55]
    var accounts = Self.world.accounts
    accounts[Address(number: 0xb1)] = .init(code: balance)
    accounts[Address(number: 0xb2)] = .init(
      code: walk, storage: [0: 11, 11: 12, 12: 13, 13: 14, 14: 15, 15: 16])
    accounts[target] = .init(balance: 77)
    let allocation = Allocation(accounts)
    var environment = BlockEnvironment(number: 1, coinbase: Self.coinbase)
    environment.gasLimit = 10_000_000
    var block = PreparedBlock(fork: .shanghai, environment: environment)
    block.callsSystemContracts = false
    block.transactions = [
      Self.transaction(0, to: Address(number: 0xb1)),
      Self.transaction(1, to: Self.person(2), value: 5),
      Self.transaction(3, to: Address(number: 0xb2)),
    ]
    let executor = RoundExecutor(Self.rounds())
    var hosted: [Int] = []
    executor.onHost = { index, reason in
      #expect(reason == .unreadState)
      hosted.append(index)
    }
    let got = Self.run(block, on: allocation, isPaged: true, by: executor)
    #expect(got == Self.run(block, on: allocation, by: SerialExecutor()))
    #expect(hosted == [2])
    #expect(executor.statistics.rounds > 2 && executor.statistics.rounds < 8)
  }

  // MARK: What depends on what

  private static func person(_ number: UInt64) -> Address { Address(number: 0x1000 + number) }
  private static let coinbase = Address(number: 0xfee)
  private static let counter = Address(number: 0xc0de)
  private static let reader = Address(number: 0xbeef)

  /// Eight people with a million wei each, a counter (adds one to slot 0), and a contract that stores
  /// the balance of the account in its call data (`PUSH0 CALLDATALOAD BALANCE PUSH0 SSTORE`).
  private static let world: Allocation = {
    var accounts: [Address: Allocation.Account] = [
      counter: .init(code: [0x60, 1, 0x5f, 0x54, 0x01, 0x5f, 0x55]),
      reader: .init(code: [0x5f, 0x35, 0x31, 0x5f, 0x55]),
      coinbase: .init(balance: 1),
    ]
    for number: UInt64 in 0..<8 { accounts[person(number)] = .init(balance: 1_000_000) }
    return Allocation(accounts)
  }()

  private static func transaction(
    _ sender: UInt64, to recipient: Address, nonce: UInt64 = 0, value: UInt64 = 0,
    price: UInt64 = 1, data: Address? = nil
  ) -> PreparedTransaction {
    var transaction = Transaction(to: recipient, data: data.map { Hash256($0.word).bytes } ?? [])
    transaction.nonce = nonce
    transaction.gasLimit = 100_000
    transaction.value = UInt256(value)
    transaction.maxFeePerGas = UInt256(price)
    transaction.maxPriorityFeePerGas = UInt256(price)
    return PreparedTransaction(transaction, sender: person(sender))
  }

  private static func rounds(_ transactions: [PreparedTransaction], _ name: String) -> Int {
    statistics(transactions, name).rounds
  }

  private static func statistics(_ transactions: [PreparedTransaction], _ name: String)
    -> RoundExecutor.Statistics
  {
    var environment = BlockEnvironment(number: 1, coinbase: coinbase)
    environment.gasLimit = 10_000_000
    var block = PreparedBlock(fork: .shanghai, environment: environment)
    block.callsSystemContracts = false
    block.invalidTransactions = .reject
    block.transactions = transactions
    return check(block, world, name)
  }

  @Test func whatIsIndependentTakesOneRound() {
    // All pay the same coinbase, and all add to the same account.
    #expect(
      Self.rounds(
        (0..<8).map { Self.transaction($0, to: Self.person(77 + $0 / 8), value: $0 + 1) }, "people")
        <= 2)
    #expect(
      Self.rounds(
        (0..<4).map { Self.transaction($0, to: Self.person($0 + 4), value: 5) }, "pairs") == 1)
  }

  @Test func whatDependsOnAnotherRunsAgain() {
    // Each sees the counter of the one before.
    #expect(
      Self.rounds((0..<5).map { Self.transaction($0, to: Self.counter) }, "counter") == 5)
    // Nonces of one sender.
    #expect(
      Self.rounds(
        (0..<4).map { Self.transaction(0, to: Self.person(5), nonce: $0, value: 1) }, "nonces") == 4
    )
    // A balance that others' fees and transfers changed.
    #expect(
      Self.rounds(
        [
          Self.transaction(0, to: Self.person(1), value: 9),
          Self.transaction(2, to: Self.reader, data: Self.coinbase),
          Self.transaction(3, to: Self.reader, data: Self.person(1)),
        ], "balances") == 3)
    // Enough wei only with what came before, then not enough any more.
    #expect(
      Self.rounds(
        [
          Self.transaction(0, to: Self.person(1), value: 500_000),
          Self.transaction(1, to: Self.person(2), value: 1_300_000),
          Self.transaction(1, to: Self.person(3), nonce: 1, value: 500_000),
          Self.transaction(1, to: Self.person(3), nonce: 1, value: 10),
        ], "wealth") > 1)
  }

  /// Four at first; then each only when it is its turn, as it would be refused before.
  @Test func aRefusedTransactionWaitsForItsTurn() {
    let taken = Self.statistics(
      (0..<4).map { Self.transaction(0, to: Self.person(5), nonce: $0, value: 1) }, "nonces")
    #expect(taken.rounds == 4)
    #expect(taken.executions == 7)
  }

  @Test func theLastGasOfABlockGoesToTheFirst() {
    var environment = BlockEnvironment(number: 1, coinbase: Self.coinbase)
    environment.gasLimit = 150_000
    var block = PreparedBlock(fork: .shanghai, environment: environment)
    block.callsSystemContracts = false
    block.transactions = (0..<4).map { Self.transaction($0, to: Self.person(9), value: 1) }
    for mode in [PreparedBlock.InvalidTransactions.reject, .failBlock] {
      block.invalidTransactions = mode
      _ = Self.check(block, Self.world, "gas \(mode)")
    }
  }

  // MARK: Lockstep

  /// Members that come and go with different numbers of rounds; nobody waits for ever.
  @Test(.timeLimit(.minutes(2))) func manyBlocksInLockstep() {
    let lockstep = LockstepRounds(Self.rounds())
    let threads = 5
    lockstep.expect(threads)
    let next = Atomic<UInt64>(0)
    let wrong = Mutex<[UInt64]>([])
    Threads.run(threads) {
      let executor = RoundExecutor(lockstep.join())
      while true {
        let seed = next.wrappingAdd(1, ordering: .relaxed).oldValue
        if seed >= 40 { return }
        let random = RandomTransactions(seed: seed)
        var block = random.block
        block.invalidTransactions = .reject
        let got = Self.run(block, on: random.allocation, by: executor)
        if got != Self.run(block, on: random.allocation, by: SerialExecutor()) {
          wrong.withLock { $0.append(seed) }
        }
      }
    }
    #expect(wrong.withLock { $0 } == [])
    #expect(lockstep.batches > 0)
    #expect(lockstep.statistics.transactions >= 40)
  }
}

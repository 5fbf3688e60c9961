import EVM
import Ethereum
import Testing

@testable import Execution

/// Which transactions are known to need one another before any has run.
@Suite struct TransactionChainsTests {
  private static func transaction(
    _ sender: UInt64, to recipient: UInt64, gas: UInt64 = 21_000, data: [UInt8] = []
  ) -> PreparedTransaction {
    var transaction = Transaction(to: Address(number: recipient))
    transaction.gasLimit = gas
    transaction.data = data
    return PreparedTransaction(transaction, sender: Address(number: sender), authorities: [])
  }

  private static func block(_ transactions: [PreparedTransaction]) -> PreparedBlock {
    var block = PreparedBlock(fork: .prague, environment: BlockEnvironment())
    block.transactions = transactions
    return block
  }

  /// The chains of up to ten transactions.
  private static func chains(_ transactions: [PreparedTransaction], _ memory: RecordMemory)
    -> TransactionChains
  {
    memory.begin(transactions.count)
    var chains = TransactionChains(transactions, from: 0, hash: StateHash(seed: 1), memory)
    chains.extend(by: 10)
    return chains
  }

  /// Call data of ERC-20's `transfer`, or of `transferFrom` from account 77.
  private static func payment(to payee: UInt64, from: Bool = false) -> [UInt8] {
    func word(_ number: UInt64) -> [UInt8] {
      [UInt8](repeating: 0, count: 24) + withUnsafeBytes(of: number.bigEndian) { [UInt8]($0) }
    }
    return from
      ? [0x23, 0xb8, 0x72, 0xdd] + word(77) + word(payee) + word(1)
      : [0xa9, 0x05, 0x9c, 0xbb] + word(payee) + word(1)
  }

  /// Who pays tokens to one account by one contract needs what the payment before left there.
  @Test func paymentsToOneAccountKnowOneAnother() {
    let transactions = [
      Self.transaction(1, to: 9, gas: 60_000, data: Self.payment(to: 5)),
      Self.transaction(2, to: 9, gas: 60_000, data: Self.payment(to: 6)),
      Self.transaction(3, to: 9, gas: 60_000, data: Self.payment(to: 5, from: true)),
      Self.transaction(4, to: 8, gas: 60_000, data: Self.payment(to: 5)),
      Self.transaction(5, to: 9, gas: 60_000, data: Self.payment(to: 5)),
      // Too short, and another function.
      Self.transaction(6, to: 9, gas: 60_000, data: [UInt8](Self.payment(to: 5).dropLast())),
      Self.transaction(7, to: 9, gas: 60_000, data: [9] + Self.payment(to: 5).dropFirst()),
    ]
    let memory = RecordMemory(workers: 1)
    let chains = Self.chains(transactions, memory)
    let turns = UnsafeBufferPointer(start: memory.turns, count: transactions.count)
    let none = TransactionTurn.noPayment
    #expect(turns.indices.map { turns[$0].related } == [-1, -1, 0, -1, 2, none, none])
    // The row of those to account 5 takes longer than what any sender sends.
    #expect(chains.longest == transactions[0].roughNanoseconds / 4 * 4 * 3)
  }

  /// Those who call a contract follow one another, with data or without: it is the gas that tells such a call from
  /// a transfer.
  @Test func callsOfOneContractKnowOneAnother() {
    let transactions = [
      Self.transaction(1, to: 9, gas: 100_000, data: [1]), Self.transaction(2, to: 9),
      Self.transaction(3, to: 9, gas: 100_000), Self.transaction(4, to: 8, gas: 100_000),
      Self.transaction(1, to: 9, gas: 100_000, data: [2]),
    ]
    let memory = RecordMemory(workers: 1)
    _ = Self.chains(transactions, memory)
    let turns = UnsafeBufferPointer(start: memory.turns, count: transactions.count)
    #expect(turns.indices.map { turns[$0].target } == [0, -1, 0, 1, 0])
    #expect(turns.indices.map { turns[$0].alike } == [-1, -1, 0, -1, 2])
    #expect(turns.indices.map { turns[$0].predecessor } == [-1, -1, -1, -1, 0])
  }

  /// Half of the block pays one account, the others one each, some of which want its place.
  @Test func anAccountThatManyPayIsNotForgotten() {
    let transactions = (0..<2000).map {
      Self.transaction(
        $0, to: 9, gas: 60_000, data: Self.payment(to: $0 % 2 == 0 ? 5 : 100_000 + $0))
    }
    for seed in UInt64(1)...20 {
      let memory = RecordMemory(workers: 1)
      memory.begin(transactions.count)
      var chains = TransactionChains(transactions, from: 0, hash: StateHash(seed: seed), memory)
      chains.extend(by: transactions.count)
      let turns = UnsafeBufferPointer(start: memory.turns, count: transactions.count)
      let hasAll = turns.indices.allSatisfy {
        $0 % 2 != 0 || turns[$0].related == ($0 == 0 ? -1 : Int32($0 - 2))
      }
      #expect(hasAll, "seed \(seed)")
    }
  }

  /// A row of payments that takes most of the time is seen once enough turns are ready.
  @Test func oneRowIsKnownByTheFirstTransactions() {
    func block(_ count: UInt64, payee: (UInt64) -> UInt64) -> [PreparedTransaction] {
      (0..<count).map {
        Self.transaction($0, to: 9, gas: 60_000, data: Self.payment(to: payee($0)))
      }
    }
    func isOneRow(_ transactions: [PreparedTransaction]) -> [Bool] {
      let memory = RecordMemory(workers: 1)
      memory.begin(transactions.count)
      var chains = TransactionChains(transactions, from: 0, hash: StateHash(seed: 1), memory)
      var answers: [Bool] = []
      while !chains.isComplete {
        chains.extend(by: TransactionChains.fewTurns)
        if chains.isTelling { answers.append(chains.isOneRow) }
      }
      return answers
    }
    #expect(isOneRow(block(100) { _ in 5 }) == [true])
    #expect(isOneRow(block(100) { $0 }) == [false])
    #expect(isOneRow(block(600) { $0 < 600 ? 5 : $0 }) == [true, true, true])
    // Before the 512th nothing is said.
    #expect(isOneRow(block(700) { $0 < 300 ? 5 : $0 }) == [false, false, false, false])
  }

  /// The memory is that of an earlier block, whose rows do not go on.
  @Test func rowsEndWithTheirBlock() {
    let transactions = (0..<10).map { _ in
      Self.transaction(1, to: 9, gas: 60_000, data: Self.payment(to: 5))
    }
    let memory = RecordMemory(workers: 1)
    for count in [10, 4] {
      _ = Self.chains(Array(transactions.prefix(count)), memory)
      let turns = UnsafeBufferPointer(start: memory.turns, count: count)
      #expect(turns.indices.map { turns[$0].predecessor } == (0..<Int32(count)).map { $0 - 1 })
      #expect(turns.indices.map { turns[$0].related } == (0..<Int32(count)).map { $0 - 1 })
      #expect(turns.indices.map { turns[$0].alike } == (0..<Int32(count)).map { $0 - 1 })
    }
  }

  /// A transaction that may take half of a worker's share begins before all others.
  @Test func whatTakesLongBeginsEarly() {
    let transactions = (0..<40).map {
      Self.transaction($0, to: 9, gas: $0 == 33 || $0 == 7 ? 1 << 24 : 21_000)
    }
    let memory = RecordMemory(workers: 1)
    memory.begin(transactions.count)
    let chains = TransactionChains(transactions, from: 0, hash: StateHash(seed: 1), memory)
    #expect(chains.early(workers: 8) == [])
    let long = (0..<40).map {
      Self.transaction($0, to: 9, gas: $0 == 33 || $0 == 7 ? 1 << 24 : 21_000, data: [1])
    }
    memory.begin(long.count)
    let longChains = TransactionChains(long, from: 0, hash: StateHash(seed: 1), memory)
    #expect(longChains.early(workers: 8) == [7, 33])
  }

  /// A block is of one sender where three quarters of the time are, of all transactions and of the first ones.
  @Test func blocksOfOneSenderAreKnown() {
    let one = (0..<300).map { Self.transaction($0 % 5 == 4 ? $0 : 7, to: 9) }
    #expect(Self.block(one).isOfOneSender)
    let two = (0..<300).map { Self.transaction($0 % 2 == 0 ? 7 : $0, to: 9) }
    #expect(!Self.block(two).isOfOneSender)
    let others = (1000..<1200).map { Self.transaction($0, to: 9) }
    #expect(!Self.block(one + others).isOfOneSender)
    #expect(!Self.block(others + one).isOfOneSender)
    // Few transactions that take long are more than many that do not.
    let many = (1000..<1600).map { Self.transaction($0, to: 9) }
    let long = many + (0..<20).map { _ in Self.transaction(7, to: 9, gas: 1 << 24, data: [1]) }
    #expect(!Self.block(long).isOfOneSender)
    #expect(Self.block(Array(long.reversed())).isOfOneSender)
    #expect(!Self.block([]).isOfOneSender)
  }
}

import EVM
import Ethereum
import Testing

@testable import Execution

/// What blocks read and change is in their access list, and a received list is compared with it
/// (EIP-7928).
@Suite(.serialized) struct AccessListTests {
  typealias List = BlockAccessList

  /// A kind of tampering: what it does to a list, and what must be said of it.
  struct Tampering: CustomTestStringConvertible, Sendable {
    let name: String
    let kind: AccessListDifference.Kind
    let edit: @Sendable (inout [List.AccountChanges]) -> Void

    var testDescription: String { name }
  }

  static let sender = Address(number: 0x5e4d)
  static let reader = Address(number: 0x4ead)
  static let writer = Address(number: 0x317e)
  static let stranger = Address(number: 0x57a4)
  static let coinbase = Address(number: 0xc01b)
  static let withdrawn = Address(number: 0x3d3d)

  /// A block of three transactions: wei to a stranger; a contract that reads slot 1 and the balance of
  /// an account; one that writes slot 1, and slot 2 as it is. Then a withdrawal.
  static func block(_ fork: Fork = .amsterdam) -> (block: PreparedBlock, allocation: Allocation) {
    var allocation = Allocation([sender: .init(balance: UInt256(1) << 80)])
    // SLOAD(1), BALANCE(0xba1a).
    allocation.accounts[reader] = .init(
      nonce: 1, code: [0x60, 1, 0x54, 0x61, 0xba, 0x1a, 0x31], storage: [1: 5])
    // SSTORE(1, SLOAD(1) + 1), SSTORE(2, 7) where it is 7.
    allocation.accounts[writer] = .init(
      nonce: 1,
      code: [0x60, 1, 0x54, 0x60, 1, 0x01, 0x60, 1, 0x55, 0x60, 7, 0x60, 2, 0x55],
      storage: [1: 8, 2: 7])
    var environment = BlockEnvironment(
      number: 1, timestamp: 12, gasLimit: 30_000_000, coinbase: coinbase, baseFeePerGas: 7)
    environment.slotNumber = 3
    var block = PreparedBlock(fork: fork, environment: environment)
    block.callsSystemContracts = false
    block.recordsAccessList = true
    for (nonce, target) in [stranger, reader, writer, writer].enumerated() {
      var transaction = Transaction(nonce: UInt64(nonce))
      transaction.to = target
      transaction.gasLimit = 200_000
      transaction.maxFeePerGas = 10
      transaction.maxPriorityFeePerGas = 10
      if nonce == 0 { transaction.value = 3 }
      block.transactions.append(PreparedTransaction(transaction, sender: sender))
    }
    block.withdrawals = [
      Withdrawal(index: 0, validatorIndex: 0, address: withdrawn, amount: 2),
      Withdrawal(index: 1, validatorIndex: 0, address: Address(number: 0x3d3e), amount: 0),
    ]
    return (block, allocation)
  }

  private static func run(
    _ executor: any BlockExecutor, _ block: PreparedBlock, _ allocation: Allocation
  ) throws(ExecutionError) -> (outcome: BlockOutcome, allocation: Allocation) {
    var executor = executor
    var state = WorldState(allocation)
    let outcome = try executor.execute(block, on: &state)
    return (outcome, state.allocation)
  }

  private static func executors() -> [any HostBlockExecutor] {
    [SerialExecutor()]
      + [1, 2, 4].map { threads in
        var options = ParallelExecutor.Options(threads: threads)
        options.isForced = true
        return ParallelExecutor(options)
      }
  }

  @Test func listHasWhatTheBlockReadsAndChanges() throws {
    let (block, allocation) = Self.block()
    let (outcome, after) = try Self.run(SerialExecutor(), block, allocation)
    let gas = outcome.transactions.map(\.gasUsed)
    let list = try #require(outcome.accessList)
    let accounts = list.accountChanges
    #expect(
      accounts.map(\.address)
        == [
          Self.writer, Self.withdrawn, Address(number: 0x3d3e), Self.reader, Self.stranger,
          Self.sender, Address(number: 0xba1a), Self.coinbase,
        ].sorted { $0.word < $1.word })
    func changes(_ address: Address) -> List.AccountChanges {
      accounts.first { $0.address == address }!
    }

    var fees: UInt64 = 0
    var paid: UInt64 = 3
    var coinbase: [List.WordChange] = []
    var sender: [List.WordChange] = []
    for (index, gas) in gas.enumerated() {
      fees += gas * 3
      paid += gas * 10
      coinbase.append(.init(index: UInt32(index + 1), value: UInt256(fees)))
      sender.append(
        .init(index: UInt32(index + 1), value: UInt256(1) << 80 &- UInt256(paid)))
    }
    #expect(changes(Self.coinbase).balanceChanges == coinbase)
    #expect(changes(Self.sender).balanceChanges == sender)
    #expect(
      changes(Self.sender).nonceChanges == (1...4).map { .init(index: $0, nonce: UInt64($0)) })
    #expect(changes(Self.stranger).balanceChanges == [.init(index: 1, value: 3)])
    #expect(changes(Self.reader).storageReads == [1])
    #expect(changes(Address(number: 0xba1a)) == .init(Address(number: 0xba1a)))
    let written = changes(Self.writer)
    #expect(written.storageReads == [2])
    #expect(written.storageChanges.map(\.slot) == [1])
    #expect(
      written.storageChanges[0].changes == [.init(index: 3, value: 9), .init(index: 4, value: 10)])
    #expect(
      changes(Self.withdrawn).balanceChanges
        == [.init(index: 5, value: UInt256(2_000_000_000))])
    #expect(changes(Address(number: 0x3d3e)) == .init(Address(number: 0x3d3e)))

    for executor in Self.executors() {
      let (other, state) = try Self.run(executor, block, allocation)
      #expect(other.accessList == list)
      #expect(state == after)
    }
  }

  @Test func listIsMadeFromAmsterdamOn() throws {
    for fork in [Fork.bpo5, .amsterdam] {
      var (block, allocation) = Self.block(fork)
      block.recordsAccessList =
        PreparedBlock(fork: fork, environment: block.environment)
        .recordsAccessList
      let (outcome, _) = try Self.run(SerialExecutor(), block, allocation)
      #expect((outcome.accessList != nil) == (fork == .amsterdam))
    }
  }

  @Test func blockRunsOnTheListThatCameWithIt() throws {
    for fork in [Fork.prague, .osaka, .amsterdam] {
      var (block, allocation) = Self.block(fork)
      let (expected, after) = try Self.run(SerialExecutor(), block, allocation)
      block.accessList = expected.accessList
      for executor in Self.executors() {
        let (outcome, state) = try Self.run(executor, block, allocation)
        #expect(outcome.accessList == expected.accessList)
        #expect(outcome.receipts == expected.receipts)
        #expect(outcome.gasUsed == expected.gasUsed)
        #expect(state == after)
        if let parallel = executor as? ParallelExecutor {
          #expect(parallel.statistics.listedBlocks == 1)
          #expect(parallel.statistics.serialTransactions == 0)
        }
      }
    }
  }

  private static func edit(
    _ address: Address, _ edit: @escaping @Sendable (inout List.AccountChanges) -> Void
  ) -> @Sendable (inout [List.AccountChanges]) -> Void {
    { accounts in
      let place = accounts.firstIndex { $0.address == address }!
      edit(&accounts[place])
    }
  }

  static let tamperings: [Tampering] = [
    .init(name: "balance", kind: .value, edit: edit(stranger) { $0.balanceChanges[0].value = 4 }),
    .init(name: "fee", kind: .value, edit: edit(coinbase) { $0.balanceChanges[1].value = 4 }),
    .init(name: "nonce", kind: .value, edit: edit(sender) { $0.nonceChanges[2].nonce = 7 }),
    .init(
      name: "slot", kind: .value,
      edit: edit(writer) { $0.storageChanges[0].changes[0].value = 10 }),
    .init(
      name: "last slot", kind: .value,
      edit: edit(writer) { $0.storageChanges[0].changes[1].value = 11 }),
    .init(
      name: "withdrawal", kind: .value, edit: edit(withdrawn) { $0.balanceChanges[0].value = 1 }),
    .init(name: "index", kind: .index, edit: edit(stranger) { $0.balanceChanges[0].index = 2 }),
    .init(
      name: "slot's index", kind: .index,
      edit: edit(writer) { $0.storageChanges[0].changes[0].index = 2 }),
    .init(
      name: "withdrawal's index", kind: .index,
      edit: edit(withdrawn) { $0.balanceChanges[0].index = 4 }),
    .init(name: "missing account", kind: .missing) { $0.removeAll { $0.address == reader } },
    .init(name: "missing account that is only read", kind: .missing) {
      $0.removeAll { $0.address == Address(number: 0xba1a) }
    },
    .init(name: "missing coinbase", kind: .missing) { $0.removeAll { $0.address == coinbase } },
    .init(name: "missing withdrawal", kind: .missing) { $0.removeAll { $0.address == withdrawn } },
    .init(name: "missing read", kind: .missing, edit: edit(reader) { $0.storageReads = [] }),
    .init(name: "missing balance", kind: .missing, edit: edit(stranger) { $0.balanceChanges = [] }),
    .init(
      name: "missing nonce", kind: .missing, edit: edit(sender) { $0.nonceChanges.removeFirst() }),
    .init(
      name: "missing change", kind: .missing,
      edit: edit(writer) { $0.storageChanges[0].changes.removeFirst() }),
    .init(name: "changed slot as read", kind: .missing) {
      let place = $0.firstIndex { $0.address == writer }!
      $0[place].storageChanges = []
      $0[place].storageReads = [1, 2]
    },
    .init(name: "read slot as changed", kind: .extra) {
      let place = $0.firstIndex { $0.address == reader }!
      $0[place].storageReads = []
      $0[place].storageChanges = [(1, [.init(index: 2, value: 6)])]
    },
    .init(name: "extra account", kind: .extra) {
      $0.append(.init(Address(number: 0xffff_ffff)))
    },
    .init(name: "extra read", kind: .extra, edit: edit(reader) { $0.storageReads.append(3) }),
    .init(
      name: "extra slot", kind: .extra,
      edit: edit(reader) { $0.storageChanges = [(9, [.init(index: 1, value: 1)])] }),
    .init(
      name: "extra balance", kind: .extra,
      edit: edit(reader) { $0.balanceChanges = [.init(index: 2, value: 1)] }),
    .init(
      name: "extra balance before", kind: .extra,
      edit: edit(reader) { $0.balanceChanges = [.init(index: 0, value: 1)] }),
    .init(
      name: "extra balance after", kind: .extra,
      edit: edit(reader) { $0.balanceChanges = [.init(index: 5, value: 1)] }),
    .init(
      name: "extra nonce", kind: .extra,
      edit: edit(stranger) { $0.nonceChanges = [.init(index: 1, nonce: 1)] }),
    .init(
      name: "extra code", kind: .extra,
      edit: edit(stranger) { $0.codeChanges = [.init(index: 1, code: [0])] }),
    .init(
      name: "change to the same value", kind: .extra,
      edit: edit(writer) { $0.storageChanges[0].changes.insert(.init(index: 1, value: 8), at: 0) }),
  ]

  @Test(arguments: tamperings)
  func listThatWasTamperedWithIsRefused(tampering: Tampering) throws {
    var (block, allocation) = Self.block()
    let (expected, _) = try Self.run(SerialExecutor(), block, allocation)
    let right = try #require(expected.accessList)
    var accounts = right.accountChanges
    tampering.edit(&accounts)
    let list = List(accounts)
    // It is a list that could come with a block.
    #expect(try List(decoding: list.encoded) == list)
    let difference = try #require(list.firstDifference(from: right))
    #expect(difference.kind == tampering.kind)

    block.accessList = list
    for executor in Self.executors() {
      do throws(ExecutionError) {
        _ = try Self.run(executor, block, allocation)
        Issue.record("\(executor): accepted")
      } catch {
        #expect(error.code == .accessList)
        // What comes after the transactions is found in another way.
        if !difference.description.contains("at index 5") && tampering.kind != .extra {
          #expect(error.message == "blockAccessList: \(difference)")
        }
      }
    }
  }

  /// A list that would let an invalid transaction in does not, and the reason is the transaction.
  @Test func invalidTransactionIsNamedAsSuch() throws {
    var (block, allocation) = Self.block()
    let (expected, _) = try Self.run(SerialExecutor(), block, allocation)
    block.accessList = expected.accessList
    block.transactions[2].transaction.nonce = 9
    for executor in Self.executors() {
      do throws(ExecutionError) {
        _ = try Self.run(executor, block, allocation)
        Issue.record("\(executor): accepted")
      } catch {
        #expect(error.transactionError == .nonceTooHigh)
        #expect(error.transaction == 2)
      }
    }
  }

  /// Gas is counted in order also where transactions run all at once.
  @Test func blockWithoutRoomIsRefusedAlsoWithItsList() throws {
    var (block, allocation) = Self.block()
    let (expected, _) = try Self.run(SerialExecutor(), block, allocation)
    block.accessList = expected.accessList
    let used = expected.transactions.dropLast().reduce(0) { $0 + $1.gasUsed }
    // The price of state follows the limit: this block makes an account only.
    for (limit, isValid) in [(used + 300_000, true), (used + 100_000, false)] {
      block.environment.gasLimit = limit
      block.accessList = nil
      let alone = try? Self.run(SerialExecutor(), block, allocation)
      #expect((alone != nil) == isValid)
      block.accessList = alone?.outcome.accessList ?? expected.accessList
      for executor in Self.executors() {
        #expect(((try? Self.run(executor, block, allocation)) != nil) == isValid)
      }
    }
  }
}

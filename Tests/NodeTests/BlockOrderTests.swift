import EVM
import Ethereum
import Execution
import Foundation
import GPU
import Storage
import Testing

@testable import Node

/// The order of transactions in blocks of a sequencer.
@Suite struct BlockOrderTests {
  /// Adds one to slot 0: `PUSH1 1, PUSH0, SLOAD, ADD, PUSH0, SSTORE`, and its creation.
  private static let counter = "0x6660015f54015f555f526007" + "6019f3"

  private static func parallel(_ threads: Int) -> ParallelExecutor {
    var options = ParallelExecutor.Options(threads: threads)
    options.isForced = true
    return ParallelExecutor(options)
  }

  /// A block of calls of one counter, which pay well, and of as many transfers between others, which pay
  /// less: `perSender` of each of ten accounts.
  private func busyBlock(_ node: TestNode, perSender: Int) throws -> (
    block: Block, counter: Address
  ) {
    let accounts = DevelopmentAccounts.standard
    let answer = node.call(
      "eth_sendTransaction", #"[{"from":"\#(accounts.addresses[0])","data":"\#(Self.counter)"}]"#)
    let hash = String(answer.dropFirst(#"{"result":""#.count).prefix(66))
    let receipt = node.call("eth_getTransactionReceipt", "[\"\(hash)\"]")
    let range = try #require(receipt.range(of: #""contractAddress":""#))
    let counter = try #require(
      Address(hexadecimal: String(receipt[range.upperBound...].prefix(42))))
    node.sequencer.mode = .onDemand
    var raw: [[UInt8]] = []
    for nonce in 0..<perSender {
      for sender in 0..<10 {
        let calls = sender < 5
        var transaction = Transaction(
          type: .dynamicFee, chainID: 1337, nonce: UInt64(nonce + (sender == 0 ? 1 : 0)),
          maxFeePerGas: UInt256(1_000_000_000_000),
          maxPriorityFeePerGas: UInt256(UInt64(calls ? 5000 - nonce : 1000 + sender)),
          gasLimit: calls ? 100_000 : 21_000,
          to: calls ? counter : Address(number: UInt64(0x7000 + sender)), value: .zero)
        if calls { transaction.data = [1, 2, 3, 4] }
        try transaction.sign(secretKey: try #require(accounts.key(of: accounts.addresses[sender])))
        raw.append(transaction.encoded)
      }
    }
    for result in node.service.intake.take(raw) { _ = try result.get() }
    try node.sequencer.mine()
    let snapshot = try node.chain.snapshot()
    let body = try #require(snapshot.body(snapshot.head.header.number))
    let rlp = body.blockEncoding(snapshot.head.header)
    return (try Block(decoding: rlp), counter)
  }

  /// The most calls of the counter that stand side by side.
  private func longestRun(_ block: Block, _ counter: Address) -> Int {
    var (run, longest) = (0, 0)
    for transaction in block.transactions {
      run = transaction.to == counter ? run + 1 : 0
      longest = max(longest, run)
    }
    return longest
  }

  @Test func conflictingCallsAreSpreadApart() throws {
    let node = try TestNode(order: .spread, executor: Self.parallel(2))
    let (block, counter) = try busyBlock(node, perSender: 4)
    #expect(block.transactions.count == 40)
    // One of each step: the other half needs none of them.
    #expect(longestRun(block, counter) <= 2)
    // Those that need one another stand as they pay, and each sender's in the order of nonces.
    let tips = block.transactions.filter { $0.to == counter }.map(\.maxPriorityFeePerGas)
    #expect(tips == tips.sorted(by: >))
    let snapshot = try node.chain.snapshot()
    let body = try #require(snapshot.body(snapshot.head.header.number))
    let senders = (0..<body.count).map { body.sender($0) }
    for sender in Set(senders) {
      let nonces = zip(senders, block.transactions).filter { $0.0 == sender }.map(\.1.nonce)
      #expect(nonces == nonces.sorted(), "\(sender)")
    }
    try replays(node)
  }

  @Test func withoutAPlannerTheBestPayingComeFirst() throws {
    for order in [Sequencer.Order.fees, .auto] {
      // On so few threads `auto` does not plan.
      let node = try TestNode(order: order, executor: Self.parallel(2))
      let (block, counter) = try busyBlock(node, perSender: 4)
      #expect(longestRun(block, counter) == 20, "\(order)")
    }
  }

  @Test func autoSpreadsLargeBlocksOnSeveralThreads() throws {
    let few = try TestNode(order: .auto, executor: Self.parallel(4))
    let (small, first) = try busyBlock(few, perSender: 4)
    #expect(longestRun(small, first) == 20)
    let many = try TestNode(order: .auto, executor: Self.parallel(4))
    many.sequencer.planner.note(transactions: 100, conflicts: 50, isPlanned: false)
    let (large, second) = try busyBlock(many, perSender: 8)
    #expect(large.transactions.count == 80)
    #expect(longestRun(large, second) <= 2)
    try replays(many)
  }

  /// `auto` plans when the order of fees was seen to hold transactions up, and now and then looks again.
  @Test func autoLearnsWhetherPlanningPays() {
    let workload = TransactionWorkload.transfers(people: 80)
    let transactions = workload.block.transactions.map { prepared in
      var prepared = prepared
      prepared.transaction.data = [1, 2, 3, 4]
      return prepared
    }
    let state = WorldState(workload.allocation)
    let planner = BlockPlanner(.auto, threads: 4)
    func plans() -> Bool { planner.plan(transactions, for: workload.block, on: state) != nil }
    #expect(!plans())
    planner.note(transactions: 80, conflicts: 8, isPlanned: false)
    #expect(!plans())
    planner.note(transactions: 80, conflicts: 9, isPlanned: false)
    #expect(plans())
    // A small block says nothing.
    planner.note(transactions: 63, conflicts: 0, isPlanned: false)
    #expect(plans())
    for _ in 0..<BlockPlanner.patience {
      #expect(plans())
      planner.note(transactions: 80, conflicts: 0, isPlanned: true)
    }
    #expect(!plans())
    planner.note(transactions: 80, conflicts: 40, isPlanned: false)
    #expect(plans())
    planner.note(transactions: 80, conflicts: 0, isPlanned: false)
    #expect(!plans())
  }

  /// What a plan takes for invalid is left to the executor, and nothing is lost.
  @Test func whatSeemsInvalidComesLast() throws {
    let workload = TransactionWorkload.transfers(people: 6)
    var transactions = workload.block.transactions
    transactions[2].transaction.value = UInt256.max
    let planner = BlockPlanner(.spread, threads: 1)
    let state = WorldState(workload.allocation)
    let places = try #require(planner.plan(transactions, for: workload.block, on: state))
    #expect(places.sorted() == Array(0..<6))
    #expect(places.last == 2)
    // One alone is as it is.
    #expect(planner.plan([transactions[0]], for: workload.block, on: state) == nil)
  }

  /// A state that is read from a database is foreseen like one in memory.
  @Test func foreseesOnADatabase() throws {
    let node = try TestNode()
    let accounts = DevelopmentAccounts.standard.addresses
    let snapshot = try node.chain.snapshot()
    let transactions = (0..<20).map { index in
      var transaction = Transaction(to: Address(number: UInt64(0x9000 + index % 7)), data: [])
      transaction.gasLimit = 21_000
      transaction.maxFeePerGas = UInt256(1 << 40)
      transaction.nonce = UInt64(index / 10)
      transaction.value = UInt256(5)
      return PreparedTransaction(transaction, sender: accounts[index % 10])
    }
    var block = PreparedBlock(fork: .osaka, environment: BlockEnvironment(number: 1))
    block.environment.gasLimit = 60_000_000
    for threads in [1, 4] {
      let state = WorldState(source: try snapshot.source(after: 0), codes: CodeStore())
      let predictions = AccessPredictor(threads: threads, foresight: .execution).predict(
        transactions, for: block, on: state)
      #expect(predictions.allSatisfy { $0.error == nil && $0.gasUsed == 21_000 }, "\(threads)")
    }
  }

  /// Blocks of Amsterdam have their access list's hash and a slot, whoever executes them.
  @Test(arguments: [Sequencer.Order.fees, .spread])
  func makesBlocksOfAmsterdam(order: Sequencer.Order) throws {
    let text = String(
      decoding: DevelopmentGenesis.file(chainID: 1337, accounts: .standard, time: 1_000_000),
      as: UTF8.self)
    let genesis = Array(
      text.replacingOccurrences(
        of: "\"osakaTime\": 0", with: "\"osakaTime\": 0, \"amsterdamTime\": 0"
      ).utf8)
    let node = try TestNode(order: order, executor: Self.parallel(2), genesis: genesis)
    let (block, counter) = try busyBlock(node, perSender: 4)
    #expect(block.transactions.count == 40)
    #expect(block.header.slotNumber == 2)
    #expect(block.header.blockAccessListHash != nil)
    let run = longestRun(block, counter)
    #expect(order == .fees ? run == 20 : run <= 2, "\(run)")
    try replays(node, on: genesis)
  }

  /// What a device's lanes make of a node's database is what the serial executor makes of it; the lanes are
  /// the host's.
  @Test func lanesExecuteANodesBlocks() throws {
    var options = BatchRunner.Options()
    options.hostThreads = 1
    let executor = RoundExecutor(SharedRounds(BatchRunner([], options: options)))
    var onHost: [HostReason] = []
    executor.onHost = { onHost.append($1) }
    let node = try TestNode(executor: executor)
    let (block, _) = try busyBlock(node, perSender: 4)
    #expect(block.transactions.count == 40)
    // On a state that is in the database alone: the counter has a storage that nobody has read.
    node.sequencer.mode = .onArrival
    for sender in [5, 6] {
      let from = DevelopmentAccounts.standard.addresses[sender]
      let sent = node.call(
        "eth_sendTransaction",
        #"[{"from":"\#(from)","to":"\#(block.transactions[0].to!)","gas":"0x186a0"}]"#)
      #expect(sent.contains("result"), "\(sent)")
    }
    #expect(executor.statistics.transactions == 43)
    #expect(onHost == [])
    try replays(node)
  }

  /// Another node, which executes one transaction after the other, takes the same blocks.
  private func replays(_ node: TestNode, on genesis: [UInt8]? = nil) throws {
    let other = try TestNode(genesis: genesis)
    let snapshot = try node.chain.snapshot()
    for number in 1...snapshot.head.header.number {
      let header = try #require(try snapshot.header(number))
      let body = try #require(snapshot.body(number))
      try other.chain.importBlock(rlp: body.blockEncoding(header.header))
    }
    #expect(other.chain.database.head?.hash == node.chain.database.head?.hash)
  }
}

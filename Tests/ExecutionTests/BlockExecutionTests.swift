import EVM
import Ethereum
import Testing

@testable import Execution

/// What a block does besides its transactions, and what it says of them.
@Suite struct BlockExecutionTests {
  private static let ether: UInt64 = 1_000_000_000_000_000_000
  private static let contract = Address(number: 0xc0de)

  private func block(_ fork: Fork, _ edit: (inout PreparedBlock) -> Void = { _ in })
    -> PreparedBlock
  {
    var block = PreparedBlock(
      fork: fork,
      environment: BlockEnvironment(
        number: 20_000, timestamp: 100_000, gasLimit: 100_000_000, coinbase: TestChain.coinbase,
        baseFeePerGas: fork >= .london ? 7 : 0))
    edit(&block)
    return block
  }

  private func state(_ accounts: [Address: Allocation.Account] = [:]) -> WorldState {
    var allocation = Allocation([TestChain.sender: .init(balance: UInt256(1) << 90)])
    for contract in [SystemContracts.withdrawalRequests, SystemContracts.consolidationRequests] {
      allocation.accounts[contract] = .init(nonce: 1, code: TestChain.stop)
    }
    for (address, account) in accounts { allocation.accounts[address] = account }
    return WorldState(allocation)
  }

  private func execute(_ block: PreparedBlock, on state: inout WorldState) -> (
    outcome: BlockOutcome?, error: ExecutionError?
  ) {
    do throws(ExecutionError) {
      return (try SerialExecutor().execute(block, on: &state), nil)
    } catch {
      return (nil, error)
    }
  }

  private func transaction(
    _ nonce: UInt64 = 0, to recipient: Address? = contract, data: [UInt8] = [],
    edit: (inout Transaction) -> Void = { _ in }
  ) -> PreparedTransaction {
    var transaction = Transaction(
      nonce: nonce, maxFeePerGas: 10, maxPriorityFeePerGas: 10, gasLimit: 1_000_000,
      to: recipient, data: data)
    edit(&transaction)
    return PreparedTransaction(transaction, sender: TestChain.sender)
  }

  private func word(_ bytes: [UInt8]) -> UInt256 {
    bytes.reduce(UInt256.zero) { ($0 << 8) | UInt256(UInt64($1)) }
  }

  // MARK: Withdrawals (EIP-4895)

  private func withdraw(_ amount: UInt64, _ state: inout WorldState) {
    let withdrawal = Withdrawal(
      index: 0, validatorIndex: 0, address: TestChain.recipient, amount: amount)
    #expect(execute(block(.shanghai) { $0.withdrawals = [withdrawal] }, on: &state).error == nil)
  }

  @Test func withdrawalsAreInGwei() {
    var state = state()
    withdraw(3, &state)
    #expect(state.accounts[TestChain.recipient]?.balance == 3_000_000_000)
    withdraw(.max, &state)
    #expect(
      state.accounts[TestChain.recipient]?.balance
        == UInt256(UInt64.max) &* 1_000_000_000 &+ 3_000_000_000)
  }

  @Test func withdrawalsOfNothingMakeNoAccount() {
    var fresh = state()
    withdraw(0, &fresh)
    #expect(fresh.accounts[TestChain.recipient] == nil)
    var empty = state([TestChain.recipient: .init()])
    withdraw(0, &empty)
    #expect(empty.accounts[TestChain.recipient] == nil)
    var rich = state([TestChain.recipient: .init(balance: 5)])
    withdraw(0, &rich)
    #expect(rich.accounts[TestChain.recipient]?.balance == 5)
  }

  @Test func withdrawalsComeAfterTransactions() {
    // The contract returns its balance in storage: SELFBALANCE, PUSH0, SSTORE.
    var state = state([Self.contract: .init(nonce: 1, code: [0x47, 0x5f, 0x55])])
    let prepared = block(.shanghai) {
      $0.transactions = [transaction()]
      $0.withdrawals = [
        Withdrawal(index: 0, validatorIndex: 0, address: Self.contract, amount: 1)
      ]
    }
    #expect(execute(prepared, on: &state).error == nil)
    #expect(state.storage(Self.contract, slot: 0) == 0)
    #expect(state.accounts[Self.contract]?.balance == 1_000_000_000)
  }

  // MARK: Rewards

  @Test func rewardsArePaid() {
    let prepared = block(.frontier) {
      $0.reward = UInt256(5 * Self.ether)
      $0.ommers = [(TestChain.recipient, 1), (TestChain.recipient, 6)]
    }
    var state = state()
    #expect(execute(prepared, on: &state).error == nil)
    // 7/8 and 2/8 of 5 ether; 5 ether and twice 1/32 of them.
    #expect(state.accounts[TestChain.recipient]?.balance == UInt256(Self.ether / 8 * 45))
    #expect(state.accounts[TestChain.coinbase]?.balance == UInt256(Self.ether / 16 * 85))
  }

  /// The share is nothing from eight blocks on, however far back a tool's input puts an ommer.
  @Test func oldOmmersEarnNothing() {
    for depth: UInt64 in [8, 9, .max] {
      let prepared = block(.byzantium) {
        $0.reward = UInt256(3 * Self.ether)
        $0.ommers = [(TestChain.recipient, depth)]
      }
      var state = state()
      #expect(execute(prepared, on: &state).error == nil)
      #expect(state.accounts[TestChain.recipient] == nil)
      #expect(state.accounts[TestChain.coinbase]?.balance == UInt256(Self.ether / 32 * 99))
    }
  }

  /// EIP-161: what stays empty is deleted from Spurious Dragon on.
  @Test func rewardsOfZeroTouchTheCoinbase() {
    for (fork, isThere) in [(Fork.tangerineWhistle, true), (.spuriousDragon, false)] {
      var state = state()
      #expect(execute(block(fork) { $0.reward = 0 }, on: &state).error == nil)
      #expect((state.accounts[TestChain.coinbase] != nil) == isThere, "\(fork)")
    }
  }

  @Test func noRewardTouchesNobody() {
    var state = state()
    #expect(execute(block(.paris), on: &state).error == nil)
    #expect(state.accounts[TestChain.coinbase] == nil)
  }

  // MARK: System calls

  /// EIP-4788's ring: the timestamp at its remainder by 8,191, the root 8,191 further, and here the
  /// caller in slot 0xffff.
  private static let beaconRoots: [UInt8] = [
    0x61, 0x1f, 0xff, 0x42, 0x06, 0x80, 0x42, 0x90, 0x55,  // timestamp % 8191 := timestamp
    0x61, 0x1f, 0xff, 0x01, 0x5f, 0x35, 0x90, 0x55,  // + 8191 := input
    0x33, 0x61, 0xff, 0xff, 0x55,  // 0xffff := caller
  ]

  /// EIP-2935's ring: the parent's hash at its number's remainder by 8,191.
  private static let history: [UInt8] = [
    0x60, 0x01, 0x43, 0x03, 0x61, 0x1f, 0xff, 0x90, 0x06, 0x5f, 0x35, 0x90, 0x55,
  ]

  private func systemBlock(_ fork: Fork) -> PreparedBlock {
    block(fork) {
      $0.parentBeaconBlockRoot = Hash256(0xbeac)
      $0.parentHash = Hash256(0xfa7e)
    }
  }

  private func systemState(beaconRoots: [UInt8] = beaconRoots) -> WorldState {
    state([
      SystemContracts.beaconRoots: .init(nonce: 1, code: beaconRoots),
      SystemContracts.history: .init(nonce: 1, code: Self.history),
    ])
  }

  @Test func beaconRootIsStoredFromCancunOn() {
    for fork in [Fork.shanghai, .cancun, .osaka] {
      var state = systemState()
      #expect(execute(systemBlock(fork), on: &state).error == nil)
      let isStored = fork >= .cancun
      // 100,000 is 12 x 8,191 + 1,708.
      #expect(state.storage(SystemContracts.beaconRoots, slot: 1708) == (isStored ? 100_000 : 0))
      #expect(state.storage(SystemContracts.beaconRoots, slot: 9899) == (isStored ? 0xbeac : 0))
      let system = Address(hexadecimal: "0xfffffffffffffffffffffffffffffffffffffffe")!
      #expect(
        state.storage(SystemContracts.beaconRoots, slot: 0xffff)
          == (isStored ? system.word : 0))
      #expect(state.accounts[system] == nil)
    }
  }

  @Test func parentHashIsStoredFromPragueOn() {
    for fork in [Fork.cancun, .prague] {
      var state = systemState()
      #expect(execute(systemBlock(fork), on: &state).error == nil)
      // 19,999 is 2 x 8,191 + 3,617.
      #expect(
        state.storage(SystemContracts.history, slot: 3617) == (fork >= .prague ? 0xfa7e : 0))
    }
  }

  @Test func systemCallsFailQuietly() {
    var failing = systemState(beaconRoots: Self.beaconRoots + [0xfe])
    #expect(execute(systemBlock(.cancun), on: &failing).error == nil)
    #expect(failing.storage(SystemContracts.beaconRoots, slot: 1708) == 0)
    var missing = state()
    #expect(execute(systemBlock(.osaka), on: &missing).error == nil)
    #expect(missing.accounts[SystemContracts.beaconRoots] == nil)
    #expect(missing.accounts[SystemContracts.history] == nil)
  }

  @Test func systemCallsHaveTheirOwnGas() {
    // GAS, PUSH0, SSTORE: 30,000,000 less 2, whatever the block's limit.
    var state = systemState(beaconRoots: [0x5a, 0x5f, 0x55])
    var prepared = systemBlock(.cancun)
    prepared.environment.gasLimit = 5000
    let outcome = execute(prepared, on: &state).outcome
    #expect(state.storage(SystemContracts.beaconRoots, slot: 0) == 29_999_998)
    #expect(outcome?.gasUsed == 0)
  }

  @Test func systemCallsCanBeLeftOut() {
    var state = systemState()
    var prepared = systemBlock(.osaka)
    prepared.callsSystemContracts = false
    let outcome = execute(prepared, on: &state).outcome
    #expect(state.storage(SystemContracts.beaconRoots, slot: 1708) == 0)
    #expect(outcome?.requests == nil)
  }

  // MARK: Requests (EIP-7685)

  /// Returns three bytes: PUSH3, MSTORE at 0, RETURN of 29 to 31.
  private static func returning(_ bytes: [UInt8]) -> [UInt8] {
    [0x62] + bytes + [0x5f, 0x52, 0x60, 0x03, 0x60, 0x1d, 0xf3]
  }

  private func requests(
    _ accounts: [Address: Allocation.Account] = [:], without missing: Address? = nil
  ) -> (outcome: BlockOutcome?, error: ExecutionError?) {
    var allocation = self.state(accounts).allocation
    if let missing { allocation.accounts[missing] = nil }
    var state = WorldState(allocation)
    return execute(block(.prague), on: &state)
  }

  @Test func requestsAreWhatTheContractsReturn() {
    let result = requests([
      SystemContracts.withdrawalRequests: .init(
        nonce: 1, code: Self.returning([0x11, 0x22, 0x33])),
      SystemContracts.consolidationRequests: .init(
        nonce: 1, code: Self.returning([0x44, 0x55, 0x66])),
    ])
    #expect(result.outcome?.requests == [[1, 0x11, 0x22, 0x33], [2, 0x44, 0x55, 0x66]])
    // Python: sha256(sha256(01112233) + sha256(02445566)).
    #expect(
      result.outcome?.requestsHash?.description
        == "0x93d5c674807cd9fa73a80ce059895a99430298de816334234c74bce798f80e0f")
  }

  @Test func emptyRequestsAreLeftOut() {
    let result = requests()
    #expect(result.outcome?.requests == [])
    // SHA-256 of nothing.
    #expect(
      result.outcome?.requestsHash?.description
        == "0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    let second = requests([
      SystemContracts.consolidationRequests: .init(
        nonce: 1, code: Self.returning([0x44, 0x55, 0x66]))
    ])
    #expect(second.outcome?.requests == [[2, 0x44, 0x55, 0x66]])
    var state = state()
    #expect(execute(block(.cancun), on: &state).outcome?.requests == nil)
  }

  @Test func requestContractsMustWork() {
    for address in [SystemContracts.withdrawalRequests, SystemContracts.consolidationRequests] {
      #expect(requests(without: address).error?.code == .systemContract)
      #expect(requests([address: .init(balance: 1)]).error?.code == .systemContract)
      for code: [UInt8] in [[0xfe], [0x5f, 0x5f, 0xfd]] {
        #expect(
          requests([address: .init(nonce: 1, code: code)]).error?.code == .systemContract)
      }
    }
  }

  /// A state that holds only what the transactions touch may lack them.
  @Test func requestContractsMayBeOutsideAPartialState() {
    var state = WorldState(Allocation([:]))
    let outcome = execute(block(.prague) { $0.isPartialState = true }, on: &state).outcome
    #expect(outcome?.requests == [])
  }

  // MARK: Deposits (EIP-6110)

  private static let depositTopic: [UInt8] = Hash256(
    hexadecimal: "0x649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5")!.bytes

  /// A contract that logs its input under one topic.
  private static func logger(topic: [UInt8]) -> [UInt8] {
    [0x36, 0x5f, 0x5f, 0x37, 0x7f] + topic + [0x36, 0x5f, 0xa1]
  }

  /// The event's data: five offsets, then a size and padded content for each.
  private static let deposit: [UInt8] = {
    var data: [UInt8] = []
    for offset: UInt64 in [160, 256, 320, 384, 512] { data += UInt256(offset).bytes }
    for (size, padded, byte): (Int, Int, UInt8) in [
      (48, 64, 0x11), (32, 32, 0x22), (8, 32, 0x33), (96, 96, 0x44), (8, 32, 0x55),
    ] {
      data += UInt256(UInt64(size)).bytes
      data += (0..<padded).map { $0 < size ? byte : 0 }
    }
    return data
  }()

  private func deposit(
    _ data: [UInt8], topic: [UInt8] = depositTopic, at address: Address = SystemContracts.deposits,
    times: UInt64 = 1
  ) -> (outcome: BlockOutcome?, error: ExecutionError?) {
    var state = state([address: .init(nonce: 1, code: Self.logger(topic: topic))])
    return execute(
      block(.prague) { block in
        block.transactions = (0..<times).map { transaction($0, to: address, data: data) }
      }, on: &state)
  }

  @Test func depositsAreReadFromTheLogs() {
    let one =
      [UInt8](repeating: 0x11, count: 48) + [UInt8](repeating: 0x22, count: 32)
      + [UInt8](repeating: 0x33, count: 8) + [UInt8](repeating: 0x44, count: 96)
      + [UInt8](repeating: 0x55, count: 8)
    #expect(Self.deposit.count == 576)
    #expect(deposit(Self.deposit).outcome?.requests == [[0] + one])
    #expect(deposit(Self.deposit, times: 2).outcome?.requests == [[0] + one + one])
  }

  @Test func otherLogsAreNoDeposits() {
    #expect(deposit([], topic: UInt256(1).bytes).outcome?.requests == [])
    #expect(deposit(Self.deposit, at: Self.contract).outcome?.requests == [])
  }

  @Test func malformedDepositsMakeTheBlockInvalid() {
    var cases: [[UInt8]] = [[], Self.deposit + [0], Array(Self.deposit.dropLast())]
    for place in [0, 32, 64, 96, 128, 160, 256, 320, 384, 512] {
      for index in [place, place + 31] {
        var data = Self.deposit
        data[index] ^= 1
        cases.append(data)
      }
    }
    for data in cases { #expect(deposit(data).error?.code == .invalidDeposit) }
  }

  // MARK: The DAO fork (EIP-779)

  @Test func theDAOsWeiMove() {
    let dao = Address(hexadecimal: "0xbb9bc244d798123fde783fcc1c72d3bb8c189413")!
    let child = Address(hexadecimal: "0xd4fe7bc31cedb7bfb8a345f31e668033056b2728")!
    let refund = Address(hexadecimal: "0xbf4ed7b27f1d666546e30d74d50d173d20bca754")!
    for moves in [true, false] {
      var state = state([
        dao: .init(nonce: 1, balance: 100), child: .init(balance: 20),
        TestChain.recipient: .init(balance: 3),
      ])
      #expect(execute(block(.daoFork) { $0.movesDAO = moves }, on: &state).error == nil)
      #expect(state.accounts[refund]?.balance == (moves ? 120 : nil))
      #expect(state.accounts[dao]?.balance == (moves ? 0 : 100))
      #expect(state.accounts[TestChain.recipient]?.balance == 3)
    }
  }

  // MARK: Receipts

  @Test func receiptsHoldTheStateBeforeByzantium() {
    var after = state()
    let outcome = execute(
      block(.spuriousDragon) { $0.transactions = [transaction(0), transaction(1)] }, on: &after
    ).outcome
    #expect(outcome?.receipts.map(\.cumulativeGasUsed) == [21000, 42000])
    #expect(outcome?.receipts.last?.outcome == .stateRoot(after.stateRoot()))
    #expect(outcome?.receipts.first?.outcome != outcome?.receipts.last?.outcome)
  }

  @Test func receiptsOfByzantiumHaveAStatus() {
    var state = state()
    let outcome = execute(block(.byzantium) { $0.transactions = [transaction()] }, on: &state)
      .outcome
    #expect(outcome?.receipts.map(\.outcome) == [.status(true)])
  }

  @Test func receiptsTellSuccessFromByzantiumOn() {
    var state = state([Self.contract: .init(nonce: 1, code: [0xfe])])
    let outcome = execute(
      block(.osaka) {
        $0.transactions = [
          transaction(0),
          transaction(1, to: TestChain.recipient) {
            $0.type = .dynamicFee
            $0.chainID = 1
          },
        ]
      }, on: &state
    ).outcome
    #expect(outcome?.receipts.map(\.outcome) == [.status(false), .status(true)])
    #expect(outcome?.receipts.map(\.type) == [.legacy, .dynamicFee])
    #expect(outcome?.receipts.map(\.cumulativeGasUsed) == [1_000_000, 1_021_000])
    #expect(outcome?.gasUsed == 1_021_000)
    #expect(outcome?.transactions.map(\.status) == [.undefinedOpcode, .stopped])
  }

  @Test func logsGoIntoReceiptsAndBlooms() {
    let topic = UInt256(0x77).bytes
    var state = state([Self.contract: .init(nonce: 1, code: Self.logger(topic: topic))])
    let outcome = execute(
      block(.osaka) { $0.transactions = [transaction(data: [1, 2, 3])] }, on: &state
    ).outcome
    let log = Log(address: Self.contract, topics: [Hash256(0x77)], data: [1, 2, 3])
    #expect(outcome?.receipts.first?.logs == [log])
    #expect(outcome?.logsBloom == Bloom(logs: [log]))
  }

  // MARK: Transactions that are not valid

  @Test func invalidTransactionsFailTheBlockOrAreLeftOut() {
    var prepared = block(.osaka) {
      $0.transactions = [transaction(0), transaction(5), transaction(1)]
    }
    var state = state()
    let failed = execute(prepared, on: &state).error
    #expect(failed?.code == .invalidTransaction)
    #expect(failed?.transaction == 1)
    #expect(failed?.transactionError == .nonceTooHigh)
    prepared.invalidTransactions = .reject
    var fresh = self.state()
    let outcome = execute(prepared, on: &fresh).outcome
    #expect(outcome?.rejected.map(\.index) == [1])
    #expect(outcome?.rejected.map(\.error) == [.nonceTooHigh])
    #expect(outcome?.transactions.map(\.index) == [0, 2])
    #expect(outcome?.gasUsed == 42000)
    #expect(fresh.accounts[TestChain.sender]?.nonce == 2)
  }

  // MARK: Workspaces

  /// 50,000 transient slots are more than the first workspace holds (49,152).
  @Test func aTransactionThatNeedsMoreIsRunAgain() {
    // PUSH3 50000; JUMPDEST; DUP1 DUP1 TSTORE; PUSH1 1 SWAP1 SUB; DUP1 PUSH1 4 JUMPI.
    let code: [UInt8] = [
      0x62, 0x00, 0xc3, 0x50, 0x5b, 0x80, 0x80, 0x5d, 0x60, 0x01, 0x90, 0x03, 0x80, 0x60, 0x04,
      0x57,
    ]
    var state = state([Self.contract: .init(nonce: 1, code: code)])
    let prepared = block(.osaka) {
      $0.transactions = [transaction { $0.gasLimit = 10_000_000 }, transaction(1, to: .zero)]
    }
    let outcome = execute(prepared, on: &state).outcome
    #expect(outcome?.transactions.first?.status == .stopped)
    // 132 gas a round.
    #expect(outcome?.transactions.first?.gasUsed == 21000 + 3 + 50_000 * 132)
    #expect(outcome?.transactions.last?.gasUsed == 21000)
    #expect(state.accounts[TestChain.sender]?.nonce == 2)
  }

  @Test func executorsServeManyBlocks() throws {
    let executor = SerialExecutor()
    var state = state()
    for (nonce, fork) in [Fork.frontier, .osaka, .byzantium, .prague].enumerated() {
      let outcome = try executor.execute(
        block(fork) { $0.transactions = [transaction(UInt64(nonce))] }, on: &state)
      #expect(outcome.gasUsed == 21000)
    }
    #expect(state.accounts[TestChain.sender]?.nonce == 4)
  }
}

import EVM
import Ethereum
import Testing

@testable import Execution

/// Blocks with one fault each, beside the block without it; and which chain is followed.
@Suite struct ChainTests {
  /// The rule that a block on the genesis breaks, when `fault` changes its header.
  private func broken(
    _ fork: Fork, header edit: (inout BlockHeader) -> Void = { _ in },
    fault: (inout BlockHeader) -> Void
  ) -> BlockError.Code? {
    let chain = TestChain(fork)
    #expect(chain.add(chain.block(header: edit)) == nil, "\(fork)")
    return chain.add(chain.block(header: edit) { fault(&$0.header) })
  }

  private static let eras: [Fork] = [
    .frontier, .homestead, .byzantium, .istanbul, .london, .paris, .shanghai, .cancun, .prague,
    .osaka, .bpo2,
  ]

  @Test(arguments: eras) func acceptsBlocksOfEveryFork(_ fork: Fork) {
    let chain = TestChain(fork)
    let first = chain.block(transactions: [chain.transaction(0), chain.transaction(1)])
    #expect(chain.add(first) == nil)
    #expect(chain.chain.head == first.hash)
    let second = chain.block(on: first.hash, transactions: [chain.transaction(2)])
    #expect(chain.add(second) == nil)
    #expect(chain.chain.head == second.hash)
    #expect(chain.chain.headState.accounts[TestChain.sender]?.nonce == 3)
    #expect(first.header.gasUsed == 42000)
  }

  // MARK: Headers

  @Test func malformedBlocks() {
    let chain = TestChain(.osaka)
    for bytes: [UInt8] in [[], [0xc0], [0x80], Array(chain.block().encoded.dropLast())] {
      #expect(throws: BlockError.self) { try chain.chain.importBlock(rlp: bytes) }
      do throws(BlockError) {
        try chain.chain.importBlock(rlp: bytes)
      } catch {
        #expect(error.code == .malformed)
      }
    }
  }

  @Test func parentsAreKnown() {
    #expect(broken(.osaka) { $0.parentHash = Hash256(1) } == .unknownParent)
  }

  @Test func numbersCount() {
    #expect(broken(.osaka) { $0.number = 2 } == .invalidNumber)
    #expect(broken(.osaka) { $0.number = 0 } == .invalidNumber)
  }

  /// After the last number there is none; it does not begin again, nor trap.
  @Test func numbersEnd() {
    let chain = TestChain(.osaka, genesis: { $0.number = .max })
    var header = BlockHeader()
    header.parentHash = chain.genesis.hash
    header.timestamp = 1012
    for number: UInt64 in [0, .max] {
      header.number = number
      #expect(chain.add(Block(header: header, withdrawals: [])) == .invalidNumber)
    }
  }

  @Test func timestampsGrow() {
    #expect(broken(.osaka) { $0.timestamp = 1000 } == .invalidTimestamp)
    #expect(broken(.osaka) { $0.timestamp = 999 } == .invalidTimestamp)
    #expect(
      broken(.osaka, header: { $0.timestamp = 1001 }) { $0.timestamp = 0 } == .invalidTimestamp)
  }

  /// By less than a 1,024th: 29,296 of 30,000,000.
  @Test func gasLimitsMoveSlowly() {
    let chain = TestChain(.osaka)
    for (limit, expected): (UInt64, BlockError.Code?) in [
      (30_029_295, nil), (30_029_296, .invalidGasLimit), (29_970_705, nil),
      (29_970_704, .invalidGasLimit),
    ] {
      #expect(chain.add(chain.block(header: { $0.gasLimit = limit })) == expected)
    }
    let least = TestChain(.osaka, genesis: { $0.gasLimit = 5001 })
    #expect(least.add(least.block(header: { $0.gasLimit = 5000 })) == nil)
    #expect(least.add(least.block(header: { $0.gasLimit = 4999 })) == .invalidGasLimit)
    let most = TestChain(.osaka, genesis: { $0.gasLimit = 1 << 63 - 2 })
    #expect(most.add(most.block(header: { $0.gasLimit = 1 << 63 - 1 })) == nil)
    #expect(most.add(most.block(header: { $0.gasLimit = 1 << 63 })) == .invalidGasLimit)
  }

  @Test func gasUsedIsWithinTheLimitAndRight() {
    #expect(broken(.osaka) { $0.gasUsed = $0.gasLimit + 1 } == .gasUsedAboveLimit)
    #expect(broken(.osaka) { $0.gasUsed = $0.gasLimit } == .invalidGasUsed)
    #expect(broken(.frontier) { $0.gasUsed = 1 } == .invalidGasUsed)
  }

  @Test func extraDataHas32BytesAtMost() {
    let fill = { (count: Int) in
      { (header: inout BlockHeader) in header.extraData = [UInt8](repeating: 1, count: count) }
    }
    #expect(broken(.osaka, header: fill(32), fault: fill(33)) == .extraDataTooLong)
  }

  /// A field that the fork lacks, or that is missing; the header's end is cut there.
  @Test func headersHaveTheFieldsOfTheirFork() {
    #expect(broken(.berlin) { $0.baseFeePerGas = 7 } == .unexpectedFields)
    #expect(broken(.london) { $0.baseFeePerGas = nil } == .invalidBaseFee)
    #expect(
      broken(.paris) { $0.withdrawalsRoot = MerklePatriciaTrie.emptyRoot } == .unexpectedFields)
    #expect(broken(.shanghai) { $0.withdrawalsRoot = nil } == .unexpectedFields)
    #expect(broken(.shanghai) { $0.blobGasUsed = 0 } == .unexpectedFields)
    #expect(broken(.cancun) { $0.blobGasUsed = nil } == .unexpectedFields)
    #expect(broken(.cancun) { $0.excessBlobGas = nil } == .unexpectedFields)
    #expect(broken(.cancun) { $0.parentBeaconBlockRoot = nil } == .unexpectedFields)
    #expect(broken(.cancun) { $0.requestsHash = .zero } == .unexpectedFields)
    #expect(broken(.prague) { $0.requestsHash = nil } == .unexpectedFields)
    #expect(broken(.osaka) { $0.blockAccessListHash = .zero } == .unexpectedFields)
  }

  @Test func bodiesHaveWithdrawalsFromShanghaiOn() {
    for (fork, withdrawals): (Fork, [Withdrawal]?) in [(.shanghai, nil), (.paris, [])] {
      let chain = TestChain(fork)
      #expect(chain.add(chain.block(fault: { $0.withdrawals = withdrawals })) == .unexpectedFields)
    }
  }

  @Test func baseFeeIsTheOneThatFollows() {
    #expect(broken(.london) { $0.baseFeePerGas = 1_000_000_000 } == .invalidBaseFee)
    #expect(broken(.osaka) { $0.baseFeePerGas = 875_000_001 } == .invalidBaseFee)
    let chain = TestChain(.osaka)
    #expect(chain.block().header.baseFeePerGas == 875_000_000)
  }

  /// EIP-1559: the first block has a base fee of 1 gwei and twice the gas limit.
  @Test func londonBeginsWithADoubledLimit() {
    let schedule = ForkSchedule([(.berlin, .block(0)), (.london, .block(2))])
    let chain = TestChain(schedule)
    let before = chain.block()
    #expect(chain.add(before) == nil)
    let first = chain.block(on: before.hash)
    #expect(first.header.gasLimit == 60_000_000)
    #expect(first.header.baseFeePerGas == 1_000_000_000)
    #expect(chain.add(first) == nil)
    let low = chain.block(on: before.hash, fault: { $0.header.gasLimit = 30_000_000 })
    #expect(chain.add(low) == .invalidGasLimit)
    let dear = chain.block(on: before.hash, fault: { $0.header.baseFeePerGas = 1_125_000_000 })
    #expect(chain.add(dear) == .invalidBaseFee)
  }

  @Test func difficultyIsTheOneThatFollows() {
    #expect(broken(.frontier) { $0.difficulty = $0.difficulty &+ 1 } == .invalidDifficulty)
    #expect(broken(.grayGlacier) { $0.difficulty = 0 } == .invalidDifficulty)
  }

  @Test func proofOfWorkEndsWithParis() {
    #expect(broken(.paris) { $0.difficulty = 1 } == .invalidProofOfStakeFields)
    #expect(broken(.paris) { $0.nonce = 1 } == .invalidProofOfStakeFields)
    #expect(broken(.osaka) { $0.ommersHash = .zero } == .invalidProofOfStakeFields)
    // The mix hash is free: it is the randomness.
    #expect(broken(.paris, header: { $0.mixHash = Hash256(5) }) { $0.difficulty = 1 } != nil)
  }

  @Test func blobFieldsAreRight() {
    #expect(broken(.cancun) { $0.excessBlobGas = 1 } == .invalidExcessBlobGas)
    #expect(broken(.cancun) { $0.blobGasUsed = 1 << 17 } == .invalidBlobGasUsed)
    #expect(broken(.osaka) { $0.excessBlobGas = 1 << 17 } == .invalidExcessBlobGas)
  }

  @Test func rootsAndBloomAreRight() {
    let wrong = Hash256(7)
    #expect(broken(.osaka) { $0.stateRoot = wrong } == .invalidStateRoot)
    #expect(broken(.osaka) { $0.receiptsRoot = wrong } == .invalidReceiptsRoot)
    #expect(broken(.osaka) { $0.transactionsRoot = wrong } == .invalidTransactionsRoot)
    #expect(broken(.osaka) { $0.withdrawalsRoot = wrong } == .invalidWithdrawalsRoot)
    #expect(broken(.prague) { $0.requestsHash = wrong } == .invalidRequests)
    #expect(broken(.osaka) { $0.requestsHash = wrong } == .invalidRequests)
    #expect(broken(.istanbul) { $0.ommersHash = wrong } == .invalidOmmersHash)
    #expect(broken(.osaka) { $0.logsBloom.insert(hash: wrong) } == .invalidLogsBloom)
    #expect(broken(.frontier) { $0.receiptsRoot = wrong } == .invalidReceiptsRoot)
  }

  /// EIP-779: ten blocks say so from the fork's own on, and the eleventh may say anything.
  @Test func daoForkBlocksAreMarked() {
    let schedule = ForkSchedule([(.homestead, .block(0)), (.daoFork, .block(2))])
    let chain = TestChain(schedule)
    var parent = chain.genesis.hash
    for number in 1...12 {
      let marks = (2...11).contains(number)
      let other = chain.block(on: parent, fault: { $0.header.extraData = [] })
      let block = chain.block(
        on: parent, header: { $0.extraData = marks ? Array("dao-hard-fork".utf8) : [] })
      if marks { #expect(chain.add(other) == .invalidExtraData, "block \(number)") }
      #expect(chain.add(block) == nil, "block \(number)")
      parent = block.hash
    }
  }

  /// EIP-7934: 8 MiB. The size is looked at before the header, here of a wrong number.
  @Test func blocksHaveAMaximalSizeInOsaka() {
    let limit = 10_485_760 - 2_097_152
    func sized(_ chain: TestChain, _ size: Int) -> Block {
      var block = chain.block(header: { $0.number += 1 })
      var transaction = Transaction(to: .zero, data: [UInt8](repeating: 1, count: size - 1000))
      transaction.signature = Signature(r: 1, s: 1)
      block.transactions = [transaction]
      block.transactions[0].data += [UInt8](repeating: 1, count: size - block.encoded.count)
      #expect(block.encoded.count == size)
      return block
    }
    let osaka = TestChain(.osaka)
    #expect(osaka.add(sized(osaka, limit)) == .invalidNumber)
    #expect(osaka.add(sized(osaka, limit + 1)) == .tooLarge)
    let prague = TestChain(.prague)
    #expect(prague.add(sized(prague, limit + 1)) == .invalidNumber)
  }

  // MARK: Transactions

  @Test func transactionsAreValid() {
    let chain = TestChain(.osaka)
    let block = chain.block(transactions: [chain.transaction(1)])
    let error = chain.error(block)
    #expect(error?.code == .invalidTransaction)
    #expect(error?.testNames == ["NONCE_MISMATCH_TOO_HIGH"])
    #expect(chain.add(chain.block(transactions: [chain.transaction(0)])) == nil)
  }

  @Test func signaturesAreValid() {
    let order = Secp256k1.order
    let forge = { (change: (inout Transaction) -> Void) -> BlockError.Code? in
      let chain = TestChain(.homestead)
      var transaction = chain.transaction()
      change(&transaction)
      return chain.add(chain.block(transactions: [transaction]))
    }
    #expect(forge { $0.signature.r = 0 } == .invalidTransaction)
    #expect(forge { $0.signature.s = 0 } == .invalidTransaction)
    // EIP-2 refuses the other s of the same signature, Frontier takes it.
    let mirror = { (transaction: inout Transaction) in
      transaction.signature.s = order &- transaction.signature.s
      transaction.signature.yParity.toggle()
    }
    #expect(forge(mirror) == .invalidTransaction)
    let frontier = TestChain(.frontier)
    var transaction = frontier.transaction()
    mirror(&transaction)
    #expect(frontier.add(frontier.block(transactions: [transaction])) == nil)
  }

  @Test func chainsAreNamedFromSpuriousDragonOn() {
    for (fork, id, expected): (Fork, UInt64?, BlockError.Code?) in [
      (.homestead, 1, .invalidTransaction), (.spuriousDragon, 1, nil),
      (.spuriousDragon, 2, .invalidTransaction), (.spuriousDragon, nil, nil),
    ] {
      let chain = TestChain(fork)
      let transaction = chain.transaction { $0.chainID = id }
      #expect(chain.add(chain.block(transactions: [transaction])) == expected, "\(fork)")
    }
  }

  @Test func typesBeginWithTheirForks() {
    // A type that does not exist yet is the first fault, before the wrong chain.
    for (fork, id, expected): (Fork, UInt64, BlockError.Code?) in [
      (.muirGlacier, 1, .invalidTransaction), (.muirGlacier, 2, .invalidTransaction),
      (.berlin, 1, nil),
    ] {
      let chain = TestChain(fork)
      let transaction = chain.transaction {
        $0.type = .accessList
        $0.chainID = id
      }
      let error = chain.error(chain.block(transactions: [transaction]))
      #expect(error?.code == expected)
      if error != nil { #expect(error?.testNames.contains("TYPE_1_TX_PRE_FORK") == true) }
    }
  }

  /// What the block has left, not its limit, bounds a transaction.
  @Test func gasIsShared() {
    for (gas, expected): (UInt64, BlockError.Code?) in [
      (979_000, nil), (979_001, .invalidTransaction),
    ] {
      let chain = TestChain(.prague, genesis: { $0.gasLimit = 1_000_000 })
      let transactions = [chain.transaction(0), chain.transaction(1) { $0.gasLimit = gas }]
      #expect(chain.add(chain.block(transactions: transactions)) == expected)
    }
  }

  @Test func blobsAreShared() {
    for (count, expected): (UInt64, BlockError.Code?) in [(2, nil), (3, .invalidTransaction)] {
      let chain = TestChain(.cancun)
      let blobs = { (nonce: UInt64, count: UInt64) in
        chain.transaction(nonce) {
          $0.type = .blob
          $0.chainID = 1
          $0.maxFeePerBlobGas = 1
          $0.blobVersionedHashes = (0..<count).map { Hash256(UInt256(1) << 248 | UInt256($0)) }
        }
      }
      let block = chain.block(transactions: [blobs(0, 4), blobs(1, count)])
      #expect(chain.add(block) == expected)
      if expected == nil { #expect(block.header.blobGasUsed == 6 << 17) }
    }
  }

  /// A chain that begins at block 1,000 does not know the hash of block 900.
  @Test func unknownHashesAreNoFaultOfTheBlock() {
    // BLOCKHASH of the word in the input.
    let reader = Allocation.Account(nonce: 1, code: [0x5f, 0x35, 0x40, 0x00])
    let chain = TestChain(
      .osaka, accounts: [TestChain.recipient: reader], genesis: { $0.number = 1000 })
    let word = { (number: UInt64) in UInt256(number).bytes }
    #expect(
      chain.add(chain.block(transactions: [chain.transaction(data: word(900))])) == .resources)
    #expect(chain.add(chain.block(transactions: [chain.transaction(data: word(1000))])) == nil)
  }

  /// EIP-4399: a contract that stores what DIFFICULTY, now PREVRANDAO, gives.
  @Test func randomnessComesFromTheMixHashFromParisOn() {
    let store = Allocation.Account(nonce: 1, code: [0x44, 0x60, 0x00, 0x55])
    for (fork, isMixHash) in [(Fork.grayGlacier, false), (.paris, true), (.shanghai, true)] {
      let chain = TestChain(fork, accounts: [TestChain.recipient: store])
      let block = chain.block(
        transactions: [chain.transaction()], header: { $0.mixHash = Hash256(0x1234) })
      #expect(chain.add(block) == nil, "\(fork)")
      let slots = chain.chain.headState.allocation.accounts[TestChain.recipient]?.storage
      #expect(slots?[0] == (isMixHash ? 0x1234 : block.header.difficulty), "\(fork)")
    }
  }

  // MARK: Ommers

  /// Blocks 1 to `count` on one chain, and another block of each height.
  private func family(_ count: Int) -> (TestChain, main: [Block], side: [Block]) {
    let chain = TestChain(.istanbul)
    var main: [Block] = []
    var side: [Block] = []
    var parent = chain.genesis.hash
    for _ in 0..<count {
      let block = chain.block(on: parent)
      side.append(
        chain.block(on: parent, header: { $0.coinbase = TestChain.recipient }))
      #expect(chain.add(block) == nil)
      main.append(block)
      parent = block.hash
    }
    return (chain, main, side)
  }

  @Test func ommersEarnByTheirAge() {
    let (chain, main, side) = family(7)
    let ether: UInt64 = 1_000_000_000_000_000_000
    let before = chain.state(main[6].hash).accounts[TestChain.coinbase]?.balance
    #expect(before == UInt256(7) &* UInt256(2 * ether))
    // One and six blocks older: 7/8 and 2/8 of 2 ether; 1/32 for each to the block.
    let block = chain.block(on: main[6].hash, ommers: [side[6].header, side[1].header])
    #expect(chain.add(block) == nil)
    let state = chain.state(block.hash)
    #expect(state.accounts[TestChain.recipient]?.balance == UInt256(ether / 4 * 9))
    #expect(
      state.accounts[TestChain.coinbase]?.balance
        == before! &+ UInt256(2 * ether) &+ UInt256(ether / 8))
  }

  @Test func ommersAreRelativesOfSixGenerations() {
    let (chain, main, side) = family(8)
    let with = { (ommers: [BlockHeader]) -> BlockError.Code? in
      chain.add(chain.block(on: main[7].hash, ommers: ommers))
    }
    #expect(with([side[7].header]) == nil)
    #expect(with([side[2].header]) == nil)
    // Its parent is the eighth ancestor.
    #expect(with([side[1].header]) == .invalidOmmers)
    // An ancestor, the same twice, three, and a brother.
    #expect(with([main[6].header]) == .invalidOmmers)
    #expect(with([side[7].header, side[7].header]) == .invalidOmmers)
    #expect(with([side[7].header, side[6].header, side[5].header]) == .invalidOmmers)
    let brother = chain.block(on: main[7].hash, header: { $0.coinbase = TestChain.recipient })
    #expect(with([brother.header]) == .invalidOmmers)
    // A header that is not valid itself.
    var bad = side[7].header
    bad.difficulty = bad.difficulty &+ 1
    #expect(with([bad]) == .invalidDifficulty)
    // One that an ancestor has already.
    let nephew = chain.block(on: main[7].hash, ommers: [side[7].header])
    let again = chain.block(on: nephew.hash, ommers: [side[7].header])
    #expect(chain.add(nephew) == nil)
    #expect(chain.add(again) == .invalidOmmers)
  }

  // MARK: Which chain

  @Test func theHeaviestChainIsFollowedBeforeParis() {
    let chain = TestChain(.frontier)
    let slow = chain.block(header: { $0.timestamp += 20 })
    let slowChild = chain.block(on: slow.hash)
    let fast = chain.block()
    #expect(fast.header.difficulty > slow.header.difficulty)
    chain.add(fast)
    chain.add(slow)
    #expect(chain.chain.head == fast.hash)
    chain.add(slowChild)
    #expect(chain.chain.head == slowChild.hash)
    #expect(chain.chain.headHeader == slowChild.header)
    // As heavy as the head: the first stays.
    let twin = chain.block(on: slow.hash, header: { $0.coinbase = TestChain.recipient })
    chain.add(twin)
    #expect(chain.chain.head == slowChild.hash)
    let longer = chain.block(on: fast.hash)
    chain.add(longer)
    #expect(chain.chain.head == longer.hash)
    #expect(chain.chain.headState.allocation == chain.state(longer.hash).allocation)
  }

  @Test func theLastBlockIsFollowedFromParisOn() {
    let chain = TestChain(.paris)
    let a = chain.block()
    let b = chain.block(header: { $0.coinbase = TestChain.recipient })
    chain.add(a)
    chain.add(b)
    #expect(chain.chain.head == b.hash)
  }

  /// EIP-3675: Paris begins with the child of the block that reaches the terminal difficulty.
  @Test func parisBeginsByTotalDifficulty() {
    let schedule = ForkSchedule([
      (.london, .block(0)), (.paris, .totalDifficulty(UInt256(3_000_001))),
    ])
    let chain = TestChain(schedule)
    let last = chain.block()
    #expect(last.header.difficulty > 0)
    #expect(chain.add(last) == nil)
    let first = chain.block(on: last.hash)
    #expect(first.header.difficulty == 0)
    #expect(chain.add(first) == nil)
  }

  @Test func aRefusedBlockChangesNothing() {
    let chain = TestChain(.osaka)
    let head = chain.chain.head
    let block = chain.block(
      transactions: [chain.transaction()], fault: { $0.header.stateRoot = .zero })
    #expect(chain.add(block) == .invalidStateRoot)
    #expect(chain.chain.head == head)
    #expect(chain.chain.headState.accounts[TestChain.sender]?.nonce == 0)
  }
}

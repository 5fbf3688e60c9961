import Testing

@testable import EVM

/// Opcodes that read the message, the code and the block.
@Suite struct EnvironmentTests {
  private func run(_ code: Bytecode, _ fork: Fork = .osaka, data: [UInt8] = [], value: UInt256 = 0)
    -> TestWorld.Outcome
  {
    TestWorld(fork, code: code).run(data: data, value: value)
  }

  private func word(_ code: Bytecode, _ fork: Fork = .osaka, data: [UInt8] = []) -> UInt256? {
    run(code + .returnTop, fork, data: data).word
  }

  /// Bytes from the left, then zeros.
  private func leftAligned(_ bytes: some Sequence<UInt8>) -> UInt256 {
    let bytes = Array(bytes)
    let word = bytes.reduce(UInt256.zero) { ($0 << 8) | UInt256(UInt64($1)) }
    return word << UInt64((32 - bytes.count) * 8)
  }

  // MARK: The message

  @Test func messageOpcodesTellWhoAndHowMuch() {
    #expect(word([Opcode.address]) == TestWorld.contract.word)
    #expect(word([Opcode.origin]) == TestWorld.sender.word)
    #expect(word([Opcode.caller]) == TestWorld.sender.word)
    #expect(run([Opcode.callvalue] + .returnTop, value: 9).word == 9)
    // In a call the origin stays the sender.
    let world = TestWorld(
      .osaka,
      code: .call(Opcode.call, 10_000, TestWorld.other.word, 0, 0, 0, 0, 32)
        + .call(Opcode.`return`, 0, 32))
    world.accounts[TestWorld.other] = .init(
      nonce: 1, code: (Bytecode([Opcode.origin]) + .returnTop).bytes)
    #expect(world.run().word == TestWorld.sender.word)
  }

  /// The base fee is 7 wei.
  @Test func gasPriceIsWhatIsPaid() {
    let world = TestWorld(.osaka, code: [Opcode.gasprice] + .returnTop)
    var sent = world.sent(.dynamicFee)
    for (max, priority, price): (UInt256, UInt256, UInt256) in [
      (7, 0, 7), (7, 5, 7), (10, 5, 10), (12, 5, 12), (100, 5, 12),
    ] {
      sent.message.maxFeePerGas = max
      sent.message.maxPriorityFeePerGas = priority
      #expect(world.run(sent).word == price)
    }
  }

  private static let input = (1...33).map { UInt8($0) }

  @Test func callDataLoadReadsZerosPastTheEnd() {
    let load = { (offset: UInt256) in
      word(.call(Opcode.calldataload, offset), data: Self.input)
    }
    #expect(load(0) == leftAligned(1...32))
    #expect(load(1) == leftAligned(2...33))
    #expect(load(2) == leftAligned(3...33))
    #expect(load(32) == leftAligned([33]))
    for offset: UInt256 in [33, 34, UInt256(1) << 63, UInt256(1) << 64, UInt256(1) << 64 | 1, .max]
    {
      #expect(load(offset) == 0)
    }
    #expect(word([Opcode.calldatasize], data: Self.input) == 33)
    #expect(word([Opcode.calldatasize]) == 0)
  }

  /// Copies 32 bytes over memory that is all ones.
  private func copied(_ opcode: UInt8, from offset: UInt256) -> Bytecode {
    .call(Opcode.mstore, 0, .max) + .call(opcode, 0, offset, 32) + .call(Opcode.mload, 0)
  }

  @Test func callDataCopyWritesZerosPastTheEnd() {
    let copy = { (offset: UInt256) in
      word(copied(Opcode.calldatacopy, from: offset), data: Self.input)
    }
    #expect(copy(0) == leftAligned(1...32))
    #expect(copy(1) == leftAligned(2...33))
    #expect(copy(30) == leftAligned([31, 32, 33]))
    for offset: UInt256 in [33, 1000, UInt256(1) << 64, UInt256(1) << 64 | 1, .max] {
      #expect(copy(offset) == 0)
    }
    // A part of a word leaves the rest.
    let part = Bytecode.call(Opcode.mstore, 0, .max) + .call(Opcode.calldatacopy, 4, 0, 2)
    #expect(
      word(part + .call(Opcode.mload, 0), data: Self.input)
        == leftAligned([255, 255, 255, 255, 1, 2] + [UInt8](repeating: 255, count: 26)))
    // Nothing goes anywhere.
    #expect(run(.call(Opcode.calldatacopy, .max, .max, 0)).status == .stopped)
    #expect(run(.call(Opcode.calldatacopy, .max, 0, 1)).status == .outOfGas)
  }

  // MARK: Code

  @Test func codeIsReadWithZerosPastTheEnd() {
    let code = copied(Opcode.codecopy, from: 0) + .returnTop
    #expect(run(code).word == leftAligned(code.bytes.prefix(32)))
    let size = Bytecode([Opcode.codesize]) + .returnTop
    #expect(run(size).word == UInt256(UInt64(size.bytes.count)))
    for offset: UInt256 in [100, UInt256(1) << 64, .max] {
      #expect(word(copied(Opcode.codecopy, from: offset)) == 0)
    }
    // The last byte of the code, a RETURN.
    let tail = copied(Opcode.codecopy, from: 53) + .returnTop
    #expect(tail.bytes.count == 54)
    #expect(run(tail).word == leftAligned([Opcode.`return`]))
  }

  @Test func externalCodeIsReadWithZerosPastTheEnd() {
    let other = TestWorld.other.word
    let copy = { (address: UInt256, offset: UInt256) -> UInt256? in
      let code =
        Bytecode.call(Opcode.mstore, 0, .max) + .call(Opcode.extcodecopy, address, 0, offset, 32)
        + .call(Opcode.mload, 0) + .returnTop
      let world = TestWorld(.osaka, code: code)
      world.accounts[TestWorld.other] = .init(nonce: 1, code: [1, 2, 3])
      return world.run().word
    }
    #expect(copy(other, 0) == leftAligned([1, 2, 3]))
    #expect(copy(other, 2) == leftAligned([3]))
    for offset: UInt256 in [3, UInt256(1) << 64, .max] { #expect(copy(other, offset) == 0) }
    #expect(copy(0xabcdef, 0) == 0)
    #expect(copy(TestWorld.sender.word, 0) == 0)
    let size = Bytecode.call(Opcode.extcodesize, other) + .returnTop
    let world = TestWorld(.osaka, code: size)
    #expect(world.run().word == 0)
    world.accounts[TestWorld.other] = .init(nonce: 1, code: [1, 2, 3])
    #expect(world.run().word == 3)
  }

  /// 3 gas, 3 a word, and the memory.
  @Test func copiesPayByTheWord() {
    for opcode in [Opcode.calldatacopy, Opcode.codecopy] {
      #expect(executionGas(.osaka, .call(opcode, 0, 0, 0)) == 9 + 3)
      #expect(executionGas(.osaka, .call(opcode, 0, 0, 1)) == 9 + 3 + 3 + 3)
      #expect(executionGas(.osaka, .call(opcode, 0, 0, 32)) == 9 + 3 + 3 + 3)
      #expect(executionGas(.osaka, .call(opcode, 0, 0, 33)) == 9 + 3 + 6 + 6)
      #expect(executionGas(.osaka, .call(opcode, 31, 0, 2)) == 9 + 3 + 3 + 6)
    }
    let own = TestWorld.contract.word
    #expect(executionGas(.osaka, .call(Opcode.extcodecopy, own, 0, 0, 33)) == 12 + 100 + 6 + 6)
    #expect(executionGas(.frontier, .call(Opcode.extcodecopy, own, 0, 0, 33)) == 12 + 20 + 6 + 6)
  }

  // MARK: Keccak-256

  /// Hashes known from the yellow paper (of nothing) and Solidity (of a zero word).
  @Test func keccakOfKnownInputs() {
    #expect(word(.call(Opcode.keccak256, 0, 0)) == Hash256.emptyCode.word)
    #expect(
      word(.call(Opcode.keccak256, 0, 32))
        == UInt256(
          0x362f_9316_0ef3_e563, 0x4ba6_bc95_4840_08f6, 0xd603_45a9_8838_6fc8,
          0x290d_ecd9_548b_62a8))
    // "abc" (the Keccak team's test vectors).
    let abc = Bytecode.call(Opcode.mstore, 0, 0x616263) + .call(Opcode.keccak256, 29, 3)
    #expect(
      word(abc)
        == UInt256(
          0xec44_f58f_a12d_6c45, 0xc0d1_e6e3_3a64_a036, 0xc7d4_7ba8_26c8_d667,
          0x4e03_657a_ea45_a94f))
  }

  @Test func keccakPaysByTheWord() {
    #expect(executionGas(.osaka, .call(Opcode.keccak256, 0, 0)) == 6 + 30)
    #expect(executionGas(.osaka, .call(Opcode.keccak256, 0, 1)) == 6 + 30 + 6 + 3)
    #expect(executionGas(.osaka, .call(Opcode.keccak256, 0, 64)) == 6 + 30 + 12 + 6)
    #expect(executionGas(.osaka, .call(Opcode.keccak256, 0, 65)) == 6 + 30 + 18 + 9)
  }

  // MARK: The block

  @Test func blockHashKnowsTheLast256() {
    let hash = { (number: UInt256, current: UInt64) -> UInt256? in
      let world = TestWorld(.osaka, code: .call(Opcode.blockhash, number) + .returnTop)
      world.block.number = current
      return world.run().word
    }
    // The view's hashes are the number and 0xb10c0000.
    #expect(hash(999, 1000) == 0xb10c_03e7)
    #expect(hash(744, 1000) == 0xb10c_02e8)
    for number: UInt256 in [743, 0, 1000, 1001, UInt256(1) << 64 | 999, .max] {
      #expect(hash(number, 1000) == 0)
    }
    #expect(hash(0, 256) == 0xb10c_0000)
    #expect(hash(0, 257) == 0)
    #expect(hash(0, 0) == 0)
    #expect(executionGas(.osaka, .call(Opcode.blockhash, 999)) == 3 + 20)
  }

  @Test func blockOpcodesTellTheHeader() {
    let world = TestWorld(.osaka)
    world.block = BlockEnvironment(
      chainID: 0x1111, number: 0x2222, timestamp: 0x3333, gasLimit: 0x444_4444,
      coinbase: Address(number: 0x5555), prevRandao: .max, baseFeePerGas: 0x77,
      blobBaseFee: 0x8888)
    world.accounts[TestWorld.contract]?.balance = 0x9999
    let values: [(UInt8, UInt256)] = [
      (Opcode.chainid, 0x1111), (Opcode.number, 0x2222), (Opcode.timestamp, 0x3333),
      (Opcode.gaslimit, 0x444_4444), (Opcode.coinbase, 0x5555), (Opcode.prevrandao, .max),
      (Opcode.basefee, 0x77), (Opcode.blobbasefee, 0x8888), (Opcode.selfbalance, 0x9999),
    ]
    for (opcode, value) in values {
      world.accounts[TestWorld.contract]?.code = (Bytecode([opcode]) + .returnTop).bytes
      #expect(world.run().word == value)
    }
  }

  @Test func selfBalanceFollowsTransfers() {
    // 100 wei, 9 come with the call, 3 go.
    let world = TestWorld(
      .osaka,
      code: .call(Opcode.call, 0, 0xffff, 3, 0, 0, 0, 0) + [Opcode.selfbalance] + .returnTop)
    world.accounts[TestWorld.contract]?.balance = 100
    #expect(world.run(value: 9).word == 106)
  }

  /// The prices of the yellow paper's tiers (EIP-1344, EIP-1884, EIP-3198, EIP-7516).
  @Test func readingTheEnvironmentCostsTwo() {
    let base = [
      Opcode.address, Opcode.origin, Opcode.caller, Opcode.callvalue, Opcode.calldatasize,
      Opcode.codesize, Opcode.gasprice, Opcode.returndatasize, Opcode.coinbase,
      Opcode.timestamp, Opcode.number, Opcode.prevrandao, Opcode.gaslimit, Opcode.chainid,
      Opcode.basefee, Opcode.blobbasefee, Opcode.pc, Opcode.msize, Opcode.gas,
    ]
    for opcode in base { #expect(executionGas(.osaka, [opcode]) == 2) }
    #expect(executionGas(.osaka, [Opcode.selfbalance]) == 5)
    #expect(executionGas(.osaka, .call(Opcode.calldataload, 0)) == 3 + 3)
    #expect(executionGas(.osaka, .call(Opcode.blobhash, 0)) == 3 + 3)
  }

  @Test func blobHashesByIndex() {
    let hash = { (index: UInt256) -> UInt256? in
      let world = TestWorld(.osaka, code: .call(Opcode.blobhash, index) + .returnTop)
      var sent = world.sent(.blob)
      sent.blobHashes = [.blob(0xa), .blob(0xb)]
      sent.message.maxFeePerBlobGas = 1
      return world.run(sent).word
    }
    #expect(hash(0) == Hash256.blob(0xa).word)
    #expect(hash(1) == Hash256.blob(0xb).word)
    for index: UInt256 in [2, UInt256(1) << 64, UInt256(1) << 64 | 1, .max] {
      #expect(hash(index) == 0)
    }
    #expect(word(.call(Opcode.blobhash, 0)) == 0)
  }

  // MARK: Logs

  @Test func logsKeepTheirTopicsInOrder() {
    let topics: [UInt256] = [0xa, 0xb, 0xc, 0xd]
    for count in 0...4 {
      var code = Bytecode.call(Opcode.mstore, 0, 0x112233)
      for topic in topics.prefix(count).reversed() { code = code + .push(topic) }
      code = code + .push(3) + .push(29) + [Opcode.log0 + UInt8(count)]
      let outcome = run(code)
      #expect(outcome.status == .stopped)
      #expect(outcome.logs.count == 1)
      #expect(outcome.logs.first?.address == TestWorld.contract)
      #expect(outcome.logs.first?.topics == Array(topics.prefix(count)))
      #expect(outcome.logs.first?.data == [0x11, 0x22, 0x33])
    }
  }

  /// 375 gas, 375 a topic, 8 a byte, and the memory.
  @Test func logsPayForTopicsAndBytes() {
    for count in 0...4 {
      let log = { (bytes: UInt256) in
        (Bytecode.push(0) * count) + .push(bytes) + .push(0) + [Opcode.log0 + UInt8(count)]
      }
      let fixed = UInt64(375 + 375 * count + 3 * count + 6)
      #expect(executionGas(.osaka, log(0)) == fixed)
      #expect(executionGas(.osaka, log(1)) == fixed + 8 + 3)
      #expect(executionGas(.osaka, log(33)) == fixed + 8 * 33 + 6)
    }
  }

  @Test func logsOfAllFramesComeInOrder() {
    let callee = Bytecode.call(Opcode.log0 + 1, 0, 0, 2)
    let code =
      Bytecode.call(Opcode.log0 + 1, 0, 0, 1)
      + .call(Opcode.call, 10_000, TestWorld.other.word, 0, 0, 0, 0, 0)
      + .call(Opcode.delegatecall, 10_000, TestWorld.other.word, 0, 0, 0, 0)
      + .call(Opcode.log0 + 1, 0, 0, 3)
    let world = TestWorld(.osaka, code: code)
    world.accounts[TestWorld.other] = .init(nonce: 1, code: callee.bytes)
    let logs = world.run().logs
    #expect(logs.map { $0.topics } == [[1], [2], [2], [3]])
    #expect(
      logs.map { $0.address }
        == [TestWorld.contract, TestWorld.other, TestWorld.contract, TestWorld.contract])
  }

  @Test func aFailedTransactionLogsNothing() {
    #expect(run(.call(Opcode.log0, 0, 0) + .call(Opcode.revert, 0, 0)).logs.isEmpty)
    #expect(run(.call(Opcode.log0, 0, 0) + [Opcode.invalid]).logs.isEmpty)
  }
}

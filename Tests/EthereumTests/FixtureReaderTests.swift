import EVM
import Ethereum
import TestSupport
import Testing

@Suite struct FixtureReaderTests {
  static let stateTest = """
    {"example": {
      "env": {"currentCoinbase": "0x2adc25665018aa1fe0e6bc666dac8fc2697ff9ba",
        "currentGasLimit": "0x016345785d8a0000", "currentNumber": "0x1", "currentTimestamp": "1000",
        "currentRandom": "0x0", "currentBaseFee": "0x0a"},
      "pre": {"0xa94f5374fce5edbc8e2a8697c15331677e6ebf0b": {"balance": "0x00", "nonce": "0x0",
        "code": "0x6000", "storage": {"0x": "0x1", "0x02": "0x00"}}},
      "transaction": {"data": ["0x", "0x01"], "gasLimit": ["0x5208", "0x10000000000000000"],
        "value": ["0x:bigint 0x10000000000000000000000000000000000000000000000000000000000000001",
          "0x1"],
        "gasPrice": "0x0a", "nonce": "0x00", "to": "",
        "accessLists": [null, []], "sender": "0xa94f5374fce5edbc8e2a8697c15331677e6ebf0b"},
      "post": {"Berlin": [{"hash": "0x\(String(repeating: "00", count: 32))",
        "logs": "0x\(String(repeating: "00", count: 32))",
        "expectException": "TransactionException.A|TransactionException.B",
        "indexes": {"data": 1, "gas": 0, "value": 1}}], "Verkle": []}}}
    """

  @Test func readsTheOlderFormsOfStateTests() throws {
    var reader = FixtureReader<StateTest>(
      FileBytes(copying: Array(Self.stateTest.utf8)), options: .init())
    let test = try #require(try reader.next())
    #expect(test.name == "example")
    #expect(test.unknownForks == ["Verkle"])
    #expect(
      test.post.first?.posts.first?.expectedExceptions == [
        "TransactionException.A", "TransactionException.B",
      ])
    #expect(test.pre.accounts.values.first?.storage == [0: 1])
    #expect(test.environment.timestamp == 1000)
    #expect(try reader.next() == nil)
    let form = { (data: Int, gas: Int, value: Int) throws(FormatError) in
      try test.transaction.transaction(at: .init(data: data, gas: gas, value: value))
    }
    #expect(try form(0, 0, 1).type == .legacy)
    #expect(try form(1, 0, 1).type == .accessList)
    #expect(try form(1, 0, 1).to == nil)
    for (data, gas, value, field) in [(0, 1, 1, "gasLimit"), (0, 0, 0, "value"), (2, 0, 0, "")] {
      let error = #expect(throws: FormatError.self) { try form(data, gas, value) }
      #expect(error?.field == field)
    }
  }

  @Test(arguments: [
    "", "[]", "{", "{\"a\": 1}", "{\"a\": {}}", "{\"a\": {\"env\": {}}} x",
    "{\"a\": {\"env\": []}}",
  ])
  func refusesOtherFilesWithAPlace(_ text: String) {
    let error = #expect(throws: FormatError.self) {
      var reader = FixtureReader<StateTest>(
        FileBytes(copying: Array(text.utf8), path: "t.json"), options: .init())
      while try reader.next() != nil {}
    }
    #expect(error?.file == "t.json")
    #expect(error?.line == 1)
  }

  @Test func tellsWhatAFileHolds() throws {
    for (text, kind) in [
      (Self.stateTest, InputKind.stateTest), ("{}", nil), ("{\"a\": 1, \"b\": {}}", nil),
      ("{\"a\": {\"_info\": {}, \"genesisBlockHeader\": {}}}", .blockchainTest),
      ("{\"a\": {\"txbytes\": \"0x\", \"result\": {}}}", .transactionTest),
      ("{\"a\": {\"pre\": {}, \"transactions\": []}}", .batch),
      ("{\"config\": {}, \"alloc\": {}, \"gasLimit\": \"0x1\"}", .genesis),
      ("{\"parentHash\": \"0x\", \"transactions\": []}", .block),
    ] as [(String, InputKind?)] {
      #expect(try InputKind.detect(FileBytes(copying: Array(text.utf8))) == kind, "\(text)")
    }
  }

  @Test func batchesSignWithTheirKeys() throws {
    let text = """
      {"two": {"fork": "Osaka", "config": {"chainid": 5},
        "env": {"currentCoinbase": "0x2adc25665018aa1fe0e6bc666dac8fc2697ff9ba",
          "currentGasLimit": 30000000, "currentNumber": 1, "currentTimestamp": 1},
        "pre": {},
        "transactions": [
          {"secretKey": "0x46", "nonce": 0, "gas": 21000, "gasPrice": 10, "to": null, "value": 0},
          {"sender": "0x2adc25665018aa1fe0e6bc666dac8fc2697ff9ba", "nonce": 0, "gas": "0x5208",
           "maxFeePerGas": 10, "maxPriorityFeePerGas": 1, "value": 0, "input": "0x00"}],
        "expect": {"gasUsed": 42000, "statuses": [true, false]}}}
      """
    var reader = FixtureReader<Batch>(FileBytes(copying: Array(text.utf8)))
    let batch = try #require(try reader.next())
    #expect(batch.transactions[0].transaction.chainID == 5)
    #expect(
      try batch.transactions[0].transaction.recoverSender(fork: .osaka, chainID: 5)
        == Secp256k1.address(of: 0x46))
    #expect(batch.transactions[1].transaction.type == .dynamicFee)
    #expect(!batch.transactions[1].isSigned)
    #expect(batch.expectation?.statuses == [true, false])
  }

  @Test func theExampleBatchesAreRead() throws {
    let path = Fixtures.checkout.path + "/Examples/batches/transfers.json"
    #expect(try InputKind.detect(path: path) == .batch)
    let batches = try Batch.cases(path: path)
    #expect(batches.first?.transactions.isEmpty == false)
    #expect(batches.first?.transactions.allSatisfy { $0.isSigned } == true)
  }

  @Test func authorizationsBeyondTheirFieldsAreKeptForTheirTest() throws {
    let list = """
      [{"chainId": "0x0", "address": "0x2adc25665018aa1fe0e6bc666dac8fc2697ff9ba",
        "nonce": "0x10000000000000000", "v": "0x0", "r": "0x1", "s": "0x1"}]
      """
    let text = Self.stateTest.replacing(
      "\"sender\"", with: "\"authorizationList\": \(list), \"sender\"")
    var reader = FixtureReader<StateTest>(
      FileBytes(copying: Array(text.utf8)), options: .init())
    let test = try #require(try reader.next())
    let error = #expect(throws: FormatError.self) {
      try test.transaction.transaction(at: .init(data: 0, gas: 0, value: 1))
    }
    #expect(error?.field == "authorizationList")
    #expect(error?.testNames == ["TYPE_4_INVALID_AUTHORIZATION_FORMAT"])
  }

  /// Invalid blocks of the older suites have no exception: they only lack their header.
  @Test func blocksThatAreNotDescribedAreInvalid() throws {
    let zero = "0x" + String(repeating: "00", count: 32)
    let text = """
      {"old": {"network": "HomesteadToDaoAt5", "genesisBlockHeader": {"hash": "\(zero)"},
        "pre": {}, "lastblockhash": "\(zero)", "postStateHash": "\(zero)", "blocks": [
          {"rlp": "0xc0", "blocknumber": "1", "chainname": "A"},
          {"rlp": "0xc0", "blockHeader": {"hash": "\(zero)"}},
          {"rlp": "0xc0", "expectExceptionALL": "UncleInChain|TooManyUncles", "transactionSequence":
            [{"exception": "TR_NoFunds", "rawBytes": "0x01", "valid": "false"}]}]}}
      """
    var reader = FixtureReader<BlockchainTest>(FileBytes(copying: Array(text.utf8)))
    let test = try #require(try reader.next())
    #expect(test.blocks.map(\.isValid) == [false, true, false])
    #expect(test.blocks[2].expectedExceptions == ["UncleInChain", "TooManyUncles"])
    #expect(test.blocks[2].transactionSequence.first?.isValid == false)
    #expect(test.schedule?.fork(number: 5, timestamp: 0) == .daoFork)
    #expect(test.postState == .root(.zero))
  }
}

import EVM
import Ethereum
import Testing

@testable import Node

/// What clients of other nodes rely on, from JSON-RPC 2.0, execution-apis' documents and what go-ethereum
/// does where those say nothing.
@Suite struct ConventionTests {
  private let contract = "0xc0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0"

  /// The answer to a call of code that returns what an opcode, or several, leave on the stack.
  private func call(
    _ code: String, _ node: TestNode, block: String = "{}", call: String = ""
  ) -> String {
    node.call(
      "eth_call",
      #"[{"to":"\#(contract)"\#(call)},"latest",{"\#(contract)":{"code":"0x\#(code)60005260206000f3"}},"#
        + "\(block)]")
  }

  private func word(_ value: UInt64) -> String { #"{"result":"\#(Hash256(UInt256(value)))"}"# }

  // MARK: JSON-RPC 2.0

  @Test func answersNoNotificationWhateverComesOfIt() throws {
    let node = try TestNode()
    #expect(node.ask(#"{"jsonrpc":"2.0","method":"eth_chainId"}"#) == "")
    #expect(node.ask(#"{"jsonrpc":"2.0","method":"eth_nothing"}"#) == "")
    #expect(node.ask(#"{"jsonrpc":"2.0","method":"eth_getBalance","params":[]}"#) == "")
    #expect(node.ask(#"[{"method":"eth_nothing"},{"method":"eth_call"}]"#) == "")
    let sent = #"{"method":"eth_sendRawTransaction","params":["0x00"]}"#
    #expect(node.ask("[\(sent),\(sent)]") == "")
    // These are no requests, and who sent them may be told.
    #expect(node.ask(#"{"jsonrpc":"2.0"}"#).contains("-32600"))
    #expect(node.ask(#"{"id":null,"method":"eth_nothing"}"#).contains("-32601"))
  }

  @Test(arguments: ["12345678901234567890123", "1.5", "1E2", "-0", "1e999", "18446744073709551616"])
  func answersWithTheIDAsItWasGiven(id: String) throws {
    #expect(
      try TestNode().ask(#"{"jsonrpc":"2.0","id":\#(id),"method":"eth_chainId"}"#)
        == #"{"jsonrpc":"2.0","id":\#(id),"result":"0x539"}"#)
  }

  @Test func namesTheModulesOfThePort() throws {
    let node = try TestNode()
    func modules(_ access: RPCService.Access) -> String {
      node.ask(#"{"id":1,"method":"rpc_modules"}"#, access)
    }
    #expect(modules(.development).contains(#""evm":"1.0""#))
    #expect(!modules(.everybody).contains("evm"))
    var few = RPCService.Access.everybody
    few.methods = ["eth_call", "rpc_modules"]
    #expect(modules(few).contains(#"{"eth":"1.0","rpc":"1.0"}"#))
  }

  // MARK: Errors

  @Test(arguments: [
    ("eth_call", #"[{"data":"0xabc"}]"#, "invalid argument 0: data: hex string of odd length"),
    ("eth_call", #"[{"value":-1}]"#, "value: -1 is no whole number from 0 to 2^256 - 1"),
    ("eth_call", #"[{"accessList":[{"address":"0x1"}]}]"#, "accessList: [0]: address: "),
    ("eth_call", #"[{},"latest",{"0x1":{}}]"#, "invalid argument 2: "),
    ("eth_call", #"[{},"latest",{},{"time":"x"}]"#, "invalid argument 3: time: "),
    ("eth_call", #"[{},"latest",{},{"withdrawals":[]}]"#, "withdrawals"),
    ("eth_getLogs", #"[{"address":["0x1"]}]"#, "invalid argument 0: address: [0]: "),
    ("eth_getLogs", #"[{"topics":[null,["0x1"]]}]"#, "topics: [1]: [0]: "),
    ("eth_newFilter", #"[{"fromBlock":"0x5","toBlock":"0x1"}]"#, "invalid block range"),
    (
      "eth_simulateV1", #"[{"blockStateCalls":[{},{"calls":[{"to":"0x1"}]}]}]"#,
      "blockStateCalls: [1]: calls: [0]: to: "
    ),
    ("eth_getBlockByNumber", #"["newest",false]"#, "\\\"newest\\\" is no block"),
    ("eth_getBlockByNumber", #"[5,false]"#, "a number is hexadecimal digits in a string"),
    (
      "eth_getBalance", #"["0x\#(String(repeating: "0", count: 40))",{"blockNumber":{}}]"#,
      "a block is"
    ),
  ])
  func tellsWhichPartOfTheParametersIsWrong(method: String, parameters: String, message: String)
    throws
  {
    let answer = try TestNode().call(method, parameters)
    #expect(answer.contains(#""code":-32602"#) && answer.contains(message), "\(answer)")
  }

  @Test func takesDecimalNumbersOfAnySize() throws {
    let node = try TestNode()
    _ = node.call("anvil_setBalance", "[\"\(contract)\",1000000000000000000000]")
    #expect(
      node.call("eth_getBalance", "[\"\(contract)\"]") == #"{"result":"0x3635c9adc5dea00000"}"#)
  }

  @Test func refusesCallsOfOtherChainsAndContractsWithoutCode() throws {
    let node = try TestNode()
    #expect(node.call("eth_call", #"[{"chainId":"0x1"}]"#).contains("have=1, want=1337"))
    let from = DevelopmentAccounts.standard.addresses[0]
    #expect(
      node.call("eth_sendTransaction", "[{\"from\":\"\(from)\"}]")
        .contains("contract creation without any data provided"))
  }

  // MARK: Calls

  @Test func callsSeeTheBlockAndItsOverrides() throws {
    let node = try TestNode()
    // BLOBBASEFEE: the least there is, also for who sends no blobs.
    #expect(call("4a", node) == word(1))
    #expect(call("4a", node, block: #"{"blobBaseFee":"0x99"}"#) == word(0x99))
    #expect(call("44", node, block: #"{"prevRandao":"0x5"}"#) == word(5))
    // After the merge there is no difficulty.
    #expect(call("44", node, block: #"{"difficulty":"0x5"}"#) == call("44", node))
    #expect(call("43", node, block: #"{"number":"0x77"}"#) == word(0x77))
  }

  @Test func callsOverrideAndMovePrecompiles() throws {
    let node = try TestNode()
    let identity = "0x0000000000000000000000000000000000000004"
    func call(_ to: String, _ override: String) -> String {
      node.call(
        "eth_call", #"[{"to":"\#(to)","data":"0xaabb"},"latest",{"\#(identity)":\#(override)}]"#)
    }
    #expect(call(identity, "{}") == #"{"result":"0x"}"#)
    #expect(call(identity, #"{"code":"0x4360005260206000f3"}"#) == word(0))
    let move = #"{"movePrecompileToAddress":"\#(contract)"}"#
    #expect(call(contract, move) == #"{"result":"0xaabb"}"#)
    #expect(call(identity, move) == #"{"result":"0x"}"#)
    #expect(
      node.call("eth_call", #"[{},"latest",{"\#(contract)":\#(move)}]"#)
        .contains("is not a precompile"))
  }

  @Test func listsWhatRevertedFramesAccessed() throws {
    let node = try TestNode()
    func list(_ code: String) -> String {
      node.call(
        "eth_createAccessList",
        #"[{"to":"\#(contract)"},"latest",{"\#(contract)":{"code":"0x\#(code)"},"#
          + #""0x\#(String(repeating: "d1", count: 20))":{"code":"0x60075460006000fd"}}]"#)
    }
    let own = list("60055460006000fd")
    #expect(own.contains(#""storageKeys":["\#(Hash256(UInt256(5)))"]"#), "\(own)")
    #expect(own.contains("execution reverted"))
    // A call that reverts, in one that does not.
    let inner = list(
      "6000600060006000600073" + String(repeating: "d1", count: 20) + "5af150600054")
    #expect(inner.contains(#""storageKeys":["\#(Hash256(UInt256(7)))"]"#), "\(inner)")
    #expect(inner.contains(#""storageKeys":["\#(Hash256(UInt256(0)))"]"#), "\(inner)")
    #expect(!inner.contains("error"))
  }

  @Test func aTracerWithoutANameIsTheOneOfSteps() throws {
    let node = try TestNode()
    let steps = node.call("debug_traceCall", #"[{"data":"0x6001"},"latest",{}]"#)
    #expect(steps.contains("structLogs"))
    #expect(node.call("debug_traceCall", #"[{"data":"0x6001"},"latest",{"tracer":""}]"#) == steps)
  }

  @Test func personalSignSignsAsSignDoes() throws {
    let node = try TestNode()
    let address = DevelopmentAccounts.standard.addresses[1]
    let signed = node.call("eth_sign", "[\"\(address)\",\"0x1234\"]")
    #expect(signed.utf8.count > 100)
    #expect(node.call("personal_sign", "[\"0x1234\",\"\(address)\"]") == signed)
  }

  @Test func aProofNamesKeysAsTheNodeWritesThem() throws {
    let key = "0x" + String(repeating: "AB", count: 32)
    #expect(
      try TestNode().call("eth_getProof", "[\"\(contract)\",[\"\(key)\"]]")
        .contains("\"key\":\"\(key.lowercased())\""))
  }

  // MARK: Filters

  /// A contract that logs nothing but that it was called.
  private func logger(_ node: TestNode) {
    _ = node.call("anvil_setCode", "[\"\(contract)\",\"0x60006000a0\"]")
  }

  private func poke(_ node: TestNode) -> String {
    let from = DevelopmentAccounts.standard.addresses[0]
    let answer = node.call("eth_sendTransaction", "[{\"from\":\"\(from)\",\"to\":\"\(contract)\"}]")
    return String(answer.dropFirst(#"{"result":""#.count).prefix(66))
  }

  private func id(_ answer: String) -> String { String(answer.dropFirst(11).dropLast(2)) }

  private func count(_ node: TestNode, _ filter: String) -> Int {
    node.call("eth_getFilterChanges", "[\"\(filter)\"]").split(separator: "0x").count
  }

  @Test func filtersTellOfBlocksThatTakeThePlaceOfOthers() throws {
    let node = try TestNode()
    logger(node)
    let mark = id(node.call("evm_snapshot"))
    let blocks = id(node.call("eth_newBlockFilter"))
    let logs = id(node.call("eth_newFilter", "[{\"address\":\"\(contract)\"}]"))
    for _ in 0..<3 { _ = poke(node) }
    #expect(node.call("eth_getFilterChanges", "[\"\(logs)\"]").contains(#""blockNumber":"0x3""#))
    #expect(count(node, blocks) == 4)
    #expect(node.call("evm_revert", "[\"\(mark)\"]") == #"{"result":true}"#)
    let hash = poke(node)
    #expect(node.call("eth_getFilterChanges", "[\"\(logs)\"]").contains(hash))
    #expect(count(node, blocks) == 2)
    #expect(node.call("eth_getFilterChanges", "[\"\(logs)\"]") == #"{"result":[]}"#)
  }

  @Test func filtersKeepToTheirRange() throws {
    let node = try TestNode()
    logger(node)
    let filter = id(node.call("eth_newFilter", #"[{"fromBlock":"0x2","toBlock":"0x2"}]"#))
    for _ in 0..<3 { _ = poke(node) }
    let changes = node.call("eth_getFilterChanges", "[\"\(filter)\"]")
    #expect(changes.contains(#""blockNumber":"0x2""#) && !changes.contains(#""blockNumber":"0x1""#))
    #expect(!changes.contains(#""blockNumber":"0x3""#))
  }

  @Test func filtersOfTransactionsTellAllOfThemToWhoAsks() throws {
    let node = try TestNode()
    let filter = id(node.call("eth_newPendingTransactionFilter", "[true]"))
    let hash = poke(node)
    let changes = node.call("eth_getFilterChanges", "[\"\(filter)\"]")
    #expect(changes.contains("\"hash\":\"\(hash)\"") && changes.contains("\"nonce\":\"0x0\""))
  }
}

/// Structured data of EIP-712.
@Suite struct TypedDataTests {
  /// The example of EIP-712, with what its `Example.js` says of it.
  private static let mail = #"""
    {"types":{"EIP712Domain":[{"name":"name","type":"string"},{"name":"version","type":"string"},
    {"name":"chainId","type":"uint256"},{"name":"verifyingContract","type":"address"}],
    "Person":[{"name":"name","type":"string"},{"name":"wallet","type":"address"}],
    "Mail":[{"name":"from","type":"Person"},{"name":"to","type":"Person"},
    {"name":"contents","type":"string"}]},"primaryType":"Mail","domain":{"name":"Ether Mail",
    "version":"1","chainId":1,"verifyingContract":"0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"},
    "message":{"from":{"name":"Cow","wallet":"0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"},
    "to":{"name":"Bob","wallet":"0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"},
    "contents":"Hello, Bob!"}}
    """#

  private func value(_ text: String) throws -> JSONValue {
    try [UInt8](text.utf8).withUnsafeBufferPointer {
      var cursor = JSONCursor($0)
      return try JSONValue(from: &cursor)
    }
  }

  @Test func hashesTheExample() throws {
    let hash = "0xbe609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2"
    #expect("\(try TypedData(value(Self.mail)).hash())" == hash)
    #expect("\(try TypedData(.string(Self.mail)).hash())" == hash)
  }

  /// A structure with one field, whose hash is that of the type and of the field's 32 bytes.
  private func hash(_ type: String, _ field: String) throws -> Hash256 {
    try TypedData(
      value(
        #"{"types":{"EIP712Domain":[],"T":[{"name":"v","type":"\#(type)"}]},"primaryType":"T","#
          + #""domain":{},"message":{"v":\#(field)}}"#)
    ).hash()
  }

  private func expected(_ type: String, _ word: UInt256) -> Hash256 {
    let domain = Keccak256.hash(Keccak256.hash([UInt8]("EIP712Domain()".utf8)).bytes)
    let message = Keccak256.hash(Keccak256.hash([UInt8]("T(\(type) v)".utf8)).bytes + word.bytes)
    return Keccak256.hash([0x19, 0x01] + domain.bytes + message.bytes)
  }

  @Test(arguments: [
    ("int8", "-128"), ("int8", #""-0x80""#), ("int256", "-128"),
  ])
  func negativeNumbersAreTwosComplements(type: String, field: String) throws {
    #expect(try hash(type, field) == expected(type, .zero &- UInt256(128)))
  }

  @Test func encodesTheOtherAtoms() throws {
    #expect(try hash("uint8", #""255""#) == expected("uint8", UInt256(255)))
    #expect(try hash("bool", "true") == expected("bool", UInt256(1)))
    #expect(try hash("bytes2", #""0x0102""#) == expected("bytes2", UInt256(0x0102) << 240))
    #expect(
      try hash("uint8[2]", "[1,2]")
        == expected("uint8[2]", Keccak256.hash(UInt256(1), UInt256(2)).word))
  }

  @Test(arguments: [
    ("uint8", "256"), ("uint8", "-1"), ("int8", "128"), ("int8", "-129"), ("uint7", "1"),
    ("uint8", #""x""#), ("uint8", "1.5"), ("bytes2", #""0x01""#), ("bytes33", #""0x01""#),
    ("nothing", "1"), ("uint8[2]", "[1]"), ("uint8[]", "1"), ("uint8]", "[1]"), ("bool", "1"),
    ("uint8", "null"), ("T", "5"), ("address", #""0x1""#), ("", "1"),
  ])
  func refusesWhatIsNotOfTheType(type: String, field: String) throws {
    let fault = #expect(throws: RPCError.self) { try hash(type, field) }
    #expect(fault?.code == -32602 && fault?.message.hasPrefix("message.v") == true)
  }

  @Test func anAccountOfTheNodeSigns() throws {
    let node = try TestNode()
    let address = DevelopmentAccounts.standard.addresses[0]
    let answer = node.call("eth_signTypedData_v4", "[\"\(address)\",\(Self.mail)]")
    let bytes = try #require(Hexadecimal.bytes(String(answer.dropFirst(11).dropLast(2))))
    #expect(bytes.count == 65 && (27...28).contains(bytes[64]), "\(answer)")
    #expect(node.call("eth_signTypedData_v4", "[\"\(address)\",5]").contains("-32602"))
    #expect(node.call("eth_signTypedData", "[\"\(address)\",\"{\"]").contains("typed data: "))
  }
}

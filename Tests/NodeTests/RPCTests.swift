import EVM
import Ethereum
import Execution
import Foundation
import Storage
import Testing

@testable import Node

/// A development chain in a folder that is deleted with it, and its service.
final class TestNode {
  let folder = NSTemporaryDirectory() + "needletail-node-\(UUID().uuidString)"
  let chain: Blockchain
  let pool = TransactionPool()
  let sequencer: Sequencer
  let service: RPCService

  init(
    fault: BlockFault? = nil, recordsAccessLists: Bool = false, order: Sequencer.Order = .auto,
    executor: any HostBlockExecutor = SerialExecutor(), genesis: [UInt8]? = nil,
    mode: Sequencer.Mode = .onArrival, partTime: Int? = nil
  ) throws {
    chain = try Blockchain(
      folder: folder,
      genesisFile: genesis
        ?? DevelopmentGenesis.file(chainID: 1337, accounts: .standard, time: 1_000_000))
    var options = Sequencer.Options()
    options.accounts = .standard
    options.recordsAccessLists = recordsAccessLists
    options.order = order
    options.mode = mode
    options.partTime = partTime
    options.threads = (executor as? ParallelExecutor)?.options.threads ?? 1
    sequencer = Sequencer(
      chain: chain, pool: pool, options: options, executor: executor, fault: fault)
    let intake = TransactionIntake(
      chain: chain, pool: pool, sequencer: sequencer, recovery: try SenderRecovery())
    service = RPCService(chain: chain, pool: pool, sequencer: sequencer, intake: intake)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// The answer to a request's text; empty for none.
  func ask(_ text: String, _ access: RPCService.Access = .development) -> String {
    [UInt8](text.utf8).withUnsafeBufferPointer {
      String(decoding: service.respond(to: $0, access: access) ?? [], as: UTF8.self)
    }
  }

  /// The result of a method in JSON, or its error.
  func call(_ method: String, _ parameters: String = "[]") -> String {
    ask(#"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":\#(parameters)}"#)
      .replacingOccurrences(of: #"{"jsonrpc":"2.0","id":1,"#, with: "{")
  }
}

@Suite struct RPCTests {
  @Test func answersARequest() throws {
    let node = try TestNode()
    #expect(
      node.ask(#"{"jsonrpc":"2.0","id":7,"method":"eth_chainId"}"#)
        == #"{"jsonrpc":"2.0","id":7,"result":"0x539"}"#)
    #expect(
      node.ask(#"{"jsonrpc":"2.0","id":"a","method":"eth_blockNumber","params":[]}"#)
        == #"{"jsonrpc":"2.0","id":"a","result":"0x0"}"#)
  }

  @Test func answersBatchesInOrder() throws {
    let node = try TestNode()
    let answer = node.ask(
      #"[{"jsonrpc":"2.0","id":1,"method":"eth_chainId"},{"jsonrpc":"2.0","method":"eth_chainId"},"#
        + #"{"jsonrpc":"2.0","id":2,"method":"nothing_here"}]"#)
    #expect(
      answer.hasPrefix(#"[{"jsonrpc":"2.0","id":1,"result":"0x539"},{"jsonrpc":"2.0","id":2,"#))
    #expect(answer.contains("-32601"))
  }

  @Test(arguments: [
    ("", -32700), ("{", -32700), (#"{"a":1}}"#, -32700), ("[]", -32600), ("1", -32600),
    (#"{"id":1}"#, -32600), (#"{"id":{},"method":"eth_chainId"}"#, -32600),
    (#"{"id":1,"method":"engine_newPayloadV3","params":[]}"#, -32601),
    (#"{"id":1,"method":"eth_getBalance","params":[]}"#, -32602),
    (#"{"id":1,"method":"eth_getBalance","params":{}}"#, -32602),
    (#"{"id":1,"method":"eth_getBalance","params":["0x1"]}"#, -32602),
    (#"{"id":1,"method":"eth_getBlockByNumber","params":["0x01",false]}"#, -32602),
    (#"{"id":1,"method":"eth_call","params":[{"value":"-1"}]}"#, -32602),
    (#"{"id":1,"method":"eth_sendRawTransaction","params":["0x00"]}"#, -32000),
    (
      #"{"id":1,"method":"eth_getBalance","params":["0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266","0x9"]}"#,
      -32000
    ),
  ])
  func refusesWhatIsMalformed(text: String, code: Int) throws {
    let answer = try TestNode().ask(text)
    #expect(answer.contains("\"code\":\(code),"), "\(answer)")
  }

  @Test func boundsDepthAndBatches() throws {
    let node = try TestNode()
    let deep = String(repeating: "[", count: 100_000)
    #expect(node.ask(deep).contains("-32700"))
    let many =
      "[" + [String](repeating: "1", count: 1001).joined(separator: ",") + "]"
    #expect(node.ask(many).contains("batch too large"))
  }

  @Test func sendsAndFindsATransaction() throws {
    let node = try TestNode()
    let from = DevelopmentAccounts.standard.addresses[0]
    let to = DevelopmentAccounts.standard.addresses[1]
    #expect(from.checksummed == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266")
    let answer = node.call(
      "eth_sendTransaction", #"[{"from":"\#(from)","to":"\#(to)","value":"0x5"}]"#)
    let hash = String(answer.dropFirst(#"{"result":""#.count).prefix(66))
    #expect(node.call("eth_getTransactionReceipt", "[\"\(hash)\"]").contains(#""status":"0x1""#))
    #expect(
      node.call("eth_getBalance", "[\"\(to)\",\"latest\"]")
        == #"{"result":"0x21e19e0c9bab2400005"}"#)
    #expect(
      node.call("eth_getBalance", "[\"\(to)\",\"0x0\"]") == #"{"result":"0x21e19e0c9bab2400000"}"#)
    #expect(node.call("eth_getTransactionCount", "[\"\(from)\"]") == #"{"result":"0x1"}"#)
  }

  @Test func theChainIsThereAgain() throws {
    let node = try TestNode()
    let from = DevelopmentAccounts.standard.addresses[0]
    _ = node.call("eth_sendTransaction", #"[{"from":"\#(from)","to":"\#(from)"}]"#)
    _ = node.call("evm_mine")
    let head = node.chain.database.head?.hash
    try node.chain.close()
    let folder = node.folder
    let copy = folder + "-copy"
    // The database's file has holes: a plain copy would be as large as the database may become.
    let copying = Process()
    copying.executableURL = URL(filePath: "/bin/cp")
    copying.arguments = ["--recursive", "--sparse=always", folder, copy]
    try copying.run()
    copying.waitUntilExit()
    #expect(copying.terminationStatus == 0)
    defer { try? FileManager.default.removeItem(atPath: copy) }
    #expect(throws: StorageError.self) { try Blockchain(folder: folder, genesisFile: nil) }
    #expect(try Blockchain(folder: copy, genesisFile: nil).database.head?.hash == head)
    // Without the database all comes from the log.
    try FileManager.default.removeItem(atPath: copy + "/state")
    let genesis = try node.chain.database.genesis()
    let again = try Blockchain(folder: copy, genesisFile: genesis)
    #expect(again.database.head?.hash == head)
    #expect(again.notices == ["replayed 2 entries of the block log"])
  }
}

@Suite struct WebTokenTests {
  private let secret = [UInt8](repeating: 7, count: 32)

  @Test func takesItsOwnTokens() {
    let token = WebToken.make(secret: secret, now: 1000)
    #expect(WebToken.fault(token, secret: secret, now: 1030) == nil)
    #expect(WebToken.fault(token, secret: secret, now: 1061) != nil)
    #expect(WebToken.fault(token, secret: secret, now: 939) != nil)
    #expect(WebToken.fault(token, secret: [1], now: 1000) != nil)
    #expect(WebToken.fault(String(token.dropLast()), secret: secret, now: 1000) != nil)
  }

  /// RFC 7515, appendix A.1: the signature of another implementation; it has no `iat`.
  @Test func checksTheSignatureOfTheStandard() {
    let token =
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0"
      + "dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    let key: [UInt8] = [
      3, 35, 53, 75, 43, 15, 165, 188, 131, 126, 6, 101, 119, 123, 166, 143, 90, 179, 40, 230, 240,
      84, 201, 40, 169, 15, 132, 178, 210, 80, 46, 191, 211, 251, 90, 146, 210, 6, 71, 239, 150,
      138, 180, 195, 119, 98, 61, 34, 61, 46, 33, 114, 5, 46, 79, 8, 192, 205, 154, 245, 103, 208,
      128, 163,
    ]
    #expect(
      WebToken.fault(token, secret: key, now: 0)
        == "the token does not say when it was issued")
    #expect(
      WebToken.fault(token, secret: [0] + key.dropFirst(), now: 0)
        == "the token's signature is wrong")
  }
}

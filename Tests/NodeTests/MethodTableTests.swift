import Ethereum
import Foundation
import Testing

@testable import Node

@Suite struct MethodTableTests {
  @Test func describesJustWhatIsImplemented() {
    let sessions = RPCExchange.methodNames.union(["rpc.discover", "rpc_modules"])
    #expect(Set(RPCService.methodNames).union(sessions) == Set(MethodTable.signatures.keys))
  }

  @Test func discoversWhatAPortHas() throws {
    let node = try TestNode()
    func names(_ access: RPCService.Access) throws -> Set<String> {
      let text = node.ask(#"{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}"#, access)
      let answer = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
      let document = try #require(answer?["result"] as? [String: Any])
      #expect(document["openrpc"] as? String == "1.3.2")
      let methods = try #require(document["methods"] as? [[String: Any]])
      for method in methods {
        #expect((method["summary"] as? String)?.isEmpty == false)
        #expect((method["result"] as? [String: Any])?["schema"] is [String: Any])
      }
      return Set(methods.compactMap { $0["name"] as? String })
    }
    let everybody = try names(.everybody)
    #expect(everybody.contains("eth_getProof") && !everybody.contains("evm_mine"))
    #expect(try names(.development).isSuperset(of: ["eth_getProof", "evm_mine", "rpc.discover"]))
    #expect(try names(.engine).contains("engine_newPayloadV4"))
    var few = RPCService.Access.everybody
    few.methods = ["eth_chainId", "rpc.discover"]
    #expect(try names(few) == ["eth_chainId", "rpc.discover"])
    #expect(node.ask(#"{"id":1,"method":"eth_blockNumber"}"#, few).contains("-32601"))
  }

  @Test(arguments: [
    (#""eth_getBalance","params":[]"#, "missing value for required argument 0 (address)"),
    (#""eth_getBalance","params":["0x1"]"#, "invalid argument 0 (address)"),
    (#""eth_chainId","params":[1]"#, "too many arguments, want at most 0"),
    (
      #""eth_getBlockByNumber","params":["latest",false,1]"#, "too many arguments, want at most 2"
    ),
    (#""eth_getBlockByNumber","params":["latest","yes"]"#, "invalid argument 1 (full)"),
    (#""evm_mine","params":[{},{}]"#, "too many arguments"),
  ])
  func refusesParametersThatTheTableDoesNotName(request: String, message: String) throws {
    let answer = try TestNode().ask(#"{"jsonrpc":"2.0","id":1,"method":\#(request)}"#)
    #expect(answer.contains("-32602") && answer.contains(message), "\(answer)")
  }
}

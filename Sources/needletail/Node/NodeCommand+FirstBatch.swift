import EVM
import Foundation
import Node

extension NodeCommand {
  /// Sends the first batch through the node's own port and tells what to try next.
  func sendFirstBatch(_ node: NodeService) throws {
    let host = ["0.0.0.0", "::", "localhost"].contains(httpHost) ? "127.0.0.1" : httpHost
    let outcome = try FirstBatch.send(host: host, port: node.port)
    print("")
    print("a first batch, over JSON-RPC: 24 transfers of ether, 24 of a token, in one block")
    var table = TextTable([
      ("block", .right), ("transactions", .right), ("succeeded", .right), ("gas", .right),
      ("time", .right),
    ])
    table.add([
      "\(outcome.block)", "\(outcome.count)", "\(outcome.succeeded)", Text.gas(outcome.gasUsed),
      Text.time(outcome.duration),
    ])
    for line in table.lines { print(line) }
    guard outcome.succeeded == outcome.count else {
      throw LocalClient.Failure(
        description: "\(outcome.count - outcome.succeeded) of \(outcome.count) transactions failed")
    }
    let url = "http://\(host):\(node.port)"
    let accounts = DevelopmentAccounts.standard.addresses
    print(
      """

      The node is listening; Ctrl-C ends it. Try next, in another terminal:

        the head        \(curl(url, "eth_blockNumber", "[]"))
        send ether      \(curl(url, "eth_sendTransaction", #"[{"from":"\#(accounts[0])","to":"\#(accounts[1])","value":"0xde0b6b3a7640000"}]"#))
        ask the token   \(curl(url, "eth_call", #"[{"to":"\#(outcome.token)","data":"0x70a08231\#(Hash256(accounts[1].word).description.dropFirst(2))"},"latest"]"#))
        how it fares    curl -s \(url)/metrics

      Any Ethereum client works: web3.py, eth-ape, a wallet with the network \(url), chain \(node.chain.rules.schedule.chainID).
      The token is Examples/contracts/Token.vy. For a chain that stays: \(CommandLine.arguments[0]) node --dev --datadir my-chain
      """)
    fflush(nil)
  }

  private func curl(_ url: String, _ method: String, _ parameters: String) -> String {
    "curl -s \(url) -d '{\"id\":1,\"method\":\"\(method)\",\"params\":\(parameters)}'"
  }
}

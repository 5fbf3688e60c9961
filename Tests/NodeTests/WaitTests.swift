import EVM
import Ethereum
import Testing

@testable import Node

@Suite struct WaitTests {
  /// Requests that wait for a block do not take the threads of the others.
  @Test func boundsTheRequestsThatWait() throws {
    let node = try TestNode()
    var limits = RPCService.Limits()
    limits.waits = 0
    let service = RPCService(
      chain: node.chain, pool: node.pool, sequencer: node.sequencer, intake: node.service.intake,
      limits: limits)
    let accounts = DevelopmentAccounts.standard
    var transaction = Transaction(
      type: .dynamicFee, chainID: 1337, nonce: 0, maxFeePerGas: UInt256(1_000_000_000_000),
      maxPriorityFeePerGas: .one, gasLimit: 21_000, to: .zero, value: .zero)
    try transaction.sign(secretKey: try #require(accounts.key(of: accounts.addresses[0])))
    let raw = Hexadecimal.string(transaction.encoded)
    let text = #"{"id":1,"method":"eth_sendRawTransactionSync","params":[""# + raw + #""]}"#
    func ask(_ service: RPCService) -> String {
      [UInt8](text.utf8).withUnsafeBufferPointer {
        String(decoding: service.respond(to: $0, access: .everybody) ?? [], as: UTF8.self)
      }
    }
    #expect(ask(service).contains("-32005"))
    // It is in the pool or in a block all the same.
    #expect(node.call("eth_getTransactionByHash", "[\"\(transaction.hash)\"]").contains("nonce"))
  }
}

import EVM
import Ethereum
import Execution
import Foundation
import Storage
import Synchronization
import Testing

@testable import Node

/// The block in the making, as `pending` names it.
@Suite struct PendingBlockTests {
  private static let accounts = DevelopmentAccounts.standard
  private static let sender = accounts.addresses[0].description
  private static let other = accounts.addresses[1].description
  private static let someone = "0x00000000000000000000000000000000000a11ce"
  /// Stores 42, emits it in a log, and becomes a contract that gives the block's number, or its slot 0 where
  /// there is input.
  private static let code =
    "0x602a5f55602a5f5260205fa06014601860003960146000f3"
    + "36600b57435f5260205ff35b5f545f5260205ff3"

  private func result(_ node: TestNode, _ method: String, _ parameters: String = "[]") throws
    -> Any
  {
    let text = node.call(method, parameters)
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    return try #require(object?["result"], "\(method) \(parameters): \(text)")
  }

  private func text(_ node: TestNode, _ method: String, _ parameters: String = "[]") throws
    -> String
  {
    try #require(try result(node, method, parameters) as? String)
  }

  private func object(_ node: TestNode, _ method: String, _ parameters: String) throws
    -> [String: Any]
  {
    try #require(try result(node, method, parameters) as? [String: Any])
  }

  /// Members that differ.
  private func differences(_ a: [String: Any], _ b: [String: Any]) -> Set<String> {
    Set(a.keys).union(b.keys).filter {
      guard let x = a[$0] as? NSObject, let y = b[$0] as? NSObject else { return true }
      return x != y
    }
  }

  private func raw(
    nonce: UInt64 = 0, from index: Int = 0, tip: UInt64 = 1, value: UInt64 = 1
  ) throws -> String {
    var transaction = Transaction(
      type: .dynamicFee, chainID: 1337, nonce: nonce, maxFeePerGas: UInt256(1_000_000_000_000),
      maxPriorityFeePerGas: UInt256(tip), gasLimit: 21_000,
      to: Address(hexadecimal: Self.someone), value: UInt256(value))
    try transaction.sign(
      secretKey: try #require(Self.accounts.key(of: Self.accounts.addresses[index])))
    return Hexadecimal.string(transaction.encoded)
  }

  @Test func whatWaitsIsInThePendingBlock() throws {
    let node = try TestNode(mode: .onDemand)
    _ = node.call("anvil_setBalance", #"["\#(Self.someone)","0x10"]"#)
    for value in ["0x5", "0x6"] {
      _ = try text(
        node, "eth_sendTransaction",
        #"[{"from":"\#(Self.sender)","to":"\#(Self.someone)","value":"\#(value)"}]"#)
    }
    func balance(_ block: String) throws -> String {
      try text(node, "eth_getBalance", #"["\#(Self.someone)","\#(block)"]"#)
    }
    #expect(try balance("pending") == "0x1b" && balance("latest") == "0x10")
    // By its number it is no block yet.
    #expect(node.call("eth_getBlockByNumber", #"["0x1",false]"#) == #"{"result":null}"#)
    #expect(try text(node, "eth_blockNumber") == "0x0")
    // What was set from outside is below it, and what is traced begins there.
    let traces = try #require(
      try result(node, "debug_traceBlockByNumber", #"["pending",{"tracer":"prestateTracer"}]"#)
        as? [[String: Any]])
    let first = try #require(traces.first?["result"] as? [String: [String: Any]])
    #expect(traces.count == 2 && first[Self.someone]?["balance"] as? String == "0x10")

    let pending = try object(node, "eth_getBlockByNumber", #"["pending",false]"#)
    let receipts = try #require(
      try result(node, "eth_getBlockReceipts", #"["pending"]"#) as? [[String: Any]])
    #expect(pending["hash"] is NSNull && pending["nonce"] is NSNull)
    #expect((pending["transactions"] as? [String])?.count == 2)
    let full = try object(node, "eth_getBlockByNumber", #"["pending",true]"#)
    let transactions = try #require(full["transactions"] as? [[String: Any]])
    #expect(transactions.allSatisfy { $0["blockHash"] is NSNull && $0["blockNumber"] is NSNull })
    // The block that comes of it is the same, but for what only a block of the chain has.
    let time = try #require(pending["timestamp"] as? String)
    _ = node.call("evm_setNextBlockTimestamp", #"["\#(time)"]"#)
    _ = node.call("evm_mine")
    let block = try object(node, "eth_getBlockByNumber", #"["latest",false]"#)
    #expect(differences(pending, block) == ["hash", "nonce"])
    let mined = try #require(
      try result(node, "eth_getBlockReceipts", #"["latest"]"#) as? [[String: Any]])
    #expect(receipts.count == 2 && mined.count == 2)
    for (receipt, final) in zip(receipts, mined) {
      #expect(differences(receipt, final) == ["blockHash"])
      #expect(receipt["blockHash"] is NSNull)
    }
    #expect(try balance("latest") == "0x1b")
    // Nothing waits: an empty block is in the making.
    let next = try object(node, "eth_getBlockByNumber", #"["pending",false]"#)
    #expect(next["number"] as? String == "0x2" && (next["transactions"] as? [Any])?.isEmpty == true)
    #expect(next["parentHash"] as? String == block["hash"] as? String)
  }

  @Test func callsRunInThePendingBlock() throws {
    let node = try TestNode(mode: .onDemand)
    _ = try text(
      node, "eth_sendTransaction", #"[{"from":"\#(Self.sender)","data":"\#(Self.code)"}]"#)
    let receipts = try #require(
      try result(node, "eth_getBlockReceipts", #"["pending"]"#) as? [[String: Any]])
    let contract = try #require(receipts.first?["contractAddress"] as? String)
    func call(_ block: String, _ data: String) throws -> String {
      try text(node, "eth_call", #"[{"to":"\#(contract)","data":"\#(data)"},"\#(block)"]"#)
    }
    #expect(try call("pending", "0x").hasSuffix("01") && call("pending", "0x00").hasSuffix("2a"))
    #expect(try call("latest", "0x") == "0x")
    let slot = #"["\#(contract)","0x0","pending"]"#
    #expect(try text(node, "eth_getStorageAt", slot).hasSuffix("2a"))
    #expect(try text(node, "eth_getCode", #"["\#(contract)","pending"]"#).count == 2 + 40)
    let proof = try object(node, "eth_getProof", #"["\#(contract)",["0x0"],"pending"]"#)
    #expect(
      ((proof["storageProof"] as? [[String: Any]])?.first?["value"] as? String) == "0x2a")
    let simulated = try #require(
      try result(node, "eth_simulateV1", #"[{"blockStateCalls":[{}]},"pending"]"#)
        as? [[String: Any]])
    #expect(simulated.first?["number"] as? String == "0x2")
    func logs(_ query: String) throws -> [[String: Any]] {
      try #require(try result(node, "eth_getLogs", "[{\(query)}]") as? [[String: Any]])
    }
    let found = try logs(#""fromBlock":"latest","toBlock":"pending""#)
    #expect(found.count == 1 && found.first?["blockHash"] is NSNull)
    #expect(found.first?["blockNumber"] as? String == "0x1")
    #expect(try logs("").isEmpty && logs(#""fromBlock":"latest""#).isEmpty)
    let fees = try object(node, "eth_feeHistory", #"["0x1","pending",[]]"#)
    #expect(fees["oldestBlock"] as? String == "0x1")
    // A transaction that needs another that waits gets gas enough for what it will do.
    let hash = try text(
      node, "eth_sendTransaction",
      #"[{"from":"\#(Self.sender)","to":"\#(contract)","data":"0x00"}]"#)
    let gas = try object(node, "eth_getTransactionByHash", #"["\#(hash)"]"#)["gas"] as? String
    #expect(try #require(gas.flatMap { Int($0.dropFirst(2), radix: 16) }) > 23_000)
    _ = node.call("evm_mine")
    #expect(
      try object(node, "eth_getTransactionReceipt", #"["\#(hash)"]"#)["status"] as? String == "0x1")
  }

  /// What others were told of comes first, whatever pays more.
  @Test func whatWasPromisedStaysFirst() throws {
    let node = try TestNode(mode: .onDemand)
    final class Listener: PartListener {
      var wantsParts: Bool { true }
      let parts = Mutex<[[Hash256]]>([])
      func executed(
        _ header: BlockHeader, _ transactions: [PreparedTransaction], _ receipts: [Receipt]
      ) {
        parts.withLock { $0.append(transactions.map(\.transaction.hash)) }
      }
    }
    let listener = Listener()
    node.sequencer.listener.withLock { $0 = listener }
    let poor = try text(node, "eth_sendRawTransaction", #"["\#(raw(tip: 1))"]"#)
    node.sequencer.queue.sync { node.sequencer.makePart(within: .seconds(60)) }
    let rich = try text(node, "eth_sendRawTransaction", #"["\#(raw(from: 1, tip: 1000))"]"#)
    func transactions(_ block: String) throws -> [String] {
      try #require(
        try object(node, "eth_getBlockByNumber", #"["\#(block)",false]"#)["transactions"]
          as? [String])
    }
    #expect(try transactions("pending") == [poor, rich])
    node.sequencer.queue.sync { node.sequencer.makePart(within: .seconds(60)) }
    _ = node.call("evm_mine")
    #expect(try transactions("latest") == [poor, rich])
    #expect(
      listener.parts.withLock { $0.map { $0.map(\.description) } } == [
        [poor], [poor, rich], [poor, rich],
      ])
  }

  /// Who waits for a receipt has it as soon as the transaction has its place, long before the block.
  @Test func aPromisedTransactionHasAReceipt() throws {
    let node = try TestNode(mode: .interval(600_000), partTime: 5)
    let receipt = try object(node, "eth_sendRawTransactionSync", #"["\#(raw())","0xea60"]"#)
    #expect(receipt["blockHash"] is NSNull && receipt["blockNumber"] as? String == "0x1")
    #expect(receipt["status"] as? String == "0x1" && receipt["gasUsed"] as? String == "0x5208")
    #expect(try text(node, "eth_blockNumber") == "0x0")
    let hash = try #require(receipt["transactionHash"] as? String)
    #expect(node.call("eth_getTransactionReceipt", #"["\#(hash)"]"#) == #"{"result":null}"#)
    _ = node.call("evm_mine")
    let final = try object(node, "eth_getTransactionReceipt", #"["\#(hash)"]"#)
    #expect(differences(receipt, final) == ["blockHash"])
    // The sequencer's clock would keep its queue busy for others.
    node.sequencer.mode = .onDemand
  }

  /// A block that takes long stands for later ones for a while, but not for another state, nor where a
  /// transaction is asked for that it lacks.
  @Test func aBlockThatTakesLongIsUsedAgain() throws {
    let node = try TestNode(mode: .onDemand)
    func made(_ blocks: PendingBlocks, _ revisions: [UInt64], having hash: Hash256? = nil) throws
      -> Int
    {
      let count = Mutex(0)
      for revision in revisions {
        let snapshot = try node.chain.snapshot()
        let pending = try blocks.extend(snapshot, having: hash) {
          PendingBlocks.Origin(
            version: snapshot.version,
            attributes: BlockAttributes(timestamp: 1, gasLimit: 1), revision: revision,
            promised: [])
        } make: { _, _ in
          count.withLock { $0 += 1 }
          var header = BlockHeader()
          header.number = snapshot.head.header.number + 1
          let block = Block(header: header)
          return (
            StoredBlock(
              block, hash: block.hash, size: 0, totalDifficulty: .zero, senders: [],
              receipts: [], sequence: 0),
            try snapshot.state.layer(StateDelta(), number: header.number)
          )
        }
        #expect(pending.head.isPending && pending.head.header.number == pending.latest + 1)
      }
      return count.withLock { $0 }
    }
    let eager = PendingBlocks(freshness: .seconds(1000), patience: 1_000_000)
    #expect(try made(eager, [1, 1, 2, 2, 3]) == 3)
    let lazy = PendingBlocks(freshness: .zero, patience: 1_000_000_000)
    #expect(try made(lazy, [1, 1, 2, 2, 3]) == 1)
    #expect(try made(lazy, [3], having: .zero) == 1)
    _ = node.call("evm_mine")
    #expect(try made(lazy, [3, 4]) == 1)
    _ = node.call("anvil_setBalance", #"["\#(Self.someone)","0x10"]"#)
    #expect(try made(lazy, [4, 5]) == 1)
  }
}

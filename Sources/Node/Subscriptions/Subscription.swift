import EVM
import Ethereum

/// What a client wants to be told of.
struct Subscription: Sendable {
  enum Kind: Sendable {
    case heads
    case logs(LogQuery)
    /// Transactions that come into the pool: their hashes, or all of them.
    case transactions(isFull: Bool)
    /// Receipts in the chain: of these transactions, or of all where it is empty.
    case receipts(Set<Hash256>)
  }

  let id: String
  let kind: Kind
  let peer: WebSocketPeer

  init(_ kind: Kind, peer: WebSocketPeer) {
    self.kind = kind
    self.peer = peer
    id =
      "0x"
      + (0..<2).map { _ in
        let part = String(UInt64.random(in: 0...UInt64.max), radix: 16)
        return String(repeating: "0", count: 16 - part.count) + part
      }.joined()
  }

  /// Sends a result, which is JSON text.
  func notify(_ result: [UInt8]) {
    var message = [UInt8](
      #"{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":""#.utf8)
    message.reserveCapacity(message.count + result.count + 64)
    message.append(contentsOf: id.utf8)
    message.append(contentsOf: #"","result":"#.utf8)
    message.append(contentsOf: result)
    message.append(contentsOf: "}}".utf8)
    peer.send(message, isText: true)
  }
}

extension Subscription.Kind {
  /// Reads what `eth_subscribe` names.
  init(_ parameters: Parameters) throws(RPCError) {
    let name = try parameters.text(0)
    switch name {
    case "newHeads": self = .heads
    case "logs":
      self = .logs(
        try parameters.read(ifPresent: 1) { (value) throws(RPCError) in
          try LogQuery(value ?? .object([]))
        })
    case "newPendingTransactions":
      self = .transactions(isFull: parameters[1] == nil ? false : try parameters.boolean(1))
    case "transactionReceipts":
      var hashes: Set<Hash256> = []
      let list = try parameters[1]?["transactionHashes"]?.array() ?? []
      if list.count > 200 { throw .invalidParameters("exceed max transaction hashes: 200") }
      for item in list { hashes.insert(try item.hash()) }
      self = .receipts(hashes)
    default: throw RPCError(-32601, "no \"\(name.prefix(64))\" subscription in eth namespace")
    }
  }
}

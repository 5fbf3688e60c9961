import EVM
import Ethereum
import Execution
import Storage

/// A message of the feed: RLP, a list that begins with the message's kind.
enum FeedMessage {
  /// What the sequencer's chain is; the first message.
  case hello(FeedHello)
  /// The next block.
  case block(FeedBlock)
  /// The chain goes back to a block: on a development chain.
  case rewind(FeedStatement, signature: [UInt8])
  /// Transactions of the block in the making: for those who asked for them.
  case part(FeedPart, signature: [UInt8])

  private enum Kind: UInt64 { case hello, block, rewind, part }

  var encoded: [UInt8] {
    var encoder = RLPEncoder()
    encoder.list { encoder in
      switch self {
      case .hello(let hello):
        encoder.append(Kind.hello.rawValue)
        encoder.append(hello.chainID)
        encoder.append(hello.genesis)
        encoder.append(hello.head)
        encoder.append(hello.headHash)
      case .block(let block):
        encoder.bytes.reserveCapacity(block.rlp.count + block.receipts.count + 1024)
        encoder.append(Kind.block.rawValue)
        encoder.append(encoded: block.rlp)
        encoder.append(block.signature)
        encoder.append(encoded: block.receipts)
        encoder.list { $0.append(encoded: block.changes) }
        encoder.list { $0.append(encoded: block.accessList) }
      case .rewind(let statement, let signature):
        encoder.append(Kind.rewind.rawValue)
        encoder.append(statement.number)
        encoder.append(statement.hash)
        encoder.append(signature)
      case .part(let part, let signature):
        encoder.append(Kind.part.rawValue)
        encoder.append(encoded: part.encoded)
        encoder.append(signature)
      }
    }
    return encoder.bytes
  }

  init(decoding bytes: [UInt8]) throws(FormatError) {
    self = try withBytes(bytes) { (buffer) throws(FormatError) in
      var fields = try RLPItem(buffer).list("message")
      let message: FeedMessage
      switch Kind(rawValue: try fields.next("kind").uint64("kind")) {
      case .hello:
        message = .hello(
          FeedHello(
            chainID: try fields.next("chainID").uint64("chainID"),
            genesis: try fields.next("genesis").hash("genesis"),
            head: try fields.next("head").uint64("head"),
            headHash: try fields.next("headHash").hash("headHash")))
      case .block:
        message = .block(
          FeedBlock(
            rlp: [UInt8](try fields.next("block").encoding),
            signature: [UInt8](try fields.next("signature").string("signature")),
            receipts: [UInt8](try fields.next("receipts").encoding),
            changes: [UInt8](try fields.next("changes").list("changes").remaining),
            accessList: [UInt8](try fields.next("accessList").list("accessList").remaining)))
      case .rewind:
        let statement = FeedStatement(
          kind: .rewind, number: try fields.next("number").uint64("number"),
          hash: try fields.next("hash").hash("hash"))
        message = .rewind(
          statement, signature: [UInt8](try fields.next("signature").string("signature")))
      case .part:
        message = .part(
          try FeedPart(fields.next("part")),
          signature: [UInt8](try fields.next("signature").string("signature")))
      case nil: throw FormatError(.valueOutOfRange, "a kind from 0 to 3", field: "kind")
      }
      try fields.finish()
      return message
    }
  }
}

/// What the sequencer's chain is.
struct FeedHello: Equatable {
  var chainID: UInt64
  var genesis: Hash256
  var head: UInt64
  var headHash: Hash256
}

/// A block as the feed carries it, with what its execution gave: so that who executes it again can name
/// what differs. All but the signature is RLP.
struct FeedBlock: Equatable {
  var rlp: [UInt8]
  var signature: [UInt8]
  /// Receipts without blooms (EIP-7642).
  var receipts: [UInt8]
  /// The accounts and slots that it changed (`StateChanges`); empty where they are not kept any more.
  var changes: [UInt8]
  /// What every transaction changed (EIP-7928); empty where the sequencer does not note it.
  var accessList: [UInt8]

  /// Reads the receipts.
  static func receipts(_ bytes: [UInt8]) throws(FormatError) -> [Receipt] {
    try withBytes(bytes) { (buffer) throws(FormatError) in
      var list = try RLPItem(buffer).list("receipts")
      var receipts: [Receipt] = []
      while !list.isAtEnd {
        var fields = try list.next("receipt").list("receipt")
        let number = try fields.next("type").uint64("type")
        guard let type = UInt8(exactly: number).flatMap({ TransactionType(rawValue: $0) }) else {
          throw FormatError(.valueOutOfRange, "there is no type \(number)", field: "type")
        }
        let status = try fields.next("status")
        let outcome: Receipt.Outcome =
          status.payload.count == 32
          ? .stateRoot(try status.hash("status")) : .status(try status.uint64("status") == 1)
        let gas = try fields.next("cumulativeGasUsed").uint64("cumulativeGasUsed")
        var items = try fields.next("logs").list("logs")
        var logs: [Log] = []
        while !items.isAtEnd { logs.append(try Log(items.next("log"))) }
        try fields.finish()
        receipts.append(
          Receipt(type: type, outcome: outcome, cumulativeGasUsed: gas, logs: logs))
      }
      return receipts
    }
  }
}

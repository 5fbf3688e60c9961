import EVM
import Ethereum
import Execution

/// Some transactions of the block that a sequencer is making, which stand one after the other, and what
/// they come to in it. The block supersedes it.
struct FeedPart: Equatable, Sendable {
  /// A transaction that was executed.
  struct Entry: Equatable, Sendable {
    /// Its bytes, as its hash is made of.
    var envelope: [UInt8]
    var succeeded: Bool
    /// Gas of the block up to and with it.
    var cumulativeGasUsed: UInt64
  }

  /// The number that the block will have.
  var number: UInt64
  /// The hash of the block that it follows.
  var parent: Hash256
  /// The place of the first of the transactions in the block.
  var first: UInt64
  var entries: [Entry]

  /// Entries of a part at most, and about how many bytes of transactions.
  static let limit = 1000
  static let byteLimit = 1 << 20

  /// What the sequencer signs: the block's number and the hash of all of it.
  var statement: FeedStatement {
    FeedStatement(kind: .part, number: number, hash: Keccak256.hash(encoded))
  }

  var encoded: [UInt8] {
    var encoder = RLPEncoder()
    encoder.list { encoder in
      encoder.append(number)
      encoder.append(parent)
      encoder.append(first)
      encoder.list { encoder in
        for entry in entries {
          encoder.list { encoder in
            encoder.append(entry.envelope)
            encoder.append(UInt64(entry.succeeded ? 1 : 0))
            encoder.append(entry.cumulativeGasUsed)
          }
        }
      }
    }
    return encoder.bytes
  }
}

extension FeedPart {
  init(_ item: RLPItem) throws(FormatError) {
    var fields = try item.list("part")
    number = try fields.next("number").uint64("number")
    parent = try fields.next("parent").hash("parent")
    first = try fields.next("first").uint64("first")
    entries = []
    var list = try fields.next("transactions").list("transactions")
    while !list.isAtEnd {
      var entry = try list.next("transaction").list("transaction")
      let envelope = [UInt8](try entry.next("envelope").string("envelope"))
      let status = try entry.next("status").uint64("status")
      guard status <= 1 else {
        throw FormatError(.valueOutOfRange, "status \(status) is neither 0 nor 1", field: "status")
      }
      let gas = try entry.next("cumulativeGasUsed").uint64("cumulativeGasUsed")
      try entry.finish()
      guard entries.count < Self.limit else {
        throw FormatError(
          .valueOutOfRange, "more than \(Self.limit) transactions", field: "transactions")
      }
      entries.append(
        Entry(envelope: envelope, succeeded: status == 1, cumulativeGasUsed: gas))
    }
    try fields.finish()
  }

  /// Parts that together have these entries, each within the limits.
  static func parts(
    _ entries: ArraySlice<Entry>, number: UInt64, parent: Hash256
  ) -> [FeedPart] {
    var parts: [FeedPart] = []
    var bytes = 0
    for index in entries.indices {
      let count = entries[index].envelope.count
      if parts.isEmpty || parts[parts.count - 1].entries.count == limit || bytes + count > byteLimit
      {
        parts.append(
          FeedPart(number: number, parent: parent, first: UInt64(index), entries: []))
        bytes = 0
      }
      parts[parts.count - 1].entries.append(entries[index])
      bytes += count
    }
    return parts
  }
}

/// The parts of the block in the making, signed, for those who follow.
struct BlockInMaking: Sendable {
  let number: UInt64
  let parent: Hash256
  /// Another for every block, and for one that did not come to be as was said.
  let id: UInt64
  private var entries: [FeedPart.Entry] = []
  /// The messages of the feed.
  private(set) var messages: [[UInt8]] = []

  init(number: UInt64, parent: Hash256, id: UInt64) {
    self.number = number
    self.parent = parent
    self.id = id
  }

  /// Takes down what was executed of the block so far, and signs what is new; false where it is not a
  /// continuation of what was said.
  mutating func extend(to all: [FeedPart.Entry], sign: (FeedStatement) -> [UInt8]) -> Bool {
    guard all.count >= entries.count, all.prefix(entries.count).elementsEqual(entries) else {
      return false
    }
    for part in FeedPart.parts(all[entries.count...], number: number, parent: parent) {
      messages.append(FeedMessage.part(part, signature: sign(part.statement)).encoded)
    }
    entries = all
    return true
  }
}

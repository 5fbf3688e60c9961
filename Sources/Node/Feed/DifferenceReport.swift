package import EVM
import Ethereum

/// Something in which a sequencer's block is not what its transactions give.
struct BlockDifference: Equatable {
  /// What is different, such as `storage`, `balance`, `receipt.status` or `header.stateRoot`.
  var field: String
  /// The place of the transaction in the block; `nil` where no transaction is to blame.
  var transaction: Int?
  var address: Address?
  var slot: UInt256?
  /// The hash of an address or of a slot that nothing here knows under its own name.
  var key: Hash256?
  /// What the transactions give.
  var expected: String
  /// What the sequencer says.
  var got: String
}

/// What a watcher found wrong with a sequencer's block, for people and programs.
package struct DifferenceReport: Sendable {
  /// What kind of fault it is.
  package enum Kind: String, Sendable {
    /// Execution gives something else.
    case difference
    /// The block can not be executed.
    case invalidBlock
    /// The sequencer signed two blocks of one number.
    case equivocation
    /// The block is not what the sequencer said while it made it.
    case brokenPromise
  }

  /// What kind of fault it is.
  package var kind: Kind
  /// The block's number.
  package var number: UInt64
  /// The block's hash as the sequencer signed it.
  package var hash: Hash256
  /// Who signed it.
  package var signer: Address
  /// The sequencer's signature.
  package var signature: [UInt8]
  /// In words.
  package var message: String
  /// The differences that were found, the one with the first transaction in front.
  var differences: [BlockDifference] = []
  /// The signed message of the feed that promised something else; empty where there was none.
  var promise: [UInt8] = []
  /// The hash of the first differing transaction.
  package var transaction: Hash256?

  /// The place of the first differing transaction.
  package var transactionIndex: Int? { differences.first?.transaction }

  /// The first difference in a line.
  package var line: String {
    guard let first = differences.first else { return message }
    var text = first.field
    if let address = first.address { text += " of \(address)" }
    if let slot = first.slot { text += " slot \(slot)" }
    if let key = first.key { text += " with key hash \(key)" }
    if let index = first.transaction {
      text += " after transaction \(index)"
      if let transaction { text += " (\(transaction))" }
    }
    return "\(text): expected \(first.expected), got \(first.got)"
  }

  /// The report as JSON.
  package var json: [UInt8] {
    var writer = JSONWriter(isPretty: true)
    writer.object { writer in
      writer.member("kind", kind.rawValue)
      writer.member("message", message)
      writer.key("block")
      writer.object { writer in
        writer.member("number", number)
        writer.member("hash", hash)
      }
      writer.member("signer", signer)
      writer.member("signature", hexadecimal: signature)
      if !promise.isEmpty { writer.member("promise", hexadecimal: promise) }
      writer.key("transaction")
      if let index = transactionIndex, let transaction {
        writer.object { writer in
          writer.member("index", index)
          writer.member("hash", transaction)
        }
      } else {
        writer.null()
      }
      writer.key("differences")
      writer.array { writer in
        for difference in differences { Self.write(difference, &writer) }
      }
    }
    return writer.takeBytes() + [UInt8(ascii: "\n")]
  }

  private static func write(_ difference: BlockDifference, _ writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("field", difference.field)
      if let index = difference.transaction { writer.member("transactionIndex", index) }
      if let address = difference.address { writer.member("address", address) }
      if let slot = difference.slot { writer.member("slot", Hash256(slot)) }
      if let key = difference.key { writer.member("keyHash", key) }
      writer.member("expected", difference.expected)
      writer.member("got", difference.got)
    }
  }
}

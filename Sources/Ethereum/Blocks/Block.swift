public import EVM

/// A block: a header and what it commits to.
public struct Block: Hashable, Sendable {
  /// The header.
  public var header: BlockHeader
  /// The transactions.
  public var transactions: [Transaction]
  /// The headers of ommers; empty from Paris on.
  public var ommers: [BlockHeader]
  /// The withdrawals; `nil` before Shanghai.
  public var withdrawals: [Withdrawal]?

  /// A block from its parts.
  public init(
    header: BlockHeader, transactions: [Transaction] = [], ommers: [BlockHeader] = [],
    withdrawals: [Withdrawal]? = nil
  ) {
    self.header = header
    self.transactions = transactions
    self.ommers = ommers
    self.withdrawals = withdrawals
  }

  /// Reads a block's RLP.
  public init(decoding bytes: [UInt8]) throws(FormatError) {
    self = try withBytes(bytes) { (buffer) throws(FormatError) in try Block(RLPItem(buffer)) }
  }

  package init(_ item: RLPItem) throws(FormatError) {
    var fields = try item.list("block")
    do throws(FormatError) {
      header = try BlockHeader(fields.next("header"))
    } catch { throw error.within("header") }
    transactions = try Self.items(&fields, "transactions") {
      (item) throws(FormatError) in try Transaction(blockItem: item)
    }
    ommers = try Self.items(&fields, "ommers") {
      (item) throws(FormatError) in try BlockHeader(item)
    }
    if !fields.isAtEnd {
      withdrawals = try Self.items(&fields, "withdrawals") {
        (item) throws(FormatError) in try Withdrawal(item)
      }
    }
    try fields.finish()
  }

  private static func items<Item>(
    _ fields: inout RLPReader, _ name: String,
    _ decode: (RLPItem) throws(FormatError) -> Item
  ) throws(FormatError) -> [Item] {
    var list = try fields.next(name).list(name)
    var items: [Item] = []
    while !list.isAtEnd {
      do throws(FormatError) {
        items.append(try decode(list.next(name)))
      } catch { throw error.within("\(name)[\(items.count)]") }
    }
    return items
  }

  /// The block's RLP.
  public var encoded: [UInt8] {
    var encoder = RLPEncoder(capacity: 1024 + transactions.count * 256)
    encoder.list { encoder in
      header.encode(into: &encoder)
      encoder.list { encoder in
        for transaction in transactions { transaction.encode(blockItem: &encoder) }
      }
      encoder.list { encoder in
        for ommer in ommers { ommer.encode(into: &encoder) }
      }
      if let withdrawals {
        encoder.list { encoder in
          for withdrawal in withdrawals { withdrawal.encode(into: &encoder) }
        }
      }
    }
    return encoder.bytes
  }

  /// The hash that names the block.
  public var hash: Hash256 { header.hash }
}

extension BlockHeader {
  /// The hash of a list of ommers' headers, as `ommersHash` holds it.
  public static func ommersHash(of ommers: [BlockHeader]) -> Hash256 {
    var encoder = RLPEncoder()
    encoder.list { encoder in
      for ommer in ommers { ommer.encode(into: &encoder) }
    }
    return Keccak256.hash(encoder.bytes)
  }
}

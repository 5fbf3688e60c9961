public import EVM

/// A payment from the beacon chain (EIP-4895).
public struct Withdrawal: Hashable, Sendable {
  /// The number among all withdrawals.
  public var index: UInt64
  /// The validator that it comes from.
  public var validatorIndex: UInt64
  /// Who gets it.
  public var address: Address
  /// How much, in gwei (10^9 wei).
  public var amount: UInt64

  /// A withdrawal from its parts.
  public init(index: UInt64, validatorIndex: UInt64, address: Address, amount: UInt64) {
    self.index = index
    self.validatorIndex = validatorIndex
    self.address = address
    self.amount = amount
  }

  package init(_ item: RLPItem) throws(FormatError) {
    var fields = try item.list("withdrawal")
    index = try fields.next("index").uint64("index")
    validatorIndex = try fields.next("validatorIndex").uint64("validatorIndex")
    address = try fields.next("address").address("address")
    amount = try fields.next("amount").uint64("amount")
    try fields.finish()
  }

  package func encode(into encoder: inout RLPEncoder) {
    encoder.list { encoder in
      encoder.append(index)
      encoder.append(validatorIndex)
      encoder.append(address)
      encoder.append(amount)
    }
  }

  /// The RLP, as the withdrawals trie holds it.
  public var encoded: [UInt8] {
    var encoder = RLPEncoder(capacity: 48)
    encode(into: &encoder)
    return encoder.bytes
  }
}

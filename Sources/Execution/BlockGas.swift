import EVM

/// Gas of a transaction, or of several, as a block counts it.
package struct BlockGas: BitwiseCopyable, Sendable {
  /// What counts against the block's limit: before Amsterdam what was paid for, from then on what
  /// execution took, whatever was given back (EIP-7778), without new state (EIP-8037).
  package var regular: UInt64 = 0
  /// What new state took, which counts against the block's limit on its own (EIP-8037).
  package var state: UInt64 = 0
  /// What was paid for, as receipts add it up.
  package var paid: UInt64 = 0

  /// Nothing used.
  package init() {}

  /// What a transaction used.
  init(_ result: TransactionResult) {
    regular = result.regularGas
    state = result.stateGas
    paid = result.gasUsed
  }

  /// What was paid for, where a block counts nothing else: before Amsterdam.
  init(paid: UInt64) {
    regular = paid
    self.paid = paid
  }

  /// What is left of a block's limit; nothing when it is passed.
  func regularLeft(of limit: UInt64) -> UInt64 { limit &- min(regular, limit) }

  /// What is left of a block's limit for new state; nothing when it is passed.
  func stateLeft(of limit: UInt64) -> UInt64 { limit &- min(state, limit) }

  /// What the header says: the larger of both kinds.
  var used: UInt64 { max(regular, state) }

  static func += (sum: inout BlockGas, more: BlockGas) {
    sum.regular &+= more.regular
    sum.state &+= more.state
    sum.paid &+= more.paid
  }
}

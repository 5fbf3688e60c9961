import EVM
import Ethereum
import Execution

/// Transactions of development chains that nobody signed: `r` is the sender's address and `s` is zero,
/// which no signature has. Such a transaction is known for what it is wherever it goes; blocks with
/// one are good on the chain that made them alone.
extension Transaction {
  /// The account that a transaction which nobody signed is sent from; `nil` for a signed one.
  var impersonated: Address? {
    guard signature.s.isZero, (signature.r >> 160).isZero else { return nil }
    return Address(signature.r)
  }

  /// Puts a sender in the signature's place.
  mutating func impersonate(_ sender: Address) {
    signature = Signature(yParity: false, r: sender.word, s: .zero)
  }
}

extension ChainRules {
  /// A block's transactions with their senders, those that nobody signed among them; `nil` where all
  /// are signed.
  func impersonatedTransactions(of block: Block, fork: Fork) throws(BlockError)
    -> [PreparedTransaction]?
  {
    guard block.transactions.contains(where: { $0.impersonated != nil }) else { return nil }
    let signed = try prepare(
      block.transactions.filter { $0.impersonated == nil }, fork: fork)
    var next = signed.makeIterator()
    return block.transactions.map { transaction in
      transaction.impersonated.map { PreparedTransaction(transaction, impersonating: $0) }
        ?? next.next()!
    }
  }
}

extension PreparedTransaction {
  /// A transaction that nobody signed.
  init(_ transaction: Transaction, impersonating sender: Address) {
    self.init(transaction, sender: sender)
    isImpersonated = true
  }
}

import EVM
import Ethereum

extension PreparedBlock {
  /// Whether most of the time goes to the transactions of one sender, which follow one another, both in the
  /// block and among its first ones.
  var isOfOneSender: Bool {
    guard let sender = mostFrequentSender(first: TransactionChains.stretch) else { return false }
    return isMost(of: sender, first: TransactionChains.stretch)
      && isMost(of: sender, first: transactions.count)
  }

  /// The only sender that can have more than three quarters of the time.
  private func mostFrequentSender(first count: Int) -> Address? {
    transactions.withUnsafeBufferPointer { transactions in
      var sender: Address?
      var lead: UInt64 = 0
      var all: UInt64 = 0
      for index in 0..<min(count, transactions.count) {
        let transaction = transactions.baseAddress! + index
        let taken = transaction.pointee.roughNanoseconds
        all &+= taken
        if sender == transaction.pointee.sender {
          lead &+= taken
        } else if lead >= taken {
          lead &-= taken
        } else {
          lead = taken &- lead
          sender = transaction.pointee.sender
        }
      }
      // Who has so much leads all others together by half of it.
      return lead > all / 2 ? sender : nil
    }
  }

  private func isMost(of sender: Address, first count: Int) -> Bool {
    transactions.withUnsafeBufferPointer { transactions in
      var all: UInt64 = 0
      var own: UInt64 = 0
      for index in 0..<min(count, transactions.count) {
        let transaction = transactions.baseAddress! + index
        let taken = transaction.pointee.roughNanoseconds
        all &+= taken
        if transaction.pointee.sender == sender { own &+= taken }
      }
      return own > all / 4 * 3
    }
  }
}

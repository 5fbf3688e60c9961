import EVM
import Ethereum

/// The records of a block's transactions, made ready in block order: each notes the one before it of
/// the same sender, whose nonce it needs.
struct SenderChains {
  private let transactions: [PreparedTransaction]
  private let first: Int
  private let hash: StateHash
  private let records: UnsafeMutablePointer<TransactionRecord>
  /// The last transaction of each sender; -1 at free places.
  private let table: UnsafeMutablePointer<Int32>
  private let mask: Int
  /// The records before it are ready.
  private(set) var end: Int
  /// The most transactions of one sender so far, but the first.
  private(set) var longest = 0

  /// No records yet. `free` ends it.
  init(
    _ transactions: [PreparedTransaction], from first: Int, hash: StateHash,
    records: UnsafeMutablePointer<TransactionRecord>
  ) {
    self.transactions = transactions
    self.first = first
    self.hash = hash
    self.records = records
    var places = 16
    while places < (transactions.count - first) * 2 { places *= 2 }
    mask = places - 1
    table = .allocate(capacity: places)
    table.initialize(repeating: -1, count: places)
    end = first
  }

  func free() { table.deallocate() }

  /// Makes so many more records ready.
  mutating func extend(by count: Int) {
    let last = min(end + count, transactions.count)
    var longest = Int32(self.longest)
    transactions.withUnsafeBufferPointer { transactions in
      let base = transactions.baseAddress!
      for index in end..<last {
        (records + index).initialize(to: TransactionRecord())
        let sender = (base + index).pointee.sender
        var place = Int(truncatingIfNeeded: hash(sender)) & mask
        while table[place] >= 0, (base + Int(table[place])).pointee.sender != sender {
          place = (place + 1) & mask
        }
        let predecessor = table[place]
        if predecessor >= 0 {
          records[index].predecessor = predecessor
          records[index].chainLength = records[Int(predecessor)].chainLength + 1
          longest = max(longest, records[index].chainLength)
        }
        table[place] = Int32(index)
      }
    }
    self.longest = Int(longest)
    end = last
  }
}

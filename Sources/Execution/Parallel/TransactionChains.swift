import EVM
import Ethereum

/// The turns of a block's transactions, made ready in block order: each notes the one before it of the
/// same sender, whose nonce it needs, and the one before it that calls the same contract.
struct TransactionChains {
  private let transactions: [PreparedTransaction]
  private let first: Int
  private let hash: StateHash
  private let turns: UnsafeMutablePointer<TransactionTurn>
  private let targets: UnsafeMutablePointer<CallTargets>
  private let senders: UnsafeMutablePointer<Link>
  private let callees: UnsafeMutablePointer<Link>
  private let mask: Int
  private var targetCount: Int32 = 0
  /// The turns before it are ready.
  private(set) var end: Int
  /// About how long all transactions so far take, and those of the sender whose take longest, in
  /// nanoseconds.
  private(set) var nanoseconds: UInt64 = 0
  private(set) var longest: UInt64 = 0

  /// The last transaction of a sender or to a contract.
  private struct Link: BitwiseCopyable {
    /// -1 at free places.
    var transaction: Int32
    /// The contract's number.
    var number: Int32
    /// About how long those of the sender take, in nanoseconds.
    var nanoseconds: UInt64 = 0
  }

  /// No turns yet. `free` ends it.
  init(
    _ transactions: [PreparedTransaction], from first: Int, hash: StateHash,
    turns: UnsafeMutablePointer<TransactionTurn>, targets: UnsafeMutablePointer<CallTargets>
  ) {
    self.transactions = transactions
    self.first = first
    self.hash = hash
    self.turns = turns
    self.targets = targets
    var places = 16
    while places < (transactions.count - first) * 2 { places *= 2 }
    mask = places - 1
    senders = .allocate(capacity: places)
    senders.initialize(repeating: Link(transaction: -1, number: 0), count: places)
    callees = .allocate(capacity: places)
    callees.initialize(repeating: Link(transaction: -1, number: 0), count: places)
    end = first
  }

  func free() {
    senders.deallocate()
    callees.deallocate()
  }

  /// Makes so many more turns ready.
  mutating func extend(by count: Int) {
    let last = min(end + count, transactions.count)
    transactions.withUnsafeBufferPointer { transactions in
      let base = transactions.baseAddress!
      for index in end..<last {
        (turns + index).initialize(to: TransactionTurn())
        let sender = find(
          (base + index).pointee.sender, senders, { (base + Int($0)).pointee.sender })
        let taken = (base + index).pointee.roughNanoseconds
        nanoseconds &+= taken
        sender.pointee.nanoseconds &+= taken
        longest = max(longest, sender.pointee.nanoseconds)
        if sender.pointee.transaction >= 0 {
          turns[index].predecessor = sender.pointee.transaction
        }
        sender.pointee.transaction = Int32(truncatingIfNeeded: index)
        guard let to = (base + index).pointee.transaction.to,
          (base + index).pointee.mayRunCode
        else { continue }
        let callee = find(to, callees, { (base + Int($0)).pointee.transaction.to! })
        if callee.pointee.transaction < 0 {
          callee.pointee.number = targetCount
          targets.pointee.add(targetCount)
          targetCount += 1
        }
        turns[index].target = callee.pointee.number
        turns[index].alike = callee.pointee.transaction
        callee.pointee.transaction = Int32(truncatingIfNeeded: index)
      }
    }
    end = last
  }

  /// Those of the transactions so far that may take as long as half of what each worker has to do in the
  /// block: where they begin last, the others wait for them in the end.
  func early(workers: Int) -> [Int32] {
    (first..<end).filter {
      transactions[$0].roughNanoseconds &* UInt64(workers) &* 2 >= nanoseconds
    }.map { Int32(truncatingIfNeeded: $0) }
  }

  /// The place of an address in a table, or the free one where it belongs.
  @inline(__always)
  private func find(
    _ address: Address, _ table: UnsafeMutablePointer<Link>, _ addressOf: (Int32) -> Address
  ) -> UnsafeMutablePointer<Link> {
    var place = Int(truncatingIfNeeded: hash(address)) & mask
    while table[place].transaction >= 0 && addressOf(table[place].transaction) != address {
      place = (place + 1) & mask
    }
    return table + place
  }
}

extension PreparedTransaction {
  /// Whether it has the data or the gas for a call of a contract; a transfer of wei needs neither.
  fileprivate var mayRunCode: Bool {
    !transaction.data.isEmpty || transaction.gasLimit > 21_000 + 2_300
  }

  /// About how long it takes, as far as it tells, in nanoseconds: code runs through some 8 gas in one, and
  /// few transactions use all of their gas.
  var roughNanoseconds: UInt64 {
    transaction.data.isEmpty && transaction.to != nil
      ? 700 : 2000 &+ min(transaction.gasLimit, 1 << 40) / 16
  }
}

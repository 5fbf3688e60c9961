import EVM
import Ethereum

/// The turns of a block's transactions, made ready in block order: each notes the one before it of the
/// same sender, whose nonce it needs, and the one before it that calls the same contract, and
/// where it pays tokens the one before it that pays the same account.
struct TransactionChains {
  private let transactions: [PreparedTransaction]
  private let first: Int
  private let hash: StateHash
  private let turns: UnsafeMutablePointer<TransactionTurn>
  private let targets: UnsafeMutablePointer<CallTargets>
  private let waitedFor: UnsafeMutablePointer<Int32>
  private let senders: UnsafeMutablePointer<Link>
  private let callees: UnsafeMutablePointer<Link>
  /// The last payment to each account; one whose place another takes is forgotten, and where
  /// the parts of their hashes are equal one waits for the other without need.
  private let payees: UnsafeMutablePointer<Link>
  private let payeeMask: Int
  private let mask: Int
  private let round: UInt32
  private var targetCount: Int32 = 0
  /// The turns before it are ready.
  private(set) var end: Int
  /// About how long all transactions so far take, and those of the row that takes longest, in nanoseconds.
  private(set) var nanoseconds: UInt64 = 0
  private(set) var longest: UInt64 = 0

  /// So many transactions tell how the block is to be executed.
  static let stretch = 512

  /// So many turns are made ready before workers begin, and at once afterwards.
  static let fewTurns = 64

  /// The last transaction of a sender, to a contract, or that pays tokens to an account.
  struct Link: BitwiseCopyable {
    var transaction: Int32
    /// The contract's number, or a part of the payee's hash.
    var number: Int32
    /// About how long all of them take, in units of four nanoseconds.
    private var time: UInt32 = 0
    /// The block that it is of: the places of others are free.
    private let round: UInt32

    init(_ transaction: Int32, number: Int32, round: UInt32) {
      self.transaction = transaction
      self.number = number
      self.round = round
    }

    @inline(__always)
    func isOf(_ round: UInt32) -> Bool { self.round == round }

    /// Adds to the time, up to 17 seconds; gives it in nanoseconds.
    @inline(__always)
    mutating func add(nanoseconds: UInt64) -> UInt64 {
      time = UInt32(clamping: UInt64(time) &+ nanoseconds / 4)
      return UInt64(time) &* 4
    }
  }

  /// Places for senders, and as many for callees.
  private static func places(_ transactions: Int) -> Int {
    var places = 16
    while places < transactions * 2 { places *= 2 }
    return places
  }

  /// Places for payees: few enough for a core's own cache, as they are looked at for every payment.
  private static func payeePlaces(_ transactions: Int) -> Int {
    min(max(places(transactions), 512), 4096)
  }

  /// How many links are needed.
  static func linkCount(transactions: Int) -> Int {
    places(transactions) * 2 + payeePlaces(transactions)
  }

  /// No turns yet.
  init(
    _ transactions: [PreparedTransaction], from first: Int, hash: StateHash,
    _ memory: borrowing RecordMemory
  ) {
    self.transactions = transactions
    self.first = first
    self.hash = hash
    turns = memory.turns
    targets = memory.targets
    waitedFor = memory.waitedFor
    let count = transactions.count - first
    let places = Self.places(count)
    mask = places - 1
    payeeMask = Self.payeePlaces(count) - 1
    senders = memory.links
    callees = senders + places
    payees = callees + places
    round = memory.linkRound
    end = first
  }

  /// Makes so many more turns ready.
  mutating func extend(by count: Int) {
    let last = min(end + count, transactions.count)
    transactions.withUnsafeBufferPointer { transactions in
      let base = transactions.baseAddress!
      for index in end..<last {
        (turns + index).initialize(to: TransactionTurn())
        waitedFor[index] = -1
        let (sender, isKnown) = find(hash((base + index).pointee.sender), senders) {
          (base + Int($0)).pointee.sender == (base + index).pointee.sender
        }
        if !isKnown { sender.pointee = Link(-1, number: 0, round: round) }
        let taken = (base + index).pointee.roughNanoseconds
        nanoseconds &+= taken
        turns[index].predecessor = add(index, taken, to: sender)
        guard let to = (base + index).pointee.transaction.to,
          (base + index).pointee.mayRunCode
        else { continue }
        let (callee, isCalled) = find(hash(to), callees) {
          (base + Int($0)).pointee.transaction.to! == to
        }
        if !isCalled {
          callee.pointee = Link(-1, number: targetCount, round: round)
          targets.pointee.add(targetCount)
          targetCount += 1
        }
        turns[index].target = callee.pointee.number
        turns[index].alike = callee.pointee.transaction
        callee.pointee.transaction = Int32(truncatingIfNeeded: index)
        if let payee = (base + index).pointee.payee {
          let last = payment(to: payee, by: to)
          turns[index].related = add(index, taken, to: last)
        } else if isShort {
          targets.pointee.addCall(callee.pointee.number, Int32(truncatingIfNeeded: index)) {
            (base + Int($0)).pointee.sender != (base + index).pointee.sender
          }
        }
      }
    }
    end = last
  }

  /// Adds a transaction to a row, and gives the one before it; -1 for none.
  @inline(__always)
  private mutating func add(
    _ index: Int, _ nanoseconds: UInt64, to row: UnsafeMutablePointer<Link>
  ) -> Int32 {
    let last = row.pointee.transaction
    row.pointee.transaction = Int32(truncatingIfNeeded: index)
    longest = max(longest, row.pointee.add(nanoseconds: nanoseconds))
    return last
  }

  /// Those of the first transactions that may take as long as half of what each worker has to do of them:
  /// where they begin last, the others wait for them in the end.
  func early(workers: Int) -> [Int32] {
    let some = first..<min(first + Self.stretch, transactions.count)
    return transactions.withUnsafeBufferPointer { transactions in
      let base = transactions.baseAddress!
      let all = some.reduce(UInt64(0)) { $0 &+ (base + $1).pointee.roughNanoseconds }
      return some.filter { (base + $0).pointee.roughNanoseconds &* UInt64(workers) &* 2 >= all }
        .map { Int32(truncatingIfNeeded: $0) }
    }
  }

  /// Whether all turns are ready.
  var isComplete: Bool { end == transactions.count }

  /// Whether those that are ready tell how the block is to be executed.
  var isTelling: Bool { isComplete || end - first >= Self.stretch }

  /// Whether most of the time goes to one row, in which each transaction needs the one before.
  var isOneRow: Bool { longest > nanoseconds / 4 * 3 }

  /// Whether the block is over before conflicts could show much: what needs what is found out by two calls there.
  private var isShort: Bool { transactions.count - first <= Self.stretch }

  /// The place of payments to an account by a contract: one of two beside each other. Of others, that one gives way
  /// which was not paid for longer, so that an account that many pay stays: a forgotten row goes on as another one,
  /// which all runs in vain.
  @inline(__always)
  private func payment(to payee: Address, by contract: Address) -> UnsafeMutablePointer<Link> {
    let hash = hash(payee) &+ hash(contract)
    let first = payees + Int(truncatingIfNeeded: hash) & payeeMask & ~1
    let number = Int32(truncatingIfNeeded: hash >> 32)
    let second = first + 1
    if first.pointee.isOf(round) && first.pointee.number == number { return first }
    if second.pointee.isOf(round) && second.pointee.number == number { return second }
    let isFirst =
      !first.pointee.isOf(round)
      || second.pointee.isOf(round) && second.pointee.transaction > first.pointee.transaction
    let place = isFirst ? first : second
    place.pointee = Link(-1, number: number, round: round)
    return place
  }

  /// The place of the transactions that are like one, which has this hash, or the free one where it belongs; and
  /// which of the two it is.
  @inline(__always)
  private func find(
    _ hash: UInt64, _ table: UnsafeMutablePointer<Link>, _ isLike: (Int32) -> Bool
  ) -> (UnsafeMutablePointer<Link>, isKnown: Bool) {
    var place = Int(truncatingIfNeeded: hash) & mask
    while table[place].isOf(round) {
      if isLike(table[place].transaction) { return (table + place, true) }
      place = (place + 1) & mask
    }
    return (table + place, false)
  }
}

extension PreparedTransaction {
  /// Whether it has the data or the gas for a call of a contract; a transfer of wei needs neither.
  fileprivate var mayRunCode: Bool {
    !transaction.data.isEmpty || transaction.gasLimit > 21_000 + 2_300
  }

  /// Who gets tokens, where it is a call of ERC-20's `transfer` or `transferFrom`.
  fileprivate var payee: Address? {
    transaction.data.withUnsafeBytes { data -> Address? in
      if data.count < 68 { return nil }
      let selector = UInt32(bigEndian: data.loadUnaligned(as: UInt32.self))
      let place = selector == 0xa905_9cbb ? 16 : selector == 0x23b8_72dd ? 48 : 0
      if place == 0 { return nil }
      return Address(
        bytes: data.baseAddress!.assumingMemoryBound(to: UInt8.self) + place)
    }
  }
}

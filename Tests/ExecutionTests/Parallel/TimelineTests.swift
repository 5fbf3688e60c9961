import EVM
import Testing

@testable import Execution

/// What transactions find in a cell that many of them add to.
@Suite struct TimelineTests {
  /// A balance to which transactions 0 to 9 have added 1 each.
  private final class Balance {
    let memory = RecordMemory(workers: 2)
    let schedule = UnsafeMutablePointer<TurnSchedule>.allocate(capacity: 1)
    let timeline = UnsafeMutablePointer<Timeline>.allocate(capacity: 1)
    var slab = Slab()

    init(count: Int32 = 32) {
      memory.begin(Int(count))
      for index in 0..<Int(count) { (memory.turns + index).initialize(to: TransactionTurn()) }
      schedule.initialize(
        to: TurnSchedule(memory, from: 0, count: count, early: [], workers: 2))
      timeline.initialize(to: Timeline(base: 0))
      for transaction in Int32(0)..<10 { #expect(publish(transaction, adds: 1)) }
    }

    deinit {
      timeline.deinitialize(count: 1)
      timeline.deallocate()
      schedule.deinitialize(count: 1)
      schedule.deallocate()
    }

    func publish(
      _ transaction: Int32, _ incarnation: UInt32 = 1, reads exact: UInt256? = nil,
      adds change: UInt256? = nil
    ) -> Bool {
      var access = Timeline.Access()
      access.exact = exact
      access.change = change
      access.isAbsolute = false
      return timeline.pointee.publish(
        access, by: transaction, incarnation, isCertain: false, notices: true, &slab, schedule)
    }

    var isDivided: Bool { timeline.pointee.isDivided }
    var finalValue: UInt256 { timeline.pointee.finalValue() }

    /// Lets a transaction be executed, so that it can be told to run again.
    func execute(_ transaction: Int32) {
      let turn = memory.turns + Int(transaction)
      let isDone = turn.pointee.move(turn.pointee.status, to: TransactionStatus(.executed, 1))
      #expect(isDone)
    }

    func isToldToRunAgain(_ transaction: Int32) -> Bool {
      memory.turns[Int(transaction)].status == TransactionStatus(.pending, 1)
    }
  }

  @Test func readersFindWhatAllBeforeThemAdd() {
    let balance = Balance()
    #expect(balance.publish(20, reads: 10))
    #expect(!balance.publish(21, reads: 9))
    #expect(balance.publish(5, reads: 5))
  }

  /// The sum is kept for the next reader, and forgotten where a transaction adds something else.
  @Test func aSumIsForgottenWhereATransactionAddsSomethingElse() {
    let balance = Balance()
    balance.execute(20)
    #expect(balance.publish(20, reads: 10))
    #expect(balance.publish(3, 2, adds: 5))
    #expect(balance.isToldToRunAgain(20))
    #expect(balance.publish(21, reads: 14))
    #expect(!balance.publish(22, reads: 10))
  }

  @Test func aSumIsForgottenWhereATransactionAddsNothingAnyMore() {
    let balance = Balance()
    balance.execute(20)
    #expect(balance.publish(20, reads: 10))
    balance.timeline.pointee.retract(4, before: 2, &balance.slab, balance.schedule)
    #expect(balance.isToldToRunAgain(20))
    #expect(balance.publish(21, reads: 9))
    #expect(!balance.publish(22, reads: 10))
  }

  /// What is added behind the sum's last transaction leaves the sum right.
  @Test func whatIsAddedBehindASumIsAddedToIt() {
    let balance = Balance()
    #expect(balance.publish(20, reads: 10))
    #expect(balance.publish(15, adds: 7))
    #expect(balance.publish(21, reads: 17))
    #expect(balance.publish(12, reads: 10))
  }

  /// A balance to which each of transactions 0 to 39 has added 1, most of them in parts.
  private static func divided() -> Balance {
    let balance = Balance(count: 256)
    for transaction in Int32(10)..<40 { #expect(balance.publish(transaction, adds: 1)) }
    #expect(balance.isDivided)
    return balance
  }

  @Test func manyWhoOnlyAddDoSoInParts() {
    let balance = Self.divided()
    #expect(!Balance().isDivided)
    #expect(balance.finalValue == 40)
    for transaction: Int32 in [1, 9, 17, 33, 40, 200] {
      #expect(balance.publish(transaction, reads: UInt256(UInt64(min(transaction, 40)))))
      #expect(!balance.publish(transaction, reads: UInt256(UInt64(min(transaction, 40) + 1))))
    }
    var writer: Int32 = 0
    _ = balance.timeline.pointee.value(before: 30, writer: &writer)
    #expect(writer == 29)
  }

  /// As soon as there is a reader, those who add look for it.
  @Test(arguments: [3, 12, 39, 100] as [Int32])
  func readersOfPartsAreTold(_ transaction: Int32) {
    let balance = Self.divided()
    balance.execute(200)
    #expect(balance.publish(200, reads: 40))
    if transaction < 40 {
      // It does something else now, wherever it has put what it did before.
      #expect(balance.publish(transaction, 2, adds: 5))
    } else {
      #expect(balance.publish(transaction, adds: 4))
    }
    #expect(balance.isToldToRunAgain(200))
    #expect(balance.publish(201, reads: 44))
    #expect(balance.finalValue == 44)
  }

  @Test(arguments: [3, 12, 39] as [Int32])
  func readersOfPartsAreToldWhatIsTakenBack(_ transaction: Int32) {
    let balance = Self.divided()
    balance.execute(200)
    #expect(balance.publish(200, reads: 40))
    balance.timeline.pointee.retract(transaction, before: 2, &balance.slab, balance.schedule)
    #expect(balance.isToldToRunAgain(200))
    #expect(balance.publish(201, reads: 39))
  }

  /// Parts are added up, too: what is final becomes one version of each.
  @Test func partsKeepTheSumOfWhatIsFinal() {
    let balance = Self.divided()
    for transaction in Int32(40)..<160 { #expect(balance.publish(transaction, adds: 1)) }
    balance.schedule.pointee.frontier.store(160, ordering: .releasing)
    for transaction in Int32(160)..<256 { #expect(balance.publish(transaction, adds: 1)) }
    #expect(balance.finalValue == 256)
    #expect(balance.publish(200, reads: 200))
  }

  /// A sender whose transactions follow one another reads the balance each time: it is not divided.
  @Test func whatIsReadIsNotDivided() {
    let balance = Balance()
    #expect(balance.publish(10, reads: 10, adds: 1))
    for transaction in Int32(11)..<32 {
      #expect(balance.publish(transaction, reads: UInt256(UInt64(transaction)), adds: 1))
    }
    #expect(!balance.isDivided)
  }

  /// Who reads a slot after another transaction has put a value in its place does not see what was there before.
  @Test func onlyThoseBeforeTheNextValueAreTold() {
    let slot = Balance()
    func put(_ transaction: Int32, _ value: UInt256) {
      var access = Timeline.Access()
      access.change = value
      #expect(
        slot.timeline.pointee.publish(
          access, by: transaction, 1, isCertain: false, notices: true, &slot.slab, slot.schedule))
    }
    put(20, 7)
    for transaction: Int32 in [15, 20, 25] { slot.execute(transaction) }
    #expect(slot.publish(15, reads: 10))
    #expect(slot.publish(20, reads: 10))
    #expect(slot.publish(25, reads: 7))
    put(12, 3)
    #expect(slot.isToldToRunAgain(15))
    #expect(slot.isToldToRunAgain(20))
    #expect(!slot.isToldToRunAgain(25))
  }
}

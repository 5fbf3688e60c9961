import EVM
import Testing

@testable import Execution

/// What transactions find in a cell that many of them add to.
@Suite struct TimelineTests {
  /// A balance to which transactions 0 to 9 have added 1 each.
  private final class Balance {
    let memory = RecordMemory()
    let schedule = UnsafeMutablePointer<TurnSchedule>.allocate(capacity: 1)
    let timeline = UnsafeMutablePointer<Timeline>.allocate(capacity: 1)
    var slab = Slab()

    init() {
      memory.reserve(32)
      for index in 0..<32 { (memory.turns + index).initialize(to: TransactionTurn()) }
      schedule.initialize(
        to: TurnSchedule(memory, from: 0, count: 32, early: [], workers: 2))
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
}

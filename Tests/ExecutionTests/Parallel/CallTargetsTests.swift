import Testing

@testable import Execution

/// When transactions that call one contract begin to wait for one another.
@Suite struct CallTargetsTests {
  private static let workers = 8

  private static func withTarget(_ body: (borrowing CallTargets, CallRuns) -> Void) {
    let targets = CallTargets(capacity: 1)
    let runs = CallRuns(workers: workers, targets: 1)
    defer { runs.deallocate() }
    targets.add(0)
    for worker in 0..<workers { runs.begin(worker: worker, targets: 1) }
    body(targets, runs)
  }

  /// A pool: whoever ran beside the first did so in vain.
  @Test func theyWaitWhereMostRanInVain() {
    Self.withTarget { targets, runs in
      for worker in 0..<Self.workers { runs.add(0, worker: worker) }
      for _ in 1..<Self.workers { targets.countConflict(0) }
      targets.countFinal(0, needsAlike: false, runs: runs)
      let waitsAtFirst = targets.waits(0)
      targets.countFinal(0, needsAlike: true, runs: runs)
      let waitsThen = targets.waits(0)
      #expect(!waitsAtFirst && waitsThen)
    }
  }

  /// Each needs the one before, and workers take eight in a row: the first ones' conflicts are known while
  /// hardly any is final.
  @Test func theyDoNotWaitWhereOneOfEightRanInVain() {
    Self.withTarget { targets, runs in
      for worker in 0..<Self.workers {
        for _ in 0..<8 { runs.add(0, worker: worker) }
      }
      for _ in 1..<Self.workers { targets.countConflict(0) }
      for _ in 0..<64 { targets.countFinal(0, needsAlike: true, runs: runs) }
      let waits = targets.waits(0)
      #expect(!waits)
    }
  }

  /// What ran long ago without conflicts does not hide that a contract has become hot.
  @Test func theyWaitAlsoWhereManyRanWellBefore() {
    Self.withTarget { targets, runs in
      for _ in 0..<1000 {
        runs.add(0, worker: 0)
        targets.countFinal(0, needsAlike: false, runs: runs)
      }
      for _ in 0..<40 {
        runs.add(0, worker: 0)
        targets.countConflict(0)
        targets.countFinal(0, needsAlike: true, runs: runs)
      }
      let waits = targets.waits(0)
      #expect(waits)
    }
  }

  /// The turns of so many transactions, all of which call contract 0; every third is of the sender of the first.
  private static func withCalls(
    _ count: Int32,
    _ body: (borrowing CallTargets, CallRuns, UnsafeMutablePointer<TransactionTurn>) -> Void
  ) {
    let memory = RecordMemory(workers: 1)
    memory.begin(Int(count))
    for index in 0..<Int(count) { (memory.turns + index).initialize(to: TransactionTurn()) }
    withTarget { targets, runs in
      for index in 0..<count { targets.addCall(0, index) { $0 % 3 != index % 3 } }
      body(targets, runs, memory.turns)
    }
  }

  private static func execute(_ turns: UnsafeMutablePointer<TransactionTurn>, _ index: Int) {
    let isDone = turns[index].move(turns[index].status, to: TransactionStatus(.executed, 1))
    #expect(isDone)
  }

  /// Nothing is known of a contract: two calls of different senders show it.
  @Test func allButTwoWaitUntilTheseHaveRun() {
    Self.withCalls(8) { targets, _, turns in
      var waits: [[Int32]] = []
      for _ in 0...2 {
        waits.append((Int32(0)..<8).map { targets.probe(0, before: $0, turns) })
        if waits.count <= 2 { Self.execute(turns, waits.count - 1) }
      }
      let isHot = targets.waits(0)
      #expect(waits[0] == [-1, -1, 0, 0, 0, 0, 0, 0])
      #expect(waits[1] == [-1, -1, 1, 1, 1, 1, 1, 1])
      #expect(waits[2] == [-1, -1, -1, -1, -1, -1, -1, -1])
      #expect(!isHot)
    }
  }

  @Test func theOthersFollowOneAnotherWhereTheTwoNeededOneAnother() {
    Self.withCalls(8) { targets, runs, turns in
      targets.countConflict(0)
      for index in 0..<2 { Self.execute(turns, index) }
      let other = targets.probe(0, before: 7, turns)
      let isHot = targets.waits(0)
      // Only the second did: the others need not wait any more.
      targets.countFinal(0, needsAlike: true, runs: runs)
      for _ in 0..<2 { targets.countFinal(0, needsAlike: false, runs: runs) }
      let isHotThen = targets.waits(0)
      #expect(other == -1 && isHot && !isHotThen)
    }
  }

  /// Waiting for two is not worth it for so few.
  @Test func fewCallsDoNotWait() {
    Self.withCalls(5) { targets, _, turns in
      let waits = (Int32(0)..<5).map { targets.probe(0, before: $0, turns) }
      #expect(waits == [-1, -1, -1, -1, -1])
    }
  }

  @Test func runsAreCountedOverAllWorkers() {
    let runs = CallRuns(workers: 3, targets: 100)
    defer { runs.deallocate() }
    for worker in 0..<3 {
      runs.begin(worker: worker, targets: 100)
      for target in Int32(0)..<100 where target % 2 == worker % 2 {
        runs.add(target, worker: worker)
      }
    }
    #expect((0..<4).map { runs.count($0) } == [2, 1, 2, 1])
    // In the next block one of them begins, with fewer contracts.
    let next = runs.next()
    #expect(next.count(0) == 0)
    next.begin(worker: 2, targets: 2)
    next.add(1, worker: 2)
    #expect((0..<2).map { next.count($0) } == [0, 1])
  }
}

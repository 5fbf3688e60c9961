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

  @Test func runsAreCountedOverAllWorkers() {
    let runs = CallRuns(workers: 3, targets: 100)
    defer { runs.deallocate() }
    for worker in 0..<3 {
      for target in Int32(0)..<100 where target % 2 == worker % 2 {
        runs.add(target, worker: worker)
      }
    }
    #expect((0..<4).map { runs.count($0) } == [2, 1, 2, 1])
  }
}

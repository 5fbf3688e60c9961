import EVM
import Ethereum
import Execution
import Foundation
import Synchronization
import Testing

@testable import Storage

/// Storing gives way to the roots of blocks, and keeps up with them.
@Suite struct StorePaceTests {
  /// More threads than any machine has processors: none is left for storing.
  private static let allProcessors = 1 << 20

  private final class Flag: Sendable {
    private let value = Atomic(false)
    func set() { value.store(true, ordering: .relaxed) }

    /// Whether it is set before so many seconds are over.
    func isSet(within seconds: Double) -> Bool {
      let end = ContinuousClock.now + .seconds(seconds)
      while !value.load(ordering: .relaxed), ContinuousClock.now < end { usleep(1000) }
      return value.load(ordering: .relaxed)
    }
  }

  /// A flag that is set once a pace lets its caller go on.
  private func passage(_ pace: StorePace) -> Flag {
    let flag = Flag()
    Thread {
      pace.giveWay()
      flag.set()
    }.start()
    return flag
  }

  @Test func waitsForTheRoot() {
    let pace = StorePace(workers: Self.allProcessors)
    #expect(passage(pace).isSet(within: 20))
    pace.beginRoot()
    let flag = passage(pace)
    #expect(!flag.isSet(within: 0.1))
    pace.beginRoot()
    pace.endRoot()
    #expect(!flag.isSet(within: 0.1), "another root is worked out still")
    pace.endRoot()
    #expect(flag.isSet(within: 20))
  }

  @Test func waitsForNoRootWhereAProcessorIsLeft() {
    let pace = StorePace(workers: 0)
    pace.beginRoot()
    #expect(passage(pace).isSet(within: 20))
  }

  @Test func whoWaitsForTheStoringIsServed() {
    let pace = StorePace(workers: Self.allProcessors)
    pace.beginRoot()
    let flag = passage(pace)
    #expect(!flag.isSet(within: 0.1))
    pace.beginWait()
    #expect(flag.isSet(within: 20))
    pace.endWait()
    #expect(!passage(pace).isSet(within: 0.1))
    pace.endRoot()
  }

  @Test func takesMoreOfTheTimeTheMoreWaits() {
    let pace = StorePace(workers: Self.allProcessors)
    pace.beginRoot()
    pace.setBacklog(0.5)
    let flag = passage(pace)
    #expect(!flag.isSet(within: 0.1), "half of what may wait is no reason to hurry")
    pace.setBacklog(1)
    #expect(flag.isSet(within: 20))
    // A half of the time, and no more, whatever the machine does meanwhile: its pauses only take away.
    pace.setBacklog(0.75)
    let start = ContinuousClock.now
    var busy = Duration.zero
    var steps = 0
    while start.duration(to: .now) < .milliseconds(300) {
      pace.giveWay()
      let step = ContinuousClock.now
      usleep(100)
      // A pause of the machine's is not storing's time.
      busy += min(step.duration(to: .now), .microseconds(300))
      steps += 1
    }
    #expect(steps > 10, "\(steps)")
    #expect(busy < .milliseconds(250), "\(busy)")
    pace.endRoot()
  }

  /// What stores blocks asks the pace: nothing is stored while a root is worked out, then all is.
  @Test func theDatabaseStoresBesideNoRoot() throws {
    let folder = TemporaryFolder()
    var options = Database.Options()
    options.storeDelay = 0
    options.workers = 64
    let chain = ModelChain(seed: 21, accounts: 50)
    let database = try Database(folder: folder.path, options: options)
    try database.begin(Block(header: chain.header), chain.allocation, file: [])
    database.pace.beginRoot()
    try chain.grow(database, changes: 20)
    usleep(200_000)
    #expect(try database.storedSequence() == 0)
    database.pace.endRoot()
    let end = ContinuousClock.now + .seconds(20)
    while try database.storedSequence() < 1, ContinuousClock.now < end { usleep(10_000) }
    #expect(try database.storedSequence() == 1)
    // Who waits for it does not wait for a root.
    database.pace.beginRoot()
    try chain.grow(database, changes: 20)
    try database.flush()
    #expect(try database.storedSequence() == 2)
    database.pace.endRoot()
  }
}

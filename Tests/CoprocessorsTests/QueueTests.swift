import EVM
import Foundation
import Synchronization
import Testing

@testable import Coprocessors

struct QueueTests {
  private final class Log: Sendable {
    let lines = Mutex<[String]>([])
  }

  private struct Setting {
    let registry: CoprocessorRegistry
    let device: FakeBackEnd
    let queue: CoprocessorQueue
    let log = Log()

    /// A queue whose device takes batches of 4 rows and more.
    init(_ behaviour: FakeBackEnd.Behaviour = .works, limits: CoprocessorQueue.Limits = .init())
      throws
    {
      registry = try CoprocessorRegistry([KeccakCoprocessor()], workers: 2)
      device = FakeBackEnd(KeccakCoprocessor())
      try registry.register(device)
      device.become(behaviour)
      let log = log
      queue = try CoprocessorQueue(
        "keccak256", of: registry, limits: limits, crossover: { $0 == "fake" ? 4 : nil },
        log: { line in log.lines.withLock { $0.append(line) } })
    }

    var lines: [String] { log.lines.withLock { $0 } }
  }

  private static func requests(_ count: Int, from first: Int = 0) -> ByteColumn {
    ByteColumn((first..<first + count).map { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] })
  }

  private static func expected(_ requests: ByteColumn) -> CoprocessorResults {
    KeccakCoprocessor().reference(requests)
  }

  @Test func smallBatchesAreTheCPUsAndLargeOnesTheDevices() throws {
    let setting = try Setting()
    defer { setting.queue.close() }
    for count in [3, 4, 100] {
      let requests = Self.requests(count)
      #expect(try setting.queue.submit(requests).results() == Self.expected(requests))
    }
    let done = setting.queue.statistics
    #expect(done.rows == ["cpu": 3, "fake": 104])
    #expect(done.submissions == 3)
    #expect(done.movedBatches == 0)
  }

  @Test func batchesThatComeTogetherAreDoneTogether() throws {
    var limits = CoprocessorQueue.Limits()
    limits.maximumWait = 60_000_000_000
    limits.maximumRows = 30
    let setting = try Setting(limits: limits)
    defer { setting.queue.close() }
    let batches = (0..<10).map { Self.requests(3, from: $0 * 3) }
    let tickets = try batches.map { try setting.queue.submit($0) }
    for (ticket, batch) in zip(tickets, batches) {
      #expect(try ticket.results() == Self.expected(batch))
    }
    // The known answers, and one batch of all.
    #expect(setting.device.batches == [KnownAnswers.keccak256.count, 30])
  }

  @Test func aBatchWaitsNoLongerThanItMay() throws {
    var limits = CoprocessorQueue.Limits()
    limits.maximumWait = 1_000_000
    let setting = try Setting(limits: limits)
    defer { setting.queue.close() }
    let requests = Self.requests(5)
    #expect(try setting.queue.submit(requests).results() == Self.expected(requests))
  }

  @Test func aLostDeviceLosesNoBatch() throws {
    let setting = try Setting()
    defer { setting.queue.close() }
    let first = Self.requests(50)
    #expect(try setting.queue.submit(first).results() == Self.expected(first))
    setting.device.become(.fails(.deviceLost))
    let batches = (0..<20).map { Self.requests(10 + $0, from: $0) }
    let tickets = try batches.map { try setting.queue.submit($0) }
    for (ticket, batch) in zip(tickets, batches) {
      #expect(try ticket.results() == Self.expected(batch))
    }
    let done = setting.queue.statistics
    #expect(done.movedBatches == 1)
    #expect(done.movedRows > 0)
    #expect(done.rows["fake"] == 50)
    #expect(done.rows["cpu"] == batches.reduce(0) { $0 + $1.count })
    #expect(setting.lines.count == 2)
    #expect(
      setting.lines.first?.hasPrefix(
        "keccak256: the fake back end failed (deviceLost: the fake device was told to fail)")
        == true)
    // It is not asked again.
    let asked = setting.device.batches.count
    #expect(try setting.queue.submit(first).results() == Self.expected(first))
    #expect(setting.device.batches.count == asked)
    let health = try setting.registry.entry("keccak256").backEnds[1].health
    #expect("\(health)" == "deviceLost: the fake device was told to fail")
  }

  @Test func exhaustedMemoryMovesOneBatchOnly() throws {
    let setting = try Setting(.fails(.memoryExhausted))
    defer { setting.queue.close() }
    let requests = Self.requests(64)
    #expect(try setting.queue.submit(requests).results() == Self.expected(requests))
    setting.device.become(.works)
    #expect(try setting.queue.submit(requests).results() == Self.expected(requests))
    let done = setting.queue.statistics
    #expect(done.movedBatches == 1)
    #expect(done.movedRows == 64)
    #expect(done.rows == ["cpu": 64, "fake": 64])
    #expect(setting.lines.count == 1)
  }

  @Test func aDeviceThatLosesRowsIsGivenUp() throws {
    let setting = try Setting(.losesRows)
    defer { setting.queue.close() }
    let requests = Self.requests(64)
    #expect(try setting.queue.submit(requests).results() == Self.expected(requests))
    #expect(setting.queue.statistics.movedRows == 64)
    #expect(try setting.registry.entry("keccak256").backEnds[1].health != .healthy)
  }

  @Test func aBatchThatWaitsCanBeTakenBack() throws {
    var limits = CoprocessorQueue.Limits()
    limits.maximumWait = 60_000_000_000
    limits.maximumRows = 8
    let setting = try Setting(limits: limits)
    let taken = try setting.queue.submit(Self.requests(2))
    let kept = try setting.queue.submit(Self.requests(6, from: 2 - 2).rows(0..<5))
    #expect(taken.cancel())
    #expect(!taken.cancel())
    let error = #expect(throws: CoprocessorError.self) { try taken.results() }
    #expect(error?.code == .cancelled)
    setting.queue.close()
    #expect(try kept.results() == Self.expected(Self.requests(5)))
    #expect(!kept.cancel())
    #expect(setting.queue.statistics.cancelled == 1)
    #expect(setting.queue.statistics.rows == ["fake": 5])
  }

  @Test func aFullQueueHoldsBack() throws {
    var limits = CoprocessorQueue.Limits()
    limits.maximumWait = 60_000_000_000
    limits.maximumRows = 1000
    limits.capacity = 10
    let setting = try Setting(limits: limits)
    let first = try #require(try setting.queue.trySubmit(Self.requests(8)))
    #expect(try setting.queue.trySubmit(Self.requests(3)) == nil)
    let second = try #require(try setting.queue.trySubmit(Self.requests(2)))
    // One that waits for room is let in, or turned away, when the queue closes.
    let queue = setting.queue
    let outcome = Mutex<CoprocessorError.Code?>(nil)
    let group = DispatchGroup()
    DispatchQueue.global().async(group: group) {
      do throws(CoprocessorError) {
        _ = try queue.submit(Self.requests(5)).results()
      } catch {
        outcome.withLock { $0 = error.code }
      }
    }
    while setting.queue.statistics.submissions < 2 { usleep(100) }
    usleep(20_000)
    #expect(setting.queue.statistics.submissions == 2)
    setting.queue.close()
    group.wait()
    #expect(outcome.withLock { $0 } == .closed)
    #expect(try first.results() == Self.expected(Self.requests(8)))
    #expect(try second.results() == Self.expected(Self.requests(2)))
    let closed = #expect(throws: CoprocessorError.self) { try queue.submit(Self.requests(1)) }
    #expect(closed?.code == .closed)
  }

  @Test func aRequestThatIsTooLargeIsRefusedAtOnce() throws {
    let registry = try CoprocessorRegistry([RecoverCoprocessor()])
    let queue = try CoprocessorQueue(
      "recover", of: registry, crossover: { _ in nil }, log: { _ in })
    defer { queue.close() }
    let error = #expect(throws: CoprocessorError.self) {
      try queue.submit(ByteColumn([[UInt8](repeating: 0, count: 98)]))
    }
    #expect(error?.message == "request 0 for recover has 98 bytes; it takes 97 at most")
  }

  @Test func manyThreadsGetTheirOwnResults() throws {
    let setting = try Setting()
    let queue = setting.queue
    let wrong = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: 8) { thread in
      for round in 0..<50 {
        let requests = Self.requests(1 + (round * 7 + thread) % 23, from: round * 8 + thread)
        let results = try? queue.submit(requests).results()
        if results != Self.expected(requests) { wrong.add(1, ordering: .relaxed) }
      }
    }
    queue.close()
    #expect(wrong.load(ordering: .relaxed) == 0)
    #expect(queue.statistics.submissions == 400)
    #expect(queue.statistics.movedBatches == 0)
  }
}

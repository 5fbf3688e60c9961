import Synchronization
import Testing

@testable import Execution

/// What workers have taken and not begun, and others may begin.
@Suite struct ClaimedRangesTests {
  @Test func theFirstOfAllComesFirst() {
    let ranges = ClaimedRanges(workers: 3)
    defer { ranges.deallocate() }
    #expect(ranges.takeFirst() == nil)
    ranges.set(8..<10, of: 0)
    ranges.set(3..<4, of: 2)
    #expect(!ranges.isEmpty(0) && ranges.isEmpty(1) && !ranges.isEmpty(2))
    #expect(ranges.takeFirst(of: 1) == nil)
    #expect(ranges.takeFirst() == 3)
    #expect(ranges.takeFirst() == 8)
    #expect(ranges.takeFirst(of: 0) == 9)
    #expect(ranges.takeFirst() == nil)
  }

  @Test func eachIsTakenOnce() {
    let workers = 4
    let count: Int32 = 40_000
    let ranges = ClaimedRanges(workers: workers)
    defer { ranges.deallocate() }
    let shared = Shared(ranges: ranges)
    let taken = Threads.map(workers, jobs: workers) { worker -> [Int32] in
      var own: [Int32] = []
      while true {
        if let index = shared.ranges.takeFirst(of: worker)
          ?? (own.count % 3 == 0 ? shared.ranges.takeFirst() : nil)
        {
          own.append(index)
          continue
        }
        let first = shared.next.add(5, ordering: .relaxed).oldValue
        if first >= count { break }
        shared.ranges.set(first..<min(first + 5, count), of: worker)
      }
      while let index = shared.ranges.takeFirst() { own.append(index) }
      return own
    }
    #expect(taken.flatMap { $0 }.sorted() == Array(0..<count))
  }

  private final class Shared: @unchecked Sendable {
    // The words of the ranges are atomic, too.
    let ranges: ClaimedRanges
    let next = Atomic<Int32>(0)

    init(ranges: ClaimedRanges) { self.ranges = ranges }
  }
}

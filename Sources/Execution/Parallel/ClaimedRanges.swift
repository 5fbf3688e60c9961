import Synchronization

/// The transactions that workers have taken and not begun, a range for each worker. The owner fills it and
/// everybody takes from its beginning.
struct ClaimedRanges {
  private let workers: Int
  private let words: UnsafeMutablePointer<Atomic<UInt64>>

  /// Words from one worker's to the next one's: two cache lines, as the processor fetches pairs of them.
  private static let stride = 16

  /// Empty ranges. `deallocate` ends it.
  init(workers: Int) {
    self.workers = workers
    words = .allocate(capacity: workers * Self.stride)
    for worker in 0..<workers { (words + worker * Self.stride).initialize(to: Atomic(0)) }
  }

  func deallocate() { words.deallocate() }

  /// The bounds of a range, in one word. No range is taken twice, so none comes again.
  private static func range(_ word: UInt64) -> Range<Int32> {
    Int32(truncatingIfNeeded: word)..<Int32(truncatingIfNeeded: word >> 32)
  }

  private static func word(_ range: Range<Int32>) -> UInt64 {
    UInt64(UInt32(bitPattern: range.lowerBound))
      | UInt64(UInt32(bitPattern: range.upperBound)) << 32
  }

  @inline(__always)
  func isEmpty(_ worker: Int) -> Bool {
    Self.range(words[worker * Self.stride].load(ordering: .relaxed)).isEmpty
  }

  /// Gives a worker, whose range is empty, another one.
  @inline(__always)
  func set(_ range: Range<Int32>, of worker: Int) {
    words[worker * Self.stride].store(Self.word(range), ordering: .releasing)
  }

  /// Takes the first transaction of a worker's range.
  @inline(__always)
  func takeFirst(of worker: Int) -> Int32? {
    var old = words[worker * Self.stride].load(ordering: .relaxed)
    while true {
      let range = Self.range(old)
      if range.isEmpty { return nil }
      let (exchanged, found) = words[worker * Self.stride].compareExchange(
        expected: old, desired: Self.word(range.lowerBound + 1..<range.upperBound),
        ordering: .acquiringAndReleasing)
      if exchanged { return range.lowerBound }
      old = found
    }
  }

  /// Takes the first transaction of all ranges: what comes later in the block may wait for it.
  func takeFirst() -> Int32? {
    while true {
      var first: (transaction: Int32, worker: Int)?
      for worker in 0..<workers {
        let range = Self.range(words[worker * Self.stride].load(ordering: .relaxed))
        if !range.isEmpty && range.lowerBound < first?.transaction ?? .max {
          first = (range.lowerBound, worker)
        }
      }
      guard let first else { return nil }
      if let taken = takeFirst(of: first.worker) { return taken }
    }
  }
}

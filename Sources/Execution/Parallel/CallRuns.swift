import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// How many transactions have run that call each of a block's contracts, counted by each worker for
/// itself. Its owner deallocates it.
struct CallRuns {
  private let workers: Int
  /// How many contracts are called, at most.
  private let targets: Int
  /// From one worker's counts to the next one's. The first line of them says for which block they are.
  private let stride: Int
  private let counts: UnsafeMutablePointer<Atomic<Int32>>
  /// The block.
  private let round: Int32

  private static var line: Int { CacheLines.bytes / MemoryLayout<Int32>.stride }

  /// No worker has begun; at most so many contracts are called.
  init(workers: Int, targets: Int) {
    self.init(workers, targets, nil, round: 1)
  }

  private init(
    _ workers: Int, _ targets: Int, _ counts: UnsafeMutablePointer<Atomic<Int32>>?, round: Int32
  ) {
    self.workers = workers
    self.targets = targets
    self.round = round
    stride = Self.line + (targets + Self.line - 1) / Self.line * Self.line
    // Zeroed by the system where it is large: few pages of it are touched.
    self.counts =
      counts
      ?? calloc(workers * stride, MemoryLayout<Int32>.stride)!
      .bindMemory(to: Atomic<Int32>.self, capacity: workers * stride)
  }

  func deallocate() { free(counts) }

  /// The same memory for another block.
  func next() -> CallRuns { CallRuns(workers, targets, counts, round: round &+ 1) }

  /// Begins with a worker's counts of the first `targets` contracts.
  func begin(worker: Int, targets: Int) {
    let own = counts + worker * stride
    for target in 0..<targets { own[Self.line + target].store(0, ordering: .relaxed) }
    own.pointee.store(round, ordering: .releasing)
  }

  /// Counts a transaction that a worker runs for the first time.
  @inline(__always)
  func add(_ target: Int32, worker: Int) {
    let count = counts + (worker * stride + Self.line + Int(target))
    count.pointee.store(count.pointee.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
  }

  /// How many of all workers.
  func count(_ target: Int32) -> Int32 {
    (0..<workers).reduce(0) {
      let own = counts + $1 * stride
      if own.pointee.load(ordering: .acquiring) != round { return $0 }
      return $0 &+ own[Self.line + Int(target)].load(ordering: .relaxed)
    }
  }
}

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
  /// From one worker's counts to the next one's.
  private let stride: Int
  private let counts: UnsafeMutablePointer<Atomic<Int32>>

  /// Nothing has run; at most so many contracts are called.
  init(workers: Int, targets: Int) {
    self.workers = workers
    let line = CacheLines.bytes / MemoryLayout<Int32>.stride
    stride = (targets + line - 1) / line * line
    // Zeroed by the system where it is large: few pages of it are touched.
    counts = calloc(workers * stride, MemoryLayout<Int32>.stride)!
      .bindMemory(to: Atomic<Int32>.self, capacity: workers * stride)
  }

  func deallocate() { free(counts) }

  /// Counts a transaction that a worker runs for the first time.
  @inline(__always)
  func add(_ target: Int32, worker: Int) {
    let count = counts + (worker * stride + Int(target))
    count.pointee.store(count.pointee.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
  }

  /// How many of all workers.
  func count(_ target: Int32) -> Int32 {
    (0..<workers).reduce(0) { $0 &+ counts[$1 * stride + Int(target)].load(ordering: .relaxed) }
  }
}

import Dispatch
import Foundation
import Synchronization

/// Plain threads with room for deep stacks.
package enum Threads {
  /// Runs `body` on `count` threads at once, and waits for all.
  package static func run(_ count: Int, _ body: @escaping @Sendable () -> Void) {
    let group = DispatchGroup()
    for _ in 0..<count {
      group.enter()
      let thread = Thread {
        body()
        group.leave()
      }
      thread.stackSize = 16 << 20
      thread.start()
    }
    group.wait()
  }

  /// The values of `body` for the numbers below `count`, worked out on at most `jobs` threads.
  package static func map<Value: Sendable>(
    _ count: Int, jobs: Int, _ body: @escaping @Sendable (Int) -> Value
  ) -> [Value] {
    let values = Mutex([Value?](repeating: nil, count: count))
    let next = Atomic(0)
    run(max(1, min(jobs, count))) {
      while true {
        let index = next.add(1, ordering: .relaxed).oldValue
        if index >= count { return }
        let value = body(index)
        values.withLock { $0[index] = value }
      }
    }
    return values.withLock { $0.compactMap { $0 } }
  }
}

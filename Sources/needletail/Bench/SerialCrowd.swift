import Execution
import Foundation
import Synchronization

/// Serial executors that execute one block again and again side by side, each on a state of its own:
/// cores, hyperthreads and caches are shared then, and nothing else.
final class SerialCrowd: Sendable {
  private let begun = Atomic<Int>(0)
  private let ended = Atomic<Int>(0)
  private let isOver = Atomic<Bool>(false)
  private let count: Int

  /// So many threads that begin at once; returns when each has executed the block twice.
  init(_ entry: BlockCase, count: Int) {
    self.count = count
    let (block, allocation) = (entry.block, entry.state.allocation)
    for _ in 0..<count {
      Thread { [self] in
        // With code of its own: one thread uses a store of it.
        let own = BlockCase(name: "", block: block, state: WorldState(allocation))
        let serial = SerialExecutor()
        var runs = 0
        while !isOver.load(ordering: .acquiring) {
          var state = own.freshState()
          // What goes wrong does so in the measured executor, too.
          _ = try? serial.execute(own.block, on: &state)
          runs += 1
          if runs == 2 { begun.add(1, ordering: .releasing) }
        }
        ended.add(1, ordering: .releasing)
      }.start()
    }
    wait(for: begun)
  }

  /// Returns when all have ended.
  func end() {
    isOver.store(true, ordering: .releasing)
    wait(for: ended)
  }

  private func wait(for number: borrowing Atomic<Int>) {
    while number.load(ordering: .acquiring) < count { usleep(100) }
  }
}

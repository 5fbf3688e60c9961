import Dispatch
import Foundation

/// Plain threads with room for deep stacks.
enum Threads {
  /// Runs `body` on `count` threads at once, and waits for all.
  static func run(_ count: Int, _ body: @escaping @Sendable () -> Void) {
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
}

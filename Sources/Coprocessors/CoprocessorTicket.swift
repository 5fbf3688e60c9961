import Foundation

/// A batch that was handed in, and what comes of it.
public final class CoprocessorTicket: @unchecked Sendable {
  // All of the state is used under the condition's lock only.
  private enum State {
    case waiting
    case running
    case done(Result<CoprocessorResults, CoprocessorError>)
  }

  let requests: ByteColumn
  /// When it was handed in, in nanoseconds of the system's uptime.
  let submitted = DispatchTime.now().uptimeNanoseconds

  private let condition = NSCondition()
  private var state = State.waiting

  init(_ requests: ByteColumn) { self.requests = requests }

  /// Waits for the results; as many as there were requests, in their order.
  /// - Throws: `cancelled` after `cancel`, `closed` when the queue was closed before.
  public func results() throws(CoprocessorError) -> CoprocessorResults {
    condition.lock()
    defer { condition.unlock() }
    while true {
      if case .done(let result) = state { return try result.get() }
      condition.wait()
    }
  }

  /// Takes the batch back when its work has not begun; true when it was taken back.
  @discardableResult
  public func cancel() -> Bool {
    condition.withLock {
      guard case .waiting = state else { return false }
      state = .done(.failure(CoprocessorError(.cancelled, "the batch was cancelled")))
      condition.broadcast()
      return true
    }
  }

  /// Begins the work; false when the batch was cancelled.
  func begin() -> Bool {
    condition.withLock {
      guard case .waiting = state else { return false }
      state = .running
      return true
    }
  }

  /// Hands the results over.
  func finish(_ result: Result<CoprocessorResults, CoprocessorError>) {
    condition.withLock {
      if case .done = state { return }
      state = .done(result)
      condition.broadcast()
    }
  }
}

import Synchronization

/// How many connections are open.
final class ConnectionCounter: Sendable {
  private let count = Atomic(0)
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  /// Counts one more in; false when there are as many as there may be.
  func enter() -> Bool {
    if count.add(1, ordering: .relaxed).newValue <= limit { return true }
    leave()
    return false
  }

  /// How many are open.
  var value: Int { count.load(ordering: .relaxed) }

  func leave() { count.subtract(1, ordering: .relaxed) }
}

/// Bytes that all connections together keep of requests that are not complete.
final class ByteBudget: Sendable {
  private let used = Atomic(0)
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  /// Takes bytes; false, and none taken, where so many are not left.
  func take(_ count: Int) -> Bool {
    if used.add(count, ordering: .relaxed).newValue <= limit { return true }
    give(count)
    return false
  }

  func give(_ count: Int) { used.subtract(count, ordering: .relaxed) }
}

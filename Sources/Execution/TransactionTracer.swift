public import EVM

/// A watcher of transactions on the host.
public protocol TransactionTracer: AnyObject {
  /// The transaction at this place in its block is about to run; `nil` for a system call.
  func willRun(transaction index: Int?)

  /// A transaction or system call begins, possibly again after its workspace ran out: what was
  /// collected since the last `end` is void.
  func begin()

  /// Something happened; the event's pointers are valid during the call.
  func handle(_ event: TraceEvent)

  /// The transaction or system call is over.
  func end(_ result: TransactionResult, output: UnsafeBufferPointer<UInt8>)
}

extension TransactionTracer {
  public func willRun(transaction index: Int?) {}
}

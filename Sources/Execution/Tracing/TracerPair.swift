public import EVM

/// Two tracers at once.
public final class TracerPair: TransactionTracer {
  private let first: any TransactionTracer
  private let second: any TransactionTracer

  /// A tracer that tells both everything.
  public init(_ first: any TransactionTracer, _ second: any TransactionTracer) {
    self.first = first
    self.second = second
  }

  public func willRun(transaction index: Int?) {
    first.willRun(transaction: index)
    second.willRun(transaction: index)
  }

  public func begin() {
    first.begin()
    second.begin()
  }

  public func handle(_ event: TraceEvent) {
    first.handle(event)
    second.handle(event)
  }

  public func end(_ result: TransactionResult, output: UnsafeBufferPointer<UInt8>) {
    first.end(result, output: output)
    second.end(result, output: output)
  }
}

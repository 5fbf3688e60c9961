/// A foreign view whose machines end as `timeExhausted` when a C function says that the time is over:
/// for calls that anybody may ask for.
public struct TimedStateView: StateView {
  /// `(context)`: whether the time is over.
  public typealias Clock = @convention(c) (UnsafeMutableRawPointer) -> Bool

  private var inner: ForeignStateView
  private let isOver: Clock
  private var questions: UInt32 = 0

  /// A view over another's answers; the clock gets the same context.
  public init(_ inner: ForeignStateView, isOver: Clock) {
    self.inner = inner
    self.isOver = isOver
  }

  @inline(__always)
  public static var hasDeadline: Bool { true }

  /// Looks at the clock every 256 questions.
  @inline(__always)
  public mutating func isOutOfTime() -> Bool {
    questions &+= 1
    return questions & 255 == 0 && isOver(inner.context)
  }

  public mutating func readAccount(_ address: Address, into record: inout AccountRecord) -> Bool {
    inner.readAccount(address, into: &record)
  }

  public mutating func readStorage(
    _ address: Address, place: UInt32, slot: UInt256, into record: inout StorageRecord
  ) -> Bool {
    inner.readStorage(address, place: place, slot: slot, into: &record)
  }

  public mutating func readCode(
    _ hash: Hash256, of address: Address, place: UInt32, into code: inout Code
  ) -> Bool {
    inner.readCode(hash, of: address, place: place, into: &code)
  }

  public mutating func readBlockHash(_ number: UInt64, into hash: inout Hash256) -> Bool {
    inner.readBlockHash(number, into: &hash)
  }
}

extension Machine where View == TimedStateView, Tracer == NoTracer {
  /// `execute` on the host, within a time.
  @inline(never)
  public mutating func run(
    _ transaction: TransactionMessage, gasAvailable: UInt64,
    stateGasAvailable: UInt64 = UInt64.max, blobsAvailable: Int
  ) -> TransactionResult {
    execute(
      transaction, gasAvailable: gasAvailable, stateGasAvailable: stateGasAvailable,
      blobsAvailable: blobsAvailable)
  }
}

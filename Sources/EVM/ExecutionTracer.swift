/// The machine as a tracer sees it before an opcode.
public struct TraceStep: BitwiseCopyable {
  /// Byte position in the code.
  public var programCounter: Int
  /// The opcode.
  public var opcode: UInt8
  /// Gas left.
  public var gas: Int64
  /// 1 for the transaction's own frame.
  public var depth: Int
  /// The stack, bottom first.
  public var stack: UnsafeBufferPointer<UInt256>
  /// The memory.
  public var memory: UnsafeBufferPointer<UInt8>
  /// What the last call returned.
  public var returnData: UnsafeBufferPointer<UInt8>
  /// Gas to be refunded so far.
  public var refund: Int64
  /// The account whose storage and balance the frame uses.
  public var address: Address
}

/// A watcher of execution, compiled in by a generic parameter: absent, it costs nothing.
public protocol ExecutionTracer {
  /// Whether the calls below are made at all.
  static var isEnabled: Bool { get }

  /// An opcode is about to run; its stack and gas are not checked yet.
  mutating func willExecute(_ step: TraceStep)

  /// A call has taken its gas, the child's included, or a creation has taken its own; `gas` is left.
  mutating func didCharge(gas: Int64)

  /// A frame begins.
  mutating func willEnter(
    depth: Int, from caller: Address, to address: Address, value: UInt256, gas: Int64,
    input: UnsafeBufferPointer<UInt8>)

  /// A frame (or a precompile) is over.
  mutating func didExit(
    depth: Int, status: ExecutionStatus, gas: Int64, output: UnsafeBufferPointer<UInt8>)

  /// The frame that began is the precompile at this address.
  mutating func willRunPrecompile(number: UInt16)

  /// The first access of an account was paid for, at its full price (EIP-2929).
  mutating func didPayForColdAccount(gas: Int64)

  /// A creation has paid for its code.
  mutating func didDeposit(gas: Int64)
}

extension ExecutionTracer {
  @inline(__always)
  public mutating func willRunPrecompile(number: UInt16) {}
  @inline(__always)
  public mutating func didPayForColdAccount(gas: Int64) {}
  @inline(__always)
  public mutating func didDeposit(gas: Int64) {}
}

/// No tracing.
public struct NoTracer: ExecutionTracer, BitwiseCopyable {
  /// A tracer that watches nothing.
  @inline(__always)
  public init() {}
  @inline(__always)
  public static var isEnabled: Bool { false }
  @inline(__always)
  public mutating func willExecute(_ step: TraceStep) {}
  @inline(__always)
  public mutating func didCharge(gas: Int64) {}
  @inline(__always)
  public mutating func willEnter(
    depth: Int, from caller: Address, to address: Address, value: UInt256, gas: Int64,
    input: UnsafeBufferPointer<UInt8>
  ) {}
  @inline(__always)
  public mutating func didExit(
    depth: Int, status: ExecutionStatus, gas: Int64, output: UnsafeBufferPointer<UInt8>
  ) {}
}

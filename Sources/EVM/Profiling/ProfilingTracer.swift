/// A tracer that records where gas and time go; see `ProfileRecorder`.
public struct ProfilingTracer: ExecutionTracer {
  let recorder: UnsafeMutablePointer<ProfileRecorder>

  /// A tracer that writes into a recorder, which must outlive it.
  public init(_ recorder: UnsafeMutablePointer<ProfileRecorder>) { self.recorder = recorder }

  public static var isEnabled: Bool { true }

  @inline(__always)
  public mutating func willExecute(_ step: TraceStep) { recorder.pointee.willExecute(step) }

  public mutating func didCharge(gas: Int64) { recorder.pointee.didCharge(gas: gas) }

  public mutating func willEnter(
    depth: Int, from caller: Address, to address: Address, value: UInt256, gas: Int64,
    input: UnsafeBufferPointer<UInt8>
  ) {
    recorder.pointee.willEnter(depth: depth, to: address, gas: gas, input: input)
  }

  public mutating func didExit(
    depth: Int, status: ExecutionStatus, gas: Int64, output: UnsafeBufferPointer<UInt8>
  ) {
    recorder.pointee.didExit(status: status, gas: gas)
  }

  public mutating func willRunPrecompile(number: UInt16) {
    guard let precompile = Precompile(rawValue: number) else { return }
    recorder.pointee.willRun(precompile)
  }

  public mutating func didPayForColdAccount(gas: Int64) {
    recorder.pointee.didPayForColdAccount(gas: gas)
  }

  public mutating func didDeposit(gas: Int64) { recorder.pointee.didDeposit(gas: gas) }
}

extension Machine where View == ForeignStateView, Tracer == ProfilingTracer {
  /// `execute` on the host, profiled.
  @inline(never)
  public mutating func run(
    _ transaction: TransactionMessage, gasAvailable: UInt64,
    stateGasAvailable: UInt64 = UInt64.max, blobsAvailable: Int
  ) -> TransactionResult {
    execute(
      transaction, gasAvailable: gasAvailable, stateGasAvailable: stateGasAvailable,
      blobsAvailable: blobsAvailable)
  }

  /// `systemCall` on the host, profiled.
  @inline(never)
  public mutating func runSystemCall(to address: Address, data: UnsafeBufferPointer<UInt8>)
    -> TransactionResult
  {
    systemCall(to: address, data: data)
  }
}

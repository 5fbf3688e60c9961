/// A view whose answers come from C functions over a context: how code in other modules gives the
/// machine its state without the machine being compiled again there.
///
/// Each function gets the context and pointers to the values named; it returns false when it can
/// not answer. The journal asks each question once a transaction, so the indirection costs little.
public struct ForeignStateView: StateView {
  /// `(context, Address, AccountRecord)`.
  public typealias AccountReader =
    @convention(c) (
      UnsafeMutableRawPointer, UnsafeRawPointer, UnsafeMutableRawPointer
    ) -> Bool
  /// `(context, Address, place, slot UInt256, StorageRecord)`.
  public typealias StorageReader =
    @convention(c) (
      UnsafeMutableRawPointer, UnsafeRawPointer, UInt32, UnsafeRawPointer,
      UnsafeMutableRawPointer
    ) -> Bool
  /// `(context, Hash256, Address, place, Code)`.
  public typealias CodeReader =
    @convention(c) (
      UnsafeMutableRawPointer, UnsafeRawPointer, UnsafeRawPointer, UInt32,
      UnsafeMutableRawPointer
    ) -> Bool
  /// `(context, number, Hash256)`.
  public typealias BlockHashReader =
    @convention(c) (
      UnsafeMutableRawPointer, UInt64, UnsafeMutableRawPointer
    ) -> Bool

  let context: UnsafeMutableRawPointer
  let account: AccountReader
  let storage: StorageReader
  let code: CodeReader
  let blockHash: BlockHashReader

  /// A view over these functions; `context` must outlive it.
  public init(
    context: UnsafeMutableRawPointer, account: AccountReader, storage: StorageReader,
    code: CodeReader, blockHash: BlockHashReader
  ) {
    self.context = context
    self.account = account
    self.storage = storage
    self.code = code
    self.blockHash = blockHash
  }

  public mutating func readAccount(_ address: Address, into record: inout AccountRecord) -> Bool {
    withUnsafePointer(to: address) { account(context, $0, &record) }
  }

  public mutating func readStorage(
    _ address: Address, place: UInt32, slot: UInt256, into record: inout StorageRecord
  ) -> Bool {
    withUnsafePointer(to: address) { address in
      withUnsafePointer(to: slot) { storage(context, address, place, $0, &record) }
    }
  }

  public mutating func readCode(
    _ hash: Hash256, of address: Address, place: UInt32, into code: inout Code
  ) -> Bool {
    withUnsafePointer(to: hash) { hash in
      withUnsafePointer(to: address) { self.code(context, hash, $0, place, &code) }
    }
  }

  public mutating func readBlockHash(_ number: UInt64, into hash: inout Hash256) -> Bool {
    blockHash(context, number, &hash)
  }
}

/// One call of a tracer, as `ForeignTracer` hands it on.
public struct TraceEvent {
  /// Which call it was.
  public enum Kind: UInt8, Sendable {
    case willExecute
    case didCharge
    case willEnter
    case didExit
    case willRunPrecompile
    case didPayForColdAccount
    case didDeposit
  }

  /// Which call it was.
  public var kind: Kind
  /// The step of `willExecute`.
  public var step: TraceStep?
  /// 1 for the transaction's own frame.
  public var depth = 0
  /// Gas left, or given.
  public var gas: Int64 = 0
  /// The caller of the frame that begins.
  public var caller = Address.zero
  /// The account of the frame that begins, or the precompile.
  public var address = Address.zero
  /// The wei that the frame that begins got.
  public var value = UInt256.zero
  /// How the frame ended.
  public var status = ExecutionStatus.stopped
  /// The input of a frame that begins, or the output of one that ended.
  public var data = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
}

/// A tracer that hands every call to a C function with a context.
public struct ForeignTracer: ExecutionTracer {
  /// `(context, TraceEvent)`; the event and what it points to are valid during the call only.
  public typealias Handler = @convention(c) (UnsafeMutableRawPointer, UnsafeRawPointer) -> Void

  let context: UnsafeMutableRawPointer
  let handler: Handler

  /// A tracer over this function; `context` must outlive it.
  public init(context: UnsafeMutableRawPointer, handler: Handler) {
    self.context = context
    self.handler = handler
  }

  public static var isEnabled: Bool { true }

  private func send(_ event: TraceEvent) {
    withUnsafePointer(to: event) { handler(context, $0) }
  }

  public mutating func willExecute(_ step: TraceStep) {
    send(TraceEvent(kind: .willExecute, step: step, depth: step.depth, gas: step.gas))
  }

  public mutating func didCharge(gas: Int64) {
    send(TraceEvent(kind: .didCharge, gas: gas))
  }

  public mutating func willEnter(
    depth: Int, from caller: Address, to address: Address, value: UInt256, gas: Int64,
    input: UnsafeBufferPointer<UInt8>
  ) {
    send(
      TraceEvent(
        kind: .willEnter, depth: depth, gas: gas, caller: caller, address: address, value: value,
        data: input))
  }

  public mutating func didExit(
    depth: Int, status: ExecutionStatus, gas: Int64, output: UnsafeBufferPointer<UInt8>
  ) {
    send(TraceEvent(kind: .didExit, depth: depth, gas: gas, status: status, data: output))
  }

  public mutating func willRunPrecompile(number: UInt16) {
    send(TraceEvent(kind: .willRunPrecompile, address: Address(number: UInt64(number))))
  }

  public mutating func didPayForColdAccount(gas: Int64) {
    send(TraceEvent(kind: .didPayForColdAccount, gas: gas))
  }

  public mutating func didDeposit(gas: Int64) { send(TraceEvent(kind: .didDeposit, gas: gas)) }
}

// The two machines of the host, compiled here: the functions below are not generic, so that other
// modules call the specialised code.

extension Machine where View == ForeignStateView, Tracer == NoTracer {
  /// `execute` on the host.
  @inline(never)
  public mutating func run(
    _ transaction: TransactionMessage, gasAvailable: UInt64,
    stateGasAvailable: UInt64 = UInt64.max, blobsAvailable: Int
  ) -> TransactionResult {
    execute(
      transaction, gasAvailable: gasAvailable, stateGasAvailable: stateGasAvailable,
      blobsAvailable: blobsAvailable)
  }

  /// `systemCall` on the host.
  @inline(never)
  public mutating func runSystemCall(to address: Address, data: UnsafeBufferPointer<UInt8>)
    -> TransactionResult
  {
    systemCall(to: address, data: data)
  }

  /// `call` on the host.
  @inline(never)
  public mutating func runCall(_ transaction: TransactionMessage) -> TransactionResult {
    call(transaction)
  }
}

extension Machine where View == ForeignStateView, Tracer == ForeignTracer {
  /// `execute` on the host, traced.
  @inline(never)
  public mutating func run(
    _ transaction: TransactionMessage, gasAvailable: UInt64,
    stateGasAvailable: UInt64 = UInt64.max, blobsAvailable: Int
  ) -> TransactionResult {
    execute(
      transaction, gasAvailable: gasAvailable, stateGasAvailable: stateGasAvailable,
      blobsAvailable: blobsAvailable)
  }

  /// `systemCall` on the host, traced.
  @inline(never)
  public mutating func runSystemCall(to address: Address, data: UnsafeBufferPointer<UInt8>)
    -> TransactionResult
  {
    systemCall(to: address, data: data)
  }

  /// `call` on the host, traced.
  @inline(never)
  public mutating func runCall(_ transaction: TransactionMessage) -> TransactionResult {
    call(transaction)
  }
}

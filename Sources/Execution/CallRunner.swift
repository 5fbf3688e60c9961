package import EVM
package import Ethereum

/// Executes single transactions on a state, also ones that nobody has signed: calls, estimates,
/// simulations and traces.
///
/// One thread at a time. The memory of the machine is kept from one to the next.
package final class CallRunner {
  /// What came of a transaction.
  package struct Outcome: Sendable {
    /// Why it is not valid; the rest is meaningless then.
    package var error: TransactionError?
    /// How execution ended.
    package var status: ExecutionStatus = .stopped
    /// Gas paid for.
    package var gasUsed: UInt64 = 0
    /// Gas given back.
    package var gasRefunded: UInt64 = 0
    /// What the first frame returned.
    package var output: [UInt8] = []
    /// What was logged.
    package var logs: [Log] = []
    /// The contract that it made.
    package var createdAddress: Address?
    /// Gas as a block counts it.
    package var gas = BlockGas()

    /// Nothing.
    package init() {}
  }

  /// What is wanted of a transaction.
  package struct Options: Sendable {
    /// Whether a transaction that offers nothing for its gas pays nothing. Otherwise it is not valid
    /// where the base fee is not zero.
    package var mayBeFree = true
    /// Precompiles that answer at other addresses.
    package var precompileMoves: [PrecompileMove] = []
    /// Whether the changes stay in the state.
    package var keepsChanges = false
    /// Nanoseconds that it may take, about; then `ExecutionError.Code.timeExhausted` is thrown.
    package var nanoseconds: UInt64?
    /// Gas that the block has left.
    package var gasAvailable = UInt64(Int64.max)
    /// Blobs that the block has left.
    package var blobsAvailable = Int.max

    /// A trial that leaves no trace.
    package init() {}
  }

  /// Answers BLOCKHASH for blocks that the prepared block does not name.
  package var blockHash: ((UInt64) -> Hash256?)? {
    get { runner.fallbackBlockHash }
    set { runner.fallbackBlockHash = newValue }
  }

  private let runner = TransactionRunner()

  /// A runner whose memory is reserved with the first transaction.
  package init() {}

  /// The balance of an account before the transaction that runs: for its tracer.
  package func balance(of address: Address) -> UInt256 { runner.state.record(address).balance }

  /// Executes a transaction on a state as if it were in a block. The sender's code and the limit of gas
  /// for each transaction are not checked; the nonce is.
  package func run(
    _ transaction: PreparedTransaction, in block: PreparedBlock, on state: inout WorldState,
    options: Options = Options(), tracer: (any TransactionTracer)? = nil
  ) throws(ExecutionError) -> Outcome {
    try run(transaction, in: block, on: &state, options, tracer, accesses: nil)
  }

  /// `accesses` are who notes what the transaction reads and changes, and its index in the access list.
  func run(
    _ transaction: PreparedTransaction, in block: PreparedBlock, on state: inout WorldState,
    _ options: Options, _ tracer: (any TransactionTracer)?,
    accesses: (recorder: AccessListRecorder, index: UInt32)?
  ) throws(ExecutionError) -> Outcome {
    runner.tracer = tracer
    runner.isTrial = true
    runner.mayBeFree = options.mayBeFree
    if !(options.precompileMoves.isEmpty && runner.precompileMoves.isEmpty) {
      runner.precompileMoves = options.precompileMoves
    }
    runner.deadline = options.nanoseconds.map { MonotonicClock.nanoseconds &+ $0 }
    runner.begin(block, on: &state)
    defer { runner.end(&state) }
    tracer?.willRun(transaction: 0)
    var outcome = Outcome()
    var failure: ExecutionError?
    transaction.withMessage { message in
      do throws(ExecutionError) {
        try runner.run(
          .transaction(
            message, gasAvailable: options.gasAvailable, stateGasAvailable: options.gasAvailable,
            blobsAvailable: options.blobsAvailable)
        ) { result, journal, output in
          outcome.error = result.error
          if result.error != nil { return }
          outcome.status = result.status
          outcome.gasUsed = result.gasUsed
          outcome.gas = BlockGas(result)
          outcome.gasRefunded = result.gasRefunded
          outcome.output = [UInt8](output)
          outcome.createdAddress = result.createdAddress
          outcome.logs = journal.collectLogs()
          if let accesses {
            runner.note(journal, in: accesses.recorder, index: accesses.index)
          }
          if options.keepsChanges { runner.apply(journal) }
        }
      } catch { failure = error }
    }
    if let failure { throw failure }
    return outcome
  }
}

extension WorldState {
  /// Changes of an account that a caller asks for before a trial; what is `nil` stays.
  package struct Override: Sendable {
    /// Transactions sent.
    package var nonce: UInt64?
    /// Wei.
    package var balance: UInt256?
    /// The code.
    package var code: [UInt8]?
    /// The whole storage.
    package var storage: [UInt256: UInt256]?
    /// Single slots.
    package var slots: [UInt256: UInt256] = [:]

    /// No change.
    package init() {}
  }

  /// Changes an account, which comes to exist.
  package mutating func apply(_ override: Override, to address: Address) {
    let tables = ownedTables()
    let number = tables.pointee.insert(address)
    let row = tables.pointee.accounts + Int(number)
    if let nonce = override.nonce { row.pointee.nonce = nonce }
    if let balance = override.balance { row.pointee.balance = balance }
    if let code = override.code {
      row.pointee.codeHash = codes.insert(code)
      row.pointee.code = code.isEmpty ? nil : codes.stored(row.pointee.codeHash)
    }
    if let storage = override.storage {
      row.pointee.wipeStorage()
      for (key, value) in storage { tables.pointee.set(key, of: number, to: value) }
    }
    for (key, value) in override.slots { tables.pointee.set(key, of: number, to: value) }
  }
}

import EVM
import Ethereum

/// Runs single transactions and system calls on a world state: owns the workspace, answers the
/// machine's questions, and applies the journal.
final class TransactionRunner {
  var state = WorldState()
  var blockHashes: [UInt64: Hash256] = [:]
  /// Answers BLOCKHASH for blocks that `blockHashes` lacks.
  var fallbackBlockHash: ((UInt64) -> Hash256?)?
  var environment: BlockEnvironment
  var fork: Fork
  var tracer: (any TransactionTracer)?

  private var scale = 1
  private var host: HostWorkspace?

  init(fork: Fork, environment: BlockEnvironment) {
    self.fork = fork
    self.environment = environment
  }

  /// What the machine is asked to do.
  enum Work {
    case transaction(TransactionMessage, gasAvailable: UInt64, blobsAvailable: Int)
    case systemCall(Address, UnsafeBufferPointer<UInt8>)
  }

  /// Runs work, with a larger workspace each time it runs out, and hands the result, the journal
  /// and the output to `body`; they live until it returns.
  func run<Result>(
    _ work: Work,
    _ body: (TransactionResult, Journal, UnsafeBufferPointer<UInt8>) -> Result
  ) throws(ExecutionError) -> Result {
    state.codes.beginTransaction()
    while true {
      guard let host = host ?? HostWorkspace(scale: scale) else {
        throw ExecutionError(
          .workspaceExhausted,
          "the system has no address space for a workspace of scale \(scale)")
      }
      self.host = host
      let (result, journal, output) = attempt(work, host.workspace)
      switch result.status {
      case .workspaceExhausted:
        guard scale < HostWorkspace.largestScale else {
          throw ExecutionError(
            .workspaceExhausted,
            "it needs more memory than the largest workspace has")
        }
        scale *= 4
        self.host = nil
      case .stateUnavailable:
        throw ExecutionError(.missingBlockHash, "a block hash that the input lacks was asked for")
      default:
        return body(result, journal, output)
      }
    }
  }

  private func attempt(_ work: Work, _ workspace: Workspace)
    -> (TransactionResult, Journal, UnsafeBufferPointer<UInt8>)
  {
    guard let tracer else {
      var machine = Machine(
        fork: fork, block: environment, view: view, tracer: NoTracer(), workspace: workspace)
      let result =
        switch work {
        case .transaction(let message, let gas, let blobs):
          machine.run(message, gasAvailable: gas, blobsAvailable: blobs)
        case .systemCall(let address, let data):
          machine.runSystemCall(to: address, data: data)
        }
      return (result, machine.journal, machine.output)
    }
    let box = TracerBox(tracer)
    tracer.begin()
    return withExtendedLifetime(box) {
      var machine = Machine(
        fork: fork, block: environment, view: view,
        tracer: ForeignTracer(context: Unmanaged.passUnretained(box).toOpaque()) {
          Unmanaged<TracerBox>.fromOpaque($0).takeUnretainedValue().tracer.handle(
            $1.assumingMemoryBound(to: TraceEvent.self).pointee)
        },
        workspace: workspace)
      let result =
        switch work {
        case .transaction(let message, let gas, let blobs):
          machine.run(message, gasAvailable: gas, blobsAvailable: blobs)
        case .systemCall(let address, let data):
          machine.runSystemCall(to: address, data: data)
        }
      tracer.end(result, output: machine.output)
      return (result, machine.journal, machine.output)
    }
  }

  /// The machine's questions, answered from `state`. The context is this object, which outlives
  /// every machine that it makes.
  private var view: ForeignStateView {
    ForeignStateView(
      context: Unmanaged.passUnretained(self).toOpaque(),
      account: { context, address, record in
        let runner = Unmanaged<TransactionRunner>.fromOpaque(context).takeUnretainedValue()
        record.assumingMemoryBound(to: AccountRecord.self).pointee = runner.state.record(
          address.assumingMemoryBound(to: Address.self).pointee)
        return true
      },
      storage: { context, address, slot, value in
        let runner = Unmanaged<TransactionRunner>.fromOpaque(context).takeUnretainedValue()
        value.assumingMemoryBound(to: UInt256.self).pointee = runner.state.storage(
          address.assumingMemoryBound(to: Address.self).pointee,
          slot: slot.assumingMemoryBound(to: UInt256.self).pointee)
        return true
      },
      code: { context, hash, _, code in
        let runner = Unmanaged<TransactionRunner>.fromOpaque(context).takeUnretainedValue()
        guard
          let found = runner.state.codes.executable(
            hash.assumingMemoryBound(to: Hash256.self).pointee, fork: runner.fork)
        else { return false }
        code.assumingMemoryBound(to: Code.self).pointee = found
        return true
      },
      blockHash: { context, number, hash in
        let runner = Unmanaged<TransactionRunner>.fromOpaque(context).takeUnretainedValue()
        guard let found = runner.blockHashes[number] ?? runner.fallbackBlockHash?(number) else {
          return false
        }
        hash.assumingMemoryBound(to: Hash256.self).pointee = found
        return true
      })
  }
}

private final class TracerBox {
  let tracer: any TransactionTracer
  init(_ tracer: any TransactionTracer) { self.tracer = tracer }
}

extension PreparedTransaction {
  /// The transaction as the machine takes it; the message's memory lives until `body` returns.
  func withMessage<Result>(_ body: (TransactionMessage) -> Result) -> Result {
    var items: [AccessListItem] = []
    var slots: [UInt256] = []
    for entry in transaction.accessList {
      items.append(
        AccessListItem(
          address: entry.address, firstSlot: slots.count, slotCount: entry.storageKeys.count))
      slots.append(contentsOf: entry.storageKeys)
    }
    let authorizations = zip(transaction.authorizationList, authorities).map {
      AuthorizationItem(
        chainID: $0.chainID, address: $0.address, nonce: $0.nonce, authority: $1 ?? .zero,
        isValid: $1 != nil)
    }
    var message = TransactionMessage(
      sender: sender, recipient: transaction.to, gasLimit: transaction.gasLimit)
    message.type = transaction.type
    message.nonce = transaction.nonce
    message.value = transaction.value
    message.maxFeePerGas = transaction.maxFeePerGas
    message.maxPriorityFeePerGas = transaction.maxPriorityFeePerGas
    message.maxFeePerBlobGas = transaction.maxFeePerBlobGas
    return transaction.data.withUnsafeBufferPointer { data in
      message.data = data
      return items.withUnsafeBufferPointer { items in
        message.accessList = items
        return slots.withUnsafeBufferPointer { slots in
          message.accessSlots = slots
          return transaction.blobVersionedHashes.withUnsafeBufferPointer { hashes in
            message.blobHashes = hashes
            return authorizations.withUnsafeBufferPointer { authorizations in
              message.authorizations = authorizations
              return body(message)
            }
          }
        }
      }
    }
  }
}

import EVM
import Ethereum

/// A machine that executes transactions on a state which nobody changes meanwhile, and leaves it as it
/// is.
final class HeadMachine {
  typealias Result = (accesses: [AccessSet.Access], gasUsed: UInt64, error: TransactionError?)
  private typealias HostMachine = Machine<ForeignStateView, NoTracer>

  private struct Context {
    var tables: UnsafeMutablePointer<StateTables>?
    unowned(unsafe) var codes: CodeStore?
    var fork = Fork.frontier
    var blockHashes: [UInt64: Hash256] = [:]
  }

  private let context: UnsafeMutablePointer<Context>
  private var host: HostWorkspace?
  private var scale = 1
  private var machine: HostMachine?
  private var block: PreparedBlock?
  private let seed = UInt64.random(in: .min ... .max)

  init() {
    context = .allocate(capacity: 1)
    context.initialize(to: Context())
  }

  deinit {
    context.deinitialize(count: 1)
    context.deallocate()
  }

  /// Begins with a block's environment on a state, which has to live as long as transactions are executed.
  func begin(_ block: PreparedBlock, _ state: WorldState) {
    self.block = block
    context.pointee.tables = state.sharedTables
    context.pointee.codes = state.codes
    context.pointee.fork = block.fork
    context.pointee.blockHashes = block.blockHashes
    machine = nil
  }

  /// Executes a transaction. One whose nonce is too high is executed as if those before it were done.
  func execute(_ transaction: PreparedTransaction) -> Result {
    let nonce = account(transaction.sender).nonce
    return transaction.withMessage { message in
      var message = message
      // A creation's address follows from the nonce: the right one is worth more than the rest.
      if message.nonce > nonce { message.nonce = nonce }
      while true {
        guard let result = run(message) else { return declared(transaction) }
        if result.status == .workspaceExhausted, scale < HostWorkspace.largestScale {
          scale *= 4
          machine = nil
          host = nil
          continue
        }
        if result.status.isFault { return declared(transaction) }
        return (AccessSet.Access.accesses(machine!.journal), result.gasUsed, result.error)
      }
    }
  }

  private func run(_ message: TransactionMessage) -> TransactionResult? {
    guard let block else { return nil }
    if machine == nil {
      guard let host = host ?? HostWorkspace(scale: scale) else { return nil }
      self.host = host
      machine = Machine(
        fork: block.fork, block: block.environment, view: view, tracer: NoTracer(),
        workspace: host.workspace)
      machine!.journal.seed = seed
    }
    return machine!.run(
      message, gasAvailable: block.environment.gasLimit, blobsAvailable: block.maxBlobs)
  }

  private func account(_ address: Address) -> AccountRecord {
    var record = AccountRecord.absent
    context.pointee.tables?.pointee.readShared(address, into: &record)
    return record
  }

  /// What a transaction says of itself, where it can not be executed: both ends and its access list.
  private func declared(_ transaction: PreparedTransaction) -> Result {
    let sender = transaction.sender
    var list = [
      AccessSet.Access(sender, .nonce, [.read, .write]),
      AccessSet.Access(sender, .balance, [.atLeast, .change]),
      AccessSet.Access(sender, .lifecycle, .read),
    ]
    if let to = transaction.transaction.to {
      list.append(AccessSet.Access(to, .lifecycle, .read))
      list.append(AccessSet.Access(to, .balance, .change))
    }
    for entry in transaction.transaction.accessList {
      list.append(AccessSet.Access(entry.address, .lifecycle, .read))
      for key in entry.storageKeys {
        list.append(AccessSet.Access(entry.address, .slot(key), [.read, .write]))
      }
    }
    return (list, transaction.transaction.gasLimit, nil)
  }

  private var view: ForeignStateView {
    ForeignStateView(
      context: UnsafeMutableRawPointer(context),
      account: { context, address, record in
        let context = context.assumingMemoryBound(to: Context.self)
        context.pointee.tables!.pointee.readShared(
          address.assumingMemoryBound(to: Address.self).pointee,
          into: &record.assumingMemoryBound(to: AccountRecord.self).pointee)
        return true
      },
      storage: { context, _, place, slot, record in
        let context = context.assumingMemoryBound(to: Context.self)
        context.pointee.tables!.pointee.readShared(
          slot.assumingMemoryBound(to: UInt256.self).pointee, of: place,
          into: &record.assumingMemoryBound(to: StorageRecord.self).pointee)
        return true
      },
      code: { context, hash, _, _, code in
        let context = context.assumingMemoryBound(to: Context.self)
        let hash = hash.assumingMemoryBound(to: Hash256.self)
        guard let found = context.pointee.codes!.shared(hash.pointee) else { return false }
        code.assumingMemoryBound(to: Code.self).pointee = context.pointee.codes!.sharedExecutable(
          found, fork: context.pointee.fork)
        return true
      },
      blockHash: { context, number, hash in
        let context = context.assumingMemoryBound(to: Context.self)
        guard let found = context.pointee.blockHashes[number] else { return false }
        hash.assumingMemoryBound(to: Hash256.self).pointee = found
        return true
      })
  }
}

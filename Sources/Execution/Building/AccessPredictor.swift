public import EVM
import Ethereum
import Synchronization

/// What a transaction will use and spend, as far as can be told before its block runs.
public struct AccessPrediction: Sendable {
  /// The cells.
  public var accesses: AccessSet
  /// Gas.
  public var gasUsed: UInt64
  /// Why it is not valid on the state before the block; a nonce that is too high is no reason, as others
  /// may come before.
  public var error: TransactionError?
}

/// Foresees what transactions will use of the state.
public final class AccessPredictor {
  /// Where foresight comes from.
  public enum Foresight: Sendable {
    /// Each transaction is executed on the state before the block.
    case execution
    /// Transactions that call a known function of known code are not executed: what it used when it was
    /// executed last is taken over to their sender and arguments. All others are executed.
    case templates
  }

  /// What was chosen.
  public let foresight: Foresight
  private let threads: Int
  private var machines: [HeadMachine]
  private var templates: [AccessTemplate.Key: AccessTemplate] = [:]
  /// Functions that are remembered; when there are more, all are forgotten.
  private static var capacity: Int { 1 << 14 }

  /// A predictor that executes on so many threads.
  public init(threads: Int, foresight: Foresight) {
    self.threads = max(1, threads)
    self.foresight = foresight
    machines = (0..<self.threads).map { _ in HeadMachine() }
  }

  /// Predictions for transactions of a block on the state before it.
  public func predict(
    _ transactions: [PreparedTransaction], for block: PreparedBlock, on state: WorldState
  ) -> [AccessPrediction] {
    var predictions = [AccessPrediction?](repeating: nil, count: transactions.count)
    var keys = [AccessTemplate.Key?](repeating: nil, count: transactions.count)
    if foresight == .templates {
      for (index, transaction) in transactions.enumerated() {
        guard let key = AccessTemplate.Key(transaction, state) else { continue }
        keys[index] = key
        predictions[index] = templates[key]?.prediction(for: transaction)
      }
    }
    let open = predictions.indices.filter { predictions[$0] == nil }
    let results = execute(open.map { transactions[$0] }, block, state)
    for (place, index) in open.enumerated() {
      let (accesses, gasUsed, error) = results[place]
      predictions[index] = AccessPrediction(
        accesses: AccessSet(accesses), gasUsed: gasUsed, error: error)
      if error == nil, let key = keys[index], templates[key] == nil {
        if templates.count == Self.capacity { templates.removeAll() }
        templates[key] = AccessTemplate(
          of: accesses, gasUsed: gasUsed, transaction: transactions[index])
      }
    }
    return predictions.map { $0! }
  }

  private func execute(
    _ transactions: [PreparedTransaction], _ block: PreparedBlock, _ state: WorldState
  ) -> [HeadMachine.Result] {
    state.codes.beginTransaction()
    let tables = state.sharedTables
    if tables.pointee.pages != nil {
      // The tables stay where they are while several machines add what they read.
      tables.pointee.reserve(
        accounts: transactions.count * 4 + 4096, slots: transactions.count * 16 + 16_384)
    }
    let work = Work(
      transactions: transactions, block: block, state: state, machines: machines,
      results: Mutex(Array(repeating: nil, count: transactions.count)))
    if threads == 1 || transactions.count < 16 {
      work.run(machines[0])
    } else {
      Threads.run(threads) { work.run() }
    }
    return work.results.withLock { $0.map { $0! } }
  }

  /// Transactions that several machines share out among themselves.
  private final class Work: @unchecked Sendable {
    // The state does not change, but that what was not read before is added by functions that any
    // number of threads may call; each machine is used by the one thread that took it.
    let transactions: [PreparedTransaction]
    let block: PreparedBlock
    let state: WorldState
    let machines: [HeadMachine]
    let results: Mutex<[HeadMachine.Result?]>
    private let nextMachine = Atomic(0)
    private let next = Atomic(0)

    init(
      transactions: [PreparedTransaction], block: PreparedBlock, state: WorldState,
      machines: [HeadMachine], results: consuming Mutex<[HeadMachine.Result?]>
    ) {
      self.transactions = transactions
      self.block = block
      self.state = state
      self.machines = machines
      self.results = results
    }

    func run() { run(machines[nextMachine.add(1, ordering: .relaxed).oldValue]) }

    func run(_ machine: HeadMachine) {
      machine.begin(block, state)
      while true {
        let first = next.add(16, ordering: .relaxed).oldValue
        if first >= transactions.count { return }
        let places = first..<min(first + 16, transactions.count)
        let done = places.map { machine.execute(transactions[$0]) }
        results.withLock {
          for (place, result) in zip(places, done) { $0[place] = result }
        }
      }
    }
  }
}

import EVM
import Ethereum
import Execution
import GPU
import Kernels

/// A batch of transactions on a state, for `bench gpu`.
struct GPUCase {
  /// `suite/name`.
  let name: String
  let image: StateImage
  let batch: TransactionBatch
  /// Gas of each transaction where it is known beforehand.
  let expectedGas: [UInt64?]
  /// Whether a coprocessor answers the precompiles that lanes lack.
  private(set) var usesCoprocessors = true

  /// Transfers of a token between distinct people; with `hot`, all to the same one.
  static func tokenTransfers(_ code: [UInt8], count: Int, hot: Bool = false) -> GPUCase {
    var load = TransactionWorkload.tokenTransfers(code: code, people: count)
    if hot {
      let data = load.block.transactions[0].transaction.data
      for index in load.block.transactions.indices {
        load.block.transactions[index].transaction.data.replaceSubrange(
          4..<36, with: data[4..<36])
      }
    }
    return GPUCase(
      name: hot ? "transactions/erc20_hot_recipient" : "transactions/erc20_transfer", [load],
      checksGas: !hot)
  }

  /// Swaps on pools, each with people of its own.
  static func swaps(_ contracts: SwapContracts, count: Int) -> GPUCase {
    let clusters = 16
    let people = max(1, count / clusters)
    return GPUCase(
      name: "transactions/uniswap_v3_swap",
      [.swaps(contracts, clusters: clusters, people: people, rounds: 1)], checksGas: true)
  }

  /// Signatures that a contract checks: recovered in batches, or each by its own lane.
  static func signatures(count: Int, usesCoprocessors: Bool) -> GPUCase {
    var entry = GPUCase(
      name: "transactions/signatures\(usesCoprocessors ? "" : "_own_lanes")",
      [.signatures(people: count)], checksGas: false)
    entry.usesCoprocessors = usesCoprocessors
    return entry
  }

  /// A call of a precompile in each transaction: done in batches, or each by its own lane.
  static func precompileCalls(
    _ name: String, _ precompile: UInt64, count: Int, usesCoprocessors: Bool
  ) -> GPUCase {
    var entry = GPUCase(
      name: "transactions/\(name)\(usesCoprocessors ? "" : "_own_lanes")",
      [.precompileCalls(precompile, people: count)], checksGas: false)
    entry.usesCoprocessors = usesCoprocessors
    return entry
  }

  /// Transfers and swaps in turns, on worlds of their own.
  static func mixed(_ contracts: SwapContracts, count: Int) -> GPUCase {
    let swaps = max(1, count / 8)
    return GPUCase(
      name: "transactions/mixed",
      [
        .tokenTransfers(code: contracts.token, people: count - swaps),
        .swaps(contracts, clusters: 4, people: max(1, swaps / 4), rounds: 1),
      ], checksGas: true)
  }

  /// The same message call on every lane.
  init(_ entry: EVMCase, count: Int) {
    name = entry.fullName
    image = StateImage([entry.pre], fork: entry.fork)
    var batch = TransactionBatch()
    let environment = batch.append(entry.environment)
    entry.withMessage { message in
      for _ in 0..<count { batch.append(message, environment: environment, isCall: true) }
    }
    self.batch = batch
    expectedGas = []
  }

  /// The transactions of workloads, each workload a world, in turns.
  private init(name: String, _ loads: [TransactionWorkload], checksGas: Bool) {
    self.name = name
    image = StateImage(loads.map(\.allocation), fork: loads[0].block.fork)
    var batch = TransactionBatch()
    let count = loads.reduce(0) { $0 + $1.block.transactions.count }
    batch.reserve(count, bytes: count * 256)
    var gas: [UInt64?] = []
    let environments = loads.map { batch.append($0.block.environment) }
    var next = [Int](repeating: 0, count: loads.count)
    // Each workload is spread evenly over the batch.
    for _ in 0..<count {
      let world = loads.indices.min {
        Double(next[$0]) / Double(loads[$0].block.transactions.count)
          < Double(next[$1]) / Double(loads[$1].block.transactions.count)
      }!
      let load = loads[world]
      load.block.transactions[next[world]].withMessage {
        batch.append($0, environment: environments[world], world: UInt32(world))
      }
      gas.append(checksGas ? load.expected[next[world]].gasUsed : nil)
      next[world] += 1
    }
    self.batch = batch
    expectedGas = gas
  }
}

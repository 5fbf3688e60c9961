import EVM
import Ethereum
import Execution
import Foundation

/// A block to be executed by the serial and the parallel executor, and the state before it.
struct BlockCase {
  var name: String
  var block: PreparedBlock
  let state: WorldState

  /// The blocks of the main network in a folder of fixtures, of those whose names contain `filter`.
  static func mainnet(fixtures: String, filter: String?) throws -> [BlockCase] {
    let folder = fixtures + "/mainnet-blocks"
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
      .sorted { (Int($0) ?? 0) < (Int($1) ?? 0) }
    return try names.filter { name in
      filter.map { "mainnet/\(name)".contains($0) } ?? true
    }.map { name in
      let input = try MainnetBlock(folder: folder + "/" + name)
      return BlockCase(
        name: "mainnet/" + name, block: try InputRunner.prepared(input),
        state: WorldState(input.pre))
    }
  }

  /// Blocks of about so much gas: what is independent, and what is not.
  static func gigagas(_ gas: UInt64, fixtures: String, filter: String?) throws -> [BlockCase] {
    let contracts = try SwapContracts(fixtures: fixtures)
    func people(_ each: UInt64) -> Int { max(2, Int(gas / each)) }
    let pools = 256
    let swaps = max(1, people(159_000) / pools)
    let makers: [(String, () -> TransactionWorkload)] = [
      (
        "erc20",
        {
          .tokenTransfers(
            code: contracts.token, people: people(34_500), distance: people(34_500) / 2)
        }
      ),
      ("erc20-chain", { .tokenTransfers(code: contracts.token, people: people(34_500)) }),
      (
        "swaps",
        {
          TransactionWorkload.swaps(contracts, clusters: pools, people: swaps, rounds: 1)
            .dealt(into: pools)
        }
      ),
      ("transfers", { .transfers(people: people(21_000)) }),
      (
        "one-pool",
        { .swaps(contracts, people: people(159_000 * 4), rounds: 4) }
      ),
      ("one-sender", { .transfers(people: 1, rounds: people(21_000)) }),
      (
        "half-one-pool",
        {
          .mixed(
            .swaps(contracts, people: people(159_000 * 8), rounds: 4),
            .tokenTransfers(
              code: contracts.token, people: people(69_000), distance: people(69_000) / 2))
        }
      ),
      (
        "half-one-sender",
        {
          .mixed(
            .transfers(people: 1, rounds: people(42_000)),
            .tokenTransfers(
              code: contracts.token, people: people(69_000), distance: people(69_000) / 2))
        }
      ),
    ]
    var cases = makers.compactMap { name, make -> BlockCase? in
      let name = "gigagas/" + name
      if let filter, !name.contains(filter) { return nil }
      let workload = make()
      return BlockCase(
        name: name, block: workload.block, state: WorldState(workload.allocation))
    }
    for percent in [0, 10, 25, 50, 75, 100] {
      let name = "conflicts/\(percent)"
      if let filter, !name.contains(filter) { continue }
      let workload = TransactionWorkload.tokenTransfers(
        code: contracts.token, people: people(34_500), distance: people(34_500) / 2,
        hotPercent: percent)
      cases.append(
        BlockCase(name: name, block: workload.block, state: WorldState(workload.allocation)))
    }
    return cases
  }

  /// Blocks whose candidates come pool by pool, as they come, and in the order that the builder gives
  /// them.
  static func built(_ gas: UInt64, fixtures: String, filter: String?) throws -> [BlockCase] {
    let contracts = try SwapContracts(fixtures: fixtures)
    let swaps = max(1, Int(gas / 159_000))
    let makers: [(String, () -> TransactionWorkload)] = [
      ("256-pools", { .swaps(contracts, clusters: 256, people: max(1, swaps / 256), rounds: 1) }),
      ("16-pools", { .swaps(contracts, clusters: 16, people: max(1, swaps / 16), rounds: 1) }),
    ]
    var cases: [BlockCase] = []
    for (name, make) in makers {
      let names = ["builder/\(name)-as-they-come", "builder/\(name)-built"]
      if let filter, !names.contains(where: { $0.contains(filter) }) { continue }
      let workload = make()
      let state = WorldState(workload.allocation)
      cases.append(BlockCase(name: names[0], block: workload.block, state: state))
      let limits = Execution.BlockBuilder.Limits(gas: workload.block.environment.gasLimit)
      let candidates = workload.block.transactions.map {
        Execution.BlockBuilder.Candidate($0, bytes: 200)
      }
      let threads = ProcessInfo.processInfo.activeProcessorCount
      var block = workload.block
      for foresight in [AccessPredictor.Foresight.execution, .templates] {
        var builder = Execution.BlockBuilder(threads: threads, foresight: foresight)
        // Twice: templates are learned in the first.
        _ = builder.plan(candidates, for: workload.block, on: state, limits: limits)
        let start = ContinuousClock.now
        let plan = builder.plan(candidates, for: workload.block, on: state, limits: limits)
        block.transactions = plan.transactions
        Terminal.note(
          "\(names[1]): planned by \(foresight) on \(threads) threads in "
            + "\(Text.time(ContinuousClock.now - start))")
      }
      cases.append(BlockCase(name: names[1], block: block, state: state))
    }
    return cases
  }

  /// The state, to be changed: its tables are copied here, not while a clock runs.
  func freshState() -> WorldState {
    var state = state
    state.detach()
    return state
  }
}

extension BlockCase {
  /// The same block with its access list, made by a serial execution, written and read.
  func withAccessList(by serial: SerialExecutor) throws -> BlockCase {
    var listed = self
    listed.name += " (access list)"
    listed.block.recordsAccessList = true
    var state = freshState()
    let start = ContinuousClock.now
    guard let list = try serial.execute(listed.block, on: &state).accessList else {
      preconditionFailure("a block that records its access list has one")
    }
    let made = ContinuousClock.now
    let bytes = list.encoded
    let written = ContinuousClock.now
    listed.block.accessList = try BlockAccessList(decoding: bytes)
    let read = ContinuousClock.now
    Terminal.note(
      "\(listed.name): \(list.itemCount) items, \(bytes.count) bytes; serial execution with it "
        + "\(Text.time(made - start)), writing \(Text.time(written - made)), reading "
        + "\(Text.time(read - written))")
    return listed
  }
}

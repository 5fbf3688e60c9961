import EVM
import Ethereum
import Execution
import Storage

/// Blocks that nobody has made, one after the other, on a block of the chain (`eth_simulateV1`).
///
/// Rules, defaults, errors and the places of overrides are those of execution-apis, and of
/// go-ethereum where its tests rely on them.
struct Simulation {
  let service: RPCService
  let snapshot: Snapshot
  let base: StoredHeader
  let tracesTransfers: Bool
  let isValidating: Bool
  let isFull: Bool

  static let blockLimit: UInt64 = 256
  /// Seconds between simulated blocks.
  static let interval: UInt64 = 12

  /// One block of the request.
  struct BlockCall {
    var overrides: BlockOverrides
    var state: StateOverrides
    var calls: [CallRequest]
  }

  /// What came of a call.
  private struct CallResult {
    var output: [UInt8]
    var logs: [TransferTracer.NumberedLog]
    var gasUsed: UInt64
    var maxUsedGas: UInt64
    var error: RPCError?
  }

  /// A block that was simulated.
  private struct Result {
    var block: Block
    var hash: Hash256
    var senders: [Address]
    var calls: [CallResult]
  }

  /// Reads the blocks of a request.
  static func blocks(_ value: JSONValue) throws(RPCError) -> [BlockCall] {
    let blocks =
      try value.member("blockStateCalls") { (list) throws(RPCError) in
        try list.items { (item) throws(RPCError) in
          BlockCall(
            overrides: try item.member("blockOverrides", BlockOverrides.init(_:))
              ?? BlockOverrides(),
            state: try item.member("stateOverrides", StateOverrides.init(_:)) ?? StateOverrides(),
            calls: try item.member("calls") { (calls) throws(RPCError) in
              try calls.items(CallRequest.init(_:))
            } ?? [])
        }
      } ?? []
    if blocks.isEmpty { throw .invalidParameters("empty input") }
    if blocks.count > Int(blockLimit) { throw RPCError(-38026, "too many blocks") }
    return blocks
  }

  /// Fills numbers and times in, and the blocks between.
  private func sequence(_ blocks: [BlockCall]) throws(RPCError) -> [BlockCall] {
    var result: [BlockCall] = []
    var number = base.header.number
    var time = base.header.timestamp
    for block in blocks {
      var block = block
      let wanted = block.overrides.number ?? number + 1
      guard wanted > number else {
        throw RPCError(-38020, "block numbers must be in order: \(wanted) <= \(number)")
      }
      guard wanted - base.header.number <= Self.blockLimit else {
        throw RPCError(-38026, "too many blocks")
      }
      while number + 1 < wanted {
        number += 1
        time += Self.interval
        var gap = BlockCall(overrides: BlockOverrides(), state: StateOverrides(), calls: [])
        gap.overrides.number = number
        gap.overrides.time = time
        result.append(gap)
      }
      number = wanted
      let (next, overflow) = time.addingReportingOverflow(Self.interval)
      let wantedTime = block.overrides.time ?? (overflow ? time : next)
      guard wantedTime > time else {
        throw RPCError(-38021, "block timestamps must be in order: \(wantedTime) <= \(time)")
      }
      time = wantedTime
      block.overrides.number = number
      block.overrides.time = time
      result.append(block)
    }
    return result
  }

  /// Simulates the blocks and writes what came of them.
  func run(_ blocks: [BlockCall], _ writer: inout JSONWriter) throws {
    let blocks = try sequence(blocks)
    var reader = try snapshot.provingState(after: base.header.number)
    var hashes = snapshot.recentHashes(endingWith: base.header.number)
    var parent = base.header
    var parentHash = base.hash
    var gasPool = service.limits.callGas
    var results: [Result] = []
    for block in blocks {
      let (result, layer) = try service.withCaller { caller in
        try simulate(
          block, parent, parentHash, reader, hashes, &gasPool, caller)
      }
      reader = reader.adding(layer)
      parent = result.block.header
      parentHash = result.hash
      hashes[parent.number] = parentHash
      if parent.number >= 256 { hashes[parent.number - 256] = nil }
      results.append(result)
    }
    writer.array { writer in
      for result in results { write(result, &writer) }
    }
  }

  private func header(_ block: BlockCall, _ parent: BlockHeader, _ parentHash: Hash256)
    throws(RPCError) -> (BlockHeader, Fork)
  {
    let overrides = block.overrides
    var attributes = BlockAttributes(
      timestamp: overrides.time ?? 0, gasLimit: overrides.gasLimit ?? parent.gasLimit)
    attributes.coinbase = overrides.coinbase ?? parent.coinbase
    attributes.prevRandao = overrides.prevRandao ?? .zero
    attributes.withdrawals = overrides.withdrawals ?? []
    attributes.parentBeaconBlockRoot = overrides.parentBeaconBlockRoot ?? .zero
    attributes.baseFeePerGas =
      overrides.baseFeePerGas ?? (isValidating ? service.maker.nextBaseFee(parent) : .zero)
    return try service.maker.header(
      on: parent, parentHash: parentHash, attributes, isSimulated: true)
  }

  private func simulate(
    _ block: BlockCall, _ parent: BlockHeader, _ parentHash: Hash256, _ reader: StateReader,
    _ hashes: [UInt64: Hash256], _ gasPool: inout UInt64,
    _ caller: RPCService.Caller
  ) throws -> (Result, StateLayer) {
    var (header, fork) = try header(block, parent, parentHash)
    var prepared = PreparedBlock(
      fork: fork, environment: service.chain.rules.environment(header, fork))
    if let fee = block.overrides.blobBaseFee { prepared.environment.blobBaseFee = fee }
    prepared.blockHashes = hashes
    prepared.parentHash = parentHash
    prepared.parentBeaconBlockRoot = header.parentBeaconBlockRoot
    prepared.isPartialState = true
    prepared.reward = Difficulty.reward(fork)
    prepared.withdrawals = block.overrides.withdrawals ?? []

    var state = WorldState(source: reader.source, codes: caller.codes)
    // Precompiles are back where they belong with every block.
    var moves: [PrecompileMove] = []
    try block.state.apply(fork, to: &state, &moves)
    var steps = BlockInSteps(prepared)
    try steps.begin(on: &state)

    var transactions: [Transaction] = []
    var senders: [Address] = []
    var calls: [CallResult] = []
    var logCount = 0
    for request in block.calls {
      let sender = request.from ?? .zero
      let left = header.gasLimit - min(header.gasLimit, steps.gasUsed)
      if let gas = request.gas, gas > left {
        throw RPCError(
          -38015,
          "block gas limit reached: \(steps.gasUsed + min(gas, .max - steps.gasUsed)) >= "
            + "\(header.gasLimit)")
      }
      var filled = request
      filled.gas = min(request.gas ?? left, gasPool)
      let nonce = state.record(sender).nonce
      let transaction = filled.transaction(
        chainID: service.chain.rules.schedule.chainID, nonce: nonce, gas: 0,
        baseFee: header.baseFeePerGas ?? .zero)
      var message = PreparedTransaction(transaction, sender: sender)
      if !isValidating { message.transaction.nonce = nonce }
      var options = CallRunner.Options()
      options.mayBeFree = !isValidating
      options.precompileMoves = moves
      let tracer = TransferTracer(firstLog: logCount, withTransfers: tracesTransfers) {
        [unowned runner = caller.runner] in runner.balance(of: $0)
      }
      let outcome = try steps.run(
        message, by: caller.runner, on: &state, options: options, tracer: tracer)
      if let error = outcome.error {
        throw Self.error(error, transaction, sender, header, gas: gasPool)
      }
      logCount = tracer.count
      gasPool -= min(gasPool, outcome.gasUsed)
      transactions.append(transaction)
      senders.append(sender)
      var error: RPCError?
      if outcome.status == .reverted {
        error = .reverted(outcome.output)
      } else if !outcome.status.isSuccess {
        error = RPCError(-32015, outcome.status.words)
      }
      calls.append(
        CallResult(
          output: outcome.status.isSuccess ? outcome.output : [], logs: tracer.logs,
          gasUsed: outcome.gasUsed, maxUsedGas: outcome.gasUsed + outcome.gasRefunded,
          error: error))
    }

    let end = try steps.end(on: &state)
    let layer = try reader.layer(state.delta, number: header.number)
    service.maker.seal(
      &header, fork, BlockContents(transactions, end.receipts), end, stateRoot: layer.root)
    let made = Block(
      header: header, transactions: transactions,
      withdrawals: fork >= .shanghai ? prepared.withdrawals : nil)
    return (Result(block: made, hash: header.hash, senders: senders, calls: calls), layer)
  }

  private static func error(
    _ error: TransactionError, _ transaction: Transaction, _ sender: Address,
    _ header: BlockHeader, gas: UInt64
  ) -> RPCError {
    let code =
      switch error {
      case .nonceTooHigh: -38011
      case .nonceTooLow: -38010
      case .senderNotExternallyOwned: -38024
      case .maxFeeBelowBaseFee: -38012
      case .insufficientFunds: -38014
      case .intrinsicGasTooLow, .gasBelowFloor: -38013
      case .initCodeTooLarge: -38025
      default: -32603
      }
    return RPCError(code, "err: \(error.rpcMessage): address \(sender) (supplied gas \(gas))")
  }

  // MARK: Answers

  private func write(_ result: Result, _ writer: inout JSONWriter) {
    let header = StoredHeader(
      hash: result.hash, totalDifficulty: .zero, size: result.block.encoded.count,
      header: result.block.header)
    writer.object { writer in
      writer.members(of: result.block.header, hash: result.hash)
      writer.member("size", quantity: UInt64(header.size))
      writer.key("calls")
      writer.array { writer in
        for (index, call) in result.calls.enumerated() {
          write(call, result.block.transactions[index].hash, index, header, &writer)
        }
      }
      writer.key("transactions")
      writer.array { writer in
        for (index, transaction) in result.block.transactions.enumerated() {
          if isFull {
            writer.transaction(
              transaction, sender: result.senders[index], place: (header, index))
          } else {
            writer.value(transaction.hash)
          }
        }
      }
      writer.key("uncles")
      writer.array { _ in }
      if let withdrawals = result.block.withdrawals {
        writer.key("withdrawals")
        writer.array { writer in
          for withdrawal in withdrawals { writer.withdrawal(withdrawal) }
        }
      }
    }
  }

  private func write(
    _ call: CallResult, _ hash: Hash256, _ index: Int, _ header: StoredHeader,
    _ writer: inout JSONWriter
  ) {
    writer.object { writer in
      writer.member("returnData", hexadecimal: call.output)
      writer.key("logs")
      writer.array { writer in
        if call.error != nil { return }
        for (log, number) in call.logs {
          writer.log(
            log,
            at: JSONWriter.LogPlace(
              header: header, transactionHash: hash, transactionIndex: index, logIndex: number))
        }
      }
      writer.member("gasUsed", quantity: call.gasUsed)
      writer.member("maxUsedGas", quantity: call.maxUsedGas)
      writer.member("status", quantity: call.error == nil ? UInt64(1) : 0)
      guard let error = call.error else { return }
      writer.key("error")
      writer.object { writer in
        writer.member("code", error.code)
        writer.member("message", error.message)
        if let data = error.data {
          writer.key("data")
          writer.value(encoded: [UInt8](data.utf8))
        }
      }
    }
  }
}

extension RPCService {
  func simulate(_ parameters: Parameters, _ writer: inout JSONWriter) throws {
    let options = try parameters.required(0)
    let blocks = try Simulation.blocks(options)
    let reference = try parameters.block(1)
    let snapshot = try snapshot(for: reference)
    let base = try stateHeader(reference, snapshot)
    let simulation = Simulation(
      service: self, snapshot: snapshot, base: base,
      tracesTransfers: try options["traceTransfers"]?.boolean() ?? false,
      isValidating: try options["validation"]?.boolean() ?? false,
      isFull: try options["returnFullTransactions"]?.boolean() ?? false)
    try simulation.run(blocks, &writer)
  }
}

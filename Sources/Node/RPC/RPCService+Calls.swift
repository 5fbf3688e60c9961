import EVM
import Ethereum
import Execution
import Storage

/// Calls, estimates and access lists: transactions that leave no trace.
extension RPCService {
  static let callMethods: [String: Method] = [
    "eth_call": { service, parameters, writer in
      try service.writeCall(parameters, nanoseconds: service.limits.callNanoseconds, &writer)
    },
    "eth_estimateGas": { service, parameters, writer in
      let gas = try service.withTrial(parameters, block: 1) { try service.estimate($0) }
      writer.value(quantity: gas)
    },
    "eth_createAccessList": { service, parameters, writer in
      try service.writeAccessList(parameters, &writer)
    },
    "eth_simulateV1": { service, parameters, writer in
      try service.simulate(parameters, &writer)
    },
  ]

  /// Answers `eth_call`, in the time that it may take.
  func writeCall(
    _ parameters: Parameters, nanoseconds: UInt64, _ writer: inout JSONWriter
  ) throws {
    let outcome = try withTrial(parameters, block: 1) { trial in
      let outcome = try run(trial, nanoseconds: nanoseconds)
      try check(outcome, trial)
      return outcome
    }
    if outcome.status == .reverted { throw RPCError.reverted(outcome.output) }
    if !outcome.status.isSuccess { throw RPCError.server(outcome.status.words) }
    writer.value(hexadecimal: outcome.output)
  }

  /// A transaction to be tried out, and where.
  struct Trial {
    var request: CallRequest
    var header: StoredHeader
    var block: PreparedBlock
    var state: DatabaseSource
    var overrides: StateOverrides
    var hasBaseFee: Bool
    var snapshot: Snapshot
  }

  /// Gives a call, its block, and overrides of state and block to `body`.
  func withTrial<Result>(
    _ parameters: Parameters, block index: Int, _ body: (Trial) throws -> Result
  ) throws -> Result {
    let request = try parameters.read(0, CallRequest.init(_:))
    let reference = try parameters.block(index)
    return try withSnapshot(for: reference) { snapshot in
      try body(
        try trial(
          request, try stateHeader(reference, snapshot), snapshot,
          try parameters.read(ifPresent: index + 1, StateOverrides.init(_:)),
          try parameters.read(ifPresent: index + 2, BlockOverrides.init(_:))))
    }
  }

  /// Throws where a request names another chain.
  func requireChain(_ request: CallRequest) throws(RPCError) {
    let own = chain.rules.schedule.chainID
    guard let given = request.chainID, given != own else { return }
    throw .server("chainId does not match node's (have=\(given), want=\(own))")
  }

  func trial(
    _ request: CallRequest, _ header: StoredHeader, _ snapshot: Snapshot,
    _ overrides: StateOverrides = StateOverrides(), _ changes: BlockOverrides = BlockOverrides()
  ) throws -> Trial {
    let fork = fork(header.header, totalDifficulty: header.totalDifficulty)
    var block = PreparedBlock(
      fork: fork, environment: chain.rules.environment(header.header, fork))
    try changes.apply(to: &block.environment, fork)
    block.maxBlobs = Int(clamping: chain.rules.blobSchedule[fork]?.max ?? 0)
    // Who names no price pays none, whatever the block asks.
    let hasBaseFee = request.hasPrice
    if !hasBaseFee { block.environment.baseFeePerGas = .zero }
    if request.blobVersionedHashes != nil, (request.maxFeePerBlobGas ?? .zero).isZero {
      block.environment.blobBaseFee = .zero
    }
    try requireChain(request)
    return Trial(
      request: request, header: header, block: block,
      state: try snapshot.source(after: header.header.number), overrides: overrides,
      hasBaseFee: hasBaseFee, snapshot: snapshot)
  }

  /// Tries a transaction, with another gas limit if given.
  func run(
    _ trial: Trial, gas: UInt64? = nil, nanoseconds: UInt64? = nil,
    accessList: [AccessListEntry]? = nil, tracer: (any TransactionTracer)? = nil,
    states: (any StateTracer)? = nil
  ) throws -> CallRunner.Outcome {
    let sender = trial.request.from ?? .zero
    var request = trial.request
    request.gas = gas ?? min(request.gas ?? limits.callGas, limits.callGas)
    if let accessList { request.accessList = accessList }
    return try withCaller { caller in
      var state = WorldState(source: trial.state, codes: caller.codes)
      var moves: [PrecompileMove] = []
      try trial.overrides.apply(trial.block.fork, to: &state, &moves)
      let transaction = request.transaction(
        chainID: chain.rules.schedule.chainID, nonce: state.record(sender).nonce, gas: 0,
        baseFee: trial.block.environment.baseFeePerGas)
      var prepared = PreparedTransaction(transaction, sender: sender)
      // Whatever nonce a call names, it is its sender's next.
      prepared.transaction.nonce = state.record(sender).nonce
      // Before London no transaction has a type; the fields mean the same.
      if trial.block.fork < transaction.type.since { prepared.transaction.type = .legacy }
      caller.runner.blockHash = { trial.snapshot.hash($0) ?? .zero }
      defer { caller.runner.blockHash = nil }
      var options = CallRunner.Options()
      options.precompileMoves = moves
      options.nanoseconds = nanoseconds ?? limits.callNanoseconds
      options.keepsChanges = states != nil
      let before = states == nil ? nil : state
      let outcome = try caller.runner.run(
        prepared, in: trial.block, on: &state, options: options, tracer: tracer)
      if let states, let before { states.settle(before: before, after: state) }
      return outcome
    }
  }

  /// Throws where a call was not valid.
  func check(_ outcome: CallRunner.Outcome, _ trial: Trial) throws(RPCError) {
    guard let error = outcome.error else { return }
    throw .server("err: \(error.rpcMessage) (supplied gas \(trial.request.gas ?? limits.callGas))")
  }

  /// The least gas with which a transaction succeeds.
  func estimate(_ trial: Trial) throws -> UInt64 {
    var high = trial.request.gas ?? trial.block.environment.gasLimit
    if high < 21_000 { high = trial.block.environment.gasLimit }
    high = min(high, limits.callGas)
    if trial.block.fork >= .osaka { high = min(high, 1 << 24) }
    var trial = trial
    // The sender must be able to pay.
    if trial.hasBaseFee {
      let price = trial.request.gasPrice ?? trial.request.maxFeePerGas ?? .zero
      if !price.isZero {
        let balance = trial.state.account(trial.request.from ?? .zero)?.balance ?? .zero
        let value = trial.request.value ?? .zero
        guard balance >= value else {
          throw RPCError.server("insufficient funds for transfer")
        }
        let allowance = UInt256.divide(balance &- value, price)
        if allowance < UInt256(high) { high = allowance.limb0 }
      }
    }
    trial.request.gas = nil
    let first = try run(trial, gas: high)
    if let error = first.error {
      if error == .intrinsicGasTooLow || error == .gasBelowFloor {
        throw RPCError.server("gas required exceeds allowance (\(high))")
      }
      try check(first, trial)
    }
    if first.status == .reverted { throw RPCError.reverted(first.output) }
    if !first.status.isSuccess {
      throw RPCError.server(
        first.status == .outOfGas
          ? "gas required exceeds allowance (\(high))" : first.status.words)
    }
    // A plain transfer costs what it costs.
    var low = first.gasUsed - 1
    // A call gives at most 63/64 of its gas on.
    let likely = (first.gasUsed + first.gasRefunded + 2300) / 63 * 64 + 64
    if try succeeds(trial, first.gasUsed) { return first.gasUsed }
    if likely < high, try succeeds(trial, likely) { high = likely }
    while low + 1 < high {
      let middle = min(low + (high - low) / 2, low > 0 ? low * 2 : high)
      if try succeeds(trial, middle) { high = middle } else { low = middle }
      // 1.5 % is close enough (go-ethereum's estimateGasErrorRatio).
      if Double(high - low) / Double(high) < 0.015 { break }
    }
    return high
  }

  private func succeeds(_ trial: Trial, _ gas: UInt64) throws -> Bool {
    let outcome = try run(trial, gas: gas)
    return outcome.error == nil && outcome.status.isSuccess
  }

  private func writeAccessList(_ parameters: Parameters, _ writer: inout JSONWriter) throws {
    try withTrial(parameters, block: 1) { try writeAccessList($0, &writer) }
  }

  private func writeAccessList(_ trial: Trial, _ writer: inout JSONWriter) throws {
    let sender = trial.request.from ?? .zero
    var list = trial.request.accessList ?? []
    var outcome = CallRunner.Outcome()
    // A warm slot makes calls cheaper, which may lead elsewhere: again until nothing is new.
    for _ in 0..<16 {
      let tracer = AccessTracer(list)
      outcome = try run(trial, accessList: list, tracer: tracer)
      try check(outcome, trial)
      let target =
        trial.request.to
        ?? outcome.createdAddress ?? .zero
      var next: [AccessListEntry] = []
      for entry in tracer.entries {
        let isFree =
          entry.address == sender || entry.address == target
          || entry.address == trial.block.environment.coinbase
          || Precompile(entry.address, trial.block.fork) != nil
        if isFree && entry.storageKeys.isEmpty { continue }
        next.append(entry)
      }
      next.sort { $0.address < $1.address }
      if next == list { break }
      list = next
    }
    let final = list
    writer.object { writer in
      writer.key("accessList")
      writer.accessList(final)
      if outcome.status == ExecutionStatus.reverted {
        writer.member("error", "execution reverted")
      } else if !outcome.status.isSuccess {
        writer.member("error", outcome.status.words)
      }
      writer.member("gasUsed", quantity: outcome.gasUsed)
    }
  }
}

extension ExecutionStatus {
  /// The words of go-ethereum's node; its traces have others for one of them.
  var words: String {
    switch self {
    case .stackOverflow: "stack limit reached 1024 (1023)"
    case .workspaceExhausted: "the call needs more memory than the node gives it"
    case .timeExhausted: "execution aborted: it takes too long"
    default: traceWords
    }
  }
}

extension TransactionError {
  /// The words of go-ethereum's node; its transition tool has another for one of them.
  var rpcMessage: String {
    self == .invalidBlobVersion ? "blob hash version mismatch" : gethWords
  }
}

import EVM
import Ethereum
import Execution
import Storage

/// Traces and raw encodings.
extension RPCService {
  static let debugMethods: [String: Method] = [
    "debug_getRawHeader": { service, parameters, writer in
      let (header, _) = try service.rawHeader(parameters)
      writer.value(hexadecimal: header.header.encoded)
    },
    "debug_getRawBlock": { service, parameters, writer in
      let (header, snapshot) = try service.rawHeader(parameters)
      guard let body = snapshot.body(header.header.number) else {
        throw RPCError.server("block not found")
      }
      writer.value(hexadecimal: try body.block(header.header).encoded)
    },
    "debug_getRawReceipts": { service, parameters, writer in
      let (header, snapshot) = try service.rawHeader(parameters)
      let receipts = try snapshot.receipts(header.header.number)?.all() ?? []
      writer.array { writer in
        for receipt in receipts { writer.value(hexadecimal: receipt.encoded) }
      }
    },
    "debug_getRawTransaction": { service, parameters, writer in
      try service.writeRawTransaction(try parameters.hash(0), &writer)
    },
    "debug_traceTransaction": { service, parameters, writer in
      let hash = try parameters.hash(0)
      let snapshot = try service.chain.snapshot()
      guard let place = snapshot.place(ofTransaction: hash) else {
        throw RPCError.server("transaction not found")
      }
      let results = try service.trace(
        place.number, only: place.index, parameters[1], snapshot)
      writer.value(encoded: results[0].json)
    },
    "debug_traceBlockByNumber": { service, parameters, writer in
      try service.writeTraces(try parameters.block(0), parameters[1], &writer)
    },
    "debug_traceBlockByHash": { service, parameters, writer in
      try service.writeTraces(
        .hash(try parameters.hash(0), requiresCanonical: false), parameters[1], &writer)
    },
    "debug_traceCall": { service, parameters, writer in
      let options = parameters[2]
      let request = try parameters.read(0, CallRequest.init(_:))
      let reference = try parameters.block(1)
      let snapshot = try service.snapshot(for: reference)
      let header = try service.stateHeader(reference, snapshot)
      let trial = try service.trial(
        request, header, snapshot,
        try options?.member("stateOverrides", StateOverrides.init(_:)) ?? StateOverrides(),
        try options?.member("blockOverrides", BlockOverrides.init(_:)) ?? BlockOverrides())
      let sender = request.from ?? .zero
      let tracer = try service.tracer(
        options, block: trial.block,
        transaction: request.transaction(
          chainID: 0, nonce: 0, gas: service.limits.callGas, baseFee: .zero), sender: sender,
        nonce: trial.state.account(sender)?.nonce ?? 0)
      let timed = TimedTracer(tracer, until: try TimedTracer.deadline(options))
      let outcome = try service.run(trial, tracer: timed, states: tracer as? any StateTracer)
      try service.check(outcome, trial)
      try timed.check()
      try tracer.write(&writer)
    },
    "debug_traceBlock": { service, parameters, writer in
      let block = try Block(decoding: try parameters.bytes(0))
      try service.writeTraces(
        .hash(block.hash, requiresCanonical: false), parameters[1], &writer)
    },
    "debug_profileTransaction": { service, parameters, writer in
      let hash = try parameters.hash(0)
      guard let place = try service.chain.snapshot().place(ofTransaction: hash) else {
        throw RPCError.server("transaction not found")
      }
      try service.writeProfile(.number(place.number), only: "\(place.index)", &writer)
    },
    "debug_profileBlockByNumber": { service, parameters, writer in
      try service.writeProfile(try parameters.block(0), &writer)
    },
    "debug_profileBlockByHash": { service, parameters, writer in
      try service.writeProfile(
        .hash(try parameters.hash(0), requiresCanonical: false), &writer)
    },
  ]

  private func rawHeader(_ parameters: Parameters) throws -> (StoredHeader, Snapshot) {
    _ = try parameters.required(0)
    let reference = try parameters.block(0)
    let snapshot = try snapshot(for: reference)
    guard let header = try header(reference, snapshot) else {
      throw RPCError.server("block not found")
    }
    return (header, snapshot)
  }

  /// The tracer that options name.
  func tracer(
    _ options: JSONValue?, block: PreparedBlock, transaction: Transaction, sender: Address,
    nonce: UInt64
  ) throws(RPCError) -> any TransactionTracer & ResultTracer {
    switch try options?["tracer"]?.text() {
    case nil, "": return StructLogTracer(try StructLogTracer.Options(options), fork: block.fork)
    case "prestateTracer":
      return try PrestateTracer(
        options: options, transaction: transaction, sender: sender, nonce: nonce,
        coinbase: block.environment.coinbase)
    case "callTracer":
      return try CallTracer(.tree, options: options, transaction: transaction, sender: sender)
    case "4byteTracer":
      return try CallTracer(.selectors, options: options, transaction: transaction, sender: sender)
    case .some(let name):
      throw RPCError.server(
        "the tracer \(name) is not known; there are callTracer, prestateTracer, 4byteTracer, and "
          + "without a name the one of steps")
    }
  }

  private func writeTraces(
    _ reference: BlockReference, _ options: JSONValue?, _ writer: inout JSONWriter
  ) throws {
    let snapshot = try snapshot(for: reference)
    guard let number = try number(reference, snapshot) else {
      if case .hash(let hash, _) = reference { throw RPCError.server("block \(hash) not found") }
      throw RPCError.server("block not found")
    }
    if number == 0 { throw RPCError.server("genesis is not traceable") }
    let results = try trace(number, only: nil, options, snapshot)
    writer.array { writer in
      for result in results {
        writer.object { writer in
          writer.member("txHash", result.hash)
          writer.key("result")
          writer.value(encoded: result.json)
        }
      }
    }
  }

  /// A block of the chain, ready to be executed again.
  func prepared(
    _ number: UInt64, _ snapshot: Snapshot
  ) throws -> (block: Block, prepared: PreparedBlock) {
    guard number > 0, let header = try snapshot.header(number), let body = snapshot.body(number),
      let parent = try snapshot.header(number - 1)
    else { throw RPCError.server("block not found") }
    let block = try body.block(header.header)
    // Whoever the senders are, the block is in the chain.
    var prepared = try chain.rules.prepare(
      block, size: 0, parent: chain.ancestor(parent, snapshot),
      transactions: block.transactions.enumerated().map { index, transaction in
        transaction.impersonated.map { PreparedTransaction(transaction, impersonating: $0) }
          ?? PreparedTransaction(transaction, sender: body.sender(index))
      }
    ) { hash in
      (try? snapshot.header(hash)).flatMap { $0 }.map { self.chain.ancestor($0, snapshot) }
    }
    prepared.blockHashes = snapshot.recentHashes(endingWith: number - 1)
    // Roots in receipts before Byzantium are not wanted here.
    prepared.isPartialState = true
    return (block, prepared)
  }

  /// Executes a block again and gives what tracers say of its transactions, or of one of them.
  private func trace(
    _ number: UInt64, only: Int?, _ options: JSONValue?, _ snapshot: Snapshot
  ) throws -> [(hash: Hash256, json: [UInt8])] {
    var (block, prepared) = try prepared(number, snapshot)
    if let only {
      // What follows does not matter, nor do the requests of the end.
      prepared.transactions.removeSubrange((only + 1)...)
    }
    let switchboard = TracerSwitch()
    for (index, transaction) in prepared.transactions.enumerated()
    where only == nil || only == index {
      switchboard.tracers[index] = try tracer(
        options, block: prepared, transaction: transaction.transaction, sender: transaction.sender,
        nonce: transaction.transaction.nonce)
    }
    let timed = TimedTracer(switchboard, until: try TimedTracer.deadline(options))
    try withCaller { caller in
      var state = try snapshot.state(before: number, codes: caller.codes)
      let executor = SerialExecutor()
      executor.tracer = timed
      _ = try executor.execute(prepared, on: &state) { (run) throws(ExecutionError) in
        for index in run.block.transactions.indices {
          let tracer = switchboard.tracers[index] as? any StateTracer
          let before = tracer == nil ? nil : run.keptState()
          try run.executeTransactions(index..<index + 1)
          if let tracer, let before { tracer.settle(before: before, after: run.state) }
        }
      }
    }
    try timed.check()
    return try switchboard.tracers.keys.sorted().map { index in
      var writer = JSONWriter()
      try switchboard.tracers[index]!.write(&writer)
      return (block.transactions[index].hash, writer.takeBytes())
    }
  }

  /// Where the gas and the time of a block went, or of one of its transactions, as
  /// `needletail profile --json` tells it.
  private func writeProfile(
    _ reference: BlockReference, only transaction: String? = nil, _ writer: inout JSONWriter
  ) throws {
    let snapshot = try snapshot(for: reference)
    guard let number = try number(reference, snapshot), number > 0 else {
      throw RPCError.server("block not found")
    }
    let (_, prepared) = try prepared(number, snapshot)
    let profiler = BlockProfiler(repeats: 3)
    var profile = try withCaller { caller in
      try profiler.profile(
        prepared, on: try snapshot.state(before: number, codes: caller.codes),
        name: "block \(number)", executor: SerialExecutor())
    }
    if let transaction {
      guard let only = profile.only(transaction) else {
        throw RPCError.internalFault("the profile has no transaction \(transaction)")
      }
      profile = only
    }
    profile.write(to: &writer)
  }
}

/// Hands each transaction of a block to a tracer of its own.
private final class TracerSwitch: TransactionTracer {
  var tracers: [Int: any TransactionTracer & ResultTracer] = [:]
  private var current: (any TransactionTracer)?

  func willRun(transaction index: Int?) { current = index.flatMap { tracers[$0] } }
  func begin() { current?.begin() }
  func handle(_ event: TraceEvent) { current?.handle(event) }
  func end(_ result: TransactionResult, output: UnsafeBufferPointer<UInt8>) {
    current?.end(result, output: output)
  }
}

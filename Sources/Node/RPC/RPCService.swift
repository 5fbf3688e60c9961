import EVM
import Ethereum
import Execution
import Foundation
import Storage
import Synchronization

/// Answers JSON-RPC requests. Any number of threads at once.
package final class RPCService: @unchecked Sendable {
  // Sendable: what changes is behind locks.

  /// What a client may ask of one request.
  package struct Limits: Sendable {
    /// Requests in a batch.
    package var batch = 1000
    /// Bytes of a response.
    package var responseBytes = 100 << 20
    /// Gas of a call, an estimate or a simulation.
    package var callGas: UInt64 = 50_000_000
    /// Nanoseconds of a call (five seconds, as go-ethereum's `rpc.evmtimeout`).
    package var callNanoseconds: UInt64 = 5_000_000_000
    /// Blocks that a query for logs may span.
    package var logBlocks: UInt64 = 100_000
    /// Logs of an answer.
    package var logs = 50_000
    /// Subscriptions of a WebSocket connection.
    package var subscriptions = 256
    /// Requests that wait at once, for a block or for another node: each keeps a thread.
    package var waits = 8

    /// The limits of a node that anybody may ask.
    package init() {}
  }

  /// Which methods a port has.
  package struct Access: Sendable {
    /// Namespaces, the part of a method's name in front of the underscore.
    package var namespaces: Set<String>
    /// The only methods of those that there are; all where it is empty.
    package var methods: Set<String> = []

    /// Whether a method may be called.
    func has(_ name: String) -> Bool {
      namespaces.contains(Self.namespace(of: name))
        && (methods.isEmpty || methods.contains(name))
    }

    /// The part of a method's name in front of the underscore.
    static func namespace(of name: String) -> String {
      String(name.prefix { $0 != "_" && $0 != "." })
    }

    init(namespaces: Set<String>) { self.namespaces = namespaces }

    /// The names of all methods, on whatever port.
    package static var allMethods: Set<String> { Set(MethodTable.signatures.keys) }
    /// Their namespaces.
    package static var allNamespaces: Set<String> { Set(allMethods.map { namespace(of: $0) }) }

    /// The methods for everybody.
    package static let everybody = Access(namespaces: [
      "eth", "net", "web3", "txpool", "debug", "rpc",
    ])
    /// The methods of a development node.
    package static let development = Access(
      namespaces: [
        "eth", "net", "web3", "txpool", "debug", "rpc", "evm", "anvil", "hardhat", "personal",
        "testing",
      ])
    /// The methods for the consensus client.
    package static let engine = Access(namespaces: ["engine", "eth", "net", "web3", "rpc"])
  }

  typealias Method = @Sendable (RPCService, Parameters, inout JSONWriter) throws -> Void

  let chain: Blockchain
  let pool: TransactionPool
  let limits: Limits
  let maker: BlockMaker
  /// Whether the node follows a sequencer's feed.
  let isFollower: Bool
  /// What the sequencer said of the block that it is making.
  let preconfirmations: Preconfirmations?
  /// Makes blocks of what the pool has; `nil` where a consensus client decides.
  let sequencer: Sequencer?
  /// Takes transactions in.
  let intake: TransactionIntake
  private let waits = Atomic(0)
  private let callers = Mutex<[Caller]>([])
  let filters = FilterStore()
  /// Held while a transaction of the node's own accounts gets its nonce.
  let sending = Mutex(())
  /// What each method was asked, and how long it took.
  let meter = MethodMeter()
  /// What the node calls itself.
  static let clientVersion = "needletail/0.1.0/swift"
  /// Another in every process.
  let instance = Keccak256.hash(UInt256(UInt64.random(in: .min ... .max)))

  /// The service of a chain.
  init(
    chain: Blockchain, pool: TransactionPool, sequencer: Sequencer? = nil,
    intake: TransactionIntake, isFollower: Bool = false,
    preconfirmations: Preconfirmations? = nil, limits: Limits = Limits()
  ) {
    self.chain = chain
    self.intake = intake
    self.isFollower = isFollower
    self.preconfirmations = preconfirmations
    self.pool = pool
    self.sequencer = sequencer
    self.limits = limits
    maker = BlockMaker(rules: chain.rules)
    chain.add(filters)
  }

  /// What a thread needs to execute calls.
  final class Caller: @unchecked Sendable {
    // Sendable: whoever has it is the only one.

    let runner = CallRunner()
    var codes = CodeStore(programCapacity: 16 << 20)
  }

  /// Gives a caller to `body` that nobody else has.
  func withCaller<Result>(_ body: (Caller) throws -> Result) rethrows -> Result {
    let caller = callers.withLock { $0.popLast() } ?? Caller()
    if caller.codes.byteCount > 16 << 20 { caller.codes = CodeStore(programCapacity: 16 << 20) }
    defer { callers.withLock { $0.append(caller) } }
    return try body(caller)
  }

  /// Runs what may wait long, unless too much waits already: others are to be served meanwhile.
  func waiting<Result>(_ body: () throws -> Result) throws -> Result {
    defer { waits.subtract(1, ordering: .relaxed) }
    guard waits.add(1, ordering: .relaxed).newValue <= limits.waits else {
      throw RPCError.limit("\(limits.waits) requests wait already; try again")
    }
    return try body()
  }

  private static let methods: [String: Method] = {
    var all: [String: Method] = [:]
    for group in [
      chainMethods, stateMethods, callMethods, transactionMethods, logMethods, feeMethods,
      debugMethods, engineMethods, poolMethods, developmentMethods,
      developmentStateMethods, stateFileMethods,
    ] {
      all.merge(group) { _, _ in preconditionFailure("a method has two implementations") }
    }
    return all
  }()

  /// The names of the methods that are implemented here: all but those of sessions and those that
  /// depend on who asks.
  static var methodNames: [String] { methods.keys.sorted() }

  /// Answers a request or a batch; `nil` when nothing is to be answered.
  package func respond(to body: UnsafeBufferPointer<UInt8>, access: Access) -> [UInt8]? {
    respond(to: body, access: access, exchange: nil)
  }

  /// Answers a message; `exchange` where it came in a session, which can have subscriptions.
  func respond(
    to body: UnsafeBufferPointer<UInt8>, access: Access, exchange: RPCExchange?
  ) -> [UInt8]? {
    var cursor = JSONCursor(body)
    let request: JSONValue
    do throws(FormatError) {
      request = try JSONValue(from: &cursor)
      try cursor.finish()
    } catch {
      return failure(.parse(error.description), id: .null)
    }
    if case .array(let requests) = request { return respond(batch: requests, access, exchange) }
    return respondToOne(request, access, exchange)
  }

  func respondToOne(
    _ request: JSONValue, _ access: Access, _ exchange: RPCExchange?
  ) -> [UInt8]? {
    do { return try respond(to: request, access, exchange, by: nil) } catch {
      preconditionFailure("a request's own method has no other: \(error)")
    }
  }

  /// Answers one request, by another method than its own if there is one.
  func respond(
    to request: JSONValue, _ access: Access, _ exchange: RPCExchange?, by other: Method?
  ) throws -> [UInt8]? {
    guard case .object = request else {
      return failure(.invalidRequest("a request is an object"), id: .null)
    }
    let id: JSONValue
    switch request["id"] {
    case .some(.number(let text)): id = .number(text)
    case .some(.string(let text)): id = .string(text)
    case nil: id = .null
    default: return failure(.invalidRequest("an id is a number or a string"), id: .null)
    }
    guard case .string(let name)? = request["method"] else {
      return failure(.invalidRequest("a request has a method"), id: id)
    }
    if let version = request["jsonrpc"], version != .string("2.0") {
      return failure(.invalidRequest("invalid jsonrpc version"), id: id)
    }
    // Nobody waits for an answer to it, whatever comes of it.
    let isNotification = id == .null && !hasID(request)
    do {
      let parameters = try Parameters(request["params"])
      var writer = JSONWriter()
      try writer.object { writer in
        writer.member("jsonrpc", "2.0")
        writer.key("id")
        writer.value(id)
        writer.key("result")
        try call(name, parameters, access, exchange, by: other, &writer)
      }
      guard writer.bytes.count <= limits.responseBytes else {
        throw RPCError(-32003, "response too large")
      }
      return isNotification ? nil : writer.takeBytes()
    } catch let error as ExecutionError where error.code == .timeExhausted && other != nil {
      // Who names a method of his own has another one for what takes long.
      throw error
    } catch {
      return isNotification ? nil : failure(RPCError(fault: error), id: id)
    }
  }

  func hasID(_ request: JSONValue) -> Bool {
    guard case .object(let members) = request else { return false }
    return members.contains { $0.name == "id" }
  }

  /// Calls a method and writes its result.
  private func call(
    _ name: String, _ parameters: Parameters, _ access: Access, _ exchange: RPCExchange?,
    by other: Method?, _ writer: inout JSONWriter
  ) throws {
    guard access.has(name), let signature = MethodTable.signatures[name] else {
      throw RPCError.unknownMethod(name)
    }
    let start = ContinuousClock.now
    // Until it is known otherwise; `nil` for a call that begins again elsewhere.
    var isFailed: Bool? = true
    defer { if let isFailed { meter.note(name, ContinuousClock.now - start, isFailed: isFailed) } }
    try signature.check(parameters)
    if name == "rpc.discover" {
      MethodTable.write(MethodTable.signatures.keys.filter { access.has($0) }.sorted(), to: &writer)
    } else if name == "rpc_modules" {
      let modules = Set(
        MethodTable.signatures.keys.filter { access.has($0) }.map { Access.namespace(of: $0) })
      writer.object { writer in
        for module in modules.sorted() { writer.member(module, "1.0") }
      }
    } else if RPCExchange.methodNames.contains(name) {
      guard let exchange else { throw RPCError(-32601, "notifications not supported") }
      try exchange.call(name, parameters, &writer)
    } else {
      guard let method = other ?? Self.methods[name] else {
        preconditionFailure("the table of methods has \(name), which nothing implements")
      }
      do { try method(self, parameters, &writer) } catch let error as ExecutionError
        where error.code == .timeExhausted && other != nil
      {
        isFailed = nil
        throw error
      }
    }
    isFailed = false
  }

  func failure(_ error: RPCError, id: JSONValue) -> [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("jsonrpc", "2.0")
      writer.key("id")
      writer.value(id)
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
    return writer.takeBytes()
  }

  // MARK: Blocks that requests name

  /// The chain for a request that names a block: with the block in the making at its end for one that
  /// names that.
  func snapshot(for reference: BlockReference) throws -> Snapshot {
    try extend(try chain.snapshot(), for: reference)
  }

  /// Gives the same to `body`, as `Database.withSnapshot` does.
  func withSnapshot<Result>(
    for reference: BlockReference, _ body: (Snapshot) throws -> Result
  ) throws -> Result {
    try chain.database.withSnapshot { try body(try extend($0, for: reference)) }
  }

  private func extend(_ snapshot: Snapshot, for reference: BlockReference) throws -> Snapshot {
    guard reference == .tag(.pending), let sequencer else { return snapshot }
    return try sequencer.pending(on: snapshot)
  }

  /// The number of a block of the chain; `nil` where there is none.
  func number(_ reference: BlockReference, _ snapshot: Snapshot) throws(RPCError) -> UInt64? {
    switch reference {
    case .number(let number): return number <= snapshot.head.header.number ? number : nil
    case .hash(let hash, _): return snapshot.number(ofBlock: hash)
    case .tag(let tag):
      switch tag {
      case .earliest: return 0
      case .latest: return snapshot.latest
      // Where no block is made here it is the newest one.
      case .pending: return snapshot.head.header.number
      case .safe, .finalized:
        if let hash = chain.finalityHash(tag) { return snapshot.number(ofBlock: hash) }
        // A sequencer's block is final once it is made, and once it was checked.
        if sequencer != nil || isFollower { return snapshot.latest }
        throw RPCError(-39001, "\(tag.rawValue) block not found")
      }
    }
  }

  /// The header of a block; `nil` where there is none.
  func header(_ reference: BlockReference, _ snapshot: Snapshot) throws -> StoredHeader? {
    guard let number = try number(reference, snapshot) else { return nil }
    return try snapshot.header(number)
  }

  /// The header of a block whose state is asked for.
  func stateHeader(_ reference: BlockReference, _ snapshot: Snapshot) throws -> StoredHeader {
    guard let header = try header(reference, snapshot) else {
      if case .hash = reference { throw RPCError.server("header for hash not found") }
      throw RPCError.server("header not found")
    }
    return header
  }

  func fork(_ header: BlockHeader, totalDifficulty: UInt256 = .max) -> Fork {
    // The difficulty of a chain counts only where a fork begins by it.
    chain.rules.schedule.fork(
      number: header.number, timestamp: header.timestamp, totalDifficulty: totalDifficulty)
  }
}

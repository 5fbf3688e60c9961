import Dispatch
import Ethereum
package import Execution
import NIOCore
import NIOPosix
import Storage
import Synchronization

/// A node: a chain, its pool, the ports, and, where it makes blocks, the sequencer.
package final class NodeService: Sendable {
  /// What can be chosen.
  package struct Options: Sendable {
    /// The folder of the chain.
    package var folder: String
    /// The genesis file's contents; needed for a new chain.
    package var genesis: [UInt8]?
    /// Whether it is a development node, with accounts that everybody knows.
    package var isDevelopment = false
    /// How blocks are made; `nil` where a consensus client or another sequencer decides.
    package var sequencer: Sequencer.Options?
    /// Who signs the feed of the sequencer's blocks; without it there is none.
    package var signer: FeedSigner?
    /// The feed to follow, where another node is the sequencer.
    package var follower: FeedFollower.Options?
    /// Where transactions are relayed to, on a forwarder.
    package var sequencerAddress: NodeAddress?
    /// The socket for batches of transactions; `nil` for none.
    package var ingest: IngestServer.Options?
    /// Told what people should read.
    package var note: @Sendable (String) -> Void = { _ in }
    /// The chain's choices.
    package var chain = Blockchain.Options()
    /// The port for everybody.
    package var http = HTTPServer.Options()
    /// The port of the consensus client; `nil` for none.
    package var engine: HTTPServer.Options?
    /// What clients may ask.
    package var limits = RPCService.Limits()
    /// Makes what executes blocks: one for the chain, one for the sequencer.
    package var makeExecutor: @Sendable () -> any HostBlockExecutor = { SerialExecutor() }
    /// Namespaces beside the usual ones.
    package var namespaces: Set<String> = []

    /// A node of a folder.
    package init(folder: String) { self.folder = folder }
  }

  /// The chain.
  package let chain: Blockchain
  /// What waits for a block.
  package let pool: TransactionPool
  /// Transactions that waited when the node ended last, and wait again.
  package let waiting: Int
  /// Makes blocks; `nil` where a consensus client decides.
  package let sequencer: Sequencer?
  /// The port for everybody.
  package let port: Int
  /// The port of the consensus client.
  package let enginePort: Int?
  /// The port for batches of transactions.
  package var ingestPort: Int? { ingest?.port }
  /// Follows another sequencer; `nil` where this node does not.
  package let follower: FeedFollower?

  private let service: RPCService
  private let servers: [HTTPServer]
  private let ingest: IngestServer?
  private let relay: SequencerClient?
  private let group: MultiThreadedEventLoopGroup
  private let threads: NIOThreadPool
  private let workers: RequestWorkers
  private let start = ContinuousClock.now

  /// Opens the chain and listens.
  package init(_ options: Options) throws {
    chain = try Blockchain(
      folder: options.folder, genesisFile: options.genesis, executor: options.makeExecutor(),
      options: options.chain)
    pool = TransactionPool()
    waiting = try pool.restore(
      from: PoolJournal(path: options.folder + "/pool.journal"), chain: chain)
    sequencer = options.sequencer.map { [chain, pool] in
      Sequencer(chain: chain, pool: pool, options: $0, executor: options.makeExecutor())
    }
    group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    threads = NIOThreadPool(numberOfThreads: 4)
    threads.start()
    workers = RequestWorkers(threads: 4)
    follower = options.follower.map { [chain, group] in
      FeedFollower(chain, options: $0, group: group)
    }
    relay = options.sequencerAddress.map { [group] in
      SequencerClient($0, group: group, note: options.note)
    }
    let intake = TransactionIntake(
      chain: chain, pool: pool, sequencer: sequencer,
      recovery: try SenderRecovery(log: options.note), destination: Self.destination(options, relay)
    )
    service = RPCService(
      chain: chain, pool: pool, sequencer: sequencer, intake: intake,
      isFollower: follower != nil, limits: options.limits)
    var access = options.isDevelopment ? RPCService.Access.development : .everybody
    access.namespaces.formUnion(options.namespaces)
    let service = service
    let metrics = NodeMetrics(
      chain: chain, pool: pool, sequencer: sequencer, follower: follower?.status)
    let hub = SubscriptionHub(service)
    chain.add(hub)
    pool.observe { hub.transactionsArrived($0) }
    let feed = options.signer.map { [chain, threads] in
      FeedServer(chain, signer: $0, threads: threads)
    }
    if let feed { chain.add(feed) }
    let http = try HTTPServer(
      options.http, group: group, threads: threads, workers: workers,
      responder: { [access] in
        metrics.requests.add(1, ordering: .relaxed)
        return service.respond(to: $0, access: access)
      },
      quick: { [access] in
        guard let answer = service.quickAnswer(to: $0, access: access) else { return nil }
        metrics.requests.add(1, ordering: .relaxed)
        return answer
      },
      pages: { metrics.page($0) },
      socketPaths: feed == nil ? ["/", "/ws"] : ["/", "/ws", FeedServer.path],
      sockets: { [access] path, peer in
        if let feed, path.hasPrefix(FeedServer.path) { return feed.connect(path, peer) }
        return RPCSession(service, access, hub: hub, peer: peer) {
          metrics.requests.add(1, ordering: .relaxed)
        }
      })
    port = http.port
    var servers = [http]
    var enginePort: Int?
    if let engine = options.engine {
      let server = try HTTPServer(
        engine, group: group, threads: threads, workers: workers,
        responder: { service.respond(to: $0, access: .engine) }, socketPaths: ["/"],
        sockets: { _, peer in RPCSession(service, .engine, hub: hub, peer: peer) })
      enginePort = server.port
      servers.append(server)
    }
    self.enginePort = enginePort
    if waiting > 0 { sequencer?.transactionsArrived(waits: false) }
    self.servers = servers
    ingest = try options.ingest.map { [group] in
      try IngestServer($0, group: group) { intake.takeWhenThereIsRoom($0) }
    }
    relay?.start()
    follower?.start()
  }

  private static func destination(
    _ options: Options, _ relay: SequencerClient?
  ) -> TransactionIntake.Destination {
    if let relay { return .relay(relay) }
    if options.follower == nil { return .pool }
    return .nowhere(
      "this node only watches; send transactions to the sequencer or to a forwarder")
  }

  /// Stops listening, lets what runs end, and stores everything.
  package func close() throws {
    for server in servers { server.close() }
    try ingest?.close()
    try relay?.stop()
    try follower?.stop()
    sequencer?.mode = .onDemand
    pool.rewriteJournal()
    try chain.close()
    workers.end()
    try threads.syncShutdownGracefully()
    try group.syncShutdownGracefully()
  }
}

/// What an operator looks at: `/health`, `/ready` and `/metrics` in the text form of Prometheus.
final class NodeMetrics: Sendable {
  let requests = Atomic<UInt64>(0)
  private let chain: Blockchain
  private let pool: TransactionPool
  private let sequencer: Sequencer?
  private let follower: FollowerStatus?

  init(
    chain: Blockchain, pool: TransactionPool, sequencer: Sequencer?, follower: FollowerStatus?
  ) {
    self.follower = follower
    self.chain = chain
    self.pool = pool
    self.sequencer = sequencer
  }

  func page(_ path: String) -> (status: Int, type: String, body: [UInt8])? {
    switch path {
    case "/health": return (200, "text/plain", [UInt8]("alive\n".utf8))
    case "/ready":
      if let failure = sequencer?.failure {
        return (503, "text/plain", [UInt8]("no blocks can be made: \(failure)\n".utf8))
      }
      if let failure = follower?.failure {
        return (503, "text/plain", [UInt8]("following has ended: \(failure)\n".utf8))
      }
      return (200, "text/plain", [UInt8]("ready\n".utf8))
    case "/metrics": return (200, "text/plain; version=0.0.4", [UInt8](text.utf8))
    default: return nil
    }
  }

  private var text: String {
    let head = chain.database.head?.header
    var lines: [String] = []
    func metric(_ name: String, _ type: String, _ help: String, _ value: some BinaryInteger) {
      lines.append("# HELP needletail_\(name) \(help)")
      lines.append("# TYPE needletail_\(name) \(type)")
      lines.append("needletail_\(name) \(value)")
    }
    metric("head_number", "gauge", "Number of the head.", head?.number ?? 0)
    metric("head_timestamp_seconds", "gauge", "Time of the head.", head?.timestamp ?? 0)
    metric("pool_transactions", "gauge", "Transactions that wait.", pool.count)
    metric(
      "http_requests_total", "counter", "Requests on the port for everybody.",
      requests.load(ordering: .relaxed))
    for entry in follower?.metrics ?? [] { metric(entry.name, entry.type, entry.help, entry.value) }
    return lines.joined(separator: "\n") + "\n"
  }
}

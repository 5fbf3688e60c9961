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
    /// The only namespaces for everybody; the usual ones where it is `nil`.
    package var onlyNamespaces: Set<String>?
    /// The only methods that everybody may call; all of the namespaces where it is empty.
    package var methods: Set<String> = []

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
    if let misunderstanding = BlockFault.misunderstanding { throw misunderstanding }
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
    // More than may wait at once.
    threads = NIOThreadPool(numberOfThreads: options.limits.waits + 4)
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
      isFollower: follower != nil, preconfirmations: follower?.preconfirmations,
      limits: options.limits)
    var access = options.isDevelopment ? RPCService.Access.development : .everybody
    if let only = options.onlyNamespaces { access.namespaces = only }
    access.namespaces.formUnion(options.namespaces)
    access.methods = options.methods
    let service = service
    let metrics = NodeMetrics(
      chain: chain, pool: pool, sequencer: sequencer, service: service,
      follower: follower?.status)
    let hub = SubscriptionHub(service)
    chain.add(hub)
    pool.observe { hub.transactionsArrived($0) }
    let feed = options.signer.map { [chain, threads] in
      FeedServer(chain, signer: $0, threads: threads)
    }
    if let feed {
      chain.add(feed)
      sequencer?.listener.withLock { $0 = feed }
    }
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
    metrics.connections.withLock { count in
      count = { [servers] in servers.reduce(0) { $0 + $1.openConnections } }
    }
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
    // What is being answered ends first.
    workers.end()
    pool.rewriteJournal()
    try threads.syncShutdownGracefully()
    try chain.close()
    try group.syncShutdownGracefully()
  }
}

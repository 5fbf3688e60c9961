import ArgumentParser
import EVM
import Ethereum
import Execution
import Foundation
import GPU
import NIOCore
import Node
import Storage

struct NodeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "node",
    abstract: "Run a node: a durable chain and JSON-RPC.",
    discussion: """
      With --dev it makes blocks as soon as transactions arrive and has accounts with funds, whose \
      keys everybody knows; without --datadir the chain goes when it ends. Otherwise it needs a \
      genesis file for a new chain, and a consensus client (or `needletail node --import`) gives it \
      blocks.

        needletail node --dev
        needletail node --dev --datadir my-chain --block-time 2000
        needletail node --datadir l1 --genesis genesis.json --import chain.rlp --engine-port 8551
        needletail node --role watcher --datadir w --genesis my-chain/genesis.json \
          --feed ws://127.0.0.1:8545/feed --http-port 8645
      """)

  @Option(help: "A file of these settings in JSON; see `needletail help config`.")
  var config: String?
  @Flag(help: "Make blocks, with funded accounts.") var dev = false
  @Flag(help: "With --dev: send a first batch of transactions, and tell what to try next.")
  var firstBatch = false
  @Option(help: "The folder of the chain.") var datadir: String?
  @Option(help: "The genesis file of a new chain.") var genesis: String?
  @Option(name: .customLong("import"), help: "A file of blocks in RLP to import first.")
  var importFile: String?
  @Option(help: "The number of a new development chain; 1337 without it.") var chainID: UInt64?
  @Option(help: "Milliseconds between blocks; without it, blocks come with transactions.")
  var blockTime: Int?
  @Flag(help: "Make blocks only when told to.") var noMining = false
  @Option(
    help: "sequencer makes blocks, watcher checks another's, forwarder also relays transactions.")
  var role: NodeRole?
  @Option(help: "The feed to follow: ws://HOST:PORT/feed of a sequencer.") var feed: String?
  @Option(help: "The address that signs the feed; without it, the first one is remembered.")
  var feedSigner: String?
  @Option(help: "The file of the key that signs the feed; by default in the chain's folder.")
  var feedKey: String?
  @Flag(help: "Let the feed tell what every transaction changes.") var feedAccessLists = false
  @Flag(help: "Of a watcher or forwarder: take what the sequencer says of blocks in the making.")
  var feedParts = false
  @Option(
    help: ArgumentHelp(
      "With --block-time: milliseconds between parts of the block in the making, of which the feed and "
        + "eth_sendRawTransactionSync tell."))
  var partTime: Int?
  @Option(help: "The sequencer of a forwarder: ws://HOST:PORT.") var sequencer: String?
  @Flag(help: "End with status 3 when a watcher finds a wrong block.") var exitOnDifference = false
  @Option(help: "The port for batches of transactions in binary frames; without it there is none.")
  var ingestPort: Int?
  @Option(help: "Gas of a block.") var gasLimit: UInt64 = 60_000_000
  @Option(help: "The address to listen on.") var httpHost = "127.0.0.1"
  @Option(help: "The port of JSON-RPC; 0 for any that is free.") var httpPort = 8545
  @Option(help: "Names that requests may be addressed to, with commas, or *.")
  var httpHosts = "localhost"
  @Option(help: "Origins that browsers may ask from, with commas, or *.") var httpOrigins = ""
  @Option(help: "The port of the Engine API; without it there is none.") var enginePort: Int?
  @Option(help: "The file of the Engine API's secret, 32 bytes in hexadecimal.")
  var jwtSecret: String?
  @Option(help: "Further namespaces, with commas: admin ones are not for everybody.")
  var apis = ""
  @Option(help: "The only namespaces that everybody may use, with commas.")
  var rpcNamespaces: String?
  @Option(help: "The only methods that everybody may call, with commas.") var rpcMethods = ""
  @Option(help: "How far back states are kept: full, or a number of blocks.") var history = "full"
  @Option(
    help: "What executes blocks: serial, parallel, gpu, or auto: parallel from four cores on.")
  var executor = "auto"
  @Option(
    help: ArgumentHelp(
      "The order in a block: fees, spread, or auto.",
      discussion:
        "spread puts transactions that need one another apart, so that many run at once; auto does "
        + "so in large blocks of calls from four cores on, while the order of fees holds them up."))
  var order = "auto"
  @Option(help: "When blocks are forced to the disk: block or never.") var sync = "block"
  @Flag(help: "Start although the block log lacks blocks that were acknowledged; they are lost.")
  var acceptLostBlocks = false
  @Option(help: "How the log is written: text, or json, an object a line.") var logFormat = "text"
  @Option(help: "What the log has: debug (every block), info, warning or error.")
  var logLevel = "info"

  func validate() throws {
    if !dev && datadir == nil { throw ValidationError("--datadir is needed without --dev") }
    if firstBatch && !dev { throw ValidationError("--first-batch needs --dev: its accounts") }
    if let blockTime, !(1...86_400_000).contains(blockTime) {
      throw ValidationError("--block-time: \(blockTime) is not from 1 to 86,400,000 ms")
    }
    _ = try policy()
    _ = try log()
    try validatePorts()
    try validateMethods()
    try validateRole()
    if chainID == 0 { throw ValidationError("--chain-id: a chain's number is 1 or more") }
    guard ["serial", "parallel", "auto", "gpu"].contains(executor) else {
      throw ValidationError("--executor: \(executor) is not serial, parallel, gpu or auto")
    }
    guard Sequencer.Order(rawValue: order) != nil else {
      throw ValidationError("--order: \(order) is not auto, fees or spread")
    }
    if sync != "block" && sync != "never" { throw ValidationError("--sync: block or never") }
  }

  private func validatePorts() throws {
    for (option, port) in [
      ("--http-port", httpPort), ("--engine-port", enginePort), ("--ingest-port", ingestPort),
    ] {
      if let port, !(0...65_535).contains(port) {
        throw ValidationError("\(option): \(port) is not from 0 to 65,535")
      }
    }
  }

  private func validateMethods() throws {
    let namespaces = RPCService.Access.allNamespaces
    for (option, text) in [("--apis", apis), ("--rpc-namespaces", rpcNamespaces ?? "")] {
      for name in list(text).subtracting(namespaces).sorted() {
        throw ValidationError(
          "\(option): there is no namespace \(name); there are "
            + namespaces.sorted().joined(separator: ", "))
      }
    }
    for name in list(rpcMethods).subtracting(RPCService.Access.allMethods).sorted() {
      throw ValidationError(
        "--rpc-methods: there is no method \(name); `rpc.discover` of a node lists them")
    }
  }

  private func policy() throws -> HistoryPolicy {
    if history == "full" { return .full }
    guard let blocks = Int(history), blocks > 0 else {
      throw ValidationError("--history: full, or a number of blocks")
    }
    return .blocks(blocks)
  }

  private func log() throws -> NodeLog {
    guard let format = NodeLog.Format(rawValue: logFormat) else {
      throw ValidationError("--log-format: \(logFormat) is neither text nor json")
    }
    guard let level = NodeLog.Level(rawValue: logLevel) else {
      throw ValidationError("--log-level: \(logLevel) is not debug, info, warning or error")
    }
    return NodeLog(level: level, format: format)
  }

  private func list(_ text: String) -> Set<String> {
    Set(
      text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        .filter { !$0.isEmpty })
  }

  func run() throws {
    let temporary = datadir == nil
    let folder = datadir ?? NSTemporaryDirectory() + "needletail-dev-\(getpid())"
    defer { if temporary { try? FileManager.default.removeItem(atPath: folder) } }
    do {
      try serve(folder)
    } catch let error as StorageError {
      Terminal.note("needletail: \(error)")
      throw ExitCode(2)
    } catch let error as BlockError {
      Terminal.note("needletail: \(error)")
      throw ExitCode(1)
    }
  }

  private func serve(_ folder: String) throws {
    let log = try log()
    var options = NodeService.Options(folder: folder)
    options.isDevelopment = dev
    options.chain.database.history = try policy()
    options.chain.syncPolicy = sync == "never" ? .never : .everyEntry
    options.chain.acceptsLostBlocks = acceptLostBlocks
    options.namespaces = list(apis)
    options.onlyNamespaces = rpcNamespaces.map { list($0) }
    options.methods = list(rpcMethods)
    let cores = ProcessInfo.processInfo.activeProcessorCount
    let usesCores = executor == "parallel" || executor == "auto" && cores >= 4
    if usesCores {
      options.makeExecutor = { ParallelExecutor() }
    } else if executor == "gpu" {
      let rounds = try deviceRounds()
      options.makeExecutor = { RoundExecutor(rounds) }
    }
    options.http.host = httpHost
    options.http.port = httpPort
    options.http.hosts = list(httpHosts)
    options.http.origins = list(httpOrigins)
    options.genesis = try genesisFile(folder)
    if dev || role == .sequencer {
      var sequencer = Sequencer.Options()
      if dev { sequencer.accounts = .standard }
      sequencer.log = log
      sequencer.mode = noMining ? .onDemand : blockTime.map { .interval($0) } ?? .onArrival
      sequencer.gasLimit = gasLimit
      sequencer.partTime = partTime
      sequencer.order = Sequencer.Order(rawValue: order) ?? .auto
      sequencer.threads = usesCores ? cores : 1
      sequencer.recordsAccessLists = feedAccessLists
      options.sequencer = sequencer
    }
    let ending = NodeEnding()
    try setRole(&options, folder, ending)
    if let enginePort {
      var engine = HTTPServer.Options()
      engine.port = enginePort
      engine.host = httpHost
      engine.bodyBytes = 128 << 20
      engine.hosts = ["*"]
      if let jwtSecret { engine.secret = try secret(jwtSecret) }
      options.engine = engine
    }
    if let importFile {
      // Before anybody can ask.
      let chain = try Blockchain(
        folder: folder, genesisFile: options.genesis, options: options.chain)
      let count = try ChainFile.importBlocks(importFile, into: chain)
      try chain.close()
      log.note(.info, "imported", [("blocks", "\(count)")])
    }
    let node = try open(options)
    if let chainID, chainID != node.chain.rules.schedule.chainID {
      let own = node.chain.rules.schedule.chainID
      try node.close()
      throw ValidationError(
        "--chain-id: the chain in \(folder) is \(own), not \(chainID). Name another folder, or leave "
          + "--chain-id out")
    }
    for notice in node.chain.notices { log.note(.warning, notice) }
    log.note(
      .info, "listening",
      [
        ("port", "\(node.port)"), ("chain", "\(node.chain.rules.schedule.chainID)"),
        ("head", "\(node.chain.database.head?.header.number ?? 0)"),
      ])
    if node.waiting > 0 {
      log.note(.info, "transactions wait from before", [("count", "\(node.waiting)")])
    }

    // Whoever reads that the node listens may end it at once. A watcher that has seen enough ends it, too.
    let semaphore = ending.semaphore
    var sources: [any DispatchSourceSignal] = []
    for number in [SIGINT, SIGTERM] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      let registered = DispatchSemaphore(value: 0)
      source.setRegistrationHandler { registered.signal() }
      source.setEventHandler { semaphore.signal() }
      source.resume()
      registered.wait()
      sources.append(source)
    }
    announce(node, folder, options.signer?.address)
    if firstBatch {
      do { try sendFirstBatch(node) } catch {
        try node.close()
        Terminal.note("needletail: the first batch: \(error)")
        throw ExitCode(1)
      }
    }
    semaphore.wait()
    log.note(.info, "stopping")
    // Who asks twice does not want to wait for what runs.
    DispatchQueue.global().async {
      semaphore.wait()
      _exit(130)
    }
    try node.close()
    log.note(.info, "stopped")
    if ending.hasFailed { throw ExitCode(3) }
  }

  /// The genesis file that a chain begins with; `nil` where there is a chain.
  private func genesisFile(_ folder: String) throws -> [UInt8]? {
    if let genesis { return try ChainFile.genesis(genesis) }
    let files = FileManager.default
    if files.fileExists(atPath: folder + "/state/data.mdb") { return nil }
    guard dev else {
      throw ValidationError("\(folder) has no chain yet: name its genesis file with --genesis")
    }
    // For others that want the same chain, and for a block log that has lost its database.
    let path = folder + "/genesis.json"
    if files.fileExists(atPath: path) { return try ChainFile.genesis(path) }
    let file = DevelopmentGenesis.file(
      chainID: chainID ?? 1337, accounts: .standard, time: UInt64(time(nil)), gasLimit: gasLimit)
    try NewFolder.make(folder)
    do { try Data(file).write(to: URL(fileURLWithPath: path)) } catch {
      throw ValidationError("\(path): can not write: \(error.localizedDescription)")
    }
    return file
  }

  /// What executes blocks on the first device.
  private func deviceRounds() throws -> SharedRounds {
    do throws(GPUError) {
      return SharedRounds(try BatchRunner(try DeviceChoice.cuda(0).resolve()))
    } catch {
      throw ValidationError(
        "--executor gpu: \(error). `needletail devices` lists what there is; parallel takes the "
          + "CPU's cores")
    }
  }

  /// Opens the chain and listens; a port that is taken is bad usage.
  private func open(_ options: NodeService.Options) throws -> NodeService {
    do { return try NodeService(options) } catch let error as ListenError {
      let option =
        switch error.port {
        case httpPort where ingestPort != httpPort: "--http-port"
        case enginePort: "--engine-port"
        default: "--ingest-port"
        }
      let advice =
        error.isTaken
        ? "Is another node running? End it, or name another port: \(option) N, or 0 for any"
        : "--http-host and \(option) say where to listen"
      throw ValidationError("\(error). \(advice)")
    }
  }

  private func secret(_ path: String) throws -> [UInt8] {
    let text = String(decoding: try FileBytes(path: path).array, as: UTF8.self)
      .trimmingCharacters(in: .whitespacesAndNewlines)
    let bytes = Hexadecimal.bytes(text) ?? Hexadecimal.bytes(unprefixed: text)
    guard let bytes, bytes.count == 32 else {
      throw ValidationError("\(path): the secret is 32 bytes in hexadecimal")
    }
    return bytes
  }

  private func announce(_ node: NodeService, _ folder: String, _ signer: Address?) {
    if dev {
      print("accounts, 10,000 ether each in a new chain; their keys are public:")
      for address in DevelopmentAccounts.standard.addresses {
        let key = DevelopmentAccounts.standard.key(of: address) ?? .zero
        print("  \(address)  \(Hash256(key))")
      }
    }
    let head = node.chain.database.head?.header.number ?? 0
    print("chain \(node.chain.rules.schedule.chainID) in \(folder), head \(head)")
    if let port = node.enginePort { print("engine on http://\(httpHost):\(port)") }
    if let port = node.ingestPort { print("ingest on \(httpHost):\(port)") }
    if let signer { print("feed on ws://\(httpHost):\(node.port)/feed, signed by \(signer)") }
    if let feed { print("following \(feed)") }
    print("JSON-RPC on http://\(httpHost):\(node.port)")
    fflush(nil)
  }
}

/// Files of blocks, one after the other in RLP, as `geth export` writes them.
enum ChainFile {
  /// The contents of a genesis file, which is read to see whether it is one.
  static func genesis(_ path: String) throws(FormatError) -> [UInt8] {
    let file = try FileBytes(path: path)
    let contents = file.array
    _ = try Genesis(file)
    return contents
  }

  /// Imports the blocks that the chain does not have; gives how many.
  static func importBlocks(_ path: String, into chain: Blockchain) throws -> Int {
    let bytes = try FileBytes(path: path).array
    return try bytes.withUnsafeBufferPointer { buffer in
      var reader = RLPReader(buffer)
      var count = 0
      var read = 0
      var offset = 0
      while !reader.isAtEnd {
        let block: [UInt8]
        let number: UInt64
        do throws(FormatError) {
          block = [UInt8](try reader.next("block").encoding)
          number = try Block(decoding: block).header.number
        } catch {
          throw BlockError(
            .malformed, "\(path): item \(read + 1), at byte \(offset), is no block: \(error)")
        }
        read += 1
        offset += block.count
        if number <= chain.database.head?.header.number ?? 0 { continue }
        do {
          try chain.importBlock(rlp: block)
        } catch let error as BlockError {
          throw BlockError(error.code, "\(path): block \(number): \(error.message)")
        }
        count += 1
      }
      return count
    }
  }
}

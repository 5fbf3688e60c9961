package import EVM
import Ethereum
import Foundation
import NIOCore
import NIOPosix
import Storage
import Synchronization

/// Follows a sequencer's feed: executes every block and compares all that comes of it, keeps what is
/// right, and ends for good with the first that is not.
///
/// It begins after its own head, and there again after every interruption.
package final class FeedFollower: Sendable {
  /// What can be chosen.
  package struct Options: Sendable {
    /// Where the feed is.
    package var feed: NodeAddress
    /// Who signs; without it the signer of the first block, then and ever after.
    package var signer: Address?
    /// Whether to take what the sequencer says of blocks that it is making.
    package var wantsParts = false
    /// Where reports of differences go.
    package var folder: String
    /// Milliseconds until the second attempt; each further one waits twice as long.
    package var firstDelay: Int64 = 100
    /// Milliseconds between attempts at most.
    package var lastDelay: Int64 = 10_000
    /// Told what people should read.
    package var note: @Sendable (String) -> Void = { _ in }
    /// Called when following has ended for good, with the reason.
    package var ended: @Sendable (String) -> Void = { _ in }

    /// A follower of a feed.
    package init(feed: NodeAddress, folder: String) {
      self.feed = feed
      self.folder = folder
    }
  }

  private struct State {
    var signer: Address?
    var delay: Int64
    var isStopped = false
    var peer: WebSocketPeer?
  }

  /// What there is to know of it.
  package let status = FollowerStatus()
  private let chain: Blockchain
  private let options: Options
  private let group: any EventLoopGroup
  private let threads = NIOThreadPool(numberOfThreads: 1)
  private let state: Mutex<State>
  /// What the sequencer said of the block that comes next.
  let preconfirmations = Preconfirmations()

  /// A follower that begins with `start`.
  init(_ chain: Blockchain, options: Options, group: any EventLoopGroup) {
    self.chain = chain
    self.options = options
    self.group = group
    let stored = (try? String(contentsOfFile: Self.signerFile(options), encoding: .utf8))
      .flatMap { Address(hexadecimal: $0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    state = Mutex(State(signer: options.signer ?? stored, delay: options.firstDelay))
  }

  private static func signerFile(_ options: Options) -> String { options.folder + "/feed-signer" }

  /// Connects, and again whenever the connection ends.
  package func start() {
    threads.start()
    connect()
  }

  /// Ends following, with the block that is being executed.
  package func stop() throws {
    let peer = state.withLock { state in
      state.isStopped = true
      return state.peer
    }
    peer?.close(.goingAway)
    try threads.syncShutdownGracefully()
  }

  private func connect() {
    if state.withLock({ $0.isStopped }) || status.failure != nil { return }
    var address = options.feed
    let next = (chain.database.head?.header.number ?? 0) + 1
    address.path += (address.path.contains("?") ? "&" : "?") + "from=\(next)"
    if options.wantsParts { address.path += "&parts=1" }
    // One message at a time, so that they stay in order.
    var limits = WebSocketLimits()
    limits.messages = 1
    let client = WebSocketClient(group: group, threads: threads, limits: limits)
    client.connect(
      address,
      open: { [self] peer in
        status.connections.add(1, ordering: .relaxed)
        status.isConnected.store(true, ordering: .relaxed)
        state.withLock { $0.peer = peer }
        return Connection(self, peer)
      },
      failed: { [self] reason in lost("\(options.feed): \(reason)") })
  }

  fileprivate func lost(_ reason: String) {
    status.isConnected.store(false, ordering: .relaxed)
    if state.withLock({ $0.isStopped }) || status.failure != nil { return }
    status.interruptions.add(1, ordering: .relaxed)
    let delay = state.withLock { state in
      let delay = state.delay
      state.peer = nil
      state.delay = min(delay * 2, options.lastDelay)
      return delay
    }
    // Not all that lost the same node come back at the same moment.
    let wait = delay / 2 + .random(in: 0...max(1, delay / 2))
    if delay > options.firstDelay { options.note("\(reason); trying again in \(wait) ms") }
    group.next().scheduleTask(in: .milliseconds(wait)) { [self] in connect() }
  }

  /// Ends for good.
  private func end(_ reason: String) {
    status.stop(reason)
    options.ended(reason)
  }

  // MARK: Messages

  /// Takes a message; false where the connection is to be given up.
  fileprivate func take(_ bytes: [UInt8]) -> Bool {
    if state.withLock({ $0.isStopped }) || status.failure != nil { return false }
    do {
      switch try FeedMessage(decoding: bytes) {
      case .hello(let hello): return greet(hello)
      case .block(let block): return try take(block)
      case .rewind(let statement, let signature): return try rewind(statement, signature)
      case .part(let part, let signature): return try take(part, signature, message: bytes)
      }
    } catch {
      options.note("the feed: \(error)")
      return false
    }
  }

  private func greet(_ hello: FeedHello) -> Bool {
    let chainID = chain.rules.schedule.chainID
    guard hello.chainID == chainID, hello.genesis == chain.genesis.hash else {
      end(
        "\(options.feed) is the feed of chain \(hello.chainID) that begins with \(hello.genesis); "
          + "this one is \(chainID) and begins with \(chain.genesis.hash). Name another feed, or "
          + "begin a new folder with its genesis file")
      return false
    }
    status.feedHead.store(hello.head, ordering: .relaxed)
    return true
  }

  /// Whether a statement is signed by the sequencer; the first signer is remembered.
  private func signer(_ statement: FeedStatement, _ signature: [UInt8]) throws -> Address? {
    let found = statement.signer(signature, chainID: chain.rules.schedule.chainID)
    let known = state.withLock { $0.signer }
    if let found, known == nil {
      try "\(found)\n".write(
        toFile: Self.signerFile(options), atomically: true, encoding: .utf8)
      state.withLock { $0.signer = found }
      options.note("the feed is signed by \(found), and has to be from now on")
      return found
    }
    if let found, found == known { return found }
    status.invalidSignatures.add(1, ordering: .relaxed)
    options.note(
      "block \(statement.number) is signed by \(found.map { "\($0)" } ?? "nobody"), not by "
        + "\(known.map { "\($0)" } ?? "a sequencer")")
    return nil
  }

  private func take(_ received: FeedBlock) throws -> Bool {
    let block = try Block(decoding: received.rlp)
    let hash = block.hash
    let statement = FeedStatement(kind: .block, number: block.header.number, hash: hash)
    guard let signer = try signer(statement, received.signature) else { return false }
    if block.header.number > status.feedHead.load(ordering: .relaxed) {
      status.feedHead.store(block.header.number, ordering: .relaxed)
    }
    switch try chain.follow(received, block, hash: hash, signer: signer) {
    case .committed:
      try settle(block, hash: hash, signer: signer, signature: received.signature)
      status.blocks.add(1, ordering: .relaxed)
      state.withLock { $0.delay = options.firstDelay }
      return true
    case .known: return true
    case .gap: return false
    case .wrong(let report):
      differ(report)
      return false
    }
  }

  /// Takes what the sequencer says of the block that it is making.
  private func take(_ part: FeedPart, _ signature: [UInt8], message: [UInt8]) throws -> Bool {
    let statement = part.statement
    guard let signer = try signer(statement, signature) else { return false }
    // What the chain has already is superseded.
    if part.number <= chain.database.head?.header.number ?? 0 { return true }
    status.preconfirmed.add(UInt64(part.entries.count), ordering: .relaxed)
    if let broken = try preconfirmations.take(part, message: message) {
      report(
        broken,
        DifferenceReport(
          kind: .brokenPromise, number: part.number, hash: statement.hash, signer: signer,
          signature: signature,
          message: "the sequencer said otherwise of block \(part.number) before"))
    }
    return true
  }

  /// Compares a block with what the sequencer said of it while it was made.
  private func settle(_ block: Block, hash: Hash256, signer: Address, signature: [UInt8]) throws {
    let number = block.header.number
    guard preconfirmations.has(number) else { return }
    let receipts =
      try chain.snapshot().receipts(number).map {
        try FeedBlock.receipts($0.encoding)
      } ?? []
    let broken = preconfirmations.settle(
      number: number, hashes: block.transactions.map(\.hash), receipts: receipts)
    guard let broken else { return }
    var report = DifferenceReport(
      kind: .brokenPromise, number: number, hash: hash, signer: signer, signature: signature,
      message: "block \(number) is not what the sequencer said while it made it")
    let place = broken.differences.first?.transaction
    report.transaction = place.flatMap {
      block.transactions.indices.contains($0) ? block.transactions[$0].hash : nil
    }
    self.report(broken, report)
  }

  /// Reports a promise that was not kept. The block is right in itself: following goes on.
  private func report(_ broken: Preconfirmations.Broken, _ report: DifferenceReport) {
    var report = report
    report.differences = broken.differences
    report.promise = broken.promise
    let file = options.folder + "/broken-promise-\(report.number).json"
    var place = "the report is in \(file)"
    do { try Data(report.json).write(to: URL(fileURLWithPath: file)) } catch {
      place = "the report can not be written: \(error)"
    }
    status.brokenPromises.add(1, ordering: .releasing)
    options.note(
      "BROKEN PROMISE of \(report.signer), block \(report.number): \(report.line). Following goes on; "
        + place)
  }

  private func rewind(_ statement: FeedStatement, _ signature: [UInt8]) throws -> Bool {
    guard try signer(statement, signature) != nil else { return false }
    let snapshot = try chain.snapshot()
    if statement.number >= snapshot.head.header.number { return true }
    guard snapshot.hash(statement.number) == statement.hash else {
      options.note("the feed goes back to block \(statement.number), which is another here")
      return false
    }
    preconfirmations.clear()
    try chain.rewindHead(to: statement.number)
    return true
  }

  /// Reports a wrong block and ends.
  private func differ(_ report: DifferenceReport) {
    let file = options.folder + "/difference-\(report.number).json"
    var place = "the report is in \(file)"
    do { try Data(report.json).write(to: URL(fileURLWithPath: file)) } catch {
      place = "the report can not be written: \(error)"
    }
    // Whoever sees the metric finds the report and the reason.
    let reason =
      "DIFFERENCE: block \(report.number) (\(report.hash)), signed by \(report.signer), is wrong: "
      + "\(report.line). Following has ended; \(place)"
    status.stop(reason)
    status.differences.add(1, ordering: .releasing)
    options.ended(reason)
  }

  private final class Connection: WebSocketConversation {
    private let follower: FeedFollower
    private let peer: WebSocketPeer

    init(_ follower: FeedFollower, _ peer: WebSocketPeer) {
      self.follower = follower
      self.peer = peer
    }

    func received(_ message: [UInt8], isText: Bool) {
      if !follower.take(message) { peer.close(.policy) }
    }

    func closed() { follower.lost("\(follower.options.feed): the connection ended") }
  }
}

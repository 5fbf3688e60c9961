import EVM
import Ethereum
import Execution
import NIOPosix
import Storage
import Synchronization

/// Gives the chain to whoever follows it: every block from a number on, signed, then new ones as they
/// come.
///
/// Each follower has a place in the chain. What comes next for it is read from the chain when the
/// connection has room, so that nobody's slowness costs memory.
final class FeedServer: ChainObserver {
  /// Where it is, on the port of JSON-RPC.
  static let path = "/feed"

  private let chain: Blockchain
  private let signer: FeedSigner
  private let threads: NIOThreadPool
  private let followers = Mutex<[ObjectIdentifier: FeedConnection]>([:])
  /// What was encoded last, for those who follow at the head.
  private let recent = Mutex<[Recent]>([])
  private static let recentLimit = 16
  private static let recentBytes = 64 << 20

  private struct Recent {
    var number: UInt64
    var hash: Hash256
    var message: [UInt8]
  }

  /// What was said of the block in the making.
  private let making = Mutex<BlockInMaking?>(nil)
  private let lastMaking = Atomic<UInt64>(0)
  private let fault: BlockFault?

  init(
    _ chain: Blockchain, signer: FeedSigner, threads: NIOThreadPool,
    fault: BlockFault? = .fromEnvironment
  ) {
    self.chain = chain
    self.signer = signer
    self.threads = threads
    self.fault = fault
  }

  /// How many follow.
  var count: Int { followers.withLock { $0.count } }

  /// A conversation for a path such as `/feed?from=7`.
  func connect(_ path: String, _ peer: WebSocketPeer) -> any WebSocketConversation {
    let connection = FeedConnection(self, peer, threads: threads)
    followers.withLock { $0[ObjectIdentifier(connection)] = connection }
    if let from = Self.value("from", path).flatMap({ UInt64($0) }) {
      connection.begin(from, parts: Self.value("parts", path) == "1")
    }
    return connection
  }

  /// What a name stands for in a path's query.
  static func value(_ name: String, _ path: String) -> Substring? {
    guard let query = path.split(separator: "?", maxSplits: 1).dropFirst().first else { return nil }
    return query.split(separator: "&").first { $0.hasPrefix(name + "=") }?
      .dropFirst(name.utf8.count + 1)
  }

  func remove(_ connection: FeedConnection) {
    followers.withLock { $0[ObjectIdentifier(connection)] = nil }
  }

  // MARK: The chain

  func headChanged(_ block: StoredBlock) {
    making.withLock { if let known = $0, known.number <= block.header.number { $0 = nil } }
    for follower in followers.withLock({ Array($0.values) }) { follower.wake() }
  }

  func didRewind(to header: StoredHeader) {
    recent.withLock { $0.removeAll { $0.number > header.header.number } }
    making.withLock { $0 = nil }
    for follower in followers.withLock({ Array($0.values) }) { follower.rewind(header) }
  }

  // MARK: The block in the making

  /// Whether anybody asked for parts of blocks.
  var wantsParts: Bool { followers.withLock { $0.values.contains { $0.wantsParts } } }

  /// Tells those who asked what was executed of the block that is being made: all of it so far.
  func executed(
    _ header: BlockHeader, _ transactions: [PreparedTransaction], _ receipts: [Receipt]
  ) {
    guard wantsParts else { return making.withLock { $0 = nil } }
    var entries = zip(transactions, receipts).map { prepared, receipt in
      FeedPart.Entry(
        envelope: prepared.transaction.encoded, succeeded: receipt.outcome == .status(true),
        cumulativeGasUsed: receipt.cumulativeGasUsed)
    }
    fault?.apply(to: &entries, block: header.number)
    let chainID = chain.rules.schedule.chainID
    let sign = { [signer] in signer.sign($0, chainID: chainID) }
    making.withLock { making in
      if making?.number == header.number, making?.parent == header.parentHash,
        making?.extend(to: entries, sign: sign) == true
      {
        return
      }
      // Another block, or not as was said: all of it anew.
      var fresh = BlockInMaking(
        number: header.number, parent: header.parentHash,
        id: lastMaking.add(1, ordering: .relaxed).newValue)
      _ = fresh.extend(to: entries, sign: sign)
      making = fresh
    }
    for follower in followers.withLock({ Array($0.values) }) where follower.wantsParts {
      follower.wake()
    }
  }

  /// The message after those of a block in the making that a follower knows.
  func part(of number: UInt64, after known: FeedConnection.Known) -> (
    message: [UInt8], known: FeedConnection.Known
  )? {
    making.withLock { making in
      guard let making, making.number == number else { return nil }
      let count = known.id == making.id ? known.count : 0
      guard count < making.messages.count else { return nil }
      return (making.messages[count], FeedConnection.Known(id: making.id, count: count + 1))
    }
  }

  func hello() throws -> [UInt8] {
    let head = try chain.snapshot().head
    return FeedMessage.hello(
      FeedHello(
        chainID: chain.rules.schedule.chainID, genesis: chain.genesis.hash,
        head: head.header.number, headHash: head.hash)
    ).encoded
  }

  func message(rewind header: StoredHeader) -> [UInt8] {
    let statement = FeedStatement(kind: .rewind, number: header.header.number, hash: header.hash)
    return FeedMessage.rewind(
      statement, signature: signer.sign(statement, chainID: chain.rules.schedule.chainID)
    ).encoded
  }

  /// The message of a block; `nil` where the chain is not so long yet.
  func message(_ number: UInt64) throws -> [UInt8]? {
    let snapshot = try chain.snapshot()
    guard let header = try snapshot.header(number), let body = snapshot.body(number),
      let receipts = snapshot.receipts(number)
    else { return nil }
    let known = recent.withLock { recent in
      recent.first { $0.number == number && $0.hash == header.hash }
    }
    if let known { return known.message }
    let statement = FeedStatement(kind: .block, number: number, hash: header.hash)
    let message = FeedMessage.block(
      FeedBlock(
        rlp: body.blockEncoding(header.header),
        signature: signer.sign(statement, chainID: chain.rules.schedule.chainID),
        receipts: receipts.encoding, changes: snapshot.changes(number)?.encoded ?? [],
        accessList: chain.recentAccessList(header.hash)?.encoded ?? [])
    ).encoded
    if number + UInt64(Self.recentLimit) > snapshot.head.header.number {
      recent.withLock { recent in
        recent.append(Recent(number: number, hash: header.hash, message: message))
        var bytes = recent.reduce(0) { $0 + $1.message.count }
        while recent.count > Self.recentLimit || bytes > Self.recentBytes {
          bytes -= recent.removeFirst().message.count
        }
      }
    }
    return message
  }
}

/// One follower's connection.
final class FeedConnection: WebSocketConversation {
  private let server: FeedServer
  private let peer: WebSocketPeer
  private let threads: NIOThreadPool

  private struct State {
    /// The next block to send; `nil` before the follower has said where it begins.
    var next: UInt64?
    /// Whether it asked for parts of blocks.
    var wantsParts = false
    /// The parts that it has.
    var known = Known()
    /// The chain went back to here, and the follower does not know yet.
    var rewind: StoredHeader?
    /// Whether a thread is sending.
    var isSending = false
    /// Whether there may be something to send that the thread has not seen.
    var isWoken = false
    var isClosed = false
  }

  /// Parts of a block in the making.
  struct Known: Equatable {
    /// Which one.
    var id: UInt64 = 0
    var count = 0
  }

  private let state = Mutex(State())
  /// No more is read from the chain while so many bytes wait.
  private static let room = 4 << 20

  init(_ server: FeedServer, _ peer: WebSocketPeer, threads: NIOThreadPool) {
    self.server = server
    self.peer = peer
    self.threads = threads
  }

  /// Whether it asked for parts of blocks.
  var wantsParts: Bool { state.withLock { $0.wantsParts } }

  /// Begins with a block.
  func begin(_ number: UInt64, parts: Bool) {
    do {
      // The genesis is what both have.
      let hello = try server.hello()
      state.withLock {
        $0.next = max(1, number)
        $0.wantsParts = parts
      }
      peer.send(hello, isText: false)
      wake()
    } catch { peer.close(.tryAgainLater, "\(error)") }
  }

  /// The first message may say where to begin: `{"from": 7}`, and whether to tell of blocks in the
  /// making: `{"from": 7, "parts": true}`.
  func received(_ message: [UInt8], isText: Bool) {
    guard state.withLock({ $0.next == nil }) else {
      return peer.close(.policy, "the feed has begun; it takes no further messages")
    }
    var from: UInt64?
    var parts = false
    try? message.withUnsafeBufferPointer { (buffer) throws(FormatError) in
      var cursor = JSONCursor(buffer)
      let value = try JSONValue(from: &cursor)
      if case .number(let text)? = value["from"] { from = UInt64(text) }
      if case .boolean(true)? = value["parts"] { parts = true }
    }
    guard let from else {
      return peer.close(.policy, #"the first message says where to begin: {"from": 7}"#)
    }
    begin(from, parts: parts)
  }

  func closed() {
    state.withLock { $0.isClosed = true }
    server.remove(self)
  }

  func rewind(_ header: StoredHeader) {
    state.withLock { state in
      if let known = state.rewind, known.header.number <= header.header.number { return }
      state.rewind = header
    }
    wake()
  }

  /// Sends what there is, on a thread that may work.
  func wake() {
    let starts = state.withLock { state in
      state.isWoken = true
      if state.isSending || state.isClosed || state.next == nil { return false }
      state.isSending = true
      return true
    }
    if starts { threads.submit { [self] _ in send() } }
  }

  private enum Step {
    case block(UInt64)
    case rewind(StoredHeader)
    case rest
  }

  private func send() {
    while true {
      switch step() {
      case .rest: return
      case .rewind(let header): put(server.message(rewind: header))
      case .block(let number):
        do {
          guard let message = try server.message(number) else {
            if let part = part(of: number) {
              put(part)
              continue
            }
            // The end of the chain: unless something came in between.
            if state.withLock({ rests(&$0) }) { return }
            continue
          }
          state.withLock { $0.next = number + 1 }
          put(message)
        } catch { return peer.close(.tryAgainLater, "\(error)") }
      }
    }
  }

  /// The next part of the block that comes next, if there is one and the follower wants it.
  private func part(of number: UInt64) -> [UInt8]? {
    state.withLock { state in
      guard state.wantsParts, let next = server.part(of: number, after: state.known) else {
        return nil
      }
      state.known = next.known
      return next.message
    }
  }

  private func put(_ message: [UInt8]) {
    peer.send(message, isText: false) { [weak self] in self?.wake() }
  }

  private func step() -> Step {
    state.withLock { state in
      guard !state.isClosed, let next = state.next else {
        state.isSending = false
        return .rest
      }
      state.isWoken = false
      if let rewind = state.rewind {
        state.rewind = nil
        if next > rewind.header.number + 1 {
          state.next = rewind.header.number + 1
          return .rewind(rewind)
        }
      }
      if peer.queuedBytes > Self.room {
        // What has been sent wakes it.
        state.isSending = false
        return .rest
      }
      return .block(next)
    }
  }

  private func rests(_ state: inout State) -> Bool {
    if state.isWoken { return false }
    state.isSending = false
    return true
  }
}

import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import Synchronization

/// Where another node listens.
package struct NodeAddress: Sendable, Hashable, CustomStringConvertible {
  /// A name or an address.
  package var host: String
  /// The port.
  package var port: Int
  /// The path with its query.
  package var path: String

  /// Reads `ws://host:port/path` or `http://host:port/path`; `nil` for anything else. There is no TLS:
  /// what is not on one's own network goes through a proxy that has it.
  package init?(_ text: String, path: String) {
    guard let scheme = ["ws://", "http://"].first(where: { text.hasPrefix($0) }) else { return nil }
    let rest = text.dropFirst(scheme.count)
    let authority = rest.prefix { $0 != "/" && $0 != "?" }
    let tail = rest[authority.endIndex...]
    var host = authority
    port = 80
    if authority.hasPrefix("[") {
      guard let end = authority.firstIndex(of: "]") else { return nil }
      host = authority[authority.index(after: authority.startIndex)..<end]
      let after = authority[authority.index(after: end)...]
      if !after.isEmpty {
        guard after.hasPrefix(":"), let number = UInt16(after.dropFirst()) else { return nil }
        port = Int(number)
      }
    } else if let colon = authority.lastIndex(of: ":") {
      guard let number = UInt16(authority[authority.index(after: colon)...]) else { return nil }
      host = authority[..<colon]
      port = Int(number)
    }
    if host.isEmpty { return nil }
    self.host = String(host)
    self.path = tail.isEmpty || tail == "/" ? path : String(tail)
  }

  package var description: String {
    "ws://\(host.contains(":") ? "[\(host)]" : host):\(port)\(path)"
  }
}

/// Connections to other nodes by WebSocket.
struct WebSocketClient: Sendable {
  let group: any EventLoopGroup
  /// Where messages are worked on.
  let threads: NIOThreadPool
  var limits = WebSocketLimits()
  /// Bytes of a message.
  var messageBytes = 256 << 20
  /// Seconds until a connection is there.
  static let connectSeconds: Int64 = 10

  /// Connects. Either `open` is called, and then the conversation until it is closed, or `failed` with
  /// the reason.
  func connect(
    _ address: NodeAddress,
    open: @escaping @Sendable (WebSocketPeer) -> any WebSocketConversation,
    failed: @escaping @Sendable (String) -> Void
  ) {
    let outcome = Outcome(failed)
    let limits = limits
    let bytes = messageBytes
    let threads = threads
    let bootstrap = ClientBootstrap(group: group)
      .connectTimeout(.seconds(Self.connectSeconds))
      .channelOption(.socketOption(.tcp_nodelay), value: 1)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let request = UpgradeRequest(address, outcome)
          let bound = NIOLoopBound(request, eventLoop: channel.eventLoop)
          let upgrader = NIOWebSocketClientUpgrader(maxFrameSize: bytes) { channel, _ in
            channel.eventLoop.makeCompletedFuture {
              guard outcome.settle() else { return channel.close(promise: nil) }
              let peer = WebSocketPeer(channel: channel, limit: limits.queuedBytes, isClient: true)
              try channel.pipeline.syncOperations.addHandler(
                WebSocketHandler(
                  open(peer), peer: peer, limits: limits, messageBytes: bytes, threads: threads,
                  budget: ByteBudget(limit: .max), isClient: true))
            }
          }
          try channel.pipeline.syncOperations.addHTTPClientHandlers(
            leftOverBytesStrategy: .forwardBytes,
            withClientUpgrade: (
              upgraders: [upgrader],
              completionHandler: { context in
                context.pipeline.syncOperations.removeHandler(bound.value, promise: nil)
              }
            ))
          try channel.pipeline.syncOperations.addHandler(request)
          channel.closeFuture.whenComplete { _ in outcome.fail("the connection was closed") }
        }
      }
    bootstrap.connect(host: address.host, port: address.port).whenFailure {
      outcome.fail("\($0)")
    }
  }

  /// What came of an attempt; told once.
  private final class Outcome: Sendable {
    private let isSettled = Atomic(false)
    private let failed: @Sendable (String) -> Void

    init(_ failed: @escaping @Sendable (String) -> Void) { self.failed = failed }

    /// Whether it was open until now.
    func settle() -> Bool { !isSettled.exchange(true, ordering: .relaxed) }

    func fail(_ reason: String) { if settle() { failed(reason) } }
  }

  /// Asks for the WebSocket, and hears why there is none.
  private final class UpgradeRequest: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let address: NodeAddress
    private let outcome: Outcome

    init(_ address: NodeAddress, _ outcome: Outcome) {
      self.address = address
      self.outcome = outcome
    }

    func channelActive(context: ChannelHandlerContext) {
      var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: address.path)
      head.headers.add(name: "host", value: "\(address.host):\(address.port)")
      context.write(wrapOutboundOut(.head(head)), promise: nil)
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
      context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      if case .head(let head) = unwrapInboundIn(data) {
        outcome.fail("it answers \(head.status.code) \(head.status.reasonPhrase)")
        context.close(promise: nil)
      }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
      outcome.fail("\(error)")
      context.close(promise: nil)
    }
  }
}

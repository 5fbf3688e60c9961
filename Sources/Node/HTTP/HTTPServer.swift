package import NIOCore
import NIOHTTP1
package import NIOPosix
import NIOWebSocket

/// JSON-RPC over HTTP/1.1 and WebSocket on one port, with bounds on what a client may take.
package final class HTTPServer: Sendable {
  /// What can be chosen.
  package struct Options: Sendable {
    /// The address to listen on.
    package var host = "127.0.0.1"
    /// The port; zero for any that is free.
    package var port = 8545
    /// Bytes of a request, and of a WebSocket message.
    package var bodyBytes = 5 << 20
    /// Bytes of all requests that are not complete yet, of all connections.
    package var bufferedBytes = 512 << 20
    /// Connections at once.
    package var connections = 10_000
    /// Seconds after which a connection is closed on which nothing happens.
    package var idleSeconds: Int64 = 120
    /// Names in `Host` that are answered; all when it contains `*`. Numeric addresses always are.
    package var hosts: Set<String> = ["localhost"]
    /// Origins that browsers may ask from; all when it contains `*`.
    package var origins: Set<String> = []
    /// The secret of the tokens that requests must carry.
    package var secret: [UInt8]?
    /// What WebSocket connections may take.
    package var sockets = WebSocketLimits()

    /// A port of this machine's own.
    package init() {}
  }

  /// What answers a request's body; on a thread that may work.
  package typealias Responder = @Sendable (UnsafeBufferPointer<UInt8>) -> [UInt8]?
  /// What answers a request's body at once, on the thread of its connection; `nil` where the responder
  /// has to.
  package typealias QuickResponder = @Sendable (UnsafeBufferPointer<UInt8>) -> [UInt8]?
  /// What answers a page; `nil` where there is none.
  package typealias Pages = @Sendable (String) -> (status: Int, type: String, body: [UInt8])?
  /// Who talks on a WebSocket to a path with its query; `nil` where there is nothing.
  package typealias Sockets =
    @Sendable (_ path: String, _ peer: WebSocketPeer) -> (any WebSocketConversation)?

  private let channel: any Channel
  private let counter: ConnectionCounter
  /// The port that is listened on.
  package let port: Int

  /// Listens and answers until `close`. `socketPaths` are those, without queries, that `sockets` knows.
  package init(
    _ options: Options, group: any EventLoopGroup, threads: NIOThreadPool,
    workers: RequestWorkers, responder: @escaping Responder,
    quick: @escaping QuickResponder = { _ in nil },
    pages: @escaping Pages = { _ in nil }, socketPaths: Set<String> = [],
    sockets: @escaping Sockets = { _, _ in nil }
  ) throws {
    let counter = ConnectionCounter(limit: options.connections)
    self.counter = counter
    let budget = ByteBudget(limit: options.bufferedBytes)
    var boxes: [ObjectIdentifier: AnswerBox] = [:]
    for loop in group.makeIterator() { boxes[ObjectIdentifier(loop)] = AnswerBox(loop) }
    let answers = boxes
    channel = try ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          guard counter.enter() else {
            channel.close(promise: nil)
            return
          }
          channel.closeFuture.whenComplete { _ in counter.leave() }
          let pipeline = channel.pipeline.syncOperations
          try pipeline.addHandler(
            IdleStateHandler(allTimeout: .seconds(options.idleSeconds)))
          let loop = channel.eventLoop
          let handler = HTTPHandler(
            options, workers: workers, answers: answers[ObjectIdentifier(loop)] ?? AnswerBox(loop),
            budget: budget, responder: responder, quick: quick, pages: pages)
          let upgrader = Self.upgrader(
            options, threads: threads, budget: budget, paths: socketPaths, sockets: sockets)
          let bound = NIOLoopBound(handler, eventLoop: channel.eventLoop)
          try pipeline.configureHTTPServerPipeline(
            withServerUpgrade: (
              upgraders: [upgrader],
              completionHandler: { context in
                context.pipeline.syncOperations.removeHandler(bound.value, promise: nil)
              }
            ),
            withErrorHandling: true,
            // The headers of answers are our own.
            withOutboundHeaderValidation: false)
          try pipeline.addHandler(handler)
        }
      }
      .listen(options.host, options.port)
    port = channel.localAddress?.port ?? options.port
  }

  /// What turns a connection into a WebSocket, where the request may have one.
  private static func upgrader(
    _ options: Options, threads: NIOThreadPool, budget: ByteBudget, paths: Set<String>,
    sockets: @escaping Sockets
  ) -> NIOWebSocketServerUpgrader {
    NIOWebSocketServerUpgrader(
      maxFrameSize: options.bodyBytes,
      shouldUpgrade: { channel, head in
        let path = String(head.uri.prefix { $0 != "?" })
        let isWanted = paths.contains(path) && RequestAdmission.refusal(head, options) == nil
        return channel.eventLoop.makeSucceededFuture(isWanted ? HTTPHeaders() : nil)
      },
      upgradePipelineHandler: { channel, head in
        channel.eventLoop.makeCompletedFuture {
          let peer = WebSocketPeer(channel: channel, limit: options.sockets.queuedBytes)
          guard let conversation = sockets(head.uri, peer) else {
            return channel.close(promise: nil)
          }
          try channel.pipeline.syncOperations.addHandler(
            WebSocketHandler(
              conversation, peer: peer, limits: options.sockets, messageBytes: options.bodyBytes,
              threads: threads, budget: budget))
        }
      })
  }

  /// Connections that are open.
  var openConnections: Int { counter.value }

  /// Stops listening.
  package func close() { try? channel.close().wait() }
}

import Ethereum
package import NIOCore
import NIOHTTP1
package import NIOPosix
import Synchronization

/// JSON-RPC over HTTP/1.1, with bounds on what a client may take.
package final class HTTPServer: Sendable {
  /// What can be chosen.
  package struct Options: Sendable {
    /// The address to listen on.
    package var host = "127.0.0.1"
    /// The port; zero for any that is free.
    package var port = 8545
    /// Bytes of a request.
    package var bodyBytes = 5 << 20
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

    /// A port of this machine's own.
    package init() {}
  }

  /// What answers a request's body; on a thread that may work.
  package typealias Responder = @Sendable (UnsafeBufferPointer<UInt8>) -> [UInt8]?
  /// What answers a page; `nil` where there is none.
  package typealias Pages = @Sendable (String) -> (status: Int, type: String, body: [UInt8])?

  private let channel: any Channel
  /// The port that is listened on.
  package let port: Int

  /// Listens and answers until `close`.
  package init(
    _ options: Options, group: any EventLoopGroup, threads: NIOThreadPool,
    responder: @escaping Responder, pages: @escaping Pages = { _ in nil }
  ) throws {
    let counter = ConnectionCounter(limit: options.connections)
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
          try pipeline.configureHTTPServerPipeline(withErrorHandling: true)
          try pipeline.addHandler(
            HTTPHandler(options, threads: threads, responder: responder, pages: pages))
        }
      }
      .bind(host: options.host, port: options.port).wait()
    port = channel.localAddress?.port ?? options.port
  }

  /// Stops listening.
  package func close() { try? channel.close().wait() }
}

/// How many connections are open.
private final class ConnectionCounter: Sendable {
  private let count = Mutex(0)
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  func enter() -> Bool {
    count.withLock {
      if $0 >= limit { return false }
      $0 += 1
      return true
    }
  }

  func leave() { count.withLock { $0 -= 1 } }
}

/// One connection.
private final class HTTPHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let options: HTTPServer.Options
  private let threads: NIOThreadPool
  private let responder: HTTPServer.Responder
  private let pages: HTTPServer.Pages
  private var head: HTTPRequestHead?
  private var body = ByteBuffer()
  private var isRefused = false

  init(
    _ options: HTTPServer.Options, threads: NIOThreadPool,
    responder: @escaping HTTPServer.Responder, pages: @escaping HTTPServer.Pages
  ) {
    self.options = options
    self.threads = threads
    self.responder = responder
    self.pages = pages
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      self.head = head
      body.clear()
      isRefused = false
      if let refusal = refusal(head) {
        isRefused = true
        respond(context, refusal.status, text: refusal.reason, closes: true)
      } else if let length = head.headers.first(name: "content-length").flatMap({ Int($0) }),
        length > options.bodyBytes
      {
        isRefused = true
        respond(
          context, .payloadTooLarge, text: "the request has more than \(options.bodyBytes) bytes",
          closes: true)
      }
    case .body(var part):
      if isRefused { return }
      if body.readableBytes + part.readableBytes > options.bodyBytes {
        isRefused = true
        respond(
          context, .payloadTooLarge, text: "the request has more than \(options.bodyBytes) bytes",
          closes: true)
        return
      }
      body.writeBuffer(&part)
    case .end:
      guard !isRefused, let head else { return }
      handle(context, head)
    }
  }

  /// Why a request is not answered, if it is not.
  private func refusal(_ head: HTTPRequestHead) -> (status: HTTPResponseStatus, reason: String)? {
    if !options.hosts.contains("*"), let host = head.headers.first(name: "host") {
      let name = Self.name(host)
      let isNumeric =
        name.allSatisfy { $0.isNumber || $0 == "." || $0 == ":" } || name.contains(":")
      if !isNumeric && !options.hosts.contains(name.lowercased()) {
        return (.forbidden, "invalid host specified")
      }
    }
    if let secret = options.secret {
      guard let token = head.headers.first(name: "authorization"), token.hasPrefix("Bearer ") else {
        return (.unauthorized, "missing token")
      }
      let now = WallClock.seconds
      if let reason = WebToken.fault(String(token.dropFirst(7)), secret: secret, now: now) {
        return (.unauthorized, reason)
      }
    }
    return nil
  }

  private static func name(_ host: String) -> String {
    if host.hasPrefix("["), let end = host.firstIndex(of: "]") {
      return String(host[host.index(after: host.startIndex)..<end])
    }
    return String(host.prefix { $0 != ":" })
  }

  private func handle(_ context: ChannelHandlerContext, _ head: HTTPRequestHead) {
    switch head.method {
    case .OPTIONS:
      respond(context, .noContent, text: "")
    case .GET, .HEAD:
      if let page = pages(head.uri) {
        write(
          context, HTTPResponseStatus(statusCode: page.status), type: page.type, page.body,
          closes: false)
      } else {
        respond(context, .notFound, text: "there is no \(head.uri.prefix(100))\n")
      }
    case .POST: work(context)
    default: respond(context, .methodNotAllowed, text: "JSON-RPC takes POST\n")
    }
  }

  private func work(_ context: ChannelHandlerContext) {
    let body = body
    let responder = responder
    let loop = context.eventLoop
    let bound = NIOLoopBound((self, context), eventLoop: loop)
    threads.submit { state in
      guard case .active = state else { return }
      let answer = body.withUnsafeReadableBytes {
        responder($0.bindMemory(to: UInt8.self)) ?? []
      }
      loop.execute {
        let (handler, context) = bound.value
        handler.write(context, .ok, type: "application/json", answer, closes: false)
      }
    }
  }

  private func respond(
    _ context: ChannelHandlerContext, _ status: HTTPResponseStatus, text: String,
    closes: Bool = false
  ) {
    write(context, status, type: "text/plain; charset=utf-8", [UInt8](text.utf8), closes: closes)
  }

  private func write(
    _ context: ChannelHandlerContext, _ status: HTTPResponseStatus, type: String, _ body: [UInt8],
    closes: Bool
  ) {
    guard context.channel.isActive else { return }
    var headers = HTTPHeaders()
    headers.add(name: "content-type", value: type)
    headers.add(name: "content-length", value: String(body.count))
    headers.add(name: "vary", value: "Origin")
    if let origin = head?.headers.first(name: "origin"),
      options.origins.contains("*") || options.origins.contains(origin)
    {
      headers.add(name: "access-control-allow-origin", value: origin)
      headers.add(name: "access-control-allow-methods", value: "POST, GET")
      headers.add(name: "access-control-allow-headers", value: "content-type, authorization")
      headers.add(name: "access-control-max-age", value: "600")
    }
    let keepsAlive = !closes && (head?.isKeepAlive ?? false)
    if !keepsAlive { headers.add(name: "connection", value: "close") }
    context.write(
      wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))),
      promise: nil)
    if head?.method != .HEAD {
      context.write(
        wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
    }
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
      if !keepsAlive { bound.value.close(promise: nil) }
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is IdleStateHandler.IdleStateEvent {
      context.close(promise: nil)
    } else {
      context.fireUserInboundEventTriggered(event)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

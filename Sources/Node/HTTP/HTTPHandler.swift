import NIOCore
import NIOHTTP1
import NIOWebSocket

/// One connection's requests over HTTP.
final class HTTPHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let options: HTTPServer.Options
  private let workers: RequestWorkers
  private let answers: AnswerBox
  private let budget: ByteBudget
  private let responder: HTTPServer.Responder
  private let quick: HTTPServer.QuickResponder
  private let pages: HTTPServer.Pages
  private var head: HTTPRequestHead?
  private var body = ByteBuffer()
  private var isRefused = false

  init(
    _ options: HTTPServer.Options, workers: RequestWorkers, answers: AnswerBox, budget: ByteBudget,
    responder: @escaping HTTPServer.Responder, quick: @escaping HTTPServer.QuickResponder,
    pages: @escaping HTTPServer.Pages
  ) {
    self.options = options
    self.workers = workers
    self.answers = answers
    self.budget = budget
    self.responder = responder
    self.quick = quick
    self.pages = pages
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      self.head = head
      dropBody()
      isRefused = false
      if let refusal = RequestAdmission.refusal(head, options) {
        refuse(context, refusal.status, refusal.reason)
      } else if let length = head.headers.first(name: "content-length").flatMap({ Int($0) }),
        length > options.bodyBytes
      {
        refuse(context, .payloadTooLarge, tooLarge)
      }
    case .body(var part):
      if isRefused { return }
      if body.readableBytes + part.readableBytes > options.bodyBytes {
        return refuse(context, .payloadTooLarge, tooLarge)
      }
      guard budget.take(part.readableBytes) else {
        return refuse(context, .serviceUnavailable, "too many large requests at once; try again")
      }
      if body.readableBytes == 0 {
        // Most requests come in one part.
        body = part
      } else {
        body.writeBuffer(&part)
      }
    case .end:
      guard !isRefused, let head else { return }
      handle(context, head)
    }
  }

  private var tooLarge: String { "the request has more than \(options.bodyBytes) bytes" }

  /// Forgets what came of a request.
  private func dropBody() {
    budget.give(body.readableBytes)
    body.clear()
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
    let answer = body.withUnsafeReadableBytes { quick($0.bindMemory(to: UInt8.self)) }
    if let answer {
      return write(context, .ok, type: "application/json", answer, closes: false)
    }
    let responder = responder
    let answers = answers
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    workers.submit {
      let answer = body.withUnsafeReadableBytes {
        responder($0.bindMemory(to: UInt8.self)) ?? []
      }
      answers.post {
        let (handler, context) = bound.value
        handler.write(context, .ok, type: "application/json", answer, closes: false)
      }
    }
  }

  private func refuse(
    _ context: ChannelHandlerContext, _ status: HTTPResponseStatus, _ text: String
  ) {
    isRefused = true
    dropBody()
    respond(context, status, text: text, closes: true)
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
    dropBody()
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

  func channelInactive(context: ChannelHandlerContext) {
    dropBody()
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // A request that may not become a WebSocket is answered as any other.
    if !(error is NIOWebSocketUpgradeError) { context.close(promise: nil) }
  }
}

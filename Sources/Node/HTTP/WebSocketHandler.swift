import Collections
import NIOCore
import NIOPosix
import NIOWebSocket

/// One WebSocket connection: hands complete messages to the conversation, a bounded number at a time.
final class WebSocketHandler: ChannelDuplexHandler {
  typealias InboundIn = WebSocketFrame
  typealias OutboundIn = WebSocketFrame
  typealias OutboundOut = WebSocketFrame

  private let conversation: any WebSocketConversation
  private let peer: WebSocketPeer
  private let limits: WebSocketLimits
  private let threads: NIOThreadPool
  private let budget: ByteBudget
  private var assembly: WebSocketAssembly
  /// Messages that came with what was read last and wait for their turn.
  private var waiting: Deque<(message: [UInt8], isText: Bool)> = []
  private var running = 0
  private var holdsRead = false
  private var isClosing = false
  private var lastRead = NIODeadline.now()
  private var pings: RepeatedTask?

  init(
    _ conversation: any WebSocketConversation, peer: WebSocketPeer, limits: WebSocketLimits,
    messageBytes: Int, threads: NIOThreadPool, budget: ByteBudget, isClient: Bool = false
  ) {
    self.conversation = conversation
    self.peer = peer
    self.limits = limits
    self.threads = threads
    self.budget = budget
    assembly = WebSocketAssembly(
      messageBytes: messageBytes, frameLimit: limits.frames, requiresMask: !isClient)
  }

  func handlerAdded(context: ChannelHandlerContext) {
    let interval = TimeAmount.seconds(limits.pingSeconds)
    let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
    pings = context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
      bound.value.checkLife()
    }
  }

  private func checkLife() {
    if isClosing { return }
    if NIODeadline.now() - lastRead > .seconds(2 * limits.pingSeconds) && !holdsRead {
      peer.drop()
    } else {
      peer.send(ByteBuffer(), .ping)
    }
  }

  // MARK: Frames

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    lastRead = .now()
    if isClosing { return }
    let before = assembly.message.count
    let event = assembly.take(unwrapInboundIn(data))
    switch event {
    case .message(let message, let isText):
      // What a message has taken of the budget it gives back when it has been worked on.
      guard budget.take(message.count - before) else {
        budget.give(before)
        return close(.tryAgainLater, "too many large requests at once")
      }
      waiting.append((message, isText))
      work(context)
    case .incomplete:
      if !budget.take(assembly.message.count - before) {
        budget.give(before)
        assembly.dropMessage()
        close(.tryAgainLater, "too many large requests at once")
      }
    case .ping(let data): peer.send(data, .pong)
    case .pong: break
    case .close: close(.normal, "")
    case .violation(let code, let reason):
      budget.give(before - assembly.message.count)
      close(code, reason)
    }
  }

  private func work(_ context: ChannelHandlerContext) {
    let loop = context.eventLoop
    while running < limits.messages, let next = waiting.popFirst() {
      running += 1
      let bound = NIOLoopBound((self, context), eventLoop: loop)
      threads.submit { [conversation] state in
        if case .active = state { conversation.received(next.message, isText: next.isText) }
        loop.execute {
          let (handler, context) = bound.value
          handler.budget.give(next.message.count)
          handler.running -= 1
          handler.work(context)
          handler.resume(context)
        }
      }
    }
  }

  private func close(_ code: WebSocketCloseCode, _ reason: String) {
    isClosing = true
    peer.close(code, reason)
  }

  // MARK: Back-pressure

  func read(context: ChannelHandlerContext) {
    if running >= limits.messages || !waiting.isEmpty {
      holdsRead = true
    } else {
      context.read()
    }
  }

  private func resume(_ context: ChannelHandlerContext) {
    guard holdsRead, !isClosing, running < limits.messages, waiting.isEmpty else { return }
    holdsRead = false
    lastRead = .now()
    context.read()
  }

  // MARK: The end

  func channelInactive(context: ChannelHandlerContext) {
    isClosing = true
    pings?.cancel()
    budget.give(assembly.message.count + waiting.reduce(0) { $0 + $1.message.count })
    waiting.removeAll()
    peer.drop()
    conversation.closed()
    context.fireChannelInactive()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    // Pings see to connections on which nothing happens.
    if !(event is IdleStateHandler.IdleStateEvent) { context.fireUserInboundEventTriggered(event) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // Faults of frames have been answered with a code by the handler before this one.
    if !(error is NIOWebSocketError) { context.close(promise: nil) }
  }
}

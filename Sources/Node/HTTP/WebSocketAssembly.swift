import NIOCore
import NIOWebSocket

/// Puts messages together from frames, and refuses what RFC 6455 does not allow.
struct WebSocketAssembly {
  /// What a frame means.
  enum Event: Equatable {
    /// A message is complete.
    case message([UInt8], isText: Bool)
    /// More frames belong to the message.
    case incomplete
    case ping(ByteBuffer)
    case pong
    /// The other end closes, with this code or none.
    case close(WebSocketErrorCode?)
    /// The connection is to be closed.
    case violation(WebSocketCloseCode, String)
  }

  private let messageBytes: Int
  private let frameLimit: Int
  private let requiresMask: Bool
  private var opcode: WebSocketOpcode?
  private var frameCount = 0
  /// The bytes of the message so far.
  private(set) var message: [UInt8] = []

  init(messageBytes: Int, frameLimit: Int, requiresMask: Bool) {
    self.messageBytes = messageBytes
    self.frameLimit = frameLimit
    self.requiresMask = requiresMask
  }

  /// Takes a frame in.
  mutating func take(_ frame: WebSocketFrame) -> Event {
    if frame.rsv1 || frame.rsv2 || frame.rsv3 {
      return .violation(.protocolError, "no extension was agreed on")
    }
    if (frame.maskKey != nil) != requiresMask {
      return .violation(
        .protocolError, requiresMask ? "a client masks its frames" : "a server masks nothing")
    }
    switch frame.opcode {
    case .ping: return .ping(frame.unmaskedData)
    case .pong: return .pong
    case .connectionClose: return close(frame.unmaskedData)
    case .text, .binary:
      if opcode != nil { return .violation(.protocolError, "a message inside a message") }
      opcode = frame.opcode
    case .continuation:
      if opcode == nil { return .violation(.protocolError, "nothing to continue") }
    default: return .violation(.protocolError, "an opcode without meaning")
    }
    return append(frame)
  }

  private mutating func append(_ frame: WebSocketFrame) -> Event {
    frameCount += 1
    let data = frame.unmaskedData
    if message.count + data.readableBytes > messageBytes {
      return .violation(.tooLarge, "a message has more than \(messageBytes) bytes")
    }
    if frameCount > frameLimit {
      return .violation(.tooLarge, "a message has more than \(frameLimit) frames")
    }
    message.append(contentsOf: data.readableBytesView)
    guard frame.fin else { return .incomplete }
    let isText = opcode == .text
    let complete = message
    message = []
    opcode = nil
    frameCount = 0
    if isText, !Self.isText(complete) { return .violation(.invalidText, "text is UTF-8") }
    return .message(complete, isText: isText)
  }

  /// Forgets the message so far.
  mutating func dropMessage() { message = [] }

  private static func isText(_ bytes: [UInt8]) -> Bool {
    (try? UTF8Span(validating: bytes.span)) != nil
  }

  private func close(_ data: ByteBuffer) -> Event {
    var data = data
    if data.readableBytes == 0 { return .close(nil) }
    guard let code = data.readWebSocketErrorCode() else {
      return .violation(.protocolError, "a code has two bytes")
    }
    return Self.isText([UInt8](data.readableBytesView))
      ? .close(code) : .violation(.invalidText, "a reason is UTF-8")
  }
}

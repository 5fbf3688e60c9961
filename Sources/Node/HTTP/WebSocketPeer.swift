import NIOCore
import NIOWebSocket
import Synchronization

/// Why a WebSocket connection ends (RFC 6455, section 7.4.1).
package enum WebSocketCloseCode: UInt16, Sendable {
  /// It has served its purpose.
  case normal = 1000
  /// The node stops.
  case goingAway = 1001
  /// A frame that the protocol does not allow.
  case protocolError = 1002
  /// Text that is not UTF-8.
  case invalidText = 1007
  /// What was asked is not allowed.
  case policy = 1008
  /// A message with too many bytes or frames.
  case tooLarge = 1009
  /// The node has too much to do.
  case tryAgainLater = 1013
}

/// The way to the other end of a WebSocket connection: a bounded queue of messages.
package final class WebSocketPeer: Sendable {
  private let channel: any Channel
  private let limit: Int
  private let isClient: Bool
  private let queued = Atomic(0)
  private let isGone = Atomic(false)

  init(channel: any Channel, limit: Int, isClient: Bool = false) {
    self.channel = channel
    self.limit = limit
    self.isClient = isClient
  }

  /// Bytes that wait to be sent.
  package var queuedBytes: Int { queued.load(ordering: .relaxed) }

  /// Sends a message, from any thread. When more than the limit waits already, the connection is
  /// dropped: it gives false then, and whenever it is closed. `sent` is called when the system has the
  /// message.
  @discardableResult
  package func send(
    _ message: [UInt8], isText: Bool, sent: (@Sendable () -> Void)? = nil
  ) -> Bool {
    send(ByteBuffer(bytes: message), isText ? .text : .binary, sent: sent)
  }

  @discardableResult
  func send(
    _ data: ByteBuffer, _ opcode: WebSocketOpcode, sent: (@Sendable () -> Void)? = nil
  ) -> Bool {
    if isGone.load(ordering: .relaxed) { return false }
    // Each frame counts for more than its bytes, so that empty ones are bounded, too.
    let count = data.readableBytes + 64
    guard queued.add(count, ordering: .relaxed).newValue <= limit + count else {
      drop()
      return false
    }
    let frame = WebSocketFrame(
      fin: true, opcode: opcode, maskKey: isClient ? .random() : nil, data: data)
    channel.writeAndFlush(frame).whenComplete { [self] _ in
      queued.subtract(count, ordering: .relaxed)
      sent?()
    }
    return true
  }

  /// Ends the connection with a code and a reason.
  package func close(_ code: WebSocketCloseCode, _ reason: String = "") {
    if isGone.exchange(true, ordering: .relaxed) { return }
    var data = ByteBuffer()
    data.writeInteger(code.rawValue)
    data.writeString(String(reason.prefix(100)))
    let frame = WebSocketFrame(
      fin: true, opcode: .connectionClose, maskKey: isClient ? .random() : nil, data: data)
    channel.writeAndFlush(frame).whenComplete { [channel] _ in channel.close(promise: nil) }
    // The other end may not read any more.
    channel.eventLoop.scheduleTask(in: .seconds(5)) { [channel] in channel.close(promise: nil) }
  }

  /// Closes the connection at once.
  package func drop() {
    isGone.store(true, ordering: .relaxed)
    channel.close(promise: nil)
  }
}

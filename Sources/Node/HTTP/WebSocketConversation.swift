/// What WebSocket connections may take.
package struct WebSocketLimits: Sendable {
  /// Frames of one message.
  package var frames = 1024
  /// Messages of one connection that are worked on at once; more are not read from it meanwhile.
  package var messages = 8
  /// Bytes that wait to be sent to one connection; it is dropped when it reads too slowly for them.
  package var queuedBytes = 32 << 20
  /// Seconds between pings; a connection that says nothing for twice as long is closed.
  package var pingSeconds: Int64 = 30

  /// The limits of a node that anybody may ask.
  package init() {}
}

/// The node's side of a WebSocket connection. Its methods may be called from any thread.
package protocol WebSocketConversation: AnyObject, Sendable {
  /// A complete message came; text is valid UTF-8. On a thread that may work.
  func received(_ message: [UInt8], isText: Bool)
  /// The connection is closed.
  func closed()
}

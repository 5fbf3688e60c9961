import NIOCore

/// Sends batches of transactions to a node's ingest socket. One thread may send while another receives.
package final class IngestClient: @unchecked Sendable {
  // Sendable: `buffer` is the receiving thread's.

  private let socket: BlockingSocket
  private var buffer = ByteBuffer()

  /// Connects to a node.
  package init(host: String = "127.0.0.1", port: Int) throws(BlockingSocket.Fault) {
    socket = try BlockingSocket(host: host, port: port)
  }

  /// Sends a batch.
  package func send(_ batch: IngestBatch) throws(BlockingSocket.Fault) {
    try socket.send([UInt8](batch.encoded.readableBytesView))
  }

  /// Sends bytes, whatever they are.
  package func send(_ bytes: [UInt8]) throws(BlockingSocket.Fault) { try socket.send(bytes) }

  /// Waits for the next acknowledgement; `nil` when the node has closed the connection.
  package func receive() throws(BlockingSocket.Fault) -> IngestAcknowledgement? {
    while true {
      if let answer = IngestAcknowledgement(&buffer) { return answer }
      let bytes = try socket.receive()
      if bytes.isEmpty { return nil }
      buffer.discardReadBytes()
      buffer.writeBytes(bytes)
    }
  }
}

import Dispatch
import EVM
import Ethereum
import NIOCore
import NIOPosix
import Synchronization

/// Relays transactions to the sequencer, over a few WebSocket connections that stay open.
final class SequencerClient: Sendable {
  /// One request's answer: its JSON text, or why there is none.
  typealias Answer = Result<JSONValue, RPCError>

  private let address: NodeAddress
  private let client: WebSocketClient
  private let threads = NIOThreadPool(numberOfThreads: 2)
  private let connections: [Connection]
  private let next = Atomic(0)
  private let note: @Sendable (String) -> Void
  private let isStopped = Atomic(false)
  /// Transactions that were handed on.
  let relayed = Atomic<UInt64>(0)

  /// Bytes of a message to the sequencer; what is sent in one request may need several.
  private static let messageBytes = 4 << 20
  private static let messageRequests = 1000
  /// Seconds until an answer that does not wait for a block.
  private static let answerSeconds = 30

  init(
    _ address: NodeAddress, group: any EventLoopGroup, note: @escaping @Sendable (String) -> Void
  ) {
    self.address = address
    self.note = note
    client = WebSocketClient(group: group, threads: threads)
    connections = (0..<4).map { _ in Connection() }
  }

  func start() {
    threads.start()
    for connection in connections { connect(connection, delay: 100) }
  }

  func stop() throws {
    isStopped.store(true, ordering: .relaxed)
    for connection in connections { connection.close() }
    try threads.syncShutdownGracefully()
  }

  private func connect(_ connection: Connection, delay: Int64) {
    if isStopped.load(ordering: .relaxed) { return }
    let again: @Sendable (String, Int64) -> Void = { [self] reason, delay in
      connection.lost()
      if isStopped.load(ordering: .relaxed) { return }
      if delay > 100 { note("the sequencer, \(address): \(reason)") }
      client.group.next().scheduleTask(in: .milliseconds(delay)) { [self] in
        connect(connection, delay: min(delay * 2, 5000))
      }
    }
    client.connect(
      address,
      open: { peer in
        connection.open(peer)
        return Session(connection) { again("the connection ended", 100) }
      },
      failed: { again($0, delay) })
  }

  // MARK: Requests

  /// Sends transactions on, many in a message; gives each one's hash or why it is refused.
  func send(_ transactions: [[UInt8]]) -> [Result<Hash256, RPCError>] {
    var results: [Result<Hash256, RPCError>] = []
    var start = 0
    while start < transactions.count {
      var end = start
      var bytes = 0
      while end < transactions.count, end - start < Self.messageRequests,
        end == start || bytes + transactions[end].count * 2 + 100 < Self.messageBytes
      {
        bytes += transactions[end].count * 2 + 100
        end += 1
      }
      let requests = transactions[start..<end].map { raw in
        { (writer: inout JSONWriter) in writer.value(hexadecimal: raw) }
      }
      let answers = call(
        "eth_sendRawTransaction", requests, timeout: .seconds(Self.answerSeconds))
      for answer in answers {
        results.append(
          answer.flatMap { value in
            do throws(RPCError) { return .success(try value.hash()) } catch {
              return .failure(.internalFault("the sequencer's answer is no hash"))
            }
          })
      }
      start = end
    }
    relayed.add(UInt64(transactions.count), ordering: .relaxed)
    return results
  }

  /// Sends a transaction on and waits for its receipt.
  func sendSync(_ transaction: [UInt8], milliseconds: UInt64) -> Answer {
    relayed.add(1, ordering: .relaxed)
    return call(
      "eth_sendRawTransactionSync",
      [
        { writer in
          writer.value(hexadecimal: transaction)
          writer.value(milliseconds)
        }
      ], timeout: .milliseconds(Int(milliseconds) + 5000))[0]
  }

  /// Calls a method with several parameters at once, in one message, and waits for all answers.
  private func call(
    _ method: String, _ parameters: [(inout JSONWriter) -> Void], timeout: DispatchTimeInterval
  ) -> [Answer] {
    let start = next.add(1, ordering: .relaxed).oldValue
    for attempt in connections.indices {
      let connection = connections[(start + attempt) % connections.count]
      if let answers = connection.call(method, parameters, timeout: timeout) { return answers }
    }
    let fault = RPCError(-32002, "the sequencer, \(address), is not connected; try again")
    return parameters.map { _ in .failure(fault) }
  }

  /// A connection, and who waits for answers on it.
  private final class Connection: Sendable {
    private struct State {
      var peer: WebSocketPeer?
      var nextID: UInt64 = 1
      var waiting: [UInt64: Waiter] = [:]
    }

    private let state = Mutex(State())

    func open(_ peer: WebSocketPeer) { state.withLock { $0.peer = peer } }

    func close() { state.withLock { $0.peer }?.close(.goingAway) }

    /// The connection has ended: what waits may have arrived or not.
    func lost() {
      let waiting = state.withLock { state in
        defer { state.waiting = [:] }
        state.peer = nil
        return state.waiting
      }
      for (id, waiter) in waiting {
        waiter.answer(
          id,
          .failure(
            RPCError(
              -32002,
              "the connection to the sequencer ended before its answer; the transaction may have "
                + "arrived: ask for its receipt, or send it again")))
      }
    }

    /// The answers; `nil` when there is no connection.
    func call(
      _ method: String, _ parameters: [(inout JSONWriter) -> Void], timeout: DispatchTimeInterval
    ) -> [Answer]? {
      let waiter = Waiter(parameters.count)
      let opened = state.withLock { state -> (WebSocketPeer, UInt64)? in
        guard let peer = state.peer else { return nil }
        let first = state.nextID
        state.nextID += UInt64(parameters.count)
        waiter.first = first
        for id in first..<state.nextID { state.waiting[id] = waiter }
        return (peer, first)
      }
      guard let (peer, first) = opened else { return nil }
      var writer = JSONWriter()
      writer.array { writer in
        for (offset, write) in parameters.enumerated() {
          writer.object { writer in
            writer.member("jsonrpc", "2.0")
            writer.member("id", first + UInt64(offset))
            writer.member("method", method)
            writer.key("params")
            writer.array { write(&$0) }
          }
        }
      }
      if !peer.send(writer.takeBytes(), isText: true) { lost() }
      let answers = waiter.wait(timeout)
      state.withLock { state in
        for id in first..<first + UInt64(parameters.count) { state.waiting[id] = nil }
      }
      return answers
    }

    /// Hands an answer to who waits for it.
    func answer(_ value: JSONValue) {
      guard case .number(let text)? = value["id"], let id = UInt64(text),
        let waiter = state.withLock({ $0.waiting[id] })
      else { return }
      guard let error = value["error"] else {
        return waiter.answer(id, .success(value["result"] ?? .null))
      }
      var code = -32603
      if case .number(let text)? = error["code"], let number = Int(text) { code = number }
      var data: String?
      if let value = error["data"] {
        var writer = JSONWriter()
        writer.value(value)
        data = writer.text
      }
      let message = (try? error["message"]?.text()) ?? "the sequencer gives no reason"
      waiter.answer(id, .failure(RPCError(code, message, data: data)))
    }
  }

  /// Who waits for the answers of one message.
  private final class Waiter: @unchecked Sendable {
    // Sendable: `answers` and `left` are used under the lock; `first` is set before anybody else has it.
    var first: UInt64 = 0
    private let semaphore = DispatchSemaphore(value: 0)
    private let state: Mutex<(answers: [Answer?], left: Int)>

    init(_ count: Int) {
      state = Mutex((answers: [Answer?](repeating: nil, count: count), left: count))
    }

    func answer(_ id: UInt64, _ answer: Answer) {
      let isComplete = state.withLock { state in
        let place = Int(id - first)
        if state.answers[place] != nil { return false }
        state.answers[place] = answer
        state.left -= 1
        return state.left == 0
      }
      if isComplete { semaphore.signal() }
    }

    func wait(_ timeout: DispatchTimeInterval) -> [Answer] {
      _ = semaphore.wait(timeout: .now() + timeout)
      return state.withLock(\.answers).map {
        $0
          ?? .failure(
            RPCError(
              -32002,
              "the sequencer did not answer in time; the transaction may have arrived: ask for its "
                + "receipt, or send it again"))
      }
    }
  }

  /// The other end of a connection.
  private final class Session: WebSocketConversation {
    private let connection: Connection
    private let ended: @Sendable () -> Void

    init(_ connection: Connection, ended: @escaping @Sendable () -> Void) {
      self.connection = connection
      self.ended = ended
    }

    func received(_ message: [UInt8], isText: Bool) {
      message.withUnsafeBufferPointer { buffer in
        var cursor = JSONCursor(buffer)
        guard let value = try? JSONValue(from: &cursor) else { return }
        if case .array(let answers) = value {
          for answer in answers { connection.answer(answer) }
        } else {
          connection.answer(value)
        }
      }
    }

    func closed() { ended() }
  }
}

import Coprocessors
import Dispatch
import Ethereum
import Foundation
import Node
import Synchronization

/// How much of what is asked of a node.
struct NodeLoad {
  var transactions: Int
  var connections: Int
  var batch: Int
}

/// What came of one run of a case.
struct NodeSample {
  /// Operations a second.
  var rate: Double
  /// Operations a second up to the last answer, where the case goes on after it.
  var answeredRate: Double?
  /// Operations a second of what bounds the case, on this machine in the same minute.
  var bound: Double?
  /// Microseconds of the processor's time for each operation, node and clients together.
  var processorMicroseconds: Double
  /// Blocks that were made.
  var blocks: UInt64
}

/// What a node is asked to do.
enum NodeCase: String, CaseIterable {
  /// Transfers through the ingest socket.
  case ingest
  /// Transfers through batches of JSON-RPC.
  case batches

  /// Runs the case on a fresh node.
  func run(_ bench: NodeBench, _ load: NodeLoad) throws -> NodeSample {
    switch self {
    case .ingest: try Self.ingest(bench, load)
    case .batches: try Self.batches(bench, load)
    }
  }

  /// Something that a case needed and did not get.
  struct Fault: Error, CustomStringConvertible {
    var description: String
  }

  /// Transfers through the ingest socket, a few batches ahead of their acknowledgements.
  private static func ingest(_ bench: NodeBench, _ load: NodeLoad) throws -> NodeSample {
    try transfers(bench, load) { list in
      guard let port = bench.node.ingestPort else { throw Fault(description: "no ingest port") }
      let client = try IngestClient(port: port)
      let frames = stride(from: 0, to: list.count, by: load.batch).map {
        IngestBatch(
          id: UInt64($0), transactions: Array(list[$0..<min(list.count, $0 + load.batch)]))
      }
      let ahead = 4
      var accepted = 0
      for index in 0..<frames.count + ahead {
        if index < frames.count { try client.send(frames[index]) }
        if index < ahead { continue }
        guard let answer = try client.receive(), answer.refused == 0, !answer.isMalformed else {
          throw Fault(description: "a batch was refused")
        }
        accepted += answer.accepted
      }
      return accepted
    }
  }

  /// Transfers through batches of JSON-RPC, one after the other on each connection.
  private static func batches(_ bench: NodeBench, _ load: NodeLoad) throws -> NodeSample {
    try transfers(bench, load) { list in
      let connection = try KeepAliveConnection(port: bench.node.port)
      var accepted = 0
      for start in stride(from: 0, to: list.count, by: load.batch) {
        let part = list[start..<min(list.count, start + load.batch)]
        var writer = JSONWriter()
        writer.array { writer in
          for (index, raw) in part.enumerated() {
            writer.object { writer in
              writer.member("jsonrpc", "2.0")
              writer.member("id", index)
              writer.member("method", "eth_sendRawTransaction")
              writer.key("params")
              writer.array { $0.value(hexadecimal: raw) }
            }
          }
        }
        let answer = String(decoding: try connection.post(writer.bytes), as: UTF8.self)
        if let error = answer.range(of: #""error""#) {
          throw Fault(description: String(answer[error.lowerBound...].prefix(200)))
        }
        accepted += part.count
      }
      return accepted
    }
  }

  /// Sends signed transfers over several connections, each from a thread of its own; `send` gives how
  /// many were taken.
  private static func transfers(
    _ bench: NodeBench, _ load: NodeLoad, _ send: @escaping ([[UInt8]]) throws -> Int
  ) throws -> NodeSample {
    let lists = bench.transfers(load.transactions, connections: load.connections)
    let bound = try recoveryRate(lists)
    let first = bench.node.chain.database.head?.header.number ?? 0
    let accepted = Atomic(0)
    let failure = Mutex<String?>(nil)
    let before = processorSeconds
    let start = DispatchTime.now().uptimeNanoseconds
    let threads = DispatchGroup()
    nonisolated(unsafe) let sender = send
    for list in lists {
      threads.enter()
      let thread = Thread {
        do { accepted.add(try sender(list), ordering: .relaxed) } catch {
          failure.withLock { $0 = "\(error)" }
        }
        threads.leave()
      }
      thread.start()
    }
    threads.wait()
    let answered = DispatchTime.now().uptimeNanoseconds
    if let failure = failure.withLock({ $0 }) { throw Fault(description: failure) }
    guard try bench.waitForAll() else {
      throw Fault(
        description: "transactions are missing: \(accepted.load(ordering: .relaxed)) were taken, "
          + "\(bench.node.pool.count) wait")
    }
    let end = DispatchTime.now().uptimeNanoseconds
    let count = Double(load.transactions)
    return NodeSample(
      rate: count / (Double(end - start) / 1e9),
      answeredRate: count / (Double(answered - start) / 1e9), bound: bound,
      processorMicroseconds: (processorSeconds - before) / count * 1e6,
      blocks: (bench.node.chain.database.head?.header.number ?? 0) - first)
  }

  /// Senders recovered a second on all cores, by the coprocessor that the node uses.
  private static func recoveryRate(_ lists: [[[UInt8]]]) throws -> Double {
    let sample = ByteColumn(lists.joined().prefix(20_000))
    let backEnd = CPUBackEnd(SendersCoprocessor())
    let start = DispatchTime.now().uptimeNanoseconds
    let results = backEnd.run(sample)
    let end = DispatchTime.now().uptimeNanoseconds
    guard results.isDone.allSatisfy({ $0 }) else {
      throw Fault(description: "a signature is invalid")
    }
    return Double(sample.count) / (Double(end - start) / 1e9)
  }

  /// The processor's time that this process has used.
  static var processorSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}

/// One connection of HTTP/1.1 that stays open.
final class KeepAliveConnection {
  private let socket: BlockingSocket
  private var buffer: [UInt8] = []

  init(port: Int) throws { socket = try BlockingSocket(host: "127.0.0.1", port: port) }

  /// The body of the answer to a POST.
  func post(_ body: [UInt8]) throws -> [UInt8] {
    try socket.send(
      [UInt8](
        ("POST / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
          + "content-length: \(body.count)\r\n\r\n").utf8) + body)
    var head: Int?
    while head == nil {
      head = Self.endOfHead(buffer)
      if head == nil { try fill() }
    }
    guard let head else { return [] }
    let text = String(decoding: buffer[..<head], as: UTF8.self).lowercased()
    guard text.hasPrefix("http/1.1 200"), let field = text.range(of: "content-length: "),
      let length = Int(text[field.upperBound...].prefix { $0.isNumber })
    else { throw NodeCase.Fault(description: String(text.prefix(200))) }
    while buffer.count < head + length { try fill() }
    defer { buffer.removeFirst(head + length) }
    return Array(buffer[head..<head + length])
  }

  private func fill() throws {
    let bytes = try socket.receive()
    if bytes.isEmpty { throw NodeCase.Fault(description: "the node closed the connection") }
    buffer += bytes
  }

  private static func endOfHead(_ bytes: [UInt8]) -> Int? {
    guard bytes.count >= 4 else { return nil }
    for index in 3..<bytes.count
    where bytes[index] == 10 && bytes[index - 1] == 13 && bytes[index - 2] == 10 {
      return index + 1
    }
    return nil
  }
}

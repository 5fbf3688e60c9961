import ArgumentParser
import EVM
import Ethereum
import Foundation
import Node
import Storage

struct BenchRPCCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rpc",
    abstract: "Time eth_getBalance and eth_call over HTTP on a node of this process.",
    discussion: """
      Starts a development node on a folder that is deleted afterwards, and asks it over connections \
      that stay open, one request at a time on each, from two threads. The load comes from the same \
      cores. Every answer is compared.

        needletail bench rpc --seconds 5 --json
      """)

  @Option(help: "Connections at once.") var connections = 32
  @Option(help: "Seconds for each method.") var seconds = 3
  @Flag(help: "Print the results as JSON.") var json = false

  func validate() throws {
    if !(2...4096).contains(connections) || !(1...3600).contains(seconds) {
      throw ValidationError("a number is out of its range")
    }
  }

  func run() throws {
    let folder = NSTemporaryDirectory() + "needletail-rpc-\(getpid())"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var options = NodeService.Options(folder: folder)
    options.genesis = DevelopmentGenesis.file(
      chainID: 1337, accounts: .standard, time: UInt64(max(0, time(nil))))
    options.isDevelopment = true
    var sequencer = Sequencer.Options()
    sequencer.accounts = .standard
    options.sequencer = sequencer
    options.http.port = 0
    let node = try NodeService(options)
    let account = DevelopmentAccounts.standard.addresses[0]
    // The contract of EIP-2935 gives the hash of a block that there is not: nothing.
    let cases: [(name: String, parameters: String, result: String)] = [
      ("eth_getBalance", #"["\#(account)","latest"]"#, "0x21e19e0c9bab2400000"),
      (
        "eth_call",
        #"[{"to":"0x4e59b44847b379578588920ca78fbf26c0b4956c","data":"0x\#(String(repeating: "0", count: 64))"},"latest"]"#,
        ""
      ),
    ]
    var results: [(name: String, rate: Double, median: Double, p99: Double)] = []
    for item in cases {
      let load = HTTPLoad(
        port: node.port, method: item.name, parameters: item.parameters,
        expected: item.result.isEmpty ? nil : item.result)
      let found = try load.run(connections: connections, seconds: seconds)
      results.append((item.name, found.rate, found.median, found.p99))
    }
    try node.close()
    if json {
      var writer = JSONWriter()
      writer.array { writer in
        for result in results {
          writer.object { writer in
            writer.member("method", result.name)
            writer.key("perSecond")
            writer.value(result.rate)
            writer.key("medianMicroseconds")
            writer.value(result.median * 1e6)
            writer.key("p99Microseconds")
            writer.value(result.p99 * 1e6)
          }
        }
      }
      print(writer.text)
      return
    }
    var table = TextTable([
      ("method", .left), ("per second", .right), ("median us", .right), ("p99 us", .right),
    ])
    for result in results {
      table.add([
        result.name, String(format: "%.0f", result.rate),
        String(format: "%.0f", result.median * 1e6),
        String(format: "%.0f", result.p99 * 1e6),
      ])
    }
    for line in table.lines { print(line) }
  }
}

/// One request again and again, over connections that stay open.
private struct HTTPLoad {
  let port: Int
  let request: [UInt8]
  /// What the answer's result has to be; the first answer's, where it is not known.
  let expected: String?

  init(port: Int, method: String, parameters: String, expected: String?) {
    self.port = port
    self.expected = expected
    let body = #"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":\#(parameters)}"#
    request = [UInt8](
      ("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        + "Content-Length: \(body.utf8.count)\r\n\r\n" + body).utf8)
  }

  private func connect() throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard descriptor >= 0, status == 0 else {
      throw ValidationError("connecting: \(String(cString: strerror(errno)))")
    }
    return descriptor
  }

  private func send(_ descriptor: Int32) throws {
    guard write(descriptor, request, request.count) == request.count else {
      throw ValidationError("sending: \(String(cString: strerror(errno)))")
    }
  }

  /// Reads one answer; its bytes from the first on.
  private func receive(_ descriptor: Int32, _ buffer: inout [UInt8]) throws -> Int {
    var count = 0
    while true {
      let got = buffer.withUnsafeMutableBytes {
        read(descriptor, $0.baseAddress! + count, $0.count - count)
      }
      guard got > 0 else { throw ValidationError("the node closed a connection") }
      count += got
      // An answer's JSON ends with the only brace that ends a packet.
      if buffer[count - 1] == UInt8(ascii: "}") { return count }
    }
  }

  /// Asks until the time is over.
  func run(connections: Int, seconds: Int) throws -> (rate: Double, median: Double, p99: Double) {
    var sample = [UInt8](repeating: 0, count: 4096)
    let first = try connect()
    try send(first)
    let count = try receive(first, &sample)
    close(first)
    let answer = [UInt8](sample[..<count])
    let text = String(decoding: answer, as: UTF8.self)
    guard text.hasPrefix("HTTP/1.1 200"), text.contains(#""result":"#),
      expected.map({ text.hasSuffix(#""result":"\#($0)"}"#) }) ?? true
    else { throw ValidationError("the node answered \(text)") }
    let clock = ContinuousClock()
    let start = clock.now
    let end = start.advanced(by: .seconds(seconds))
    let box = Times()
    DispatchQueue.concurrentPerform(iterations: 2) { index in
      do {
        let share = (connections + index) / 2
        let sockets = try (0..<share).map { _ in try connect() }
        defer { for socket in sockets { close(socket) } }
        var sent = [ContinuousClock.Instant](repeating: clock.now, count: share)
        var times: [Double] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        for (place, socket) in sockets.enumerated() {
          sent[place] = clock.now
          try send(socket)
        }
        while clock.now < end {
          for (place, socket) in sockets.enumerated() {
            let count = try receive(socket, &buffer)
            guard count == answer.count, buffer[..<count].elementsEqual(answer) else {
              throw ValidationError("an answer differs from the first one")
            }
            let now = clock.now
            let time = sent[place].duration(to: now).components
            times.append(Double(time.seconds) + Double(time.attoseconds) / 1e18)
            sent[place] = now
            try send(socket)
          }
        }
        box.add(times, nil)
      } catch { box.add([], error) }
    }
    let elapsed = start.duration(to: clock.now).components
    let (times, failure) = box.all
    if let failure { throw failure }
    let sorted = times.sorted()
    let wall = Double(elapsed.seconds) + Double(elapsed.attoseconds) / 1e18
    return (
      Double(sorted.count) / wall, sorted[sorted.count / 2], sorted[sorted.count * 99 / 100]
    )
  }

  /// What the threads measured.
  private final class Times: @unchecked Sendable {
    // Sendable: behind the lock.
    private let lock = NSLock()
    private var times: [Double] = []
    private var failure: (any Error)?

    func add(_ more: [Double], _ error: (any Error)?) {
      lock.withLock {
        times += more
        failure = failure ?? error
      }
    }

    var all: ([Double], (any Error)?) { lock.withLock { (times, failure) } }
  }
}

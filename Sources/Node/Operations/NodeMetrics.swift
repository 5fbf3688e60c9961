import Execution
import Foundation
import Storage
import Synchronization

/// What an operator looks at: `/health`, `/ready` and `/metrics` in the text form of Prometheus.
final class NodeMetrics: Sendable {
  let requests = Atomic<UInt64>(0)
  /// Open connections of all ports.
  let connections = Mutex<@Sendable () -> Int>({ 0 })
  private let chain: Blockchain
  private let pool: TransactionPool
  private let sequencer: Sequencer?
  private let service: RPCService
  private let follower: FollowerStatus?
  private let start = Date()

  init(
    chain: Blockchain, pool: TransactionPool, sequencer: Sequencer?, service: RPCService,
    follower: FollowerStatus? = nil
  ) {
    self.follower = follower
    self.chain = chain
    self.pool = pool
    self.sequencer = sequencer
    self.service = service
  }

  func page(_ path: String) -> (status: Int, type: String, body: [UInt8])? {
    switch path {
    // For people with a browser, and for what asks whether a node is there.
    case "/":
      let text = "JSON-RPC: POST to here, or a WebSocket. Pages: /health, /ready, /metrics\n"
      return (200, "text/plain", [UInt8](text.utf8))
    case "/health": return (200, "text/plain", [UInt8]("alive\n".utf8))
    case "/ready":
      if let failure = sequencer?.failure {
        return (503, "text/plain", [UInt8]("no blocks can be made: \(failure)\n".utf8))
      }
      if let failure = follower?.failure {
        return (503, "text/plain", [UInt8]("following has ended: \(failure)\n".utf8))
      }
      return (200, "text/plain", [UInt8]("ready\n".utf8))
    case "/metrics": return (200, "text/plain; version=0.0.4", [UInt8](text.utf8))
    default: return nil
    }
  }

  /// All of them.
  var text: String {
    var page = MetricsPage()
    let head = chain.database.head?.header
    page.gauge("head_number", "Number of the head.", head?.number ?? 0)
    page.gauge("head_timestamp_seconds", "Time of the head.", head?.timestamp ?? 0)
    page.gauge(
      "head_base_fee_wei", "Base fee of the head.", head?.baseFeePerGas?.limb0 ?? 0)
    page.gauge("head_gas_used", "Gas of the head.", head?.gasUsed ?? 0)
    let meter = chain.meter
    page.counter(
      "transactions_total", "Transactions in blocks that became the head.",
      meter.transactions.load(ordering: .relaxed))
    page.counter(
      "gas_total", "Gas of blocks that became the head.", meter.gas.load(ordering: .relaxed))
    page.histogram(
      "block_build_seconds", "Choosing, executing and hashing a block that is made here.",
      meter.builds.counts)
    page.histogram(
      "block_commit_seconds", "Making a block durable and the head: log and commit.",
      meter.commits.counts)
    page.gauge("pool_transactions", "Transactions that wait.", pool.count)
    page.counter("pool_arrivals_total", "Transactions that came into the pool.", pool.sequence)
    page.gauge("pool_bytes", "Bytes of transactions that wait.", pool.byteCount)
    page.gauge(
      "database_bytes", "Bytes of the database that are used.", chain.database.usedBytes)
    page.counter(
      "http_requests_total", "Requests on the port for everybody.",
      requests.load(ordering: .relaxed))
    page.gauge(
      "http_connections", "Open connections.", connections.withLock { $0 }())
    for entry in follower?.metrics ?? [] {
      page.metric(entry.name, entry.type, entry.help, entry.value)
    }
    page.methods(service.meter.counts)
    page.gauge("resident_memory_bytes", "Memory of the process.", Self.residentBytes)
    page.gauge("start_time_seconds", "When the node began.", Int(start.timeIntervalSince1970))
    return page.text
  }

  /// Memory of the process, as Linux tells it.
  private static var residentBytes: Int {
    guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else {
      return 0
    }
    let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
  }
}

/// Writes metrics in the text form of Prometheus, version 0.0.4.
struct MetricsPage {
  private(set) var text = ""

  private mutating func head(_ name: String, _ type: String, _ help: String) {
    text += "# HELP needletail_\(name) \(help)\n# TYPE needletail_\(name) \(type)\n"
  }

  mutating func metric(
    _ name: String, _ type: String, _ help: String, _ value: some BinaryInteger
  ) {
    head(name, type, help)
    text += "needletail_\(name) \(value)\n"
  }

  mutating func gauge(_ name: String, _ help: String, _ value: some BinaryInteger) {
    metric(name, "gauge", help, value)
  }

  mutating func counter(_ name: String, _ help: String, _ value: some BinaryInteger) {
    metric(name, "counter", help, value)
  }

  mutating func histogram(_ name: String, _ help: String, _ counts: Histogram.Counts) {
    head(name, "histogram", help)
    series(name, "", counts)
  }

  mutating func methods(_ methods: [(method: String, counts: Histogram.Counts)]) {
    head("rpc_seconds", "histogram", "Answering requests, by method.")
    for entry in methods { series("rpc_seconds", "method=\"\(entry.method)\"", entry.counts) }
    head("rpc_errors_total", "counter", "Requests that were answered with an error, by method.")
    for entry in methods {
      text +=
        "needletail_rpc_errors_total{method=\"\(entry.method)\"} \(entry.counts.failures)\n"
    }
  }

  private mutating func series(_ name: String, _ labels: String, _ counts: Histogram.Counts) {
    let lead = labels.isEmpty ? "" : labels + ","
    var sum: UInt64 = 0
    for (bound, count) in zip(Histogram.bounds, counts.buckets) {
      sum += count
      text += "needletail_\(name)_bucket{\(lead)le=\"\(bound)\"} \(sum)\n"
    }
    let braces = labels.isEmpty ? "" : "{\(labels)}"
    text += "needletail_\(name)_bucket{\(lead)le=\"+Inf\"} \(counts.count)\n"
    text += "needletail_\(name)_sum\(braces) \(counts.seconds)\n"
    text += "needletail_\(name)_count\(braces) \(counts.count)\n"
  }
}

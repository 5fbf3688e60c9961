import EVM
import Ethereum
import Storage
import Synchronization

/// Which logs a request wants.
struct LogQuery: Sendable {
  var blockHash: Hash256?
  var from: BlockReference?
  var to: BlockReference?
  /// One of these; any where it is empty.
  var addresses: [Address] = []
  /// For each place one of these; any where it is empty.
  var topics: [[Hash256]] = []
  /// What blocks' bloom filters are asked.
  private let bloom: BloomQuery

  init(_ value: JSONValue) throws(RPCError) {
    guard case .object = value else {
      throw .invalidParameters("a filter is an object, not \(value.kind)")
    }
    blockHash = try value.member("blockHash", JSONValue.hash)
    from = try value.member("fromBlock", BlockReference.init(_:))
    to = try value.member("toBlock", BlockReference.init(_:))
    if blockHash != nil, from != nil || to != nil {
      throw .invalidParameters(
        "cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other")
    }
    addresses =
      try value.member("address") { (value) throws(RPCError) in
        guard case .array(let items) = value else { return [try value.address()] }
        if items.count > 1000 { throw .invalidParameters("exceed max addresses: 1000") }
        return try value.items { (item) throws(RPCError) in try item.address() }
      } ?? []
    topics =
      try value.member("topics") { (value) throws(RPCError) in
        try value.items(Self.choices)
      } ?? []
    if topics.count > 4 { throw .invalidParameters("exceed max topics") }
    bloom = BloomQuery(
      [addresses.map { Keccak256.hash($0) }] + topics.map { $0.map { Keccak256.hash($0.word) } })
  }

  /// What may stand at one place; anything where it is empty.
  private static func choices(_ value: JSONValue) throws(RPCError) -> [Hash256] {
    switch value {
    case .null: return []
    case .array(let items):
      if items.count > 1000 { throw .invalidParameters("exceed max topics: 1000") }
      // A null among the choices is any.
      if items.contains(.null) { return [] }
      return try value.items { (item) throws(RPCError) in try item.hash() }
    default: return [try value.hash()]
    }
  }

  /// Throws where the numbers of a range are the wrong way round.
  func requireRange() throws(RPCError) {
    guard case .number(let from)? = from, case .number(let to)? = to, from > to else { return }
    throw .invalidParameters("invalid block range params")
  }

  /// The blocks of a range that the query's own numbers leave.
  func clamp(_ range: ClosedRange<UInt64>) -> ClosedRange<UInt64>? {
    var (first, last) = (range.lowerBound, range.upperBound)
    if case .number(let from)? = from { first = max(first, from) }
    switch to {
    case .number(let to)?: last = min(last, to)
    case .tag(.earliest)?: last = 0
    default: break
    }
    return first <= last ? first...last : nil
  }

  func matches(_ log: Log) -> Bool {
    if !addresses.isEmpty, !addresses.contains(log.address) { return false }
    let found = log.topics
    if found.count < topics.count { return false }
    for (index, choices) in topics.enumerated()
    where !choices.isEmpty && !choices.contains(found[index]) {
      return false
    }
    return true
  }

  /// Whether a block with this bloom may have such a log.
  func mayMatch(_ bloom: Bloom) -> Bool { self.bloom.mayMatch(bloom) }

  /// The blocks of a range that may have such a log.
  func blocks(_ range: ClosedRange<UInt64>, _ snapshot: Snapshot) throws(StorageError) -> [UInt64] {
    try snapshot.blocks(range) { bloom.mayMatch($0) }
  }

  /// Calls `body` with every log of a block that matches.
  func forEachMatch(
    _ header: StoredHeader, _ transactions: BodyRecord, _ receipts: ReceiptsRecord,
    _ body: (Log, JSONWriter.LogPlace) throws -> Void
  ) throws {
    for index in 0..<receipts.count {
      let (receipt, firstLog) = try receipts.receipt(index)
      var hash: Hash256?
      for (offset, log) in receipt.logs.enumerated() where matches(log) {
        let known = hash ?? Keccak256.hash(transactions.envelope(index))
        hash = known
        try body(
          log,
          JSONWriter.LogPlace(
            header: header, transactionHash: known, transactionIndex: index,
            logIndex: firstLog + offset))
      }
    }
  }
}

/// Logs, and filters that remember what was told.
extension RPCService {
  static let logMethods: [String: Method] = [
    "eth_getLogs": { service, parameters, writer in
      let query = try parameters.read(0, LogQuery.init(_:))
      service.write(try service.logs(query), &writer)
    },
    "eth_newFilter": { service, parameters, writer in
      let query = try parameters.read(ifPresent: 0) { (value) throws(RPCError) in
        try LogQuery(value ?? .object([]))
      }
      try query.requireRange()
      writer.value(
        service.filters.add(.logs(query), head: try service.chain.snapshot().head.header.number))
    },
    "eth_newBlockFilter": { service, _, writer in
      writer.value(
        service.filters.add(.blocks, head: try service.chain.snapshot().head.header.number))
    },
    "eth_newPendingTransactionFilter": { service, parameters, writer in
      let isFull = parameters[0] == nil ? false : try parameters.boolean(0)
      writer.value(
        service.filters.add(
          .transactions(service.pool.sequence, isFull: isFull),
          head: try service.chain.snapshot().head.header.number))
    },
    "eth_uninstallFilter": { service, parameters, writer in
      writer.value(service.filters.remove(try parameters.text(0)))
    },
    "eth_getFilterLogs": { service, parameters, writer in
      guard let filter = service.filters[try parameters.text(0)],
        case .logs(let query) = filter.kind
      else { throw RPCError.server("filter not found") }
      service.write(try service.logs(query), &writer)
    },
    "eth_getFilterChanges": { service, parameters, writer in
      try service.writeChanges(try parameters.text(0), &writer)
    },
  ]

  typealias FoundLog = (log: Log, place: JSONWriter.LogPlace)

  private func write(_ logs: [FoundLog], _ writer: inout JSONWriter) {
    writer.array { writer in
      for found in logs { writer.log(found.log, at: found.place) }
    }
  }

  private func logs(_ query: LogQuery) throws -> [FoundLog] {
    let ends = [query.from, query.to]
    let snapshot = try snapshot(for: .tag(ends.contains(.tag(.pending)) ? .pending : .latest))
    if let hash = query.blockHash {
      guard let header = try snapshot.header(hash) else { throw RPCError.server("unknown block") }
      var found: [FoundLog] = []
      try collect(query, header, snapshot, &found)
      return found
    }
    func bound(_ reference: BlockReference?) throws -> UInt64 {
      switch reference {
      case nil: return snapshot.latest
      case .number(let number)?: return number
      case .some(let reference):
        guard let number = try number(reference, snapshot) else {
          throw RPCError.server("unknown block")
        }
        return number
      }
    }
    let from = try bound(query.from)
    let to = try bound(query.to)
    if from > to { throw RPCError.invalidParameters("invalid block range params") }
    if to > snapshot.head.header.number {
      throw RPCError.invalidParameters("block range extends beyond current head block")
    }
    if to - from >= limits.logBlocks {
      throw RPCError.limit("the range has more than \(limits.logBlocks) blocks")
    }
    return try logs(query, from...to, snapshot)
  }

  private func logs(
    _ query: LogQuery, _ range: ClosedRange<UInt64>, _ snapshot: Snapshot
  ) throws -> [FoundLog] {
    var found: [FoundLog] = []
    for number in try query.blocks(range, snapshot) {
      if let header = try snapshot.header(number) { try collect(query, header, snapshot, &found) }
    }
    return found
  }

  private func collect(
    _ query: LogQuery, _ header: StoredHeader, _ snapshot: Snapshot, _ found: inout [FoundLog]
  ) throws {
    guard let receipts = snapshot.receipts(header.header.number),
      let body = snapshot.body(header.header.number)
    else { return }
    try query.forEachMatch(header, body, receipts) { log, place in
      if found.count >= limits.logs {
        throw RPCError.limit("query returned more than \(limits.logs) results")
      }
      found.append((log, place))
    }
  }

  private func writeChanges(_ id: String, _ writer: inout JSONWriter) throws {
    let snapshot = try chain.snapshot()
    let head = snapshot.head.header.number
    guard let filter = filters.advance(id, to: head, sequence: pool.sequence) else {
      throw RPCError.server("filter not found")
    }
    do { try write(filter, upTo: head, snapshot, &writer) } catch {
      // Who was told nothing is told of it the next time.
      filters.restore(id, filter)
      throw error
    }
  }

  private func write(
    _ filter: FilterStore.Filter, upTo head: UInt64, _ snapshot: Snapshot,
    _ writer: inout JSONWriter
  ) throws {
    switch filter.kind {
    case .blocks:
      try writer.array { (writer) throws in
        var number = filter.next
        while number <= head {
          if let header = try snapshot.header(number) { writer.value(header.hash) }
          number += 1
        }
      }
    case .transactions(let sequence, let isFull):
      try writer.array { (writer) throws in
        for hash in pool.hashes(after: sequence) {
          if isFull { try writeTransaction(hash, snapshot, &writer) } else { writer.value(hash) }
        }
      }
    case .logs(let query):
      let range = filter.next > head ? nil : query.clamp(filter.next...head)
      write(try range.map { try logs(query, $0, snapshot) } ?? [], &writer)
    }
  }
}

/// The filters of all clients; those that nobody asks about for five minutes are forgotten.
final class FilterStore: ChainObserver {
  enum Kind: Sendable {
    case logs(LogQuery)
    case blocks
    /// What the pool had taken in when it was asked last, and whether all of it is told.
    case transactions(UInt64, isFull: Bool)
  }

  struct Filter: Sendable {
    var kind: Kind
    /// The next block to tell of.
    var next: UInt64
    var lastUse: ContinuousClock.Instant
  }

  private let filters = Mutex<[String: Filter]>([:])
  private static let limit = 10_000

  /// A filter, which is used thereby.
  subscript(id: String) -> Filter? {
    filters.withLock {
      $0[id]?.lastUse = .now
      return $0[id]
    }
  }

  func headChanged(_ block: StoredBlock) {}

  /// Blocks that come in place of those that are taken out are new to everybody.
  func willRewind(to number: UInt64, from snapshot: Snapshot) {
    filters.withLock { filters in
      for id in filters.keys where filters[id]!.next > number + 1 { filters[id]!.next = number + 1 }
    }
  }

  /// Takes an advance back, unless the filter is gone or was taken further back.
  func restore(_ id: String, _ old: Filter) {
    filters.withLock { filters in
      guard let now = filters[id] else { return }
      filters[id]!.next = min(now.next, old.next)
      filters[id]!.kind = old.kind
    }
  }

  func add(_ kind: Kind, head: UInt64) -> String {
    let id = "0x" + String(UInt64.random(in: 1...UInt64.max), radix: 16)
    filters.withLock { filters in
      let now = ContinuousClock.now
      filters = filters.filter { $0.value.lastUse.duration(to: now) < .seconds(300) }
      if filters.count >= Self.limit,
        let oldest = filters.min(by: { $0.value.lastUse < $1.value.lastUse })
      {
        filters[oldest.key] = nil
      }
      filters[id] = Filter(kind: kind, next: head + 1, lastUse: now)
    }
    return id
  }

  func remove(_ id: String) -> Bool { filters.withLock { $0.removeValue(forKey: id) != nil } }

  /// The filter as it was, which has been told of all up to now then.
  func advance(_ id: String, to head: UInt64, sequence: UInt64) -> Filter? {
    filters.withLock { filters in
      guard let filter = filters[id] else { return nil }
      filters[id]!.next = head + 1
      filters[id]!.lastUse = .now
      if case .transactions(_, let isFull) = filter.kind {
        filters[id]!.kind = .transactions(sequence, isFull: isFull)
      }
      return filter
    }
  }
}

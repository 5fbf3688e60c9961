import Foundation

/// Takes batches for one coprocessor and does them in larger ones.
///
/// Batches that come within `maximumWait` of the first are done together, up to `maximumRows`. A
/// batch of fewer rows than the measured crossover is the CPU's, a larger one a device's where there
/// is a healthy one. A batch whose device fails moves to the CPU, is logged and counted. The queue
/// and its thread live until `close`.
public final class CoprocessorQueue: @unchecked Sendable {
  // All mutable state is used under the condition's lock only.

  /// The bounds of a queue.
  public struct Limits: Sendable {
    /// Rows done together; a larger batch is done by itself.
    public var maximumRows = 65_536
    /// Nanoseconds that a batch waits for others.
    public var maximumWait: UInt64 = 200_000
    /// Rows that wait; beyond them `submit` waits too.
    public var capacity = 1 << 20

    /// The usual bounds.
    public init() {}
  }

  /// What a queue did.
  public struct Statistics: Hashable, Sendable {
    /// Batches handed in.
    public var submissions = 0
    /// Batches as they were done, by the name of the back end.
    public var batches: [String: Int] = [:]
    /// Rows done, by the name of the back end.
    public var rows: [String: Int] = [:]
    /// Batches that a device failed to do and the CPU did.
    public var movedBatches = 0
    /// Their rows.
    public var movedRows = 0
    /// Batches taken back.
    public var cancelled = 0
  }

  private let registry: CoprocessorRegistry
  private let coprocessor: String
  private let requestLimit: Int
  private let limits: Limits
  private let crossover: @Sendable (String) -> Int?
  private let log: @Sendable (String) -> Void

  private let condition = NSCondition()
  private var waiting: [CoprocessorTicket] = []
  private var waitingRows = 0
  private var isClosed = false
  private var isStopped = false
  private var counts = Statistics()

  /// A queue of a registry's coprocessor.
  ///
  /// - Parameters:
  ///   - coprocessor: its name.
  ///   - registry: who does the work; back ends that fail are marked there.
  ///   - limits: the bounds of batches and waits.
  ///   - crossover: the rows from which on a back end, by its name, is faster than the CPU; `nil`
  ///     when it never is.
  ///   - log: gets a line whenever a batch moves or a back end is given up.
  public init(
    _ coprocessor: String, of registry: CoprocessorRegistry, limits: Limits = Limits(),
    crossover: @escaping @Sendable (String) -> Int?, log: @escaping @Sendable (String) -> Void
  ) throws(CoprocessorError) {
    requestLimit = try registry.entry(coprocessor).coprocessor.requestLimit
    self.registry = registry
    self.coprocessor = coprocessor
    self.limits = limits
    self.crossover = crossover
    self.log = log
    let thread = Thread { [self] in work() }
    thread.name = "coprocessor \(coprocessor)"
    thread.stackSize = 16 << 20
    thread.start()
  }

  /// What was done so far.
  public var statistics: Statistics { condition.withLock { counts } }

  /// Hands a batch in. Waits while the queue is full.
  /// - Throws: `requestTooLarge`, and `closed` after `close`.
  public func submit(_ requests: ByteColumn) throws(CoprocessorError) -> CoprocessorTicket {
    try check(requests)
    condition.lock()
    defer { condition.unlock() }
    while !isClosed, !hasRoom(for: requests) { condition.wait() }
    return try enqueue(requests)
  }

  /// Hands a batch in unless the queue is full.
  public func trySubmit(_ requests: ByteColumn) throws(CoprocessorError) -> CoprocessorTicket? {
    try check(requests)
    condition.lock()
    defer { condition.unlock() }
    if !isClosed, !hasRoom(for: requests) { return nil }
    return try enqueue(requests)
  }

  /// Takes no more batches, and waits until those that were handed in are done.
  public func close() {
    condition.lock()
    defer { condition.unlock() }
    isClosed = true
    condition.broadcast()
    while !isStopped { condition.wait() }
  }

  private func check(_ requests: ByteColumn) throws(CoprocessorError) {
    for row in 0..<requests.count where requests.range(row).count > requestLimit {
      throw CoprocessorError(
        .requestTooLarge,
        "request \(row) for \(coprocessor) has \(requests.range(row).count) bytes; it takes "
          + "\(requestLimit) at most")
    }
  }

  /// A batch larger than the queue is let in alone.
  private func hasRoom(for requests: ByteColumn) -> Bool {
    waitingRows == 0 || waitingRows + requests.count <= limits.capacity
  }

  private func enqueue(_ requests: ByteColumn) throws(CoprocessorError) -> CoprocessorTicket {
    if isClosed { throw CoprocessorError(.closed, "the queue of \(coprocessor) is closed") }
    let ticket = CoprocessorTicket(requests)
    waiting.append(ticket)
    waitingRows += requests.count
    counts.submissions += 1
    condition.broadcast()
    return ticket
  }

  // MARK: The queue's thread

  private func work() {
    while let tickets = next() {
      let begun = tickets.filter { $0.begin() }
      condition.withLock { counts.cancelled += tickets.count - begun.count }
      if begun.isEmpty { continue }
      var requests = begun[0].requests
      for ticket in begun.dropFirst() { requests.append(contentsOf: ticket.requests) }
      let results = run(requests)
      var row = 0
      for ticket in begun {
        let rows = row..<(row + ticket.requests.count)
        ticket.finish(
          results.map { begun.count == 1 ? $0 : $0.rows(rows) })
        row = rows.upperBound
      }
    }
    condition.withLock {
      isStopped = true
      condition.broadcast()
    }
  }

  /// The batches to be done together; `nil` when there will be none.
  private func next() -> [CoprocessorTicket]? {
    condition.lock()
    defer { condition.unlock() }
    while waiting.isEmpty {
      if isClosed { return nil }
      condition.wait()
    }
    let due = waiting[0].submitted &+ limits.maximumWait
    while !isClosed, waitingRows < limits.maximumRows {
      let now = DispatchTime.now().uptimeNanoseconds
      if now >= due { break }
      _ = condition.wait(until: Date(timeIntervalSinceNow: Double(due - now) / 1e9))
    }
    var count = 0
    var rows = 0
    while count < waiting.count,
      count == 0 || rows + waiting[count].requests.count <= limits.maximumRows
    {
      rows += waiting[count].requests.count
      count += 1
    }
    let tickets = [CoprocessorTicket](waiting[..<count])
    waiting.removeFirst(count)
    waitingRows -= rows
    condition.broadcast()
    return tickets
  }

  private func run(_ requests: ByteColumn) -> Result<CoprocessorResults, CoprocessorError> {
    do throws(CoprocessorError) {
      let entry = try registry.entry(coprocessor)
      for candidate in entry.backEnds.dropFirst() where candidate.health == .healthy {
        let backEnd = candidate.backEnd
        guard let least = crossover(backEnd.name), requests.count >= least else { continue }
        if let results = tryDevice(backEnd, requests) { return .success(results) }
      }
      let results = try entry.backEnds[0].backEnd.run(requests)
      count("cpu", requests)
      return .success(results)
    } catch {
      return .failure(error)
    }
  }

  /// The results of a device; `nil` when it failed, which is logged and counted.
  private func tryDevice(_ backEnd: any CoprocessorBackEnd, _ requests: ByteColumn)
    -> CoprocessorResults?
  {
    var failure: CoprocessorError
    do throws(CoprocessorError) {
      let results = try backEnd.run(requests)
      if results.count == requests.count {
        count(backEnd.name, requests)
        return results
      }
      failure = CoprocessorError(
        .refused, "it gave \(results.count) results for \(requests.count) requests")
    } catch {
      failure = error
    }
    condition.withLock {
      counts.movedBatches += 1
      counts.movedRows += requests.count
    }
    log(
      "\(coprocessor): the \(backEnd.name) back end failed (\(failure.code.rawValue): \(failure)); "
        + "its batch of \(requests.count) moves to the CPU")
    // A batch that was too large says nothing of the next one.
    if failure.code != .memoryExhausted {
      registry.retire(backEnd, because: failure)
      log("\(coprocessor): the \(backEnd.name) back end is not used any more")
    }
    return nil
  }

  private func count(_ name: String, _ requests: ByteColumn) {
    condition.withLock {
      counts.batches[name, default: 0] += 1
      counts.rows[name, default: 0] += requests.count
    }
  }
}
